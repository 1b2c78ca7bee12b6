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
    last term is the logit's own step. Where an output has many values (a picture, a thousand classes), sigma
    is drawn: 64 times, every tensor is shifted by random errors of these sizes.

Steps: a quantised tensor's scale. In floating point, a sum of n products is rounded n times by half a
unit in the last place u of what is summed so far, at most sum |w x|; n such errors add up to sqrt(n) of one:
s = 2 u sqrt(n) max(sum |w x|). Where float32 activations meet int8 weights (dynamic range), a runtime
rounds the activations itself to 127 steps of their largest: s = max |x| / 127.

A softmax behind the logits is monotone: a score is largest when its own logit is highest and the others
are lowest. So the limits of the scores follow from those of the logits, and the score's own rounding adds a
step: half for rounding, half for the kernel's table of exponentials. A sigmoid or a tanh at the end is
monotone too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from converters.file.graph import CONVERSIONS, Graph, Node, Tensor
from converters.proof.exact_arithmetic import Inputs, evaluate, ideal_outputs, listed, steps_of
from converters.proof.noise import FUNCTION_UNITS, sigma

FLOAT32 = 2.0**-24
"""Half a unit in the last place of a number near 1."""

_SIGMAS = 6.0
_BATCH = 250
_MOST_ELEMENTS = 1 << 23
"""Values of all tensors together that are computed at once, all samples counted: 64 MB."""

_MONOTONE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "LOGISTIC": lambda x: 1 / (1 + np.exp(-x)),
    "TANH": np.tanh,
}


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

    `output`: the place of the output; its values may be along several axes (1x1x11). `ideal`: the ideal
    kernel's outputs, float64 (n, values); `step`: the output's, or 0 for floating point. Raises InputError
    for a file with an operator whose arithmetic is not defined (converters.proof.exact_operators).
    """

    def __init__(self, graph: Graph, inputs: Inputs, *, output: int = 0, unit: float = FLOAT32) -> None:
        self.graph, self.inputs, self.unit, self.output = graph, listed(inputs), unit, output
        self.ideal = ideal_outputs(graph, inputs, output=output).reshape(len(self.inputs[0]), -1)
        self.step = steps_of(graph.outputs[output])
        elements = sum(int(np.prod(t.shape)) for t in graph.tensors if t.constant is None)
        self._batch = min(_BATCH, max(1, _MOST_ELEMENTS // max(1, elements)))
        self._limits: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def limits(self, indices: np.ndarray) -> Limits:
        """Return the limits of the outputs for the inputs at `indices`; each is found once."""
        todo = [int(i) for i in indices if int(i) not in self._limits]
        for start in range(0, len(todo), self._batch):
            part = todo[start : start + self._batch]
            self._limits.update(zip(part, zip(*self._find(part), strict=True), strict=True))
        rows = [self._limits[int(i)] for i in indices]
        shape = (-1, self.ideal.shape[1])
        return Limits(*(np.array([row[end] for row in rows]).reshape(shape) for end in (0, 1)))

    def _find(self, part: list[int]) -> Limits:
        """Find the limits for a batch of inputs."""
        logits, end = _ending(self.graph, self.output)
        inputs = [array[part] for array in self.inputs]
        allowed = _SIGMAS * sigma(self.graph, inputs, logits, unit=self.unit) + steps_of(logits)
        if end is None:
            return Limits(self.ideal[part] - allowed, self.ideal[part] + allowed)
        centre = evaluate(self.graph, inputs)[logits.index].numpy()
        low, high = _limits_behind(end, centre, allowed.reshape(centre.shape))
        return Limits(low.reshape(len(part), -1) - self.own, high.reshape(len(part), -1) + self.own)

    @property
    def own(self) -> float:
        """How far an output may be off by its own rounding, whatever is behind it."""
        return self.step or FUNCTION_UNITS * 2 * self.unit

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


def _limits_behind(node: Node, centre: np.ndarray, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the most that `node` gives when each of its inputs moves by `allowed` at most."""
    if node.name == "SOFTMAX":
        beta = node.options.get("beta", 1.0)
        return _softmax_limits(beta * centre, beta * allowed)
    function = _MONOTONE[node.name]
    return function(centre - allowed), function(centre + allowed)


def _softmax_limits(logits: np.ndarray, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the most of each score (..., classes) if each logit moves by `allowed` at most."""
    lows, highs = logits - allowed, logits + allowed
    top = highs.max(axis=-1, keepdims=True)
    low_powers, high_powers = np.exp(lows - top), np.exp(highs - top)
    others = 1 - np.eye(logits.shape[-1])
    others_high = high_powers @ others
    others_low = low_powers @ others
    return low_powers / (low_powers + others_high), high_powers / (high_powers + others_low)


def _ending(graph: Graph, output: int) -> tuple[Tensor, Node | None]:
    """Return what the last monotone function before an output reads, and its node; or the output and None."""
    makers = {tensor.index: node for node in graph.nodes for tensor in node.outputs}
    tensor = graph.outputs[output]
    while node := makers.get(tensor.index):
        source = node.inputs[0]
        if source is None:
            break
        if node.name == "SOFTMAX" or node.name in _MONOTONE:
            return source, node
        if node.name not in ("RESHAPE", *CONVERSIONS):
            break
        tensor = source
    return graph.outputs[output], None
