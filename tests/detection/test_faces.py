"""The embedded detector: real faces in composed photos, in files of all kinds."""

from __future__ import annotations

from dataclasses import astuple
from functools import cache
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from faceblur.detectors.base import DetectionPass, StoredPhoto
from faceblur.detectors.embedded import detector as embedded
from faceblur.detectors.embedded.centerface import centerface
from faceblur.detectors.embedded.detector import MOST_PIXELS, EmbeddedDetector
from faceblur.detectors.embedded.yunet import yunet
from faceblur.detectors.warnings import WarningCode
from faceblur.errors import CorruptImage, UnsupportedFormat
from faceblur.limits import DEFAULT_CONFIDENCE, MIN_SIDE
from tests.support.pictures.photos import (
    ORIENTATIONS,
    astronaut,
    astronaut_pixels,
    encoded,
    flower,
    grace_hopper,
    jpeg,
    laid_for,
    street_pixels,
    without_its_end,
)
from tests.support.pictures.scenes import Scene, crowd, matches, part_inside, people, place, scattered, shared

pytestmark = pytest.mark.usefixtures("networks")


def detect(
    data: bytes, min_confidence: float = DEFAULT_CONFIDENCE, detection_pass: DetectionPass = DetectionPass.FIRST
):
    return EmbeddedDetector().detect(StoredPhoto(data, "bucket", "key"), min_confidence, detection_pass)


def pixels(detection, size):
    return [
        (box.left * size[0], box.top * size[1], box.right * size[0], box.bottom * size[1]) for box in detection.boxes
    ]


def found_in(picture: Image.Image, detection_pass: DetectionPass = DetectionPass.FIRST, **options) -> list:
    """The boxes found in a picture's JPEG file, in its pixels."""
    return pixels(detect(jpeg(picture, **options), detection_pass=detection_pass), picture.size)


def beside(found: list, scene: Scene) -> list:
    """The boxes that have less than half of their area in a face."""
    return [box for box in found if max(part_inside(box, face) for face in scene.faces) < 0.5]


