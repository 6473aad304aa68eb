"""Runs one function's work on one photo and prints the peak of the process: `WORK PHOTO OUTPUT EARLIER`.

`memory.py` starts it. The process works on the photo EARLIER before, as a function that has had other photos has.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from benchmarks.hiding_methods import megabytes
from faceblur.detectors import rekognition
from faceblur.detectors.base import Answer, DetectionPass, StoredPhoto
from faceblur.detectors.embedded import detector as embedded
from faceblur.detectors.warnings import warnings_for
from faceblur.errors import ImageTooLarge
from faceblur.geometry import Box
from faceblur.photo.hide import hide_regions
from faceblur.photo.preview import draw_preview
from faceblur.photo.styles import Region, Style
from tests.support.standins.paid import Paid

if TYPE_CHECKING:
    from collections.abc import Callable

    from faceblur.limits import OutputFormat

FACE = Box(0.4, 0.4, 0.2, 0.2, 99.0)


def detect_embedded(photo: bytes, _: OutputFormat) -> None:
    """What the embedded detector does before its networks, whose memory does not grow with the photo."""
    warnings_for(embedded.load(photo))


def detect_rekognition(photo: bytes, _: OutputFormat) -> None:
    """A check with Rekognition, which sends every picture itself. The service finds nothing."""
    rekognition.detect_faces = lambda _: Answer([], is_full=False)
    rekognition.client = lambda: SimpleNamespace(meta=SimpleNamespace(service_model=SimpleNamespace(api_version="")))
    rekognition.RekognitionDetector(Paid()).detect(StoredPhoto(photo, "", ""), 50, DetectionPass.CHECK)


def hide(photo: bytes, output: OutputFormat) -> None:
    """Hide one face."""
    hide_regions(photo, [Region(FACE, Style())], output)


def preview(photo: bytes, _: OutputFormat) -> None:
    """Draw a preview."""
    draw_preview(photo)


WORK: dict[str, Callable[[bytes, OutputFormat], None]] = {
    work.__name__: work for work in (detect_embedded, detect_rekognition, hide, preview)
}


def main(work: str, photo: Path, output: OutputFormat, earlier: Path) -> None:
    """Print the peak in MB, or a dash if the photo is refused as too large."""
    WORK[work](earlier.read_bytes(), "same")
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    try:
        WORK[work](photo.read_bytes(), output)
    except ImageTooLarge:
        sys.stdout.write("-")
    else:
        sys.stdout.write(f"{megabytes('VmHWM'):.0f}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
