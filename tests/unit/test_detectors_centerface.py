"""The network's input and output, without the network, and with it on the sample photos."""

from __future__ import annotations

import numpy as np
import pytest
from centerface_model import python_path
from hypothesis import given
from hypothesis import strategies as st
from photos import astronaut_pixels, hopper_pixels
from PIL import Image
from scenes import part_inside, shared

from faceblur.detectors import centerface as network
from faceblur.detectors.centerface import as_input, decode, highest_around, processors, suppress


@pytest.fixture
def centerface(monkeypatch):
    monkeypatch.syspath_prepend(python_path())
    return network.centerface()


@given(st.integers(1, 100), st.integers(1, 100), st.integers(1, 3))
def test_the_input_holds_the_pictures_and_black_around_them(width, height, count):
    pixels = np.random.default_rng(width * height).integers(0, 256, (count, height, width, 3), np.uint8)
    given = as_input([Image.fromarray(each) for each in pixels])
    assert given.dtype == np.float32
    assert all(side % 32 == 0 for side in given.shape[2:])
    assert given.shape[2] < height + 32
    assert given.shape[3] < width + 32
    assert (given[:, :, :height, :width].transpose(0, 2, 3, 1) == pixels).all()
    assert given.sum(dtype=np.float64) == pixels.sum(dtype=np.float64)


def test_a_peak_becomes_a_box():
    heat, scale, offset = np.zeros((3, 8, 10), np.float32), np.zeros((3, 2, 8, 10)), np.zeros((3, 2, 8, 10))
    heat[1, 2, 5] = 0.8
    scale[1, :, 2, 5] = np.log([3, 2])  # cells high and wide
    offset[1, :, 2, 5] = [0.25, -0.5]
    # The centre is at (5 + 0.5 - 0.5, 2 + 0.5 + 0.25) cells, 4 pixels each.
    (candidate,), maps = decode(heat, scale, offset, 0.3)
    assert candidate == pytest.approx([20 - 4, 11 - 6, 20 + 4, 11 + 6, 0.8])
    assert maps.tolist() == [1]


@given(st.integers(0, 2**32 - 1))
def test_only_peaks_above_the_threshold_become_boxes(seed):
    heat = np.random.default_rng(seed).random((2, 7, 9), np.float32)
    candidates, maps = decode(heat, np.zeros((2, 2, 7, 9)), np.zeros((2, 2, 7, 9)), 0.5)
    centres = {
        (int(place), round(float(x) / 4 - 0.5), round(float(y) / 4 - 0.5))
        for place, (x, y) in zip(maps, candidates[:, :2] + 2, strict=True)
    }
    expected = {
        (place, column, row)
        for place in range(2)
        for row in range(7)
        for column in range(9)
        if heat[place, row, column] > 0.5
        and heat[place, row, column] == heat[place, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].max()
    }
    assert centres == expected


def test_the_highest_around():
    heat = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    cells = (each.ravel() for each in np.indices(heat.shape))
    assert highest_around(heat, *cells).tolist() == [5, 6, 7, 7, 9, 10, 11, 11, 9, 10, 11, 11]


def random_candidates(seed: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corners, sides = rng.uniform(0, 100, (count, 2)), rng.uniform(1, 60, (count, 2))
    return np.column_stack([corners, corners + sides, rng.random(count)]).astype(np.float32)


@given(st.integers(0, 2**32 - 1), st.sampled_from([40, 200]), st.floats(0.1, 0.9), st.sampled_from([0.6, 0.9, 1.0]))
def test_suppression_keeps_what_no_better_one_makes_superfluous(seed, count, overlap, inside):
    candidates = random_candidates(seed, count)
    kept = suppress(candidates, overlap, inside).tolist()
    assert kept == sorted(kept, key=lambda candidate: -candidate[4])
    for candidate in candidates.tolist():
        better = [other for other in kept if other[4] > candidate[4]]
        superfluous = any(
            shared(candidate, other) > overlap or part_inside(candidate, other) > inside for other in better
        )
        assert (candidate in kept) is not superfluous


def test_nothing_found_is_an_empty_array():
    assert suppress(np.zeros((0, 5), np.float32), 0.3).shape == (0, 5)
    candidates, _ = decode(np.zeros((1, 4, 4)), np.zeros((1, 2, 4, 4)), np.zeros((1, 2, 4, 4)), 0.3)
    assert candidates.shape == (0, 5)


@pytest.mark.parametrize(
    ("picture", "face"),
    [(astronaut_pixels, (181, 58, 270, 178)), (hopper_pixels, (174, 127, 357, 335))],
    ids=["astronaut", "hopper"],
)
def test_the_faces_of_the_sample_photos(centerface, picture, face):
    (candidate,) = centerface.find(picture(), 0.35)
    assert shared(tuple(candidate[:4]), face) > 0.8
    assert candidate[4] > 0.7


def test_several_pictures_at_once_are_seen_as_each_by_itself(centerface):
    pictures = [astronaut_pixels(), astronaut_pixels().rotate(90), Image.new("RGB", (512, 512))]
    together = centerface.find_in_each(pictures, 0.3)
    alone = [centerface.find(picture, 0.3) for picture in pictures]
    assert [len(found) for found in together] == [len(found) for found in alone] == [1, 1, 0]
    for one, other in zip(together, alone, strict=True):
        assert one == pytest.approx(other, rel=1e-3)


def test_the_version_names_the_model_and_the_runtime(centerface):
    assert centerface.version.startswith("centerface-")
    assert " onnxruntime-" in centerface.version


def test_the_network_is_loaded_once(centerface):
    assert network.centerface() is centerface


@pytest.mark.parametrize(
    ("memory", "threads"), [(None, 6), ("128", 1), ("1769", 1), ("3538", 2), ("5307", 3), ("10240", 6)]
)
def test_threads_are_what_the_memory_buys(monkeypatch, memory, threads):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(6)))
    if memory:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory)
    assert processors() == threads
