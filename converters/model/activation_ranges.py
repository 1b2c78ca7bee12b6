"""Find the range that a tensor is quantised over: the one of least squared error behind what reads it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import softmax

Array = NDArray[np.float32]

_SHRINKINGS = np.geomspace(1.0, 0.05, 60)


def sigmoid(values: Array) -> Array:
    """Return 1 / (1 + exp(-values))."""
    return ((1 + np.tanh(values / 2)) / 2).astype(np.float32)


BEHIND: dict[str, Callable[[Array], Array]] = {"tanh": np.tanh, "sigmoid": sigmoid, "softmax": softmax}
"""The functions that may read a tensor and decide how much an error in it matters, by name."""

# TensorFlow Lite fixes their int8 outputs: steps of 1/128 and 1/256, up to one step below 1.
_STEPS = {"tanh": 128, "sigmoid": 256}


def fit_range(values: Array, *, bits: int = 8, behind: str = "linear") -> tuple[float, float]:
    """Return the range (low, high), low <= 0 <= high, over which `values` are quantised best.

    Best is the least squared error of f(quantised) against f(values), f being the function that `behind`
    names ("tanh", "sigmoid", "softmax", anything else: none); the last axis of `values` is a row for
    softmax. The candidates are the values' own range and 59 smaller ones, to a twentieth of it: a squashing
    function does not care where its argument is clipped far out, and a smaller range has finer steps.
    """
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    if high - low < np.finfo(np.float32).tiny * 2**bits:
        return -1.0, 1.0  # as good as all are 0: any range has a step for it
    wanted = BEHIND.get(behind, lambda x: x)(values)
    errors = []
    for shrinking in _SHRINKINGS:
        got = put_out(rounded(values, low * shrinking, high * shrinking, bits=bits), behind=behind)
        errors.append(np.mean((got - wanted) ** 2))
    best = _SHRINKINGS[int(np.argmin(errors))]
    return float(low * best), float(high * best)


def put_out(values: Array, *, behind: str) -> Array:
    """Apply the function that `behind` names to `values`, rounded as its int8 kernel rounds."""
    exact, steps = BEHIND.get(behind, lambda x: x)(values), _STEPS.get(behind)
    return exact if steps is None else np.minimum(np.rint(exact * steps), steps - 1) / np.float32(steps)


def rounded(values: Array, low: float, high: float, *, bits: int = 8) -> Array:
    """Return `values` rounded to 2^bits steps from `low` to `high`, 0 being one of them, and clipped."""
    scale = (high - low) / (2**bits - 1)
    zero_point = np.rint(-low / scale)
    stored = np.clip(np.rint(values / scale) + zero_point, 0, 2**bits - 1)
    return ((stored - zero_point) * scale).astype(np.float32)
