"""Reads and writes the parts of ONNX files that preparing the two networks needs.

An ONNX file is one protobuf message: a sequence of fields. Each field is a key (field number << 3 | wire type) and a
value. Nested messages are fields of wire type 2 (length, bytes). So building the layer needs no protobuf library.
The field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODEL_VERSION, MODEL_GRAPH, MODEL_OPERATORS = 1, 7, 8
OPERATORS_VERSION = 2
GRAPH_NODE, GRAPH_NAME, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT = 1, 2, 5, 11, 12
NODE_INPUT, NODE_OUTPUT, NODE_OPERATOR, NODE_ATTRIBUTE = 1, 2, 4, 5
ATTRIBUTE_NAME, ATTRIBUTE_INT, ATTRIBUTE_STRING, ATTRIBUTE_INTS, ATTRIBUTE_TYPE = 1, 3, 4, 8, 20
TENSOR_DIMENSION, TENSOR_ELEMENTS, TENSOR_NAME, TENSOR_DATA = 1, 2, 8, 9
VALUE_NAME, VALUE_TYPE = 1, 2
TYPE_TENSOR = 1
TENSOR_TYPE_ELEMENTS, TENSOR_TYPE_SHAPE = 1, 2
SHAPE_DIMENSION = 1
DIMENSION_VALUE = 1

NUMBER, BYTES = 0, 2  # wire types


def read_varint(data: bytes, start: int) -> tuple[int, int]:
    """The number at `start`, stored with seven bits a byte and the lowest first, and the position after it."""
    value, shift = 0, 0
    while True:
        byte = data[start]
        value |= (byte & 0x7F) << shift
        start, shift = start + 1, shift + 7
        if byte < 0x80:
            return value, start


def varint(value: int) -> bytes:
    """The encoding of a number in protobuf."""
    data = bytearray()
    while value >= 0x80:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*data, value])


def fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Each field of a message: its number, its content, and all its bytes. Raises ValueError for another file."""
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
                raise ValueError(f"wire type {wire_type} does not occur in an ONNX file")
        if end > len(message):
            raise ValueError("the file ends within a field")
        yield key >> 3, message[content:end], message[start:end]
        start = end


def nested(number: int, content: bytes) -> bytes:
    """A field that holds a message or a text."""
    return varint(number << 3 | BYTES) + varint(len(content)) + content


def numeric(number: int, value: int) -> bytes:
    """A field that holds a number."""
    return varint(number << 3 | NUMBER) + varint(value)


def every(message: bytes, number: int) -> list[bytes]:
    """The contents of all fields of the message with this number."""
    return [content for found, content, _ in fields(message) if found == number]


def first(message: bytes, number: int) -> bytes:
    """The content of the first field of the message with this number."""
    return every(message, number)[0]


def rewrite(message: bytes, number: int, change: Callable[[bytes], bytes]) -> bytes:
    """The message with `change` applied to the content of each field with this number."""
    return b"".join(
        nested(number, change(content)) if found == number else field for found, content, field in fields(message)
    )
