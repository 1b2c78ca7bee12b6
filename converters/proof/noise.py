"""Find what the rounding errors of a runtime can make of an output: their steps, and the spread they cause.

converters.proof.tolerance derives both.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf
from converters.base.untyped import TfTensor
from converters.file.graph import CONVERSIONS, WITH_KERNEL, Graph, Node, Tensor
from converters.proof.exact_arithmetic import Inputs, evaluate, listed, steps_of

FUNCTION_UNITS = 16.0
"""Units in the last place that a runtime's tanh or exponential may be off."""

_MOST_DERIVATIVES = 32
"""The most values of an output that are differentiated one by one; more of them are drawn."""

_DRAWS = 64  # give a standard deviation to 9 %
_MOVING = {
    *("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "STRIDED_SLICE", "CONCATENATION", "PAD", "TILE"),
    *("SPLIT", "SPLIT_V", "UNPACK", "PACK", "ABS", "NEG"),
    *("MAX_POOL_2D", "REDUCE_MAX", "MAXIMUM", "MINIMUM", "RELU", "RELU6", "RESIZE_NEAREST_NEIGHBOR"),
    *CONVERSIONS,
}
_PRODUCTS = (*WITH_KERNEL, "TRANSPOSE_CONV", "BATCH_MATMUL")
_SUMS = ("MEAN", "SUM", "AVERAGE_POOL_2D")


def sigma(graph: Graph, inputs: Inputs, target: Tensor, *, unit: float) -> NDArray[np.float64]:
    """Return the standard deviation of each value of `target` for `inputs` (n, ...): (n, values of a sample).

    `unit`: half a unit in the last place of floating point. A few values are differentiated by every rounded
    tensor. Many would take as many passes; their spread is drawn: every tensor is shifted at random, over
    and over.
    """
    values = evaluate(graph, inputs)
    steps = noise_steps(graph, values, unit)
    count = int(np.prod(target.shape[1:], dtype=np.int64))
    spread = _differentiated if count <= _MOST_DERIVATIVES else _drawn
    return spread(graph, inputs, target, values, steps)


def _differentiated(
    graph: Graph,
    inputs: Inputs,
    target: Tensor,
    values: Mapping[int, TfTensor],
    steps: Mapping[int, TfTensor],
) -> NDArray[np.float64]:
    shifts = {index: tf.zeros_like(values[index]) for index in steps}
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(shifts)
        reached = evaluate(graph, inputs, rounding=False, shifts=shifts)[target.index]
        reached = tf.reshape(reached, (len(listed(inputs)[0]), -1))
        each = [reached[:, j] for j in range(reached.shape[1])]
    variances = []
    for one in each:
        gradients = tape.gradient(one, shifts, unconnected_gradients="zero")
        variances.append(
            sum(_variance(gradients[index], values[index], step) for index, step in steps.items())
        )
    return np.sqrt(np.stack([variance.numpy() for variance in variances], axis=1))


def _variance(gradient: TfTensor, values: TfTensor, step: TfTensor) -> TfTensor:
    """Return what the rounding of one tensor adds to a value's variance, (n,)."""
    squares = tf.square(gradient)
    axes = list(range(1, len(gradient.shape)))
    if _is_picture(values):
        blank = tf.cast(_blank(values), tf.float64)
        together = tf.square(tf.reduce_sum(gradient * blank, axis=[1, 2]))
        summed = tf.reduce_sum(squares * (1 - blank), axis=axes) + tf.reduce_sum(together, axis=1)
    else:
        summed = tf.reduce_sum(squares, axis=axes)
    return summed * (step * step) / 6


def _drawn(
    graph: Graph,
    inputs: Inputs,
    target: Tensor,
    values: Mapping[int, TfTensor],
    steps: Mapping[int, TfTensor],
) -> NDArray[np.float64]:
    def reached(shifts: Mapping[int, TfTensor] | None) -> NDArray[np.float64]:
        found = evaluate(graph, inputs, rounding=False, shifts=shifts)[target.index].numpy()
        return found.reshape(len(found), -1)

    centre = reached(None)
    squares = np.zeros_like(centre)
    for draw in range(_DRAWS):
        shifts = {index: errors(values[index], step, seed=(draw, index)) for index, step in steps.items()}
        squares += (reached(shifts) - centre) ** 2
    return np.sqrt(squares / _DRAWS)


def errors(values: TfTensor, step: TfTensor, *, seed: tuple[int, int]) -> TfTensor:
    """Return an error for each of `values`, of variance step^2 / 6; blank ones of a channel have the same."""
    drawn = tf.random.stateless_normal(values.shape, seed=seed, dtype=tf.float64)
    if _is_picture(values):
        drawn = tf.where(_blank(values), drawn[:, :1, :1], drawn)
    step = tf.convert_to_tensor(step, tf.float64)
    return drawn * tf.reshape(step, [-1, *[1] * (len(values.shape) - 1)]) / np.sqrt(6)


def _is_picture(values: TfTensor) -> bool:
    return len(values.shape) == 4 and values.shape[1] * values.shape[2] > 1


def _blank(values: TfTensor) -> TfTensor:
    """Return where a channel of pictures (n, height, width, channels) equals its corner: rounded alike."""
    return values == values[:, :1, :1]


def noise_steps(graph: Graph, values: Mapping[int, TfTensor], unit: float) -> dict[int, TfTensor]:
    """Return the step, a number or one an input (n,), of each tensor that a runtime rounds."""
    steps: dict[int, TfTensor] = {}
    for node in graph.nodes:
        target = node.outputs[0]
        if node.name in _MOVING and not _requantizes(node):
            continue
        if steps_of(target):
            steps[target.index] = steps_of(target)
            continue
        steps[target.index] = _float_step(node, values, unit)
        source = _source(node)
        if _is_hybrid(node) and source is not None and source.index in values:
            largest = tf.reduce_max(tf.abs(values[source.index]), axis=list(range(1, len(source.shape))))
            steps[source.index] = tf.sqrt(steps.get(source.index, 0.0) ** 2 + (largest / 127) ** 2)
    return steps


def _requantizes(node: Node) -> bool:
    """Return whether `node` brings a tensor from one scale to another, and so rounds it."""
    own = steps_of(node.outputs[0])
    return own > 0 and any(t is not None and steps_of(t) not in (0.0, own) for t in node.inputs)


def _is_hybrid(node: Node) -> bool:
    return node.name in _PRODUCTS and node.inputs[1] is not None and node.inputs[1].type == "int8"


def _source(node: Node) -> Tensor | None:
    """Return what `node` computes from; its first input in most."""
    return node.inputs[2 if node.name == "TRANSPOSE_CONV" else 0]


def _float_step(node: Node, values: Mapping[int, TfTensor], unit: float) -> float:
    """Return the step that stands for the rounding errors of one floating-point result."""
    result = FUNCTION_UNITS * unit * _largest(values[node.outputs[0].index])
    source, kernel = _source(node), (*node.inputs, None)[1]
    if source is None or source.index not in values:
        return result
    most = _largest(values[source.index])
    if node.name in _SUMS:
        terms = np.prod(source.shape) / np.prod(node.outputs[0].shape)
        if node.name == "AVERAGE_POOL_2D":
            terms = node.options["filterHeight"] * node.options["filterWidth"]
        return max(result, 2 * unit * np.sqrt(terms) * most * (terms if node.name == "SUM" else 1))
    if node.name not in _PRODUCTS:
        return result
    assert kernel is not None
    weights = kernel.real() if kernel.constant is not None else values[kernel.index].numpy()
    if node.name == "BATCH_MATMUL":
        depth = kernel.shape[-1 if node.options["adjY"] else -2]
        return 2 * unit * np.sqrt(depth) * most * np.abs(weights).max() * depth
    axis = 3 if node.name == "DEPTHWISE_CONV_2D" else 0
    weights = np.moveaxis(np.abs(weights), axis, 0).reshape(weights.shape[axis], -1)
    return 2 * unit * np.sqrt(weights.shape[1] + 1) * most * weights.sum(axis=1).max()


def _largest(values: TfTensor) -> float:
    return float(tf.reduce_max(tf.abs(values)))
