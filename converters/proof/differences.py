"""Measure how far a runtime's values are from the model's, and how much of their tolerance they take up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import percent
from converters.base.words import counted
from converters.proof.tolerance import Tolerance

SIGNIFICANCE = 0.01
"""A file with more errors than its model is out of tolerance if McNemar's p is below this."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Difference:
    """The values (n, k) of an output beside the model's, in real values.

    `largest`: how far they are apart; `allowed`: the limit where that is largest; `outside`: by how
    much each lies outside of its limits. `used` and `same`: shares in percent as in Figures.
    """

    largest: float
    allowed: float
    used: float
    same: float | None
    outside: NDArray[np.float64]

    def reason(self, *, step: float, unit: str) -> str:
        """Return which samples are out, "" if none is; `unit`: what one is called."""
        out = (self.outside > 0).any(axis=1)
        if not out.any():
            return ""
        count, worst = int(out.sum()), int(self.outside.max(axis=1).argmax())
        return (
            f"{counted(count, unit)} beyond {'its' if count == 1 else 'their'} tolerance, "
            f"{unit} {worst} by {self.outside.max() / step:.3g} steps"
        )


def difference_of(
    values: NDArray[np.floating], model: NDArray[np.floating], tolerance: Tolerance, *, step: float
) -> Difference:
    """Return how `values` (n, k), for the first n samples of `tolerance`, differ from the `model`'s (n, k).

    `step`: the output's; values within half of it are the ideal kernel's.
    """
    count = len(values)
    distance = np.abs(values - model)
    sample, place = np.unravel_index(int(distance.argmax()), distance.shape)
    limits = tolerance.limits(np.array([sample]))
    allowed = max(limits.high[0, place] - model[sample, place], model[sample, place] - limits.low[0, place])
    deviation = np.abs(values - tolerance.ideal[:count])
    ideal = (deviation < step / 2).all(axis=1)
    return Difference(
        largest=float(distance.max()),
        allowed=float(allowed),
        used=tolerance.used(values),
        same=percent(ideal) if tolerance.step else None,
        outside=tolerance.outside(values),
    )


def more_errors(p: float, lost: int, *, than: str) -> str:
    """Return the reason if `lost` more answers are wrong than chance allows, "" if not."""
    if p >= SIGNIFICANCE or lost <= 0:
        return ""
    return f"{lost:,} more {'error' if lost == 1 else 'errors'} than {than}, p {p:.2g}"
