"""Turn a drawing on a screen into the 32x32 picture, in integers only: every port gives the same pixels.

`lenet_edge.picture.digit` reads photographs; a drawing has no paper, light or pen to estimate. Only MNIST's
normalisation is left: the drawing's box scaled to 20x20, its centre of mass in the middle of 28x28 (page 10),
with 2 pixels around. lenet_edge/golden has test cases for ports (Kotlin, JavaScript, C).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import shape_text
from converters.base.errors import expect
from lenet_edge.digits.geometry import BOX, FIELD, MNIST_SIDE
from lenet_edge.picture.findings import box_of

_MARGIN = (FIELD - MNIST_SIDE) // 2
_LARGEST = 4096


def picture_of_drawing(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture (32, 32) of a drawing `ink` (height, width), both 0 for paper to 255 for ink.

    With h x w the drawing's box, L its longer side, and // the integer division that rounds down:

    - the box becomes H x W, H = max(1, (40 h + L) // (2 L)) and W likewise;
    - pixel (i, j) is the mean of the h x w pixels under it: row r weighs as much as the interval
      [r H, (r + 1) H] has in common with [i h, (i + 1) h], columns likewise; a mean s / (h w) becomes
      (2 s + h w) // (2 h w);
    - with s the sum of these pixels and s_i the sum of i times each, the top row is
      (29 s - 2 s_i) // (2 s), at least 0 and at most 28 - H, the left column likewise, and 2 more of each;
    - ink so faint that s is 0 leaves a blank picture.

    Raises InputError: another shape or type, a side above 4,096, no ink.
    """
    expect(ink.ndim == 2 and ink.dtype == np.uint8, "a drawing (height, width) of uint8", _kind(ink))
    expect(max(ink.shape) <= _LARGEST, f"sides of {_LARGEST} at most", shape_text(ink.shape))
    left, top, right, bottom = box_of(ink > 0)
    expect(right, "a drawing with ink", "a blank one")
    digit = _scaled(ink[top:bottom, left:right].astype(np.int64))
    picture = np.zeros((FIELD, FIELD), np.uint8)
    top, left = (_start(digit, axis) for axis in (0, 1))
    picture[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return picture


def _kind(ink: NDArray[np.uint8]) -> str:
    return f"{'x'.join(map(str, ink.shape)) or 'one number'} of {ink.dtype}"


def _scaled(box: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `box` (h, w) averaged to H x W pixels, with the longer side 20."""
    longer = max(box.shape)
    down, across = (_overlaps(side, max(1, (2 * BOX * side + longer) // (2 * longer))) for side in box.shape)
    sums = down @ box @ across.T
    return (2 * sums + box.size) // (2 * box.size)


def _overlaps(source: int, target: int) -> NDArray[np.int64]:
    """Return (target, source): each target pixel's overlap with each source pixel; rows sum to `source`."""
    i, r = np.arange(target)[:, None], np.arange(source)[None, :]
    shared = np.minimum((i + 1) * source, (r + 1) * target) - np.maximum(i * source, r * target)
    return np.maximum(shared, 0)


def _start(digit: NDArray[np.int64], axis: int) -> int:
    """Return the first row (axis 0) or column of `digit` in the picture."""
    size = digit.shape[axis]
    mass = digit.sum(axis=1 - axis)
    total = int(mass.sum())
    first = (
        ((MNIST_SIDE + 1) * total - 2 * int((mass * np.arange(size)).sum())) // (2 * total) if total else 0
    )
    return min(max(first, 0), MNIST_SIDE - size) + _MARGIN
