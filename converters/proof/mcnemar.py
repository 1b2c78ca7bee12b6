"""Test whether two models' errors on the same samples differ by more than chance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class McNemar(NamedTuple):
    """How many samples only the first, and only the second model answers correctly; the two-sided p value."""

    only_first: int
    only_second: int
    p: float


def mcnemar(first_right: NDArray[np.bool_], second_right: NDArray[np.bool_]) -> McNemar:
    """Return McNemar's exact test on two models' results (n,), true where a sample is answered correctly.

    If both models are equally good, a sample that only one answers correctly is either's with probability
    1/2; p is the probability of a split at least as uneven (McNemar, Psychometrika 12, 1947; exact binomial
    form).
    """
    first, second = int(np.sum(first_right & ~second_right)), int(np.sum(second_right & ~first_right))
    divided = first + second  # the samples that only one model answers correctly
    ways = tail = 1  # of choosing k of them, and up to k of them
    for k in range(min(first, second)):
        ways = ways * (divided - k) // (k + 1)
        tail += ways
    return McNemar(first, second, min(1.0, 2 * (tail / 2**divided)))
