"""Prepare any picture of a digit for the model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import expect
from lenet_edge.digits.geometry import BOX, FIELD, MNIST_SIDE
from lenet_edge.picture.findings import Finding, Prepared, box_of

SMALLEST_SIDE = 8
"""The shortest side of a picture, in pixels."""
LARGEST_ASPECT_RATIO = 20
"""The largest ratio of a picture's longer side to its shorter one."""

_BLACK = 40  # grey levels: up to here MNIST's paper is empty, with JPEG artefacts
_PAPER = 4  # grey levels: the middle one of a digit's pixels is paper, which is 0 in MNIST, but for JPEG


def prepare(grey: NDArray[np.uint8]) -> Prepared:
    """Find the digit in `grey`, uint8 (h, w) with 0 black and 255 white, and normalise it as in MNIST.

    Dark ink on bright paper or the reverse, at least 8x8 pixels, and up to 20 times as long as wide. A
    picture already in MNIST's form passes unchanged. Raises InputError for another type or shape.
    """
    expect(
        isinstance(grey, np.ndarray) and grey.ndim == 2 and grey.dtype == np.uint8,
        "a grey picture of uint8 (h, w)",
        f"{getattr(grey, 'dtype', type(grey).__name__)} {getattr(grey, 'shape', '')}".strip(),
    )
    check_shape(grey.shape[1], grey.shape[0])
    for inverted, field in ((True, grey), (False, np.invert(grey))):
        if _is_mnist(field):
            picture = np.pad(field, (FIELD - len(field)) // 2)
            return Prepared(picture, Finding.DIGIT, "", box_of(field > _BLACK), inverted)
    from lenet_edge.picture.page import prepare_page  # here, as only a page needs OpenCV

    return prepare_page(grey)


def check_shape(width: int, height: int, *, line: bool = False) -> None:
    """Raise InputError unless a picture of this size can hold a digit, or a `line` of digits."""
    shorter, longer = min(width, height), height if line else max(width, height)
    long = "high" if line else "long"
    expect(shorter >= SMALLEST_SIDE, f"at least {SMALLEST_SIDE} pixels each way", f"{width}x{height}")
    expect(
        longer <= LARGEST_ASPECT_RATIO * shorter,
        f"a picture at most {LARGEST_ASPECT_RATIO} times as {long} as wide",
        f"{width}x{height}",
    )


def _is_mnist(field: NDArray[np.uint8]) -> bool:
    """Return whether `field` is already in MNIST's form."""
    if field.shape not in ((MNIST_SIDE, MNIST_SIDE), (FIELD, FIELD)) or field.max() < 128:
        return False
    if np.median(field) > _PAPER:
        return False
    edge = (len(field) - BOX) // 2 - 1
    inner = field[edge:-edge, edge:-edge]
    around = field.copy()
    around[edge:-edge, edge:-edge] = 0
    if around.max() > _BLACK and np.count_nonzero(around > _BLACK) > 0.02 * around.size:
        return False
    ink = np.where(field > _BLACK, field, 0).astype(np.float64)
    left, top, right, bottom = box_of(inner > _BLACK)
    middle = len(field) / 2
    rows, columns = ink.sum(axis=1), ink.sum(axis=0)
    positions = np.arange(len(field))
    centre = [(values * positions).sum() / values.sum() for values in (rows, columns)]
    near = all(abs(position - middle) <= 1 for position in centre)
    return near and max(right - left, bottom - top) >= BOX - 3
