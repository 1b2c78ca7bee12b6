"""Reduce a picture to the size at which it is searched."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.opencv import cv2

Pixel = TypeVar("Pixel", np.uint8, np.uint16)


def reduced(grey: NDArray[Pixel], factor: int) -> NDArray[Pixel]:
    """Return `grey` (h, w), each square of `factor` pixels a side averaged to one; the last may be beyond."""
    if factor == 1:
        return grey
    below, beside = (-length % factor for length in grey.shape)
    if below or beside:
        grey = np.asarray(cv2.copyMakeBorder(grey, 0, below, 0, beside, cv2.BORDER_REPLICATE), grey.dtype)
    height, width = grey.shape
    size = width // factor, height // factor
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), grey.dtype)
