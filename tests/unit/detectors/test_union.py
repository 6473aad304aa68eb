"""The union of two detectors, and what becomes of it when one is unavailable."""

from __future__ import annotations

import pytest

from faceblur.detectors.base import Detection, DetectionPass, StoredPhoto
from faceblur.detectors.union import UnionDetector
from faceblur.detectors.warnings import WarningCode
from faceblur.errors import CorruptImage, DetectorThrottled, DetectorUnavailable
from faceblur.geometry import Box

PHOTO = StoredPhoto(b"photo", "bucket", "key")
ANN = Box(0.1, 0.1, 0.1, 0.1, 90)
ANN_AGAIN = Box(0.11, 0.1, 0.1, 0.11, 80)
BOB = Box(0.5, 0.5, 0.1, 0.1, 60)
CLEO = Box(0.7, 0.2, 0.05, 0.05, 70)


class Finds:
    """A detector that finds what it is made for, or raises it."""

    def __init__(self, name, *outcomes, calls=0, warnings=()):
        self.name, self.outcomes, self.calls, self.warnings = name, list(outcomes), calls, list(warnings)
        self.asked = []

    def detect(self, photo, min_confidence, detection_pass):
        self.asked.append((photo, min_confidence, detection_pass))
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return Detection(list(outcome), self.name, f"{self.name}-1", self.calls, self.warnings)


def detect(*detectors, leave_out_unavailable=False):
    return UnionDetector(detectors, leave_out_unavailable).detect(PHOTO, 50, DetectionPass.FIRST)


def summary(detection):
    return [(box.confidence, box.found_by) for box in detection.boxes]


def test_a_face_that_several_detectors_find_counts_once():
    found = detect(Finds("one", [ANN, BOB]), Finds("two", [CLEO, ANN_AGAIN]))
    assert summary(found) == [(90, "one"), (70, "two"), (60, "one")]


def test_disagreement_hides_both():
    found = detect(Finds("one", [BOB]), Finds("two", []))
    assert summary(found) == [(60, "one")]


def test_how_it_was_found():
    found = detect(Finds("one", [ANN], calls=3, warnings=["B"]), Finds("two", [], calls=1, warnings=["B", "A"]))
    assert (found.detector, found.version, found.calls) == ("one+two", "one-1 two-1", 4)
    assert found.warnings == ["A", "B"]


def test_all_detectors_get_the_same_arguments():
    one, two = Finds("one", []), Finds("two", [])
    detect(one, two)
    assert one.asked == two.asked == [(PHOTO, 50, DetectionPass.FIRST)]


@pytest.mark.parametrize("error", [DetectorUnavailable(), DetectorThrottled()])
@pytest.mark.parametrize("place", [0, 1])
def test_an_unavailable_detector_is_for_the_state_machine_to_try_again(error, place):
    detectors = [Finds("one", [ANN]), Finds("two", [BOB])]
    detectors[place].outcomes = [error]
    with pytest.raises(type(error)):
        detect(*detectors)


@pytest.mark.parametrize("place", [0, 1])
def test_one_detector_suffices_if_the_other_may_be_left_out_with_a_warning(place):
    detectors = [Finds("one", [ANN]), Finds("two", [BOB])]
    missing = detectors[place]
    missing.outcomes = [DetectorThrottled()]
    found = detect(*detectors, leave_out_unavailable=True)
    assert [box.found_by for box in found.boxes] == [found.detector] != [missing.name]
    assert found.warnings == [WarningCode.ONE_DETECTOR_ONLY]


def test_both_detectors_give_no_warning():
    found = detect(Finds("one", [ANN]), Finds("two", [BOB]), leave_out_unavailable=True)
    assert len(found.boxes) == 2
    assert found.warnings == []


def test_without_any_detector_it_fails():
    with pytest.raises(DetectorThrottled):
        detect(Finds("one", DetectorUnavailable()), Finds("two", DetectorThrottled()), leave_out_unavailable=True)


@pytest.mark.parametrize("error", [CorruptImage(), RuntimeError("a bug")])
def test_no_other_error_is_ever_a_reason_to_go_on(error):
    with pytest.raises(type(error)):
        detect(Finds("one", error), Finds("two", [ANN]), leave_out_unavailable=True)
