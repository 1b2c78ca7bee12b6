"""Compute percentiles, and medians with intervals that assume no distribution: times follow none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FEWEST = 6
"""Values that an interval needs: of fewer, even the smallest and the largest hold the median too rarely."""

_CONFIDENCE = 0.95


class Spread(NamedTuple):
    """Percentiles of `samples` times, in microseconds."""

    p50: float
    p90: float
    p99: float
    mean: float
    smallest: float
    samples: int


class Estimate(NamedTuple):
    """A `value` and the interval `low` to `high` that holds the true one in 95 of 100 measurements."""

    value: float
    low: float
    high: float


def spread(times: Sequence[float] | NDArray[np.float64]) -> Spread:
    """Return the percentiles of `times` (n,), n > 0, in microseconds."""
    p50, p90, p99 = (float(one) for one in np.percentile(times, [50, 90, 99]))
    return Spread(p50, p90, p99, float(np.mean(times)), float(np.min(times)), len(times))


def median_interval(values: Sequence[float] | NDArray[np.float64]) -> Estimate:
    """Return the median of independent `values` (n,), n >= FEWEST, with its 95 % interval.

    It reaches from one order statistic to another: each value lies above the true median with probability
    1/2, whatever the distribution, so how many do is binomial.
    """
    ordered = np.sort(np.asarray(values, np.float64))
    cut = _rank(len(ordered))
    return Estimate(float(np.median(ordered)), float(ordered[cut]), float(ordered[-1 - cut]))


def _rank(count: int) -> int:
    """Return how many values can be cut off each end and leave an interval of at least 95 %."""
    outside, rank = 0.0, -1
    while True:
        outside += 2 * math.comb(count, rank + 1) / 2**count
        if outside > 1 - _CONFIDENCE:
            return max(rank, 0)
        rank += 1
