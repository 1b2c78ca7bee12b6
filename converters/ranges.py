"""The range that a tensor is quantised over: the one of least squared error, where it matters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_SHRINKINGS = np.geomspace(1.0, 0.05, 60)


def tanh(values: Array) -> Array:
    """Return tanh as TensorFlow Lite's int8 kernel puts it out: in steps of 1/128 from -1 to 127/128."""
    return np.clip(np.rint(np.tanh(values) * 128), -128, 127) / np.float32(128)


def sigmoid(values: Array) -> Array:
    """Return 1 / (1 + exp(-values)) in steps of 1/256, as the int8 kernel puts it out."""
    return np.clip(np.rint(256 / (1 + np.exp(-values))), 0, 255) / np.float32(256)


def softmax(values: Array) -> Array:
    """Return the softmax of each row."""
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


BEHIND: dict[str, Callable[[Array], Array]] = {"tanh": tanh, "sigmoid": sigmoid, "softmax": softmax}
"""The functions behind a tensor that decide how much an error in it matters."""


def fit_range(values: Array, *, bits: int = 8, behind: str = "linear") -> tuple[float, float]:
    """Return the range (low, high), low <= 0 <= high, over which `values` are quantised best.

    Best is the least squared error of f(quantised) against f(values), f being the function that `behind`
    names ("tanh", "sigmoid", "softmax", anything else: none); the last axis of `values` is a row for
    softmax. The candidates are the values' own range and 59 smaller ones, to a twentieth of it: a squashing
    function does not care where its argument is clipped far out, and a smaller range has finer steps.
    """
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    if low == high:
        return -1.0, 1.0  # all are 0: any range has a step for it
    function = BEHIND.get(behind, lambda x: x)
    wanted = np.tanh(values) if behind == "tanh" else function(values)
    errors = [
        np.mean((function(rounded(values, low * s, high * s, bits=bits)) - wanted) ** 2) for s in _SHRINKINGS
    ]
    best = _SHRINKINGS[int(np.argmin(errors))]
    return float(low * best), float(high * best)


def rounded(values: Array, low: float, high: float, *, bits: int = 8) -> Array:
    """Return `values` rounded to 2^bits steps from `low` to `high`, 0 being one of them, and clipped."""
    scale = (high - low) / (2**bits - 1)
    zero_point = np.rint(-low / scale)
    stored = np.clip(np.rint(values / scale) + zero_point, 0, 2**bits - 1)
    return ((stored - zero_point) * scale).astype(np.float32)
