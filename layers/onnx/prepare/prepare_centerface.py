"""Prepares the published CenterFace model for onnxruntime: `prepare_centerface.py PUBLISHED.onnx PREPARED.onnx`.

The published graph accepts only one size of input, [10, 3, 32, 32], and lists its weights among its inputs. A caller
could replace weights that are inputs, so onnxruntime may not fold the batch normalisation into the convolutions. This
script frees batch, height and width, and removes the weights from the inputs. Then the model accepts any size and is
more than twice as fast. It also removes the weights that no node uses, because onnxruntime would print a warning for
each. All other weights and nodes stay the same, byte for byte.
"""

from __future__ import annotations

import sys
from pathlib import Path

from onnx_format import (
    GRAPH_INITIALIZER,
    GRAPH_INPUT,
    GRAPH_NODE,
    GRAPH_OUTPUT,
    MODEL_GRAPH,
    NODE_INPUT,
    SHAPE_DIMENSION,
    TENSOR_NAME,
    TENSOR_TYPE_SHAPE,
    TYPE_TENSOR,
    VALUE_NAME,
    VALUE_TYPE,
    every,
    fields,
    first,
    nested,
    rewrite,
)

CHANNELS = 1  # the index of the dimension that stays fixed, among batch, channels, height and width


def free_shape(shape: bytes) -> bytes:
    """The shape with all dimensions free except the channels."""
    return b"".join(
        nested(SHAPE_DIMENSION, dimension if index == CHANNELS else b"")
        for index, dimension in enumerate(every(shape, SHAPE_DIMENSION))
    )


def free_value(value: bytes) -> bytes:
    """A graph's input or output with free batch, height and width."""
    return rewrite(
        value,
        VALUE_TYPE,
        lambda kind: rewrite(kind, TYPE_TENSOR, lambda tensor: rewrite(tensor, TENSOR_TYPE_SHAPE, free_shape)),
    )


def prepare_graph(graph: bytes) -> bytes:
    """The graph with free sizes, and with only the weights it uses, as constants."""
    weights = {first(content, TENSOR_NAME) for content in every(graph, GRAPH_INITIALIZER)}
    used = {name for node in every(graph, GRAPH_NODE) for name in every(node, NODE_INPUT)}
    kept = []
    for number, content, field in fields(graph):
        if number == GRAPH_INITIALIZER and first(content, TENSOR_NAME) not in used:
            continue
        if number == GRAPH_INPUT and first(content, VALUE_NAME) in weights:
            continue
        kept.append(nested(number, free_value(content)) if number in (GRAPH_INPUT, GRAPH_OUTPUT) else field)
    return b"".join(kept)


def prepare(model: bytes) -> bytes:
    """Prepare the published model."""
    return rewrite(model, MODEL_GRAPH, prepare_graph)


if __name__ == "__main__":
    published, prepared = map(Path, sys.argv[1:])
    prepared.write_bytes(prepare(published.read_bytes()))
