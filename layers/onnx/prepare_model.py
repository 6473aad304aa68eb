"""Prepares the published CenterFace model for onnxruntime: `prepare_model.py PUBLISHED.onnx PREPARED.onnx`.

As published, the model's graph takes pictures of one size only, [10, 3, 32, 32], and lists its weights among
its inputs. Weights that are inputs could be replaced by a caller, so onnxruntime may not fold the batch
normalisation into the convolutions. Freeing batch, height and width, and dropping the weights from the inputs
makes it take any size, and more than twice as fast. Weights that no node uses, left over from training, go
too, as onnxruntime would warn of each; and the output of the faces' landmarks with its node, as nobody asks for
them and they would be worked out all the same. All other weights and nodes stay as they are.

An ONNX file is one protobuf message: a sequence of fields, each a key (field number << 3 | wire type) and a
value; nested messages are fields of wire type 2 (length, bytes). A few of them are rewritten here, and the
rest is copied byte for byte, so that no protobuf library is needed to build the layer.
The field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODEL_GRAPH = 7
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT = 1, 5, 11, 12
NODE_INPUT, NODE_OUTPUT = 1, 2
TENSOR_NAME = 8
VALUE_NAME, VALUE_TYPE = 1, 2
TYPE_TENSOR = 1
TENSOR_TYPE_SHAPE = 2
SHAPE_DIMENSION = 1

BYTES = 2  # the wire type of nested messages
LANDMARKS = b"540"  # the output, as the published model names it
CHANNELS = 1  # the place of the one dimension that stays fixed: batch, channels, height, width


def read_varint(data: bytes, start: int) -> tuple[int, int]:
    """The number that starts at `start`, seven bits a byte, lowest first, and the place after it."""
    value, shift = 0, 0
    while True:
        byte = data[start]
        value |= (byte & 0x7F) << shift
        start, shift = start + 1, shift + 7
        if byte < 0x80:
            return value, start


def varint(value: int) -> bytes:
    """`value` as protobuf writes a number."""
    data = bytearray()
    while value >= 0x80:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*data, value])


def fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Each field of a message: its number, its content, and the whole field as it is written."""
    start = 0
    while start < len(message):
        key, content = read_varint(message, start)
        match key & 7:
            case 0:
                _, end = read_varint(message, content)
            case 1:
                end = content + 8
            case 2:
                length, content = read_varint(message, content)
                end = content + length
            case 5:
                end = content + 4
            case wire_type:
                raise ValueError(f"wire type {wire_type} is not one of an ONNX file")
        if end > len(message):
            raise ValueError("the file ends within a field")
        yield key >> 3, message[content:end], message[start:end]
        start = end


def nested(number: int, content: bytes) -> bytes:
    """A field that holds a message."""
    return varint(number << 3 | BYTES) + varint(len(content)) + content


def every(message: bytes, number: int) -> list[bytes]:
    """The contents of the message's fields of this number."""
    return [content for found, content, _ in fields(message) if found == number]


def first(message: bytes, number: int) -> bytes:
    """The content of the message's first field of this number."""
    return every(message, number)[0]


def rewrite(message: bytes, number: int, change: Callable[[bytes], bytes]) -> bytes:
    """The message with `change` applied to the content of its fields of this number."""
    return b"".join(
        nested(number, change(content)) if found == number else field for found, content, field in fields(message)
    )


def free_shape(shape: bytes) -> bytes:
    """The shape with all its dimensions unknown but the channels."""
    return b"".join(
        nested(SHAPE_DIMENSION, dimension if place == CHANNELS else b"")
        for place, dimension in enumerate(every(shape, SHAPE_DIMENSION))
    )


def free_value(value: bytes) -> bytes:
    """A graph's input or output that takes any batch, height and width."""
    return rewrite(
        value,
        VALUE_TYPE,
        lambda kind: rewrite(kind, TYPE_TENSOR, lambda tensor: rewrite(tensor, TENSOR_TYPE_SHAPE, free_shape)),
    )


def prepare_graph(graph: bytes) -> bytes:
    """The graph with free sizes, without landmarks, and with the weights it uses as constants only."""
    weights = {first(content, TENSOR_NAME) for content in every(graph, GRAPH_INITIALIZER)}
    nodes = [node for node in every(graph, GRAPH_NODE) if LANDMARKS not in every(node, NODE_OUTPUT)]
    used = {name for node in nodes for name in every(node, NODE_INPUT)}
    kept = []
    for number, content, field in fields(graph):
        if number == GRAPH_NODE and LANDMARKS in every(content, NODE_OUTPUT):
            continue
        if number == GRAPH_OUTPUT and first(content, VALUE_NAME) == LANDMARKS:
            continue
        if number == GRAPH_INITIALIZER and first(content, TENSOR_NAME) not in used:
            continue
        if number == GRAPH_INPUT and first(content, VALUE_NAME) in weights:
            continue
        kept.append(nested(number, free_value(content)) if number in (GRAPH_INPUT, GRAPH_OUTPUT) else field)
    return b"".join(kept)


def prepare(model: bytes) -> bytes:
    """The published model, prepared."""
    return rewrite(model, MODEL_GRAPH, prepare_graph)


if __name__ == "__main__":
    published, prepared = map(Path, sys.argv[1:])
    prepared.write_bytes(prepare(published.read_bytes()))
