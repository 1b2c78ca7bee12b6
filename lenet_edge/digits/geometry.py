"""The sizes of pictures, each written once: MNIST's, the paper's field, a wide picture's windows."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

BOX = 20
"""The side of the box that MNIST's digits fill (page 10)."""

MNIST_SIDE = 28
"""The side of MNIST's pictures; stock_lenet5 takes these."""

FIELD = 32
"""The side of a picture, which lenet5 takes whole (page 7)."""

SEARCHED_SIDE = 384
"""Pixels of a page's side when it is searched: the longer one for a digit, the shorter one for a line."""

STEP = 4
"""Columns from one 32x32 window of a wide picture to the next: S2 and S4 halve the picture each."""

OWN_WIDTH = 112
"""The width that the wide net's files have until an interpreter resizes them: four digits."""

EMPTY = 10
"""The class, after the ten digits, of a window without a digit in its middle."""

CLASSES = EMPTY + 1


def middle(pictures: NDArray[Any], *, side: int) -> NDArray[Any]:
    """Return the middle (n, side, side, ...) of `pictures` (n, 32, 32, ...), a view of them."""
    margin = (FIELD - side) // 2
    seen = slice(margin, FIELD - margin)
    return pictures[:, seen, seen]


def windows(width: int) -> int:
    """Return how many windows a picture `width` columns wide has, 32 or more."""
    return (width - FIELD) // STEP + 1
