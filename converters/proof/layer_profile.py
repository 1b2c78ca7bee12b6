"""Compare a quantised file with the exact model layer by layer: noise, clipping, rounding."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf
from converters.file.graph import CONVERSIONS, Graph, Node
from converters.proof.exact_arithmetic import LIMITS, compute, evaluate, steps_of
from converters.runtimes.tensorflow_interpreter import every_tensor

LAYER_DIGITS = 200
"""The number of digits for a layer profile."""


@dataclass(frozen=True)
class Layer:
    """One operator of a file, over some digits.

    `snr`: signal to quantisation noise of the output, against the exact model's, in decibels: 20 more is a
    tenth of the noise; None if there is no noise. `clipped`: percent of values at the ends of the range.
    `local`: the largest difference, in steps, of TensorFlow's kernel from exact arithmetic on the same
    inputs; a kernel that rounds once is within 0.5, one that rounds twice within 1. `clipped` and `local` are
    None if the output is not quantised.
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


def profile(
    content: bytes, graph: Graph, exact: Graph, inputs: NDArray[np.float32 | np.uint8]
) -> list[Layer]:
    """Return the layers of the file `content`, whose graph is `graph`, on `inputs` (n, ...), raw pixels.

    `exact` is the float32 graph of the same function. Operators are matched in order; the list is empty
    if they do not match.
    """
    nodes, exact_nodes = ([n for n in g.nodes if n.name not in CONVERSIONS] for g in (graph, exact))
    if [n.name for n in nodes] != [n.name for n in exact_nodes]:
        return []
    exact_values = evaluate(exact, inputs)
    values = every_tensor(content, graph, inputs)
    return [
        _layer(node, values, exact_values[exact_node.outputs[0].index].numpy())
        for node, exact_node in zip(nodes, exact_nodes, strict=True)
    ]


def _layer(node: Node, tensors: dict[int, NDArray[Any]], exact_output: NDArray[Any]) -> Layer:
    target = node.outputs[0]
    step, values = steps_of(target), tensors[target.index]
    noise = float(np.sum((values - exact_output) ** 2))
    snr = 10 * float(np.log10(np.sum(exact_output**2) / noise)) if noise else None
    if not step:
        return Layer(str(node), target.name, step, snr, None, None)
    stored = np.rint(values / step) + target.zero_points[0]
    low, high = LIMITS[target.type]
    clipped = 100 * float(np.mean((stored == low) | (stored == high)))
    arguments = {index: tf.constant(value) for index, value in tensors.items()}
    local = float(np.max(np.abs(values - compute(node, arguments, rounding=False).numpy()))) / step
    return Layer(str(node), target.name, step, snr, clipped, local)
