"""Derive from scales and rounding how far a runtime's answer may be from the ideal kernel's.

The ideal kernel (converters.proof.exact_arithmetic) computes exactly and rounds each tensor once. A real one
may round a value near the middle between two steps the other way, and everything after it is then rounded
anew. At worst, each of its rounding errors is independent of the ideal kernel's:

    each rounding error is uniform over a step s, variance s^2 / 12; the difference of two independent ones
    has s^2 / 6, and an error in element e of tensor l moves logit j by J[l, e, j] = d logit_j / d element:

        sigma_j^2 = sum over tensors l, elements e of J[l, e, j]^2 * s_l^2 / 6
        allowed_j = 6 sigma_j + s_logit

    Elements of a channel that are equal to the one in its corner (blank paper) are rounded alike, so their J
    are summed before they are squared. Six sigma: in 100,000 logits, one beyond by chance in 5,000 runs. The
    last term is the logit's own step.

Steps: a quantised tensor's scale. In floating point, a sum of n products is rounded n times by half a
unit in the last place u of what is summed so far, at most sum |w x|; n such errors add up to sqrt(n) of one:
s = 2 u sqrt(n) max(sum |w x|). Where float32 activations meet int8 weights (dynamic range), a runtime
rounds the activations itself to 127 steps of their largest: s = max |x| / 127.

A softmax behind the logits is monotone: a score is largest when its own logit is highest and the others
are lowest. So the limits of the scores follow from those of the logits, and the score's own rounding adds a
step: half for rounding, half for the kernel's table of exponentials.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from converters.base.environment import tf
from converters.base.untyped import TfTensor
from converters.file.graph import CONVERSIONS, WITH_KERNEL, Graph, Node, Tensor
from converters.proof.exact_arithmetic import evaluate, ideal_outputs, steps_of

FLOAT32 = 2.0**-24
"""Half a unit in the last place of a number near 1."""

_SIGMAS = 6.0
_MOVING = ("RESHAPE", "MAX_POOL_2D", *CONVERSIONS)
_FUNCTION_UNITS = 16.0  # units in the last place that a runtime's tanh or exponential may be off
_BATCH = 250


class Limits(NamedTuple):
    """The least and the most that an output may be, real values (n, classes)."""

    low: np.ndarray
    high: np.ndarray

    def outside(self, outputs: np.ndarray) -> np.ndarray:
        """Return by how much `outputs` (n, classes) lie outside, 0 where they are within; NaN is far off."""
        beyond = np.maximum(0.0, np.maximum(self.low - outputs, outputs - self.high))
        return np.where(np.isnan(outputs), np.inf, beyond)


class Tolerance:
    """The limits of a file's outputs for `inputs` (n, ...) on any runtime.

    The file gives one value a class, possibly along several axes (1x1x11). `ideal`: the ideal kernel's
    outputs, float64 (n, classes); `step`: the output's, or 0 for floating point.
    """

    def __init__(self, graph: Graph, inputs: np.ndarray, *, unit: float = FLOAT32) -> None:
        self.graph, self.inputs, self.unit = graph, inputs, unit
        self.ideal = ideal_outputs(graph, inputs).reshape(len(inputs), -1)
        self.step = steps_of(graph.outputs[0])
        self._limits: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def limits(self, indices: np.ndarray) -> Limits:
        """Return the limits of the outputs for the inputs at `indices`; each is found once."""
        todo = [int(i) for i in indices if int(i) not in self._limits]
        for start in range(0, len(todo), _BATCH):
            part = todo[start : start + _BATCH]
            self._limits.update(zip(part, zip(*self._find(part), strict=True), strict=True))
        rows = [self._limits[int(i)] for i in indices]
        shape = (-1, self.ideal.shape[1])
        return Limits(*(np.array([row[end] for row in rows]).reshape(shape) for end in (0, 1)))

    def _find(self, part: list[int]) -> Limits:
        """Find the limits for a batch of inputs."""
        logits, softmax = _logits(self.graph)
        sigma = _sigma(self.graph, self.inputs[part], logits, self.unit)
        allowed = _SIGMAS * sigma + steps_of(logits)
        if softmax is None:
            return Limits(self.ideal[part] - allowed, self.ideal[part] + allowed)
        centre = evaluate(self.graph, self.inputs[part])[logits.index].numpy().reshape(len(part), -1)
        beta = softmax.options.get("beta", 1.0)
        low, high = _softmax_limits(beta * centre, beta * allowed)
        return Limits(low - self.own, high + self.own)

    @property
    def own(self) -> float:
        """How far an output may be off by its own rounding, whatever is behind it."""
        return self.step or _FUNCTION_UNITS * 2 * self.unit

    def outside(self, outputs: np.ndarray) -> np.ndarray:
        """Return by how much `outputs` (n, classes) of the first n inputs lie outside their limits."""
        found = np.zeros_like(outputs)
        suspects = self._suspects(outputs)
        if len(suspects):
            found[suspects] = self.limits(suspects).outside(outputs[suspects])
        return found

    def used(self, outputs: np.ndarray) -> float:
        """Return the largest share of its tolerance that one of `outputs` (n, classes) takes up, in percent.

        100 is the limit; outputs that are off by their own rounding at most count as 0.
        """
        suspects = self._suspects(outputs)
        if not len(suspects):
            return 0.0
        low, high = self.limits(suspects)
        ideal = self.ideal[suspects]
        room = np.where(outputs[suspects] > ideal, high - ideal, ideal - low)
        return 100 * float(np.max(np.abs(outputs[suspects] - ideal) / room))

    def _suspects(self, outputs: np.ndarray) -> np.ndarray:
        """Return the inputs with an output that is off by more than its own rounding.

        The limits are never narrower than that, and cost ten gradients an input.
        """
        near = np.abs(outputs - self.ideal[: len(outputs)]) <= self.own  # false for NaN
        return np.flatnonzero(~near.all(axis=1))


def _softmax_limits(logits: np.ndarray, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the most of each score when each logit moves by `allowed` at most."""
    lows, highs = logits - allowed, logits + allowed
    top = highs.max(axis=1, keepdims=True)
    low_powers, high_powers = np.exp(lows - top), np.exp(highs - top)
    others = 1 - np.eye(logits.shape[1])
    others_high = high_powers @ others
    others_low = low_powers @ others
    return low_powers / (low_powers + others_high), high_powers / (high_powers + others_low)


