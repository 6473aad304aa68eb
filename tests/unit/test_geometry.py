from __future__ import annotations

import json
from cmath import rect
from dataclasses import replace
from math import radians
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw

from faceblur.geometry import DECIMALS, Box, BoxIndex, Rectangle, merge


def floats(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


def numbers(box: Box) -> tuple[float, ...]:
    return box.left, box.top, box.width, box.height, box.confidence


finders = st.sampled_from(["", "embedded", "rekognition"])
boxes = st.builds(Box, floats(-2, 2), floats(-2, 2), floats(1e-3, 3), floats(1e-3, 3), floats(0, 100), finders)


def inside(box: Box) -> bool:
    return 0 <= box.left <= box.right <= 1 + 1e-12 and 0 <= box.top <= box.bottom <= 1 + 1e-12


def test_edges_and_area():
    box = Box(0.1, 0.2, 0.3, 0.4, 99)
    assert (box.right, box.bottom, box.area) == pytest.approx((0.4, 0.6, 0.12))


def test_clamping_keeps_the_part_inside():
    assert numbers(Box(-0.1, 0.9, 0.3, 0.3, 80).clamp()) == pytest.approx((0, 0.9, 0.2, 0.1, 80))


@given(boxes)
def test_a_clamped_box_lies_inside_and_stays(box):
    clamped = box.clamp()
    assert inside(clamped)
    assert (clamped.confidence, clamped.found_by) == (box.confidence, box.found_by)
    assert numbers(clamped.clamp()) == pytest.approx(numbers(clamped))


@given(boxes)
def test_clamping_loses_nothing_that_lies_inside(box):
    whole = Box(0, 0, 1, 1, 0)
    assert box.clamp().area == pytest.approx(box.intersection(whole), abs=1e-9)


def test_overlap_of_known_boxes():
    one, other = Box(0, 0, 0.2, 0.2, 1), Box(0.1, 0, 0.2, 0.2, 1)
    assert one.intersection(other) == pytest.approx(0.02)
    assert one.overlap(other) == pytest.approx(1 / 3)
    assert one.overlap(Box(0.5, 0.5, 0.1, 0.1, 1)) == 0


@given(boxes, boxes)
def test_overlap_is_a_symmetric_share(one, other):
    assert 0 <= one.overlap(other) <= 1 + 1e-9
    assert one.overlap(other) == pytest.approx(other.overlap(one))


@given(boxes)
def test_a_box_overlaps_itself_wholly(box):
    assert box.overlap(box) == pytest.approx(1)


def test_an_empty_box_overlaps_nothing():
    empty = Box(0.5, 0.5, 0, 0, 1)
    assert empty.overlap(empty) == 0
    assert empty.overlap(Box(0, 0, 1, 1, 1)) == 0


@given(boxes)
def test_a_box_survives_json(box):
    travelled = Box.from_dict(json.loads(json.dumps(box.to_dict())))
    assert numbers(travelled)[:4] == pytest.approx(numbers(box)[:4], abs=10**-DECIMALS)
    assert travelled.confidence == pytest.approx(box.confidence, abs=0.1)
    assert travelled.found_by == box.found_by
    assert travelled.to_dict() == box.to_dict()


@given(st.lists(boxes, max_size=12), floats(0, 1))
def test_merging_keeps_the_most_confident_of_what_overlaps(found, overlap):
    kept = merge(found, overlap)
    assert [box.confidence for box in kept] == sorted((box.confidence for box in kept), reverse=True)
    assert all(a.overlap(b) <= overlap for i, a in enumerate(kept) for b in kept[:i])
    for box in found:
        assert box in kept or any(other.confidence >= box.confidence and box.overlap(other) > overlap for other in kept)


def test_merging_two_boxes_of_one_face():
    sure, unsure, far = Box(0.1, 0.1, 0.2, 0.2, 99), Box(0.11, 0.1, 0.2, 0.2, 60), Box(0.7, 0.7, 0.2, 0.2, 70)
    assert merge([unsure, far, sure]) == [sure, far]


def is_part(box: Box, other: Box, share: float) -> bool:
    """Whether more than this share of the box lies in the other, and half of it in the ellipse 1.1 times the other."""
    across = (abs(box.left + box.right - other.left - other.right) + 0.5 * box.width) / other.width
    down = (abs(box.top + box.bottom - other.top - other.bottom) + 0.5 * box.height) / other.height
    return box.intersection(other) > share * box.area and across**2 + down**2 < 1.1**2


def test_a_face_in_the_corner_of_another_box_is_a_face_of_its_own():
    head, eyes, behind = Box(0.2, 0.2, 0.4, 0.4, 99), Box(0.3, 0.3, 0.2, 0.1, 60), Box(0.52, 0.2, 0.08, 0.08, 60)
    assert merge([head, eyes, behind], inside=0.8) == [head, behind]


@given(st.lists(boxes, max_size=12), floats(0, 1), floats(0, 1), floats(1, 5))
def test_merging_compares_all_boxes_that_may_overlap(found, overlap, share, higher):
    kept = []
    for box in sorted(found, key=lambda box: (-box.confidence, -box.area)):
        alike = [one for one in kept if one.height <= higher * box.height]
        if not any(box.overlap(one) > overlap or is_part(box, one, share) for one in alike):
            kept.append(box)
    assert merge(found, overlap, share, higher) == kept


@pytest.mark.parametrize("width", [1.0, 0.01], ids=["in one column", "in a square"])
def test_in_a_crowd_a_box_is_compared_with_its_neighbours_alone(monkeypatch, width):
    """Some of its faces are large: these must not make neighbours of all the others."""
    random, compared = Random(1), 0
    intersection = Box.intersection

    def counted(box, other):
        nonlocal compared
        compared += 1
        return intersection(box, other)

    monkeypatch.setattr(Box, "intersection", counted)
    height = 0.0001 / width
    crowd = [Box(random.uniform(0, 1 - width), random.random(), width, height, 50.0) for _ in range(4000)]
    large = [Box(0.1 * number, 0.2, 0.09, 0.5, 99.0) for number in range(10)]
    merge([*crowd, *large])
    assert 0 < compared < 50 * len(crowd)


def line(number: int, roll: float, ratio: float) -> Box:
    """The middle of a page of this ratio, 20 lines up or down, turned with the page; 0.3 long and 0.02 high."""
    turn = rect(0.04 * number, radians(roll + 90))
    x, y = 0.5 + turn.real / ratio, 0.5 + turn.imag
    return Box(x - 0.15 / ratio, y - 0.01, 0.3 / ratio, 0.02, 90, roll=roll, turned=True, kind="text", ratio=ratio)


RATIOS = pytest.mark.parametrize("ratio", [0.36, 1.0, 2.0])


@RATIOS
@pytest.mark.parametrize("roll", [-90, -45, 0, 10, 45, 80, 90])
def test_lines_of_a_turned_page_do_not_overlap(roll, ratio):
    lines = [line(number, roll, ratio) for number in range(-5, 6)]
    assert sorted(merge(lines, overlap=0.0), key=lines.index) == lines
    moved = [replace(each, left=each.left + 0.001, confidence=80.0) for each in lines]
    assert sorted(merge([*moved, *lines], overlap=0.4, inside=0.8), key=lines.index) == lines
    part = replace(lines[3], left=lines[3].left + lines[3].width / 3, width=lines[3].width / 3, confidence=50.0)
    assert lines[3].overlap(part) == pytest.approx(1 / 3)
    assert merge([*lines, part], overlap=0.4, inside=0.8) == merge(lines)


def mask(box: Box, size: tuple[int, int]) -> Image.Image:
    drawn = Image.new("1", size)
    width, height = size
    x, y = (box.left + box.right) / 2 * width, (box.top + box.bottom) / 2 * height
    turn, corner = rect(1, radians(box.tilt)), complex(box.width * width, box.height * height) / 2
    points = [complex(x, y) + each * turn for each in (corner, -corner.conjugate(), -corner, corner.conjugate())]
    ImageDraw.Draw(drawn).polygon([(point.real, point.imag) for point in points], fill=1)
    return drawn


@RATIOS
def test_what_turned_boxes_share_is_what_their_pixels_share(ratio):
    random, size = Random(2), (round(600 * ratio), 600)
    for _ in range(40):
        one, other = (
            Box(
                random.uniform(0.1, 0.5),
                random.uniform(0.1, 0.5),
                random.uniform(0.1, 0.5),
                random.uniform(0.1, 0.5),
                50,
                roll=random.uniform(-180, 180),
                turned=turned,
                ratio=ratio,
            )
            for turned in (True, random.random() < 0.7)
        )
        common = ImageChops.logical_and(mask(one, size), mask(other, size))
        share = common.convert("L").histogram()[255] / (size[0] * size[1])
        assert one.intersection(other) == pytest.approx(share, abs=0.01)
        assert one.intersection(other) == pytest.approx(other.intersection(one), abs=1e-9)
        assert one.intersection(other) == 0 or other in BoxIndex([other]).near(one)
        across, _, right, _ = mask(one, size).getbbox()
        assert right - across <= one.bounds.width * size[0] + 2


def test_an_upright_place_around_a_turned_line_holds_all_of_it():
    """Also if the place does not know the picture's ratio."""
    sideways = line(0, 90, 0.36)
    around = replace(sideways.bounds, ratio=1.0, turned=True, roll=0)
    assert (around.width, around.height) == pytest.approx((0.02 / 0.36, 0.3))
    assert sideways.share_in(around) == pytest.approx(1)


def test_a_rectangle_within_another_is_measured_from_its_corner() -> None:
    assert Rectangle(7, 9, 30, 40).relative_to(Rectangle(5, 3, 90, 80)) == (2, 6, 25, 37)


def test_boxes_of_different_kinds_repeat_nothing():
    face = Box(0.1, 0.1, 0.2, 0.2, 90)
    text = Box(0.1, 0.1, 0.2, 0.2, 80, kind="text")
    assert merge([face, text]) == [face, text]
