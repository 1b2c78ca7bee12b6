"""The sizes of pictures: MNIST's, the paper's field, a wide picture's windows."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

BOX = 20
"""The side of the box that MNIST's digits fit (page 10)."""

MNIST_SIDE = 28
"""The side of MNIST's pictures, the input of stock_lenet5."""

FIELD = 32
"""The side of the paper's pictures, the input of lenet5 (page 7)."""

STEP = 4
"""Columns from one 32x32 window of a wide picture to the next: S2 and S4 halve the picture each."""

OWN_WIDTH = 112
"""The input width in the wide net's files, before an interpreter resizes it: four digits."""

EMPTY = 10
"""The class, after the ten digits, of a window without a digit in its middle."""

CLASSES = EMPTY + 1


def middle(pictures: NDArray[Any], *, side: int) -> NDArray[Any]:
    """Return the middle (n, side, side, ...) of `pictures` (n, 32, 32, ...), a view of them."""
    margin = (FIELD - side) // 2
    inner = slice(margin, FIELD - margin)
    return pictures[:, inner, inner]


def windows(width: int) -> int:
    """Return the number of windows in a picture `width` columns wide, 32 or more."""
    return (width - FIELD) // STEP + 1