def _logits(graph: Graph) -> tuple[Tensor, Node | None]:
    """Return the tensor that the last softmax reads and its node, or the output and None."""
    for node in reversed(graph.nodes):
        if node.name == "SOFTMAX":
            tensor = node.inputs[0]
            assert tensor is not None
            return tensor, node
        if node.name not in _MOVING:
            break
    return graph.outputs[0], None


def _sigma(graph: Graph, inputs: np.ndarray, logits: Tensor, unit: float) -> np.ndarray:
    """Return the standard deviation of each logit, (n, classes)."""
    values = evaluate(graph, inputs)
    steps = _noise_steps(graph, values, unit)
    shifts = {index: tf.zeros_like(values[index]) for index in steps}
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(shifts)
        reached = evaluate(graph, inputs, rounding=False, shifts=shifts)[logits.index]
        reached = tf.reshape(reached, (len(inputs), -1))
        each = [reached[:, j] for j in range(reached.shape[1])]
    variances = []
    for logit in each:
        gradients = tape.gradient(logit, shifts, unconnected_gradients="zero")
        variances.append(
            sum(_variance(gradients[index], values[index], step) for index, step in steps.items())
        )
    return np.sqrt(np.stack([variance.numpy() for variance in variances], axis=1))


def _variance(gradient: TfTensor, values: TfTensor, step: TfTensor) -> TfTensor:
    """Return what the rounding of one tensor adds to a logit's variance, (n,)."""
    squares = tf.square(gradient)
    axes = list(range(1, len(gradient.shape)))
    if len(values.shape) == 4 and values.shape[1] * values.shape[2] > 1:
        blank = tf.cast(values == values[:, :1, :1], tf.float64)
        together = tf.square(tf.reduce_sum(gradient * blank, axis=[1, 2]))
        summed = tf.reduce_sum(squares * (1 - blank), axis=axes) + tf.reduce_sum(together, axis=1)
    else:
        summed = tf.reduce_sum(squares, axis=axes)
    return summed * (step * step) / 6


def _noise_steps(graph: Graph, values: dict[int, TfTensor], unit: float) -> dict[int, TfTensor]:
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
        source, hybrid = node.inputs[0], _is_hybrid(node)
        if hybrid and source is not None and source.index in values:
            largest = tf.reduce_max(tf.abs(values[source.index]), axis=list(range(1, len(source.shape))))
            steps[source.index] = tf.sqrt(steps.get(source.index, 0.0) ** 2 + (largest / 127) ** 2)
    return steps


def _requantizes(node: Node) -> bool:
    """Return whether `node` brings a tensor from one scale to another, and so rounds it."""
    source = node.inputs[0]
    return (
        node.name == "QUANTIZE"
        and source is not None
        and steps_of(source) not in (0.0, steps_of(node.outputs[0]))
    )


def _is_hybrid(node: Node) -> bool:
    return node.name in WITH_KERNEL and node.inputs[1] is not None and node.inputs[1].type == "int8"


def _float_step(node: Node, values: dict[int, TfTensor], unit: float) -> float:
    """Return the step that stands for the rounding errors of one floating-point result."""
    if node.name not in WITH_KERNEL:
        return _FUNCTION_UNITS * unit * float(tf.reduce_max(tf.abs(values[node.outputs[0].index])))
    source, kernel = node.inputs[0], node.inputs[1]
    assert source is not None
    assert kernel is not None
    weights = kernel.real() if kernel.constant is not None else values[kernel.index].numpy()
    axis = 3 if node.name == "DEPTHWISE_CONV_2D" else 0
    weights = np.moveaxis(np.abs(weights), axis, 0).reshape(weights.shape[axis], -1)
    terms = weights.shape[1] + 1
    most = float(tf.reduce_max(tf.abs(values[source.index]))) * weights.sum(axis=1).max()
    return 2 * unit * np.sqrt(terms) * most
