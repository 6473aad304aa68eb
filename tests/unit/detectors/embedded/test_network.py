"""The format of the networks' files, and how a network is run."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx_format
import prepare_centerface
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx_format import every
from PIL import Image

from faceblur.detectors.embedded.network import MULTIPLE, as_input, give_back_memory, processors

MB = 1_000_000


# The ONNX format


@given(st.integers(0, 2**63 - 1), st.binary(max_size=5), st.binary(max_size=5))
def test_numbers_survive(number, before, after):
    written = onnx_format.varint(number)
    assert onnx_format.read_varint(before + written + after, len(before)) == (number, len(before + written))


CONTENTS = st.one_of(st.integers(0, 2**40), st.binary(max_size=300))


def written(number: int, content: int | bytes) -> bytes:
    return (onnx_format.numeric if isinstance(content, int) else onnx_format.nested)(number, content)


@given(st.lists(st.tuples(st.integers(1, 100), CONTENTS), max_size=8))
def test_what_is_written_is_read(contents):
    fields = [written(number, content) for number, content in contents]
    read = [*onnx_format.fields(b"".join(fields))]
    assert [field for _, _, field in read] == fields
    for (number, content), (found, data, _) in zip(contents, read, strict=True):
        assert found == number
        assert data == (onnx_format.varint(content) if isinstance(content, int) else content)


def test_fields_of_fixed_length_are_read():
    message = b"\x0d1234" + b"\x1112345678" + onnx_format.nested(3, b"end")
    assert [(number, content) for number, content, _ in onnx_format.fields(message)] == [
        (1, b"1234"),
        (2, b"12345678"),
        (3, b"end"),
    ]


def test_only_fields_of_the_number_are_rewritten():
    message = onnx_format.nested(1, b"a") + onnx_format.numeric(2, 300) + onnx_format.nested(3, b"b")
    changed = onnx_format.rewrite(message, 3, lambda content: content + b"!")
    assert every(changed, 3) == [b"b!"]
    assert changed.startswith(message[:-3])


@pytest.mark.parametrize(
    ("broken", "why"),
    [(b"\x3a\x7f\x01", "ends within a field"), (b"\x3b\x00", "wire type 3 does not occur")],
    ids=["ends within a field", "unknown wire type"],
)
def test_a_file_that_is_no_model_is_refused(broken, why):
    with pytest.raises(ValueError, match=why):
        prepare_centerface.prepare(broken)


# How a network is run


@given(st.integers(1, 100), st.integers(1, 100), st.integers(1, 3))
def test_the_input_holds_the_pictures_and_black_around_them(width, height, count):
    pixels = np.random.default_rng(width * height).integers(0, 256, (count, height, width, 3), np.uint8)
    given = as_input([Image.fromarray(each) for each in pixels])
    assert given.dtype == np.float32
    assert all(side % MULTIPLE == 0 for side in given.shape[2:])
    assert given.shape[2] < height + MULTIPLE
    assert given.shape[3] < width + MULTIPLE
    assert (given[:, :, :height, :width].transpose(0, 2, 3, 1) == pixels).all()
    assert given.sum(dtype=np.float64) == pixels.sum(dtype=np.float64)


@pytest.mark.parametrize(
    ("memory", "threads"), [(None, 6), ("128", 1), ("1769", 1), ("3538", 2), ("5307", 3), ("10240", 6)]
)
def test_threads_are_what_the_memory_buys(monkeypatch, memory, threads):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(6)))
    if memory:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory)
    assert processors() == threads


def resident_memory() -> int:
    """The memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_memory_that_lies_between_used_memory_is_given_back():
    pieces = [bytes([1]) * 50_000 for _ in range(2000)]
    used = pieces[::10]
    pieces.clear()
    before = resident_memory()
    give_back_memory()
    assert resident_memory() < before - 50 * MB
    assert len(used) == 200
