"""Compare a file with the exact model layer by layer: noise, clipping, rounding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf
from converters.file.graph import Graph, Node
from converters.proof.exact_arithmetic import LIMITS, compute, defined, evaluate, steps_of
from converters.proof.weights import Pair, matched
from converters.runtimes.tensorflow_interpreter import every_tensor

Samples = NDArray[Any] | Sequence[NDArray[Any]]
"""Samples (n, ...) of a file's only input, or a list of arrays, one for each input in its order."""


@dataclass(frozen=True)
class Layer:
    """One operator of a file, over some samples.

    `snr`: signal to quantisation noise of the output, against the exact model's, in decibels: 20 more is a
    tenth of the noise; None if there is no noise. `clipped`: percent of values at the ends of the range.
    `local`: the largest difference, in steps, of TensorFlow's kernel from exact arithmetic on the same
    inputs; a kernel that rounds once is within 0.5, one that rounds twice within 1. `clipped` and `local` are
    None if the output is not quantised, `local` also if the operator's arithmetic is not defined.
    """

    operator: str
    name: str
    step: float
    snr: float | None
    clipped: float | None
    local: float | None

    def as_json(self) -> dict[str, Any]:
        """Return the layer as the report stores it."""
        return asdict(self)


def profile(content: bytes, graph: Graph, exact: Graph, inputs: Samples) -> list[Layer]:
    """Return the layers of the file `content`, whose graph is `graph`, on `inputs` (n, ...), real values.

    `exact` is the float32 graph of the same function. Operators are matched in order; the list is empty
    if they do not match.
    """
    pairs, alone = matched(graph, exact)
    if alone:
        return []
    exact_values = {index: value.numpy() for index, value in evaluate(exact, inputs).items()}
    return profile_of_pairs(content, graph, pairs, inputs, exact_values=exact_values)


def profile_of_pairs(
    content: bytes,
    graph: Graph,
    pairs: Sequence[Pair],
    inputs: Samples,
    *,
    exact_values: Mapping[int, NDArray[Any]],
) -> list[Layer]:
    """Return the layers of the operators in `pairs`; `exact_values`: the exact graph's tensors by index."""
    values = every_tensor(content, graph, inputs)
    return [_layer(node, values, exact_values[other.outputs[0].index]) for node, other in pairs]


def decibels(signal: NDArray[Any], noise: NDArray[Any]) -> float | None:
    """Return the ratio of `signal` to `noise`, both of any shape, in decibels; None if there is no noise."""
    power = float(np.sum(np.square(noise, dtype=np.float64)))
    if not power:
        return None
    strength = float(np.sum(np.square(signal, dtype=np.float64)))
    return 10 * float(np.log10(strength / power)) if strength else -np.inf


def _layer(node: Node, tensors: Mapping[int, NDArray[Any]], exact_output: NDArray[Any]) -> Layer:
    target = node.outputs[0]
    step, values = steps_of(target), tensors[target.index]
    snr = decibels(exact_output, values - exact_output)
    if not step:
        return Layer(str(node), target.name, step, snr, None, None)
    stored = np.rint(values / step) + target.zero_points[0]
    low, high = LIMITS[target.type]
    clipped = 100 * float(np.mean((stored == low) | (stored == high)))
    if not defined(node):
        return Layer(str(node), target.name, step, snr, clipped, None)
    arguments = {index: tf.constant(value) for index, value in tensors.items()}
    local = float(np.max(np.abs(values - compute(node, arguments, rounding=False).numpy()))) / step
    return Layer(str(node), target.name, step, snr, clipped, local)
