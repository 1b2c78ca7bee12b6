"""Write a convolution's padding out where XNNPACK, the runtimes' default, computes SAME padding wrongly.

Where the windows leave rows or columns over at the end (a stride larger than the kernel), XNNPACK of
TensorFlow 2.21 and LiteRT 2.3 takes their number for a padding of less than nothing, and shifts every window.
"""

from __future__ import annotations

import numpy as np

from converters.file.graph import Node, Tensor, read_graph
from converters.file.manifest import graph_count
from converters.file.rewriting import Rewriting
from converters.file.schema import schema

_PAD_VERSIONS = {"int8": 2, "int16": 3}

Pads = tuple[tuple[int, int], tuple[int, int]]
"""Rows above and below, columns left and right."""


def with_padding_written_out(content: bytes) -> bytes:
    """Return the .tflite file `content` with no convolution of SAME padding that XNNPACK computes wrongly.

    The same function in every other runtime: such a convolution becomes one without padding, behind a PAD
    where there is any. `content` itself if it has none, and if it has loops, which XNNPACK does not enter.
    The shapes must be those that the file runs with. Raises InputError as `Rewriting`.
    """
    if graph_count(content) > 1:
        return content
    graph = read_graph(content)
    found = {node.index: pads for node in graph.nodes if (pads := _pads_to_write_out(node)) is not None}
    if not found:
        return content
    file = Rewriting(content)
    for node, operator in zip(graph.nodes, list(file.graph.operators), strict=True):
        if node.index in found:
            operator.builtinOptions.padding = schema.Padding.VALID
            if np.any(found[node.index]):
                padded = _padded(file, _source(node), found[node.index])
                operator.inputs = np.array([padded, *operator.inputs[1:]], np.int32)
        file.operators.append(operator)
    return file.packed()


def _pads_to_write_out(node: Node) -> Pads | None:
    """Return the padding of a convolution that XNNPACK computes wrongly; None for any other operator."""
    if node.name not in ("CONV_2D", "DEPTHWISE_CONV_2D") or node.options["padding"] != "SAME":
        return None
    kernel = node.inputs[1]
    assert kernel is not None
    if kernel.shape[1:3] == (1, 1):  # XNNPACK computes these otherwise, and right
        return None
    missing = [_missing(node, axis) for axis in (0, 1)]
    if min(missing) >= 0:
        return None
    rows, columns = ((max(0, one) // 2, max(0, one) - max(0, one) // 2) for one in missing)
    return rows, columns


def _missing(node: Node, axis: int) -> int:
    """Return how many rows (axis 0) or columns the windows lack; negative: are left over."""
    kernel, side = node.inputs[1], "HW"[axis]
    assert kernel is not None
    reach = (kernel.shape[1 + axis] - 1) * node.options[f"dilation{side}Factor"] + 1
    last = (node.outputs[0].shape[1 + axis] - 1) * node.options[f"stride{side}"]
    return last + reach - _source(node).shape[1 + axis]


def _source(node: Node) -> Tensor:
    source = node.inputs[0]
    assert source is not None
    return source


def _padded(file: Rewriting, source: Tensor, pads: Pads) -> int:
    """Add a PAD of `source` to the new operators; return the index of what it gives."""
    batch, height, width, channels = source.shape
    shape = (batch, height + sum(pads[0]), width + sum(pads[1]), channels)
    old = file.graph.tensors[source.index]
    name = f"{file.name_of(source.index)}_padded"
    padded = file.tensor(shape, old.type, name=name, quantization=old.quantization)
    numbers = file.constant(np.array([(0, 0), *pads, (0, 0)], np.int32), name=f"{name}/paddings")
    version = _PAD_VERSIONS.get(source.type, 1)
    file.operator(
        "PAD",
        version=version,
        inputs=[source.index, numbers],
        outputs=[padded],
        options=schema.PadOptionsT(),
    )
    return padded
