"""Change a .tflite file to inputs of another size; the shapes of its tensors follow from its operators.

An interpreter resizes a loaded file; those of a microcontroller and a GPU cannot, and need the size on disk.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from converters.base.arrays import shape_text
from converters.base.errors import expect
from converters.file.graph import Graph, Node, read_graph
from converters.file.rewriting import Rewriting

Shape = tuple[int, ...]

_SAME_SHAPE = ("TANH", "LOGISTIC", "RELU", "SOFTMAX", "QUANTIZE", "DEQUANTIZE")
_KERNELS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")


def resized(content: bytes, *, shape: Sequence[int]) -> bytes:
    """Return the .tflite file `content` for inputs of `shape` (1, height, width, channels), and no other.

    Raises InputError: no .tflite file, an operator whose output's shape does not follow from its input's
    (a RESHAPE, say), other channels, or sides that leave an operator nothing to compute.
    """
    shapes, file = shapes_at(read_graph(content), shape), _unchanged(content)
    for index, sides in shapes.items():
        tensor = file.graph.tensors[index]
        tensor.shape, tensor.shapeSignature = np.array(sides, np.int32), None
    return file.packed()


def resizable(content: bytes, *, axis: int) -> bytes:
    """Return the .tflite file `content` marked as one whose input may be resized along `axis`.

    Its own shapes stay; each side that depends on that of `axis` is -1 in its tensor's shape_signature, where
    an interpreter looks. Raises InputError as `resized`.
    """
    graph = read_graph(content)
    larger = list(graph.inputs[0].shape)
    larger[axis] *= 2
    found, file = shapes_at(graph, larger), _unchanged(content)
    for index, sides in found.items():
        pairs = zip(graph.tensors[index].shape, sides, strict=True)
        signature = [own if own == other else -1 for own, other in pairs]
        file.graph.tensors[index].shapeSignature = np.array(signature, np.int32)
    return file.packed()


def shapes_at(graph: Graph, shape: Sequence[int]) -> dict[int, Shape]:
    """Return the shape of the input and of each computed tensor, by index, for an input of `shape`.

    Raises InputError as `resized`.
    """
    expect(len(graph.inputs) == 1, "a file with one input", len(graph.inputs))
    (source,) = graph.inputs
    fits = len(shape) == len(source.shape) and (shape[0], shape[-1]) == (source.shape[0], source.shape[-1])
    expect(fits, f"another size of {shape_text(source.shape)}", shape_text(shape))
    shapes = {source.index: tuple(shape)}
    for node in graph.nodes:
        if node.inputs[0] is not None and node.inputs[0].index in shapes:
            found = _shape_behind(node, shapes[node.inputs[0].index])
            expect(min(found) > 0, f"an input large enough for {node}", shape_text(shape))
            shapes[node.outputs[0].index] = found
    return shapes


def _unchanged(content: bytes) -> Rewriting:
    file = Rewriting(content)
    file.operators = list(file.graph.operators)
    return file


def _shape_behind(node: Node, shape: Shape) -> Shape:
    """Return the shape of what `node` makes of an input of `shape`."""
    if node.name in _SAME_SHAPE:
        return shape
    known = node.name in (*_KERNELS, *_POOLS)
    expect(known, f"operators of {', '.join((*_KERNELS, *_POOLS, *_SAME_SHAPE))}", str(node))
    sides = zip(shape[1:3], _window(node), _strides(node), strict=True)
    padded = node.options["padding"] == "SAME"
    rows, columns = (-(-side // step) if padded else (side - size) // step + 1 for side, size, step in sides)
    return (shape[0], rows, columns, node.outputs[0].shape[3])


def _strides(node: Node) -> tuple[int, int]:
    return node.options["strideH"], node.options["strideW"]


def _window(node: Node) -> tuple[int, int]:
    """Return how many rows and columns of its input an operator looks at for one output."""
    if node.name in _POOLS:
        return node.options["filterHeight"], node.options["filterWidth"]
    kernel = node.inputs[1]
    assert kernel is not None
    rows, columns = kernel.shape[1:3]
    dilations = node.options["dilationHFactor"], node.options["dilationWFactor"]
    return (rows - 1) * dilations[0] + 1, (columns - 1) * dilations[1] + 1
