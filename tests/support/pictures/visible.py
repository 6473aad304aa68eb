"""Tells which faces the embedded detector finds in a picture, to judge what was hidden."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from faceblur.detectors.base import DetectionPass, StoredPhoto
from faceblur.detectors.embedded.detector import EmbeddedDetector
from faceblur_cli import project

if TYPE_CHECKING:
    from faceblur.geometry import Box


def faces_in(photo: bytes, min_confidence: float = 50.0) -> list[Box]:
    """The faces that are visible in a photo."""
    layer = str(project.BUILD / "OnnxLayer/python")
    if layer not in sys.path:
        sys.path.append(layer)
    return EmbeddedDetector().detect(StoredPhoto(photo, "", ""), min_confidence, DetectionPass.FIRST).boxes
