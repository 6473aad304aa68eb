"""The model as the layer carries it, against the published one; and the layer itself."""

from __future__ import annotations

import importlib.util
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from networks import LAYER, PUBLISHED, python_path

MB = 1_000_000
OUTPUTS = {"537": 1, "538": 2, "539": 2}


def prepare_model():
    spec = importlib.util.spec_from_file_location("prepare_model", LAYER / "prepare_model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # the published model has weights that nothing uses, each worth a warning
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def published() -> bytes:
    python_path()
    return PUBLISHED.read_bytes()


@pytest.fixture(scope="module")
def prepared() -> bytes:
    return Path(python_path(), "centerface", "model.onnx").read_bytes()


def test_the_prepared_model_gives_what_the_published_one_gives(published, prepared):
    pictures = np.random.default_rng(0).uniform(0, 255, (10, 3, 32, 32)).astype(np.float32)
    before, after = (session(model).run(list(OUTPUTS), {"input.1": pictures}) for model in (published, prepared))
    for name, ours, theirs in zip(OUTPUTS, after, before, strict=True):
        assert np.abs(ours - theirs).max() < 1e-5 * max(1, np.abs(theirs).max()), name


def test_the_prepared_model_takes_any_size_and_only_a_picture(prepared):
    prepared = session(prepared)
    assert [given.name for given in prepared.get_inputs()] == ["input.1"]
    heights_and_widths = [(32, 32), (96, 64), (320, 480)]
    for height, width in heights_and_widths:
        outputs = prepared.run(list(OUTPUTS), {"input.1": np.zeros((2, 3, height, width), np.float32)})
        assert [output.shape for output in outputs] == [
            (2, channels, height // 4, width // 4) for channels in OUTPUTS.values()
        ]


def test_the_prepared_model_gives_only_what_is_asked_for(prepared):
    assert [output.name for output in session(prepared).get_outputs()] == list(OUTPUTS)


def test_preparing_changes_neither_other_nodes_nor_used_weights(published, prepared):
    tools = prepare_model()
    before, after = (tools.first(model, tools.MODEL_GRAPH) for model in (published, prepared))
    *nodes, landmarks = tools.every(before, tools.GRAPH_NODE)
    assert tools.every(after, tools.GRAPH_NODE) == nodes
    assert tools.every(landmarks, tools.NODE_OUTPUT) == [tools.LANDMARKS]
    weights = tools.every(after, tools.GRAPH_INITIALIZER)
    assert set(weights) < set(tools.every(before, tools.GRAPH_INITIALIZER))
    used = {name for node in tools.every(after, tools.GRAPH_NODE) for name in tools.every(node, tools.NODE_INPUT)}
    assert {tools.first(weight, tools.TENSOR_NAME) for weight in weights} < used


def test_preparing_twice_is_preparing_once(prepared):
    assert prepare_model().prepare(prepared) == prepared


@pytest.mark.parametrize("broken", [b"\x3a\x7f\x01", b"\x3b\x00"], ids=["ends within a field", "unknown wire type"])
def test_what_is_no_model_is_refused(broken):
    with pytest.raises(ValueError, match=r"the file ends|wire type"):
        prepare_model().prepare(broken)


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 7_304_491])
def test_numbers_survive(number):
    tools = prepare_model()
    assert tools.read_varint(tools.varint(number), 0) == (number, len(tools.varint(number)))


def test_the_layer_is_small_enough(built):
    files = [path for path in (built / "OnnxLayer").rglob("*") if path.is_file()]
    assert 50 * MB < sum(path.stat().st_size for path in files) <= 140 * MB


def test_the_layer_holds_only_what_is_meant_to_be_there(built):
    assert {path.name.split("-")[0] for path in (built / "OnnxLayer" / "python").iterdir()} == {
        "centerface",
        "numpy",
        "numpy.libs",
        "onnxruntime",
    }
    assert [path.name for path in (built / "OnnxLayer").iterdir()] == ["python"]


def test_the_layer_alone_suffices_to_run_the_model(built):
    layer = built / "OnnxLayer" / "python"
    code = """if True:
        import numpy, onnxruntime
        from importlib import resources
        model = resources.files("centerface").joinpath("model.onnx").read_bytes()
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        heat, = session.run(["537"], {"input.1": numpy.zeros((1, 3, 64, 96), numpy.float32)})
        print(heat.shape, onnxruntime.__file__)
    """
    answer = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(layer), "PATH": os.defpath, "ORT_DISABLE_TELEMETRY": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert answer.stdout.startswith("(1, 1, 16, 24)")
    assert str(layer) in answer.stdout


def test_the_layer_is_of_this_machine(built):
    (module,) = (built / "OnnxLayer").rglob("onnxruntime_pybind11_state*.so")
    assert module.name.endswith(f"cpython-3{sys.version_info.minor}-{platform.machine()}-linux-gnu.so")
    assert (built / "OnnxLayer" / "python" / "centerface" / "LICENSE").read_text().startswith("MIT License")
