"""The digits of each pass of the paper's recipe, in the constant random order that they are learnt in.

With distortions (page 11) the training set is the 60,000 digits and 540,000 distorted copies, and the
training is no longer, "20 passes of 60,000 patterns each": each pattern is learnt twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.mnist import Digits, pad
from lenet_edge.training.distortions import AFFINE, distort

COPIES = 9
"""The distorted copies of each digit."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OnePass:
    """Uint8 `pictures` (n, 32, 32) and their `labels` (n,), in the order that they are learnt in."""

    pictures: NDArray[np.uint8]
    labels: NDArray[np.uint8]


class PaperPasses:
    """Passes over `digits`, each of as many pictures as there are digits, in one order drawn from a seed.

    `seed`: one for the order, another for the distortions, None for no distorted copies.
    """

    def __init__(self, digits: Digits, *, order_seed: tuple[int, int], distortion_seed: int | None) -> None:
        self._digits, self._distortion_seed = digits, distortion_seed
        self._parts = 1 if distortion_seed is None else 1 + COPIES
        count = self._parts * len(digits.labels)
        self._order = np.random.default_rng(order_seed).permutation(count)

    def one(self, number: int) -> OnePass:
        """Return pass `number`, 0 or more; with distortions the same every ten passes."""
        count, part = len(self._digits.labels), number % self._parts
        copies, digits = np.divmod(self._order[part * count : (part + 1) * count], count)
        pictures, distorted = pad(self._digits.images[digits]), copies > 0
        if self._distortion_seed is not None:
            seed = (self._distortion_seed, part)
            pictures[distorted] = distort(pictures[distorted], seed=seed, sizes=AFFINE)
        return OnePass(pictures=pictures, labels=self._digits.labels[digits])
