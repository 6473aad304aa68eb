"""The detectors of several kinds."""

from __future__ import annotations

from faceblur.detectors.base import Detection, DetectionPass, StoredPhoto
from faceblur.detectors.by_kind import DetectorOfKinds
from faceblur.geometry import Box


def test_detectors_of_several_kinds_answer_as_one():
    class Finds:
        def __init__(self, box: Box, calls: int) -> None:
            self.box, self.calls = box, calls

        def detect(self, *_: object) -> Detection:
            return Detection([self.box], "embedded", f"v{self.calls}", self.calls, [f"W{self.calls}", "W"])

    face, text = Box(0.1, 0.1, 0.2, 0.2, 60), Box(0.1, 0.1, 0.2, 0.2, 90, kind="text")

    found = DetectorOfKinds([Finds(face, 1), Finds(text, 2)]).detect(StoredPhoto(b"", "", ""), 50, DetectionPass.FIRST)

    assert [box.kind for box in found.boxes] == ["text", "face"]
    assert (found.detector, found.version, found.calls) == ("embedded", "v1 v2", 3)
    assert found.warnings == ["W", "W1", "W2"]
