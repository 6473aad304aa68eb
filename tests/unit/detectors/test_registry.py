"""The interface of every detector, and the choice of one by its name."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import cache

import pytest

from faceblur.detectors.base import Detection, DetectionPass
from faceblur.detectors.by_kind import DetectorOfKinds
from faceblur.detectors.confidence import confidence_for
from faceblur.detectors.registry import detector_named
from faceblur.detectors.union import UnionDetector
from faceblur.errors import TransientError
from faceblur.geometry import Box
from tests.support.sources import ROOT
from tests.support.standins.paid import Paid

FUNCTIONS = ROOT / "functions"
FACE = Box(0.1, 0.1, 0.01, 0.01, 90)


def test_a_box_without_a_detector_gets_the_name_of_the_detector():
    found = Detection([FACE, replace(FACE, found_by="other")], "one", "1", 0, [])
    assert [box.found_by for box in found.boxes] == ["one", "other"]


@pytest.mark.parametrize("name", ["embedded", "rekognition"])
def test_each_name_gives_its_detector(name):
    assert type(detector_named(name, Paid(), ())).__module__.startswith(f"faceblur.detectors.{name}")


def test_both_detectors():
    paid = Paid()
    both = detector_named("both", paid, (TransientError,))
    assert isinstance(both, UnionDetector)
    assert both.goes_on_after == (TransientError,)
    assert [type(each).__name__ for each in (both.hinting, both.guided)] == ["EmbeddedDetector", "RekognitionDetector"]
    assert both.guided.paid is paid


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="'haar' is not one of"):
        detector_named("haar", Paid(), ())


@pytest.mark.parametrize(("asked", "of_a_check"), [(0, 50), (50, 50), (80, 80)])
def test_a_check_needs_at_least_the_default_confidence(asked, of_a_check):
    assert confidence_for(DetectionPass.FIRST, asked) == asked
    assert confidence_for(DetectionPass.CHECK, asked) == of_a_check


@pytest.mark.parametrize(
    ("name", "needed", "spared"),
    [
        (None, set(), {"numpy", "onnxruntime", "boto3"}),
        ("rekognition", {"boto3"}, {"numpy", "onnxruntime"}),
        ("embedded", {"numpy", "onnxruntime"}, {"boto3"}),
    ],
)
def test_libraries_are_imported_only_with_the_detector_that_needs_them(name, needed, spared):
    imported = modules_of(name, "face")
    assert needed <= imported
    assert not spared & imported


@cache
def modules_of(name: str | None, *kinds: str) -> set[str]:
    """The modules of a process that has made the detector of this name and these kinds."""
    code = f"""if True:
        import sys
        from faceblur.detectors.registry import detector_named
        {f"detector_named({name!r}, None, (), {kinds!r})" if name else ""}
        print(*sys.modules)
    """
    told = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(FUNCTIONS)}, check=True, capture_output=True, text=True
    )
    return set(told.stdout.split())


@pytest.mark.parametrize(
    ("kinds", "classes"),
    [
        (("face",), {"EmbeddedDetector"}),
        (("plate",), {"EmbeddedTextDetector"}),
        (("face", "text"), {"EmbeddedDetector", "EmbeddedTextDetector"}),
    ],
)
def test_only_the_detectors_of_the_kinds_that_are_wanted_are_asked(kinds, classes):
    detector = detector_named("embedded", Paid(), (), kinds)
    asked = detector.detectors if isinstance(detector, DetectorOfKinds) else [detector]
    assert {type(each).__name__ for each in asked} == classes


@pytest.mark.parametrize(
    ("name", "class_"),
    [("embedded", "EmbeddedTextDetector"), ("rekognition", "RekognitionTextDetector"), ("both", "UnionOfText")],
)
@pytest.mark.parametrize("kinds", [["plate"], ["text"], ["plate", "text"]], ids=str)
def test_each_name_gives_its_detector_of_text(name, class_, kinds):
    assert type(detector_named(name, Paid(), (), kinds)).__name__ == class_


def test_another_name_is_refused_for_text_as_well():
    with pytest.raises(ValueError, match="'haar' is not one of"):
        detector_named("haar", Paid(), (), ["text"])


@pytest.mark.parametrize("name", ["embedded", "both"])
def test_without_plates_and_text_nothing_of_their_detectors_is_loaded(name):
    assert not [each for each in modules_of(name, "face") if each.startswith("faceblur.detectors.text")]
    assert "faceblur.detectors.text.network" in modules_of(name, "plate")


def test_rekognition_needs_no_library_of_the_layer_for_text():
    assert not {"numpy", "onnxruntime"} & modules_of("rekognition", "face", "plate", "text")
