"""Bad files in the deployed stack: each job ends with a clear code or a result, and leaves nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.bad_files.catalogue import mutated
from tests.support.bad_files.stack_trial import REFUSED, tried_in
from tests.support.bad_files.trial import HIDDEN

if TYPE_CHECKING:
    from tests.support.stack.deployed import Deployed

FILES = {
    "any: empty": "CorruptImage",
    "any: a PDF": "UnsupportedFormat",
    "any: a film": "UnsupportedFormat",
    "any: too many bytes": REFUSED,
    "JPEG: its first half": "CorruptImage",
    "JPEG: scans without end": "CorruptImage",
    "JPEG: empty segments without end": "CorruptImage",
    "JPEG: EXIF that goes in circles": HIDDEN,
    "JPEG: EXIF whose tags all hold all of its megabytes": HIDDEN,
    "JPEG: before a ZIP": HIDDEN,
    "PNG: pixels beyond the limit": "ImageTooLarge",
    "PNG: empty chunks without end": "CorruptImage",
    "PNG: thousands of kinds of chunks": HIDDEN,
    "PNG: animated, a larger picture": "CorruptImage",
    "PNG: one row of the most pixels": "UnsupportedFormat",
    "WEBP: of several pictures": "UnsupportedFormat",
    "AVIF: a grid much larger than it says": "CorruptImage",
    "HEIF: the signature before PNG": "CorruptImage",
    "TIFF: of several pictures": "UnsupportedFormat",
    "TIFF: a tag of all bytes there are": "CorruptImage",
    "BMP: says it is zero wide": "CorruptImage",
}


def test_files_made_by_hand(deployed: Deployed) -> None:
    tried = list(tried_in(deployed, FILES))
    assert [each for each in tried if each.defect] == []
    assert {each.name: each.ended for each in tried} == FILES


@pytest.mark.parametrize("number", range(3))
def test_mutations(deployed: Deployed, number: int) -> None:
    assert [each for each in tried_in(deployed, list(mutated(12))[number::3]) if each.defect] == []
