"""Prepare any picture of a digit for the model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import expect
from lenet_edge.picture.findings import Prepared
from lenet_edge.picture.mnist_pictures import as_in_mnist

SMALLEST_SIDE = 8
"""The shortest side of a picture, in pixels."""
LARGEST_ASPECT_RATIO = 20
"""The largest ratio of a picture's longer side to its shorter one."""


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
    unchanged = as_in_mnist(grey)
    if unchanged is not None:
        return unchanged
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
