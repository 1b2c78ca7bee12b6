"""Fields: pictures 32 pixels high, ink 255 on 0, with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_DIGITS = 8
"""The longest string of a field."""

DIGITS_PER_FIELD = 4
"""Training digits for each field of a set to train on."""

INK = 64
"""The least grey level of ink in a digit's box; a fainter pixel is a soft edge."""


class Fields(NamedTuple):
    """Fields with their labels.

    `pictures`: uint8 (n, 32, width). `labels`: int8 (n, 8), the digits from left to right, -1 after the last.
    `centres`: float32 (n, 8), the column of each digit's middle (of its 32x32 field), NaN after the last.
    """

    pictures: NDArray[np.uint8]
    labels: NDArray[np.int8]
    centres: NDArray[np.float32]

    def texts(self) -> list[str]:
        """Return the fields' texts, "" for an empty field."""
        return ["".join(str(digit) for digit in row if digit >= 0) for row in self.labels]


def joined(parts: Sequence[Fields], *, seed: int | Sequence[int]) -> Fields:
    """Return the fields of all `parts`, which have one width, shuffled."""
    return Fields(*(joined_arrays(arrays, seed=seed) for arrays in zip(*parts, strict=True)))


def joined_arrays(parts: Sequence[NDArray[Any]], *, seed: int | Sequence[int]) -> NDArray[Any]:
    """Return the rows of all `parts`, shuffled: in the same order for as many rows and the same seed."""
    order = np.random.default_rng(seed).permutation(sum(map(len, parts)))
    return np.concatenate(list(parts))[order]


def put_darker(picture: NDArray[np.uint8], piece: NDArray[np.uint8], row: int, column: int) -> None:
    """Draw `piece` into `picture`, clipped to it; the darker pixel wins."""
    height, width = piece.shape
    top, left = max(0, row), max(0, column)
    bottom, right = min(picture.shape[0], row + height), min(picture.shape[1], column + width)
    if bottom > top and right > left:
        part = picture[top:bottom, left:right]
        np.maximum(part, piece[top - row : bottom - row, left - column : right - column], out=part)
