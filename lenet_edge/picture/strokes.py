"""The geometry of strokes: distance transforms and skeletons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.opencv import cv2


def distances(mask: NDArray[np.bool_], *, rough: bool = False) -> NDArray[np.float32]:
    """Return each pixel's Euclidean distance, in pixels, to the nearest pixel set in `mask` (h, w).

    If nothing is set, all distances are infinite. `rough`: within 2 %, in a third of the time.
    """
    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32)
    paper = (~mask).astype(np.uint8)
    if rough:
        return np.asarray(cv2.distanceTransform(paper, cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)
    # The last bit depends on where in memory the picture is; the square is a whole number in any case.
    away = np.asarray(cv2.distanceTransform(paper, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
    return np.sqrt(np.rint(away * away))


def bars(mask: NDArray[np.uint8], *, level: int, upright: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the parts of `mask` (h, w), 1 for ink, in level runs and in upright runs of so many pixels."""
    sizes = ((1, level), (upright, 1))
    opened = (cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones(size, np.uint8)) for size in sizes)
    first, second = (np.asarray(one, np.uint8) for one in opened)
    return first, second


def half_widths(inside: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return half the width of strokes, in pixels, at each point of their middle lines, (n,).

    `inside` (h, w) is each pixel's distance to the paper, 0 on it. A point is in the middle of its stroke if
    none of its neighbours is further from the paper: thinning finds the same in many times the time.
    """
    highest = cv2.dilate(inside, np.ones((3, 3), np.uint8))
    return inside[(inside > 0) & (inside == highest)]


def skeleton(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the one-pixel-wide skeleton of the shape `mask` (h, w), connected as the shape is.

    Thinning by Zhang and Suen (Communications of the ACM, March 1984, page 236), which OpenCV has in its
    contributed modules only.
    """
    shape = mask.astype(np.uint8)
    left = np.count_nonzero(shape)
    while True:
        before = left
        for stays in _STAYS:
            around = cv2.filter2D(shape, cv2.CV_8U, _WEIGHTS, borderType=cv2.BORDER_CONSTANT)
            shape &= np.asarray(cv2.LUT(around, stays), np.uint8)
        left = np.count_nonzero(shape)
        if left == before:
            return shape.astype(bool)


def _stays() -> list[NDArray[np.uint8]]:
    """Return, for the two passes of the thinning, whether a pixel stays, by its neighbours, (256,) each."""
    # P2 to P9 of the paper: the neighbours clockwise from the one above, as the bits of a number.
    around = (np.arange(256)[None, :] >> np.arange(8)[:, None] & 1).astype(bool)
    neighbours = around.sum(axis=0)
    entries = (~around & np.roll(around, -1, axis=0)).sum(axis=0)
    above, right, below, left = around[0], around[2], around[4], around[6]
    thin = (neighbours >= 2) & (neighbours <= 6) & (entries == 1)
    first = thin & ~(above & right & below) & ~(right & below & left)
    second = thin & ~(above & right & left) & ~(above & below & left)
    return [(~removed).astype(np.uint8) for removed in (first, second)]


_STAYS = _stays()
_WEIGHTS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)
"""The bit of each neighbour in the number by which `_stays` tells what stays."""
