"""The geometry of strokes: distance transforms and skeletons, with NumPy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def distances(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return each pixel's Euclidean distance, in pixels, to the nearest pixel set in `mask` (h, w).

    Exact: squared distances along columns, minimised along rows. Time grows with h * w * w: meant for shapes
    of a few hundred pixels. If nothing is set, all distances are infinite.
    """
    squared = _squared_along_columns(mask)
    columns = np.arange(mask.shape[1], dtype=np.float32)
    between = (columns[:, None] - columns[None, :]) ** 2
    nearest = np.empty_like(squared)
    for row in range(len(mask)):
        nearest[row] = (between + squared[row]).min(axis=1)
    return np.sqrt(nearest)


def near_distances(mask: NDArray[np.bool_], *, reach: int) -> NDArray[np.float32]:
    """Return `distances` up to `reach`, and larger values elsewhere: for wide shapes.

    Time grows with h * w * `reach`, memory with h * w.
    """
    squared = np.pad(_squared_along_columns(mask), ((0, 0), (reach, reach)), constant_values=np.inf)
    width = mask.shape[1]
    nearest = squared[:, reach : reach + width].copy()
    for step in range(1, reach + 1):
        for start in (reach - step, reach + step):
            np.minimum(nearest, squared[:, start : start + width] + np.float32(step**2), out=nearest)
    return np.sqrt(nearest)


def _squared_along_columns(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return each pixel's squared distance to the nearest pixel set in its own column."""
    rows = np.arange(len(mask), dtype=np.float32)[:, None]
    above = np.maximum.accumulate(np.where(mask, rows, -np.inf), axis=0)
    below = np.minimum.accumulate(np.where(mask, rows, np.inf)[::-1], axis=0)[::-1]
    return np.minimum(rows - above, below - rows).astype(np.float32) ** 2


def skeleton(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the one-pixel-wide skeleton of the shape `mask` (h, w), connected as the shape is.

    Thinning by Zhang and Suen (Communications of the ACM, March 1984, page 236).
    """
    shape = np.pad(mask, 1)
    while True:
        before = np.count_nonzero(shape)
        for second_pass in (False, True):
            shape &= ~_removable(shape, second_pass=second_pass)
        if np.count_nonzero(shape) == before:
            return shape[1:-1, 1:-1]


def _removable(shape: NDArray[np.bool_], *, second_pass: bool) -> NDArray[np.bool_]:
    """Return the pixels of `shape` (with an empty border) that one pass of the thinning removes."""
    # P2 to P9 of the paper: the neighbours clockwise from the one above.
    offsets = [(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)]
    rows, columns = np.nonzero(shape)
    around = np.stack([shape[rows + row, columns + column] for row, column in offsets])
    neighbours = around.sum(axis=0)
    entries = (~around & np.roll(around, -1, axis=0)).sum(axis=0)
    above, right, below, left = around[0], around[2], around[4], around[6]
    if second_pass:
        outside = ~(above & right & left) & ~(above & below & left)
    else:
        outside = ~(above & right & below) & ~(right & below & left)
    chosen = (neighbours >= 2) & (neighbours <= 6) & (entries == 1) & outside
    removable = np.zeros_like(shape)
    removable[rows[chosen], columns[chosen]] = True
    return removable
