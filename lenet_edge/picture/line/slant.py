"""Estimate how far the digits of a line lean, so that they can be set upright.

Upright strokes put much ink into few columns, so the sum of the squared ink of the columns is largest where
the digits stand upright. The net's windows are upright: around a leaning digit they show neighbours' ends.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.geometry import FIELD
from lenet_edge.digits.opencv import cv2

_SLANTS = np.arange(-12, 19) * 0.05  # columns a row, to the right: up to 42 degrees, to the left 31
_USUAL, _SPREAD = 0.05, 0.3  # columns a row: most handwriting leans a little to the right
_UNLIKELY = 0.03  # of the largest sum: how much more it takes to believe in a slant `_SPREAD` from the usual
_LEAST = 0.2  # columns a row: the net reads what leans less as well as it is


def slant_of(picture: NDArray[np.uint8]) -> float:
    """Return by how many columns a row the digits of a line's `picture`, uint8 (32, w), lean to the right.

    It is 0 if they lean so little that it does not matter, and within -0.6..0.9.
    """
    if not picture.any():
        return 0.0
    sharpness = _sharpness(picture)
    unlikely = _UNLIKELY * ((_SLANTS - _USUAL) / _SPREAD) ** 2
    slant = float(_SLANTS[np.argmax(sharpness / sharpness.max() - unlikely)])
    return slant if abs(slant) > _LEAST - 0.025 else 0.0


def upright_map(slant: float, room: int) -> NDArray[np.float64]:
    """Return the map (2, 3) from points of the upright picture, `room` columns longer on both sides."""
    return np.array([[1, -slant, slant * FIELD / 2 - room], [0, 1, 0]])


def room_for(slant: float) -> int:
    """Return how many columns longer an upright picture has to be on both sides."""
    return int(np.ceil(abs(slant) * FIELD / 2))


def _sharpness(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the sums of the squared ink of the columns of `picture`, set upright from each of `_SLANTS`.

    Such a sum adds up the products of all two pixels that come to stand in one column. These are as many
    columns apart as rows times the slant: the autocorrelation has their sum, for all slants at once.
    """
    height, width = picture.shape
    across = cv2.getOptimalDFTSize(width + room_for(2 * _SLANTS[-1]) + 1)
    field = np.zeros((2 * height, across), np.float32)
    field[:height, :width] = picture
    spectrum = cv2.dft(field, flags=cv2.DFT_COMPLEX_OUTPUT)
    power = cv2.mulSpectrums(spectrum, spectrum, 0, conjB=True)
    alike = np.asarray(cv2.idft(power, flags=cv2.DFT_REAL_OUTPUT | cv2.DFT_SCALE), np.float64)
    rows = np.arange(height)
    columns = -_SLANTS[:, None] * rows
    left = np.floor(columns).astype(int)
    part = columns - left
    sums = alike[rows, left % across] * (1 - part) + alike[rows, (left + 1) % across] * part
    return sums[:, 0] + 2 * sums[:, 1:].sum(axis=1)
