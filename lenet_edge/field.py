"""The paper's field of 32x32 pixels, and what a model of fewer sees of it. Light: the runtime imports it."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

FIELD = 32
"""The side of a picture, which lenet5 takes whole (page 7)."""


def middle(pictures: NDArray[Any], *, side: int) -> NDArray[Any]:
    """Return the middle (n, side, side, ...) of `pictures` (n, 32, 32, ...), a view of them."""
    margin = (FIELD - side) // 2
    seen = slice(margin, FIELD - margin)
    return pictures[:, seen, seen]
