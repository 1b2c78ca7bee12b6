"""Compute the graph of a .tflite file in real arithmetic, which every runtime has to approximate.

Constants have the real values that the file's scales give them. Each computed tensor is clipped to
what its type can hold and, if asked, rounded to its steps: then the result is that of an
ideal int8 kernel, one that computes exactly and rounds once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import shape_text
from converters.base.environment import tf
from converters.base.errors import expect
from converters.base.untyped import TfTensor
from converters.file.graph import Graph, Node, Tensor, computed_nodes
from converters.proof.exact_operators import DIVISIONS, OPERATIONS, activated

LIMITS = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}
"""The stored values that a quantised type can hold."""

Inputs: TypeAlias = TfTensor | Sequence[TfTensor]
"""Samples (n, ...) for a graph's only input, or a list of them, one for each input in the graph's order."""

_MOST_ELEMENTS = 1 << 22
"""Elements of the largest tensor that are computed at once, all samples counted: 32 MB."""


def evaluate(
    graph: Graph, inputs: Inputs, *, rounding: bool = True, shifts: Mapping[int, TfTensor] | None = None
) -> dict[int, TfTensor]:
    """Return every computed tensor's real values, float64 (n, ...), by tensor index, for `inputs` (n, ...).

    `rounding`: whether quantised tensors are rounded to their steps, or only clipped. `shifts`: what is
    added to a tensor (by index) after its rounding. Raises InputError for an operator whose arithmetic is
    not defined here.
    """
    check_operators(graph)
    values: dict[int, TfTensor] = {}
    for source, given in zip(graph.inputs, listed(inputs), strict=True):
        values[source.index] = _stored(source, tf.cast(given, tf.float64), rounding=rounding)
        if shifts and source.index in shifts:
            values[source.index] += shifts[source.index]
    for node in graph.nodes:
        results = compute_all(node, values, rounding=rounding)
        for index, result in zip((tensor.index for tensor in node.outputs), results, strict=True):
            values[index] = result + shifts[index] if shifts and index in shifts else result
    return values


def listed(inputs: Inputs) -> list[TfTensor]:
    """Return `inputs` as a list, one for each input."""
    return list(inputs) if isinstance(inputs, list | tuple) else [inputs]


def check_operators(graph: Graph) -> None:
    """Raise InputError when `graph` has an operator whose arithmetic is not defined here.

    Every sample is computed alone, so an operator whose output has a first side other than 1 is refused.
    """
    for node in graph.nodes:
        expect(defined(node), f"operators of {', '.join((*DIVISIONS, *OPERATIONS))}", str(node))
    for node in computed_nodes(graph):
        shape = node.outputs[0].shape
        expect(shape[:1] == (1,), "operators that keep samples apart", f"{node} to {shape_text(shape)}")


def defined(node: Node) -> bool:
    """Return whether the arithmetic of `node` is defined here."""
    return node.name in DIVISIONS or (node.name in OPERATIONS and len(node.outputs) == 1)


def compute(node: Node, values: Mapping[int, TfTensor], *, rounding: bool) -> TfTensor:
    """Return the first output, float64 (n, ...), of one operator; `values`: its computed inputs by index."""
    return compute_all(node, values, rounding=rounding)[0]


def compute_all(node: Node, values: Mapping[int, TfTensor], *, rounding: bool) -> list[TfTensor]:
    """Return each output, float64 (n, ...), of one operator, as `compute`."""
    arguments = [None if t is None else _value(t, values) for t in node.inputs]
    if node.name in DIVISIONS:
        results = DIVISIONS[node.name](node, arguments)
    else:
        results = [activated(node, OPERATIONS[node.name](node, arguments))]
    pairs = zip(node.outputs, results, strict=True)
    return [_stored(tensor, result, rounding=rounding) for tensor, result in pairs]


def ideal_outputs(
    graph: Graph, inputs: Inputs, *, output: int = 0, rounding: bool = True, batch: int = 500
) -> NDArray[np.float64]:
    """Return the real values (n, ...) of the output at place `output` for `inputs` (n, ...).

    `batch`: how many samples are computed at once, or fewer where tensors are large.
    """
    sink = graph.outputs[output]

    @tf.function(autograph=False)
    def run(*given: TfTensor) -> TfTensor:
        return evaluate(graph, given, rounding=rounding)[sink.index]

    arrays = listed(inputs)
    largest = max(math.prod(tensor.shape) for tensor in graph.tensors if tensor.constant is None)
    batch = min(batch, max(1, _MOST_ELEMENTS // max(1, largest)))
    parts = [run(*(a[i : i + batch] for a in arrays)).numpy() for i in range(0, len(arrays[0]), batch)]
    return np.concatenate(parts)


def steps_of(tensor: Tensor) -> float:
    """Return the size of a quantised tensor's step, its scale; 0 for a tensor of floating point."""
    return float(tensor.scales[0]) if tensor.scales.size and tensor.type in LIMITS else 0.0


def _value(tensor: Tensor, values: Mapping[int, TfTensor]) -> TfTensor:
    if tensor.constant is not None:
        return tf.constant(tensor.real()) if tensor.type != "int32" or tensor.scales.size else tensor.constant
    return values[tensor.index]


def _stored(tensor: Tensor, value: TfTensor, *, rounding: bool) -> TfTensor:
    """Return the real value that `tensor` stores for `value`."""
    step = steps_of(tensor)
    if not step:
        return value
    zero_point = float(tensor.zero_points[0])
    stored = tf.clip_by_value(value / step + zero_point, *map(float, LIMITS[tensor.type]))
    return ((_rounded(stored) if rounding else stored) - zero_point) * step


def _rounded(stored: TfTensor) -> TfTensor:
    """Round half away from zero, as the kernels do; averages of four integers have many halves."""
    return tf.sign(stored) * tf.floor(tf.abs(stored) + 0.5)
