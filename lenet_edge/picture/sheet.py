"""Find a sheet on a table, a panel in a margin, or the inside of a frame: a rectangle with ink on it.

What is around it has the other brightness and would look like ink. It is painted over in the colour of the
sheet's own paper.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.opencv import cv2
from lenet_edge.picture.connected_components import find_components
from lenet_edge.picture.ink import median
from lenet_edge.picture.pillow import Image

Outline = NDArray[np.integer | np.floating]
"""The points around a shape, as OpenCV has them: (n, 1, 2), column and row."""

_SIDE = 192  # pixels: a sheet is looked for at this size
_SMALLEST, _LARGEST = 0.03, 0.93  # of the picture's area
_STRAIGHT = 0.9  # of the rectangle around it: an ellipse, as a round digit, fills 0.785
_WIDEST = 12.0  # times as long as wide
_INK = (0.004, 0.35)  # of the sheet's area: without ink it is a stroke, with more it is a frame
_TABLE = 0.95  # of what is beside it, or all around it, has the other brightness
_CONTRAST = 40  # grey levels between a sheet and its table
_EDGE = 3  # pixels, at that size, that are painted over: the shadow and the blur of the edge


def without_table(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `grey` (h, w), what is around a sheet painted over; `grey` itself where there is no sheet."""
    small = np.asarray(Image.fromarray(grey).reduce(max(1, round(max(grey.shape) / _SIDE))))
    _, bright = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    dark_level, bright_level = (small[bright == level] for level in (0, 255))
    if not dark_level.size or not bright_level.size:
        return grey
    if float(bright_level.mean()) - float(dark_level.mean()) < _CONTRAST:
        return grey
    for mask in (bright, 255 - bright):
        sheet = _sheet(np.asarray(mask, np.uint8))
        if sheet is not None:
            paper = median(small[(sheet > 0) & (mask > 0)].astype(np.float32))
            inside = cv2.resize(sheet, grey.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
            return np.where(inside, grey, np.uint8(paper))
    return grey


def _sheet(mask: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return the inside of the one sheet in `mask` (h, w), both 255 inside and 0 outside; None without."""
    sheets = [contour for contour in _large_outlines(mask) if _is_rectangle(contour, mask.size)]
    if len(sheets) != 1:
        return None
    filled = np.zeros_like(mask)
    cv2.drawContours(filled, sheets, -1, (255,), cv2.FILLED)
    ink = 1 - np.count_nonzero(mask[filled > 0]) / np.count_nonzero(filled)
    if not (_INK[0] <= ink <= _INK[1] and _is_surrounded(filled, mask)):
        return None
    return np.asarray(cv2.erode(filled, np.ones((2 * _EDGE + 1, 2 * _EDGE + 1), np.uint8)), np.uint8)


def _is_surrounded(filled: NDArray[np.uint8], mask: NDArray[np.uint8]) -> bool:
    """Return whether a table is all around the sheet `filled`, or a frame that keeps clear of the edges.

    The rules of squared paper around one of its squares are neither.
    """
    other = find_components((mask == 0) & (filled == 0))
    beside = np.asarray(cv2.dilate(filled, np.ones((3, 3), np.uint8)), bool) & (filled == 0)
    counts = np.bincount(other.labels[beside], minlength=len(other.areas) + 1)
    number = int(counts[1:].argmax()) if len(other.areas) else 0
    if not len(other.areas) or counts[number + 1] < _TABLE * counts.sum():
        return False
    left, top, right, bottom = other.boxes[number]
    clear = left > 0 and top > 0 and right < mask.shape[1] and bottom < mask.shape[0]
    return bool(clear or other.areas[number] >= _TABLE * np.count_nonzero(filled == 0))


def _large_outlines(mask: NDArray[np.uint8]) -> list[Outline]:
    """Return the outlines of the components of `mask` (h, w) that may be sheets, clear of the edges."""
    found = find_components(mask > 0)
    left, top, right, bottom = found.boxes.T
    clear = (left > 0) & (top > 0) & (right < mask.shape[1]) & (bottom < mask.shape[0])
    large = clear & ((right - left) * (bottom - top) >= _SMALLEST * mask.size)
    outlines: list[Outline] = []
    for number in np.flatnonzero(large) + 1:
        own = (found.labels == number).astype(np.uint8)
        outlines += cv2.findContours(own, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    return outlines


def _is_rectangle(outline: Outline, pixels: int) -> bool:
    """Return whether an outline in a picture of so many `pixels` is a rectangle as large as a sheet."""
    area, (_, (width, height), _) = cv2.contourArea(outline), cv2.minAreaRect(outline)
    longer, shorter = max(width, height), min(width, height)
    sized = _SMALLEST <= area / pixels <= _LARGEST
    return sized and longer <= _WIDEST * shorter and area >= _STRAIGHT * width * height
