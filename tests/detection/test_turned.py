"""Turned faces, as the networks see them."""

from __future__ import annotations

import numpy as np
import pytest

from faceblur.detectors.embedded.candidates import NONE, ROLL, SCORE
from faceblur.detectors.embedded.centerface import centerface
from faceblur.detectors.embedded.turned import (
    LIKELY_TURNED,
    find_turned_faces,
)
from faceblur.detectors.embedded.yunet import yunet
from tests.support.pictures.scenes import scattered, shared


def degrees_between(one: float, other: float) -> float:
    return abs((one - other + 180) % 360 - 180)


@pytest.mark.parametrize("roll", range(0, 360, 45))
def test_a_turned_face_is_found_where_it_lies_and_as_it_is_turned(networks, roll):
    # Pillow turns counterclockwise.
    scene = scattered(48, (1280, 960), 4, seed=100, angle=-roll)
    found = find_turned_faces(centerface(), yunet(), scene.picture, NONE)
    likely = found[found[:, SCORE] > LIKELY_TURNED].tolist()
    for face in scene.faces:
        best = max(likely, key=lambda box: shared(tuple(box[:4]), face))
        assert shared(tuple(best[:4]), face) > 0.3
        # From YuNet's own sides it is well known how a face is turned, and half-way between two of them less so.
        assert degrees_between(best[ROLL], roll) <= (30 if roll % 90 == 0 else 50)


def test_no_turned_face_is_searched_where_an_upright_one_is_known(networks):
    scene = scattered(48, (1280, 960), 4, seed=100, angle=180)
    known = np.array([[*face, 90, 0] for face in scene.faces], np.float32)
    found = find_turned_faces(centerface(), yunet(), scene.picture, known)
    likely = found[found[:, SCORE] > LIKELY_TURNED].tolist()
    assert not any(shared(tuple(box[:4]), face) > 0.3 for box in likely for face in scene.faces)
