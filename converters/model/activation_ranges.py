"""Find the range that a tensor is quantised over: the one of least squared error behind what reads it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import softmax

Array = NDArray[np.float32]

_SHRINKINGS = np.geomspace(1.0, 0.05, 60)
_CHUNK = 2**16  # values that are rounded at a time: they stay in the processor's cache


def sigmoid(values: Array) -> Array:
    """Return 1 / (1 + exp(-values))."""
    return ((1 + np.tanh(values / 2)) / 2).astype(np.float32)


BEHIND: dict[str, Callable[[Array], Array]] = {"tanh": np.tanh, "sigmoid": sigmoid, "softmax": softmax}
"""The functions that may read a tensor and decide how much an error in it matters, by name."""

# TensorFlow Lite fixes their int8 outputs: steps of 1/128 and 1/256, up to one step below 1.
_STEPS = {"tanh": 128, "sigmoid": 256}


class RangeSearch:
    """Finds the range of `fit_range` for values that come in parts, and keeps none of them.

    Each part comes twice, in the same order: to `see` first, then to `weigh`. All values count up to
    `most` of them; of more, a random share of that size, the same each time, in whole rows of the last axis.
    The least and the greatest value are exact in any case.
    """

    def __init__(self, *, bits: int = 8, behind: str = "linear", most: int = 2**22) -> None:
        self._bits, self._behind, self._most = bits, behind, most
        self._count, self._low, self._high = 0, 0.0, 0.0
        self._errors = np.zeros(len(_SHRINKINGS))  # summed squares, one for each candidate
        self._random = np.random.default_rng(0)

    def see(self, values: Array) -> None:
        """Widen the widest candidate, which holds 0, to `values`."""
        self._count += values.size
        self._low = min(float(values.min(initial=0.0)), self._low)
        self._high = max(float(values.max(initial=0.0)), self._high)

    def weigh(self, values: Array) -> None:
        """Add the error of each candidate for `values`; all parts have been seen."""
        if self._is_blank():
            return
        rows = values.reshape(-1, values.shape[-1])
        if self._count > self._most:
            rows = rows[self._random.random(len(rows)) < self._most / self._count]
        height = max(1, _CHUNK // rows.shape[1])
        for start in range(0, len(rows), height):
            self._weigh_chunk(rows[start : start + height])

    def _weigh_chunk(self, values: Array) -> None:
        wanted = BEHIND.get(self._behind, lambda x: x)(values)
        for index, shrinking in enumerate(_SHRINKINGS):
            stored = rounded(values, self._low * shrinking, self._high * shrinking, bits=self._bits)
            differences = put_out(stored, behind=self._behind) - wanted
            self._errors[index] += np.square(differences).sum(dtype=np.float64)

    def best(self) -> tuple[float, float]:
        """Return the range (low, high) of least error."""
        if self._is_blank():
            return -1.0, 1.0  # as good as all are 0: any range has a step for it
        best = _SHRINKINGS[int(np.argmin(self._errors))]
        return float(self._low * best), float(self._high * best)

    def _is_blank(self) -> bool:
        return self._high - self._low < np.finfo(np.float32).tiny * 2**self._bits


def fit_range(values: Array, *, bits: int = 8, behind: str = "linear") -> tuple[float, float]:
    """Return the range (low, high), low <= 0 <= high, over which `values` are quantised best.

    Best is the least squared error of f(quantised) against f(values), f being the function that `behind`
    names ("tanh", "sigmoid", "softmax", anything else: none); the last axis of `values` is a row for
    softmax. The candidates are the values' own range and 59 smaller ones, down to a twentieth of it: far from
    0 a squashing function is flat, so clipping its argument there costs little, and a smaller range has finer
    steps.
    """
    search = RangeSearch(bits=bits, behind=behind)
    search.see(values)
    search.weigh(values)
    return search.best()


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
