"""Layer by layer: where a quantised file departs from the exact model, and if each kernel rounds once."""

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
"""Digits that a layer profile is made on."""


@dataclass(frozen=True)
class Layer:
    """One operator of a file, over some digits.

    `snr`: signal to quantisation noise of its output beside the exact model's, in decibels: 20 more is a
    tenth of the noise; None when there is no noise. `clipped`: percent of its values at the ends of its
    range. `local`: the most, in steps, by which TensorFlow's kernel differs from exact arithmetic on what
    the kernel itself was given; a kernel that rounds once is within 0.5, one that rounds twice within 1. None
    where the output is not quantised.
    """

    operator: str
    name: str
    step: float
    snr: float | None
    clipped: float | None
    local: float | None

    def as_json(self) -> dict[str, Any]:
        """Return the layer as JSON has it."""
        return asdict(self)


def profile(
    content: bytes, graph: Graph, exact: Graph, inputs: NDArray[np.float32 | np.uint8]
) -> list[Layer]:
    """Return the layers of the file `content`, whose graph is `graph`, on `inputs` (n, ...), raw pixels.

    `exact` is the float32 graph of the same function. Operators are matched in order; the list is empty
    when they do not match.
    """
    mine, theirs = ([n for n in g.nodes if n.name not in CONVERSIONS] for g in (graph, exact))
    if [n.name for n in mine] != [n.name for n in theirs]:
        return []
    wanted = evaluate(exact, inputs)
    got = every_tensor(content, graph, inputs)
    return [
        _layer(node, got, wanted[other.outputs[0].index].numpy())
        for node, other in zip(mine, theirs, strict=True)
    ]


def _layer(node: Node, got: dict[int, NDArray[Any]], wanted: NDArray[Any]) -> Layer:
    target = node.outputs[0]
    step, values = steps_of(target), got[target.index]
    noise = float(np.sum((values - wanted) ** 2))
    snr = 10 * float(np.log10(np.sum(wanted**2) / noise)) if noise else None
    if not step:
        return Layer(str(node), target.name, step, snr, None, None)
    stored = np.rint(values / step) + target.zero_points[0]
    low, high = LIMITS[target.type]
    clipped = 100 * float(np.mean((stored == low) | (stored == high)))
    arguments = {index: tf.constant(value) for index, value in got.items()}
    local = float(np.max(np.abs(values - compute(node, arguments, rounding=False).numpy()))) / step
    return Layer(str(node), target.name, step, snr, clipped, local)
