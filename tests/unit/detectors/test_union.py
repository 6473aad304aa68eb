"""The union of two detectors, and what becomes of it when the paid one is unavailable."""

from __future__ import annotations

import pytest

from faceblur.detectors.base import Detection, DetectionPass, StoredPhoto
from faceblur.detectors.union import UnionDetector
from faceblur.detectors.warnings import WarningCode
from faceblur.errors import CorruptImage, DetectorThrottled, DetectorUnavailable, PhotoTooExpensive, TransientError
from faceblur.geometry import Box

PHOTO = StoredPhoto(b"photo", "bucket", "key")
ANN = Box(0.1, 0.1, 0.1, 0.1, 90)
ANN_AGAIN = Box(0.11, 0.1, 0.1, 0.11, 80)
BOB = Box(0.5, 0.5, 0.1, 0.1, 60)
CLEO = Box(0.7, 0.2, 0.05, 0.05, 70)
PERHAPS = Box(0.3, 0.8, 0.02, 0.02, 25)


class Finds:
    """Either detector: it finds what it is made for, or raises it, and remembers what it was asked."""

    def __init__(self, name, outcome, calls=0, warnings=(), hints=()):
        self.name, self.outcome, self.calls, self.warnings, self.hints = name, outcome, calls, warnings, list(hints)
        self.asked = []

    def detect_with_hints(self, *asked):
        return self.detect_at(*asked), self.hints

    def detect_at(self, *asked):
        self.asked.append(asked)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return Detection(list(self.outcome), self.name, f"{self.name}-1", self.calls, list(self.warnings))


def detect(free, paid, goes_on_after=()):
    return UnionDetector(free, paid, goes_on_after).detect(PHOTO, 50, DetectionPass.FIRST)


def summary(detection):
    return [(box.confidence, box.found_by) for box in detection.boxes]


def test_a_face_that_both_detectors_find_counts_once():
    found = detect(Finds("free", [CLEO, ANN_AGAIN]), Finds("paid", [ANN, BOB]))
    assert summary(found) == [(90, "paid"), (70, "free"), (60, "paid")]


@pytest.mark.parametrize(("free", "paid", "by"), [([BOB], [], "free"), ([], [BOB], "paid")])
def test_disagreement_hides_both(free, paid, by):
    assert summary(detect(Finds("free", free), Finds("paid", paid))) == [(60, by)]


def test_how_it_was_found():
    found = detect(Finds("free", [], calls=1, warnings=["B", "A"]), Finds("paid", [ANN], calls=3, warnings=["B"]))
    assert (found.detector, found.version, found.calls) == ("paid+free", "paid-1 free-1", 4)
    assert found.warnings == ["A", "B"]


def test_the_free_detector_tells_the_paid_one_where_to_look():
    free, paid = Finds("free", [ANN], hints=[ANN, PERHAPS]), Finds("paid", [])
    found = detect(free, paid)
    assert free.asked == [(PHOTO, 50, DetectionPass.FIRST)]
    assert paid.asked == [(PHOTO, 50, DetectionPass.FIRST, [ANN, PERHAPS])]
    assert summary(found) == [(90, "free")]


@pytest.mark.parametrize("error", [DetectorUnavailable(), DetectorThrottled(), PhotoTooExpensive()])
def test_without_the_paid_detector_there_is_no_answer(error):
    with pytest.raises(type(error)):
        detect(Finds("free", [ANN]), Finds("paid", error))


@pytest.mark.parametrize("error", [DetectorUnavailable(), DetectorThrottled()])
def test_if_it_may_be_left_out_the_other_one_suffices_with_a_warning(error):
    found = detect(Finds("free", [ANN], warnings=["A"]), Finds("paid", error), (TransientError,))
    assert (summary(found), found.detector) == ([(90, "free")], "free")
    assert found.warnings == ["A", WarningCode.ONE_DETECTOR_ONLY]


def test_both_answers_give_no_warning():
    found = detect(Finds("free", [ANN]), Finds("paid", [BOB]), (TransientError,))
    assert len(found.boxes) == 2
    assert found.warnings == []


@pytest.mark.parametrize("error", [CorruptImage(), RuntimeError("a bug"), PhotoTooExpensive()])
def test_no_other_error_is_ever_a_reason_to_go_on(error):
    with pytest.raises(type(error)):
        detect(Finds("free", [ANN]), Finds("paid", error), (TransientError,))


def test_an_error_of_the_free_detector_is_one_of_both():
    paid = Finds("paid", [ANN])
    with pytest.raises(CorruptImage):
        detect(Finds("free", CorruptImage()), paid, (TransientError,))
    assert paid.asked == []
