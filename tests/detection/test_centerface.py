"""What CenterFace finds in the sample photos."""

from __future__ import annotations

import pytest
from PIL import Image

from faceblur.detectors.embedded.candidates import ROLL, SCORE, suppress
from faceblur.detectors.embedded.centerface import centerface
from tests.support.pictures.photos import astronaut_pixels, hopper_pixels
from tests.support.pictures.scenes import shared


@pytest.mark.parametrize(
    ("photo", "face"),
    [(astronaut_pixels, (181, 58, 270, 178)), (hopper_pixels, (174, 127, 357, 335))],
    ids=["astronaut", "hopper"],
)
@pytest.mark.parametrize("turn", [-20, 0, 20])
def test_the_faces_of_the_sample_photos(networks, photo, face, turn):
    """Turned about the middle of the face, so that it stays where it is."""
    middle = (face[0] + face[2]) / 2, (face[1] + face[3]) / 2
    picture = photo().rotate(-turn, Image.Resampling.BICUBIC, center=middle)
    (candidate,) = suppress(centerface().find_in_each([picture], 0.35)[0], 0.4)
    assert shared(tuple(candidate[:4].tolist()), face) > 0.7
    assert candidate[SCORE] > 0.6
    assert candidate[ROLL] == pytest.approx(turn, abs=15)


def test_several_pictures_at_once_are_seen_as_each_by_itself(networks):
    pictures = [astronaut_pixels(), astronaut_pixels().rotate(15), Image.new("RGB", (512, 512))]
    together = centerface().find_in_each(pictures, 0.3)
    alone = [centerface().find_in_each([picture], 0.3)[0] for picture in pictures]
    assert [len(found) for found in together] == [1, 1, 0]
    for one, other in zip(together, alone, strict=True):
        assert one == pytest.approx(other, rel=1e-3)
