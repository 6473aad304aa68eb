"""Lines of text in a map of probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from faceblur.detectors.text.detector import CLEAR_PLATE, CONFIDENCES
from faceblur.detectors.text.lines import Line
from faceblur.detectors.text.plates import candidates, plate_around, wanted_among
from faceblur.detectors.text.regions import ENLARGED, holds_a_side, lines_in
from faceblur.geometry import Box, merge_lines


def drawn(*rectangles: tuple[float, float, float, float, float]) -> np.ndarray:
    """A map of 400 × 300 with cores: centre, long and short side, roll."""
    picture = Image.new("L", (400, 300))
    for x, y, long, short, roll in rectangles:
        angle = np.radians(roll)
        across, down = np.array([np.cos(angle), np.sin(angle)]) * long / 2, np.array([-np.sin(angle), np.cos(angle)])
        down = down * short / 2
        corners = [a * across + b * down + (x, y) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        ImageDraw.Draw(picture).polygon([tuple(corner) for corner in corners], fill=230)
    return np.asarray(picture, np.float32) / 255


@pytest.mark.parametrize("roll", [0, 20, -35, 60])
def test_a_core_is_enlarged_to_its_line_and_keeps_its_direction(roll):
    (line,) = lines_in(drawn((200, 150, 120, 24, roll)), 0.5)

    growth = ENLARGED * 120 * 24 / (120 + 24)
    assert (line.x, line.y) == pytest.approx((200, 150), abs=2)
    # The edges of a drawn core reach up to two cells further, and the rectangle around a slanted staircase another one.
    assert (line.long, line.short) == pytest.approx((120 + growth, 24 + growth), abs=7)
    assert line.roll == pytest.approx(roll, abs=2)
    assert line.score == pytest.approx(230 / 255, abs=0.01)


def test_each_separate_core_is_a_line():
    found = lines_in(drawn((100, 50, 80, 12, 0), (100, 90, 80, 12, 0), (300, 90, 80, 12, 0)), 0.5)

    assert sorted((round(line.x, -1), round(line.y, -1)) for line in found) == [(100, 50), (100, 90), (300, 90)]


def test_parts_of_a_core_that_meet_only_below_are_one_line():
    fork = np.zeros((40, 60), np.float32)
    fork[5:30, 5:15] = fork[5:30, 40:50] = fork[25:30, 5:50] = 0.9

    assert len(lines_in(fork, 0.5)) == 1


def test_nothing_is_found_in_noise_and_below_the_least_score():
    specks = np.zeros((60, 60), np.float32)
    specks[::10, ::10] = 1.0

    assert lines_in(specks, 0.1) == []
    assert lines_in(drawn((200, 150, 120, 24, 0)), 0.95) == []


def a_line(y: float = 100, long: float = 120, short: float = 30, roll: float = 0, score: float = 0.9) -> Line:
    return Line(200, y, long, short, roll, score)


def test_a_line_with_the_shape_of_a_plate_is_enlarged_to_the_plate():
    (line,) = candidates([a_line()])
    plate = plate_around(line)

    assert plate.long > 120
    assert plate.short > 30


@pytest.mark.parametrize("line", [a_line(long=300), a_line(long=36), a_line(roll=60)], ids=["long", "short", "up"])
def test_another_line_is_no_plate(line):
    assert candidates([line]) == []


def test_a_line_within_a_longer_text_is_no_plate():
    lines = [a_line(y=100 + 36 * number) for number in range(3)]

    assert {line.y for line in candidates(lines)} == {100, 172}


def test_a_line_that_was_found_twice_is_no_neighbour_of_itself():
    lines = [a_line(y=100 + 5 * number) for number in range(3)]

    assert len(candidates(lines)) == 3


def test_a_line_that_was_found_again_is_left_out():
    line = Box(0.2, 0.2, 0.3, 0.1, 90)
    again, part = Box(0.21, 0.2, 0.3, 0.1, 80), Box(0.25, 0.21, 0.1, 0.08, 80)

    assert merge_lines([line, again, part]) == [line]


def test_what_a_tiles_edge_left_of_a_line_replaces_no_more_of_it():
    whole, left = Box(0.2, 0.2, 0.3, 0.1, 90), Box(0.2, 0.2, 0.18, 0.1, 95)

    assert merge_lines([whole, left]) == [left, whole]


def test_a_line_within_something_far_higher_is_no_repetition_of_it():
    car, plate = Box(0.2, 0.2, 0.4, 0.3, 95), Box(0.35, 0.3, 0.1, 0.03, 80)

    assert merge_lines([car, plate]) == [car, plate]


def test_the_outline_of_something_large_is_less_likely_a_text_than_what_is_filled():
    outline = drawn((200, 150, 200, 100, 0))
    outline[120:180, 120:280] = 0

    (filled,), (hollow,) = lines_in(drawn((200, 150, 200, 100, 0)), 0.1), lines_in(outline, 0.1)

    assert (hollow.long, hollow.short) == (filled.long, filled.short)
    assert filled.score == pytest.approx(230 / 255, abs=0.01)
    assert hollow.score < 0.75 * filled.score


def all_may_be(lines: list[Line]) -> list[bool]:
    return [True] * len(lines)


def wanted(score: float, min_confidence: float, *kinds: str) -> list[tuple[str, int]]:
    found = wanted_among([a_line(score=score)], (400, 300), kinds, min_confidence, CONFIDENCES, all_may_be)
    return [(box.kind, round(box.confidence)) for box in found]


def test_a_plate_has_the_default_confidence_at_the_score_that_tells_it_from_texture():
    assert wanted(CLEAR_PLATE, 50, "plate") == [("plate", 50)]
    assert wanted(CLEAR_PLATE - 0.01, 50, "plate") == []


def test_a_job_that_asks_for_less_finds_plates_that_are_less_likely():
    assert wanted(0.6, 30, "plate") == [("plate", 40)]
    assert wanted(0.6, 41, "plate") == []


def test_what_is_too_unlikely_a_plate_is_still_a_text():
    assert wanted(0.65, 50, "plate", "text") == [("text", 56)]


def test_a_plate_is_hidden_as_surely_as_a_text_if_both_are_wanted():
    (as_text,) = wanted(0.88, 50, "text")
    assert wanted(0.88, 50, "plate", "text") == [("plate", as_text[1])]


def test_only_what_the_shape_and_the_score_leave_is_asked_for_its_characters():
    read = []

    def none_is_a_plate(lines: list[Line]) -> list[bool]:
        read.extend(lines)
        return [False] * len(lines)

    likely, unlikely, long = a_line(score=0.9), a_line(y=200, score=0.5), a_line(y=250, long=390)
    lines = [likely, unlikely, long]

    assert wanted_among(lines, (400, 300), ["plate"], 50, CONFIDENCES, none_is_a_plate) == []
    assert read == [likely]


def test_nothing_is_asked_for_its_characters_if_all_text_is_hidden():
    def fails(_: list[Line]) -> list[bool]:
        raise AssertionError

    found = wanted_among([a_line()], (400, 300), ["plate", "text"], 50, CONFIDENCES, fails)
    assert [box.kind for box in found] == ["plate"]
    assert [box.kind for box in wanted_among([a_line()], (400, 300), ["text"], 50, CONFIDENCES, fails)] == ["text"]


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        (Line(200, 150, 600, 450, 0, 0.9), True),  # a sky in the whole picture
        (Line(200, 60, 500, 160, 0, 0.9), True),  # at its upper edge
        (Line(200, 60, 500, 160, 3, 0.9), True),
        (Line(60, 150, 400, 160, 90, 0.9), True),  # a wall at its left edge
        (Line(200, 150, 390, 290, 0, 0.9), False),  # a text that fills the picture
        (Line(200, 150, 600, 200, 0, 0.9), False),  # one that goes on at both sides
        (Line(0, 0, 300, 200, 0, 0.9), False),  # in a corner
        (Line(200, 150, 700, 100, 37, 0.9), False),  # from corner to corner
    ],
)
def test_what_holds_a_whole_side_of_the_picture(line, holds):
    assert holds_a_side(line, (400, 300)) is holds


def test_a_text_stays_beside_a_plate_that_is_less_sure():
    """A job that wants more confidence than the plate has would lose both."""
    around, sure = Line(150, 45, 300, 90, 0, 0.76), Line(150, 45, 250, 40, 0, 0.95)
    found = wanted_among([around, sure], (1000, 500), ["plate", "text"], 50, CONFIDENCES, all_may_be)
    assert max(box.confidence for box in found) == pytest.approx(CONFIDENCES["text"](0.95))