def laid(picture: Image.Image, orientation: int, format_: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(laid_for(orientation, picture), format_, exif=exif, compress_level=1)


@pytest.mark.parametrize("photo", [astronaut, grace_hopper])
@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_the_face_of_a_sample_photo(photo, detection_pass):
    found = detect(photo(), detection_pass=detection_pass)
    (box,) = found.boxes
    assert box.confidence > 80
    assert abs(box.roll) < 10
    assert (box.found_by, found.detector, found.calls, found.warnings) == ("embedded", "embedded", 0, [])


@pytest.mark.parametrize("photo", [astronaut, grace_hopper])
def test_both_passes_find_the_same_face_in_the_same_place(photo):
    (first,), (second,) = (detect(photo(), detection_pass=detection_pass).boxes for detection_pass in DetectionPass)
    assert first.overlap(second) > 0.7


@pytest.mark.parametrize("detection_pass", DetectionPass)
@pytest.mark.parametrize("photo", [flower(), jpeg(street_pixels())], ids=["flower", "street"])
def test_a_picture_of_nobody(detection_pass, photo):
    assert detect(photo, detection_pass=detection_pass).boxes == []


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_boxes_are_those_of_the_upright_photo(orientation, format_):
    upright = scattered(40, (480, 360), 2, seed=3)
    found = detect(laid(upright.picture, orientation, format_))
    assert matches(pixels(found, (480, 360)), upright, overlap=0.5) == (2, 0)
    assert all(abs(box.roll) < 15 for box in found.boxes)


@pytest.mark.parametrize("width", [24, 64, 200])
def test_clear_faces_are_all_found(width):
    for seed in range(3):
        scene = scattered(width, (1600, 1200), 4, seed)
        found = found_in(scene.picture)
        assert matches(found, scene)[0] == 4
        assert beside(found, scene) == []


@pytest.mark.parametrize("roll", range(45, 360, 45))
def test_turned_faces_are_found(roll):
    for seed in (100, 102):
        scene = scattered(48, (1280, 960), 4, seed, angle=-roll)
        assert matches(found_in(scene.picture), scene)[0] == 4


def test_turned_faces_are_found_beside_upright_ones():
    upright = scattered(32, (640, 480), 8, seed=3)
    upside_down = scattered(32, (640, 480), 6, seed=53, angle=180)
    both = Scene(Image.new("RGB", (640, 960)))
    both.picture.paste(upright.picture, (0, 0))
    both.picture.paste(upside_down.picture, (0, 480))
    both.faces += upright.faces
    both.faces += [(left, top + 480, right, bottom + 480) for left, top, right, bottom in upside_down.faces]
    hits, _ = matches(found_in(both.picture), both)
    assert hits >= len(both.faces) - 1


def test_blurred_faces_are_found():
    for seed in range(110, 113):
        scene = scattered(64, (1280, 960), 4, seed)
        blurred = scene.picture.filter(ImageFilter.GaussianBlur(6))
        assert matches(found_in(blurred), scene)[0] == 4


@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_a_part_of_a_face_is_no_face_of_its_own(detection_pass):
    scene = scattered(640, (2400, 1800), 1, seed=0)
    (found,) = found_in(scene.picture, detection_pass)
    assert shared(found, scene.faces[0]) > 0.5


@cache
def close_up(person: int, size: tuple[int, int], share: float) -> tuple[bytes, tuple[float, ...]]:
    """A photo of this size with one face, which takes such a share of its height; and where the face is, in pixels."""
    head = people()[person]
    height = share * min(size[1], 1.2 * size[0])
    width = height * (head.face[2] - head.face[0]) / (head.face[3] - head.face[1])
    scene = Scene(place(5, size))
    scene.put(head, (size[0] - width) / 2, (size[1] - height) / 2, width)
    return jpeg(scene.picture), scene.faces[0]


@pytest.mark.parametrize("detection_pass", DetectionPass)
@pytest.mark.parametrize("size", [(960, 720), (800, 800), (2160, 2880)])  # the last one is reduced
@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("person", [0, 2])
def test_a_large_face_is_found_as_a_whole(person, size, share, detection_pass):
    photo, face = close_up(person, size, share)
    assert max(shared(box, face) for box in pixels(detect(photo, detection_pass=detection_pass), size)) > 0.7


def test_a_face_as_wide_as_the_photo():
    picture = astronaut_pixels().crop((170, 50, 280, 190)).resize((2200, 2800))
    (box,) = detect(jpeg(picture)).boxes
    assert shared((box.left, box.top, box.right, box.bottom), (0.08, 0.06, 0.93, 0.94)) > 0.7


def test_a_crowd_down_to_small_faces():
    scene = crowd(300, 10, 50, seed=1)
    found = detect(jpeg(scene.picture, quality=95))
    hits, extra = matches(pixels(found, scene.picture.size), scene)
    assert hits > 0.9 * len(scene.faces)
    assert extra <= 0.03 * len(scene.faces)
    assert found.warnings == [WarningCode.NEAR_SIZE_LIMIT]


def test_most_narrow_faces_of_a_thumbnail_are_found():
    scenes = [scattered(14, (400, 300), 4, seed) for seed in range(4)]
    hits = [matches(found_in(scene.picture, quality=95), scene)[0] for scene in scenes]
    assert sum(hits) > 0.8 * 16


def test_a_check_finds_as_much():
    scene = crowd(100, 12, 60, seed=2)
    hits = [matches(found_in(scene.picture, detection_pass, quality=95), scene)[0] for detection_pass in DetectionPass]
    assert min(hits) > 0.8 * len(scene.faces)


def test_large_faces_are_not_near_the_size_limit():
    assert detect(jpeg(scattered(64, (640, 480), 2, seed=0).picture)).warnings == []


def test_the_first_pass_uses_both_networks_and_a_check_only_yunet():
    first, second = (detect(astronaut(), detection_pass=detection_pass).version for detection_pass in DetectionPass)
    assert first == f"{centerface().version} {yunet().version}"
    assert second == yunet().version
    assert "centerface" in first
    assert "centerface" not in second


def test_a_higher_confidence_leaves_those_boxes_that_have_it():
    photo = jpeg(scattered(20, (1200, 900), 6, seed=0).picture)
    every = detect(photo).boxes
    middle = sorted(box.confidence for box in every)[len(every) // 2]
    sure = detect(photo, middle).boxes
    assert 0 < len(sure) < len(every)
    assert {astuple(box) for box in sure} >= {astuple(box) for box in every if box.confidence > middle + 0.1}


@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_hints_are_all_possible_faces_and_change_nothing_of_the_detection(detection_pass):
    photo = StoredPhoto(jpeg(scattered(9, (900, 700), 12, seed=1).picture), "bucket", "key")
    found, hints = EmbeddedDetector().detect_with_hints(photo, DEFAULT_CONFIDENCE, detection_pass)
    assert found == EmbeddedDetector().detect(photo, DEFAULT_CONFIDENCE, detection_pass)
    assert len(hints) > len(found.boxes)
    assert {astuple(hint)[:5] for hint in hints} >= {astuple(box)[:5] for box in found.boxes}
    assert min(hint.confidence for hint in hints) < DEFAULT_CONFIDENCE


@pytest.mark.parametrize("data", [without_its_end(astronaut()), encoded(astronaut_pixels(), "PNG")[:5000]])
@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_a_photo_in_which_pixels_are_missing_is_told_from_a_whole_one(data, detection_pass):
    assert WarningCode.TRUNCATED_PHOTO in detect(data, detection_pass=detection_pass).warnings
    assert WarningCode.TRUNCATED_PHOTO not in detect(astronaut(), detection_pass=detection_pass).warnings


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (astronaut()[:100], CorruptImage),
        (without_its_end(encoded(astronaut_pixels(), "WEBP")), CorruptImage),
        (b"", CorruptImage),
        (b"GIF89a and so on", UnsupportedFormat),
    ],
    ids=["the start of a JPEG", "half a WebP", "empty", "no photo"],
)
@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_an_unreadable_photo_is_an_error_and_never_a_photo_without_faces(data, error, detection_pass):
    with pytest.raises(error):
        detect(data, detection_pass=detection_pass)


