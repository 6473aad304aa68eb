"""Writes the YuNet network as an ONNX file: `prepare_yunet.py LIBRARY.so PREPARED.onnx`.

The network is published as C++ code, and its weights as arrays in a shared library (libfacedetection.so). This script
reads these arrays by their names and writes the network as a graph of ONNX operators.
The architecture is that of https://github.com/ShiqiYu/libfacedetection/blob/master/src/facedetectcnn-model.cpp:

    picture ─▶ stage 0 ─▶ 1 ─▶ 2 ─▶ 3 ─▶ 4 ─▶ 5     convolutions; the size is halved in 0 and before 1, 3, 4, 5
                                    ▼    ▼    ▼
                                level 0 ◀ 1 ◀ 2     each level adds the next one, enlarged twice
                                    ▼    ▼    ▼
                                   heads            one output [n, 16, h, w] per level, with stride 8, 16 and 32

The input `picture` is RGB, 0…255, [n, 3, height, width]; both sides are multiples of 32. The 16 channels of an output
are class and objectness (logits), the box (offset of its centre x, y; logarithms of its width and height), and five
landmarks (x, y of right eye, left eye, nose, right and left corner of the mouth). Box and landmarks are in strides.
"""

from __future__ import annotations

import struct
import sys
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

from onnx_format import (
    ATTRIBUTE_INT,
    ATTRIBUTE_INTS,
    ATTRIBUTE_NAME,
    ATTRIBUTE_STRING,
    ATTRIBUTE_TYPE,
    DIMENSION_VALUE,
    GRAPH_INITIALIZER,
    GRAPH_INPUT,
    GRAPH_NAME,
    GRAPH_NODE,
    GRAPH_OUTPUT,
    MODEL_GRAPH,
    MODEL_OPERATORS,
    MODEL_VERSION,
    NODE_ATTRIBUTE,
    NODE_INPUT,
    NODE_OPERATOR,
    NODE_OUTPUT,
    OPERATORS_VERSION,
    SHAPE_DIMENSION,
    TENSOR_DATA,
    TENSOR_DIMENSION,
    TENSOR_ELEMENTS,
    TENSOR_NAME,
    TENSOR_TYPE_ELEMENTS,
    TENSOR_TYPE_SHAPE,
    TYPE_TENSOR,
    VALUE_NAME,
    VALUE_TYPE,
    nested,
    numeric,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Weights = Mapping[str, array[float]]

WEIGHTS = 53_184  # the number of weights of this network
LEVELS = 3
HEADS = ("cls", "obj", "bbox", "kps")
FLOAT = 1  # ONNX's number for this element type
ATTRIBUTE_KINDS = {int: 2, bytes: 3, list: 7}
IR_VERSION, OPERATOR_SET = 8, 13
# The ELF format of shared libraries, 64 bits, little-endian: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
SECTION_HEADER = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")
DYNAMIC_SYMBOLS = 11


def read_weights(library: bytes) -> Weights:
    """The network's arrays of floats by their names in the library. Raises ValueError if any are missing."""
    try:
        every = dict(symbols(library))
    except (struct.error, ValueError) as error:
        raise ValueError(f"the library cannot be read: {error}") from error
    weights = {name: array("f", content) for name, content in every.items() if name.endswith(("_weight", "_bias"))}
    found = sum(map(len, weights.values()))
    if found != WEIGHTS:
        raise ValueError(f"the library holds {found} weights, and the network has {WEIGHTS}")
    return weights


def symbols(library: bytes) -> Iterator[tuple[str, bytes]]:
    """The names and contents of the exported symbols of a shared library."""
    if not library.startswith(b"\x7fELF\x02\x01"):
        raise ValueError("this is no 64-bit little-endian ELF file")
    (table,) = struct.unpack_from("<Q", library, 40)
    size, count = struct.unpack_from("<HH", library, 58)
    sections = [SECTION_HEADER.unpack_from(library, table + number * size) for number in range(count)]
    for _, kind, _, _, start, length, names, *_ in sections:
        if kind != DYNAMIC_SYMBOLS:
            continue
        for name, _, _, section, address, bytes_ in SYMBOL.iter_unpack(library[start : start + length]):
            if not 0 < section < count:
                continue
            text = sections[names][4] + name
            content = address - sections[section][3] + sections[section][4]
            yield library[text : library.index(b"\0", text)].decode(), library[content : content + bytes_]


class Graph:
    """An ONNX graph under construction. Each method adds a node and returns the name of its output."""

    def __init__(self, weights: Weights) -> None:
        """Start with an empty graph; its convolutions use these weights."""
        self.weights = weights
        self.parts: list[bytes] = []

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: int | bytes | list[int]) -> str:
        """Add a node."""
        self.parts.append(
            nested(
                GRAPH_NODE,
                b"".join(nested(NODE_INPUT, name.encode()) for name in inputs)
                + nested(NODE_OUTPUT, output.encode())
                + nested(NODE_OPERATOR, operator.encode())
                + b"".join(nested(NODE_ATTRIBUTE, attribute(name, value)) for name, value in attributes.items()),
            )
        )
        return output

    def constant(self, name: str, shape: Sequence[int], values: array[float]) -> str:
        """Add a constant of floats."""
        self.parts.append(
            nested(
                GRAPH_INITIALIZER,
                b"".join(numeric(TENSOR_DIMENSION, side) for side in shape)
                + numeric(TENSOR_ELEMENTS, FLOAT)
                + nested(TENSOR_NAME, name.encode())
                + nested(TENSOR_DATA, values.tobytes()),
            )
        )
        return name

    def convolution(
        self, source: str, name: str, shape: Sequence[int], weight: array[float], bias: array[float], stride: int = 1
    ) -> str:
        """Add a convolution with a kernel [outputs, inputs per group, height, width] that keeps the size.

        A convolution with one input per group is depthwise.
        """
        outputs, inputs, *kernel = shape
        return self.node(
            "Conv",
            [source, self.constant(f"{name}.weight", shape, weight), self.constant(f"{name}.bias", [outputs], bias)],
            name,
            kernel_shape=kernel,
            strides=[stride, stride],
            pads=[kernel[0] // 2] * 4,
            group=outputs if inputs == 1 else 1,
        )

    def unit(self, source: str, name: str, parts: Sequence[str]) -> str:
        """Add a pointwise and a depthwise convolution that concatenate the outputs of those of `parts`."""
        point_weight, point_bias, deep_weight, deep_bias = (array("f") for _ in range(4))
        for part in parts:
            bias = self.weights[f"{part}_pw_bias"]
            point_weight += self.weights[f"{part}_pw_weight"]
            point_bias += bias
            # The library stores the kernel by its nine positions, with all channels of a position together.
            deep = self.weights[f"{part}_dw_weight"]
            for channel in range(len(bias)):
                deep_weight += deep[channel :: len(bias)]
            deep_bias += self.weights[f"{part}_dw_bias"]
        outputs = len(point_bias)
        shape = [outputs, len(point_weight) // outputs, 1, 1]
        pointwise = self.convolution(source, f"{name}.pointwise", shape, point_weight, point_bias)
        return self.convolution(pointwise, f"{name}.depthwise", [outputs, 1, 3, 3], deep_weight, deep_bias)

    def relu(self, source: str) -> str:
        """Add a rectifier."""
        return self.node("Relu", [source], f"{source}.relu")

    def halved(self, source: str) -> str:
        """Add max pooling over 2 × 2 cells."""
        return self.node("MaxPool", [source], f"{source}.halved", kernel_shape=[2, 2], strides=[2, 2])

    def doubled(self, source: str) -> str:
        """Add an enlargement that repeats each cell."""
        return self.node(
            "Resize",
            [source, "", "twice"],
            f"{source}.doubled",
            mode=b"nearest",
            coordinate_transformation_mode=b"asymmetric",
            nearest_mode=b"floor",
        )


def attribute(name: str, value: int | bytes | list[int]) -> bytes:
    """An attribute of a node."""
    match value:
        case int():
            content = numeric(ATTRIBUTE_INT, value)
        case bytes():
            content = nested(ATTRIBUTE_STRING, value)
        case list():
            content = b"".join(numeric(ATTRIBUTE_INTS, each) for each in value)
    return nested(ATTRIBUTE_NAME, name.encode()) + content + numeric(ATTRIBUTE_TYPE, ATTRIBUTE_KINDS[type(value)])


def value(name: str, channels: int) -> bytes:
    """A graph's input or output of floats [n, channels, height, width]; only `channels` is fixed."""
    dimensions = [b"", numeric(DIMENSION_VALUE, channels), b"", b""]
    shape = b"".join(nested(SHAPE_DIMENSION, dimension) for dimension in dimensions)
    tensor = numeric(TENSOR_TYPE_ELEMENTS, FLOAT) + nested(TENSOR_TYPE_SHAPE, shape)
    return nested(VALUE_NAME, name.encode()) + nested(VALUE_TYPE, nested(TYPE_TENSOR, tensor))


def first_kernel(weight: array[float]) -> array[float]:
    """The first convolution's kernel [16, 3, 3, 3] for RGB.

    The library stores 32 numbers for each output: blue, green and red of the nine positions, and 5 unused ones.
    """
    kernel = array("f")
    for start in range(0, len(weight), 32):
        for channel in (2, 1, 0):
            kernel += weight[start + channel : start + 27 : 3]
    return kernel


def network(weights: Weights) -> bytes:
    """The network as an ONNX model."""
    graph = Graph(weights)
    graph.constant("twice", [4], array("f", [1, 1, 2, 2]))
    kernel = first_kernel(weights["backbone__model0_pw_weight"])
    bias = weights["backbone__model0_pw_bias"]
    features = graph.relu(graph.convolution("picture", "first", [len(bias), 3, 3, 3], kernel, bias, stride=2))
    features = graph.relu(graph.unit(features, "stage0", ["backbone__model0_dp"]))
    stages = []
    for stage in range(1, 6):
        if stage != 2:
            features = graph.halved(features)
        for number in (1, 2):
            unit = graph.unit(features, f"stage{stage}.{number}", [f"backbone__model{stage}_dp{number}"])
            features = graph.relu(unit)
        stages.append(features)
    outputs: list[str] = []
    above = ""
    for level in reversed(range(LEVELS)):
        features = stages[level - LEVELS]
        if above:
            features = graph.node("Add", [features, graph.doubled(above)], f"sum{level}")
        above = graph.relu(graph.unit(features, f"neck{level}", [f"neck__lateral_convs__{level}"]))
        heads = [f"bbox_head__multi_level_{head}__{level}" for head in HEADS]
        outputs.insert(0, graph.unit(above, f"level{level}", heads))
    header = [
        nested(GRAPH_NAME, b"YuNet"),
        nested(GRAPH_INPUT, value("picture", 3)),
        *(nested(GRAPH_OUTPUT, value(output, 16)) for output in outputs),
    ]
    return (
        numeric(MODEL_VERSION, IR_VERSION)
        + nested(MODEL_OPERATORS, numeric(OPERATORS_VERSION, OPERATOR_SET))
        + nested(MODEL_GRAPH, b"".join([*graph.parts, *header]))
    )


if __name__ == "__main__":
    library, prepared = map(Path, sys.argv[1:])
    prepared.write_bytes(network(read_weights(library.read_bytes())))