@pytest.mark.parametrize(("format_", "orientation", "share"), [("JPEG", 1, 1 / 6), ("JPEG", 6, 1), ("PNG", 6, 1 / 6)])
def test_very_large_photos_are_reduced(format_, orientation, share, monkeypatch):
    """One photo has the real size. The others are smaller, and so is the limit."""
    most = MOST_PIXELS * share
    monkeypatch.setattr(embedded, "MOST_PIXELS", most)
    scene = scattered(150 * sqrt(share), (round(3150 * sqrt(share)), round(2100 * sqrt(share))), 4, seed=0)
    photo = laid(scene.picture, orientation, format_)
    width, height = embedded.load(photo).size
    assert 0.99 * most < width * height <= most + max(width, height)
    assert width / height == pytest.approx(1.5, abs=0.01)
    found = pixels(detect(photo), scene.picture.size)
    assert matches(found, scene)[0] == 4
    assert beside(found, scene) == []


def test_other_photos_are_seen_as_they_are():
    picture = place(0, (1600, 1200))
    assert embedded.load(encoded(picture, "PNG")).tobytes() == picture.tobytes()


@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_the_smallest_photos_can_be_searched(detection_pass):
    assert detect(encoded(Image.new("RGB", (MIN_SIDE, MIN_SIDE)), "PNG"), detection_pass=detection_pass).boxes == []


class Anything:
    """A network that finds anything, with edges that the picture's cut off as the networks' own are."""

    version = "anything"
    largest_block = 256

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def find_in_each(self, pictures, threshold):
        return [found[found[:, 4] > threshold] for found in map(self.find, pictures)]

    def find(self, picture):
        corners = self.rng.uniform(-50, max(picture.size), (20, 2))
        boxes = np.concatenate([corners, corners + self.rng.uniform(1, 300, (20, 2))], axis=1)
        boxes = boxes.clip(0, [*picture.size, *picture.size])
        solid = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        return np.column_stack([boxes, self.rng.random(20), np.zeros(20)]).astype(np.float32)[solid]


@settings(max_examples=40)
@given(
    orientation=st.sampled_from(ORIENTATIONS),
    size=st.tuples(st.integers(16, 900), st.integers(16, 900)),
    detection_pass=st.sampled_from(list(DetectionPass)),
    seed=st.integers(0, 2**32 - 1),
)
def test_boxes_lie_within_the_upright_frame(orientation, size, detection_pass, seed):
    photo = laid(Image.new("RGB", size, "grey"), orientation, "PNG")
    with pytest.MonkeyPatch.context() as patch:
        for network in ("centerface", "yunet"):
            patch.setattr(embedded, network, lambda: Anything(seed))
        found = detect(photo, detection_pass=detection_pass)
    for box in found.boxes:
        assert 0 <= box.left < box.right <= 1 + 1e-6
        assert 0 <= box.top < box.bottom <= 1 + 1e-6
        assert DEFAULT_CONFIDENCE <= box.confidence <= 100
    assert [box.confidence for box in found.boxes] == sorted((box.confidence for box in found.boxes), reverse=True)
