"""Find a sheet on a table, a panel in a margin, or the inside of a frame: a rectangle with ink on it.

What is around it has the other brightness and would look like ink. To find a digit, the sheet is cut out
and laid flat, so that its printed rules run from side to side; to find a line, what is around it is painted
over in the colour of the sheet's own paper.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.opencv import cv2
from lenet_edge.picture.connected_components import find_components
from lenet_edge.picture.findings import Box
from lenet_edge.picture.ink import median
from lenet_edge.picture.reduction import reduced

Outline = NDArray[np.integer | np.floating]
"""The points around a shape, as OpenCV has them: (n, 1, 2), column and row."""

_SIDE = 192  # pixels: a sheet is looked for at this size
_SMALLEST, _LARGEST = 0.03, 0.93  # of the picture's area
_STRAIGHT = 0.9  # of the rectangle around it: an ellipse, as a round digit, fills 0.785
_WIDEST = 12.0  # times as long as wide
_INK = (0.004, 0.35)  # of the sheet's area: without ink it is a stroke, with more it is a frame
_TABLE = 0.95  # of what is beside it, or all around it, has the other brightness
_CONTRAST = 40  # grey levels between a sheet and its table
_EDGE = 3  # pixels, at that size, that are left out: the shadow and the blur of the edge
_CUT = 2  # pixels, at that size, of a sheet's edge that are cut off
_SIDES = 4
_ROOM = 0.15  # of a sheet's shorter side: so far its edge is drawn out, so that nothing written touches it
_DRAWN = (0.5, 0.7, 0.85)  # of the paper's light: darker than one of these is a frame drawn with a pen
_WRITTEN = 0.88  # of the paper's light: what is darker on a sheet is written or printed on it
_LEAST_INK = 0.002  # of the sheet's area
_MARGIN = 0.25  # of the sheet's shorter side: what is written is not only in it
_FIGURE = 0.15  # of the sheet's shorter side: so long is what is written at least
_CORNER = 0.04  # of the outline: corners are no nearer


@dataclass(frozen=True)
class Sheet:
    """A sheet, `grey` (h, w), cut out of a picture and laid flat; `to_picture` (3, 3) leads back there."""

    grey: NDArray[np.uint8]
    to_picture: NDArray[np.float64]

    def box_in_picture(self, box: Box, shape: tuple[int, ...]) -> Box:
        """Return the box of the picture, (h, w) of `shape`, around a `box` on the sheet."""
        left, top, right, bottom = box
        corners = np.array([[(left, top), (right, top), (right, bottom), (left, bottom)]], np.float64)
        across, down = cv2.perspectiveTransform(corners, self.to_picture)[0].T
        low = max(0, int(across.min())), max(0, int(down.min()))
        return (*low, min(shape[1], int(np.ceil(across.max()))), min(shape[0], int(np.ceil(down.max()))))


def find_sheet(grey: NDArray[np.uint8]) -> Sheet | None:
    """Find the one sheet, panel or frame in `grey` (h, w) that something is written on; None without."""
    times = max(1, round(max(grey.shape) / _SIDE))
    small = reduced(grey, times)
    for mask in _masks(small):
        outlines = [one for one in _large_outlines(mask) if _is_rectangle(one, mask.size)]
        if len(outlines) == 1 and _is_written_on(outlines[0], mask, small):
            corners = (_corners(outlines[0]) + 0.5) * times - 0.5
            return _cut_out(grey, corners, edge=_CUT * times)
    return None


def _masks(small: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Yield masks (h, w), 255 for what may be a sheet: by brightness, then by what a pen may have framed."""
    bright, dark = _bright_and_dark(small)
    if bright.all() or dark.all():
        return
    if _contrast(small, bright, dark) >= _CONTRAST:
        yield bright
        yield dark
        in_shadow, _ = cv2.threshold(small[dark > 0], 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        yield np.asarray(cv2.threshold(small, in_shadow, 255, cv2.THRESH_BINARY)[1], np.uint8)
    paper = _paper(small)
    for share in _DRAWN:
        darkest = (share * np.arange(256)).astype(np.uint8)
        yield np.asarray(cv2.compare(small, cv2.LUT(paper, darkest), cv2.CMP_GT), np.uint8)


def _bright_and_dark(small: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return masks (h, w), 255 for the bright part and for the dark part of `small`."""
    _, bright = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return np.asarray(bright, np.uint8), np.invert(np.asarray(bright, np.uint8))


def _contrast(small: NDArray[np.uint8], bright: NDArray[np.uint8], dark: NDArray[np.uint8]) -> float:
    """Return how many grey levels the `bright` part of `small` is above the `dark` one on average."""
    above, below = (cv2.mean(small, part)[0] for part in (bright, dark))
    return float(above - below)


def _paper(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the paper's grey (h, w) without the dark strokes on it."""
    reach = max(3, min(small.shape) // 6) | 1
    return np.asarray(cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8)), np.uint8)


def _is_written_on(outline: Outline, mask: NDArray[np.uint8], small: NDArray[np.uint8]) -> bool:
    """Return whether a rectangle of `mask` in the picture `small`, both (h, w), is a sheet with ink on it."""
    filled = np.zeros_like(mask)
    cv2.drawContours(filled, [outline], -1, (255,), cv2.FILLED)
    mostly_paper = np.count_nonzero(mask[filled > 0]) >= (1 - _INK[1]) * np.count_nonzero(filled)
    if not mostly_paper or not _is_surrounded(filled, mask):
        return False
    _, sides, _ = cv2.minAreaRect(outline)
    middle = _eroded(filled, max(_EDGE, round(_MARGIN * min(sides)))) > 0
    inner = _eroded(filled, _EDGE) > 0
    if not middle.any():
        return False
    beside = np.asarray(cv2.dilate(filled, np.ones((3, 3), np.uint8)), bool) & (filled == 0)
    ink = middle & _ink_on(small, inner, beside)
    found = find_components(ink)
    if not len(found.areas):
        return False
    left, top, right, bottom = found.boxes[int(found.areas.argmax())]
    long = max(right - left, bottom - top) >= _FIGURE * min(sides)
    return bool(long and np.count_nonzero(ink) >= _LEAST_INK * np.count_nonzero(inner))


def _ink_on(
    small: NDArray[np.uint8], inner: NDArray[np.bool_], beside: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return where in `small` (h, w) the sheet `inner` is written on; `beside` is what is around it.

    On what is darker than its surroundings, bright is written. The paper is taken to go on around it.
    """
    level, around = (median(small[part].astype(np.float32)) for part in (inner, beside))
    inside = np.where(inner, small, np.uint8(level))
    if level < around:
        inside = np.invert(inside)
    return inside < _WRITTEN * _paper(inside)


def _eroded(filled: NDArray[np.uint8], edge: int) -> NDArray[np.uint8]:
    """Return the mask `filled` (h, w) without an `edge` of so many pixels."""
    return np.asarray(cv2.erode(filled, np.ones((2 * edge + 1, 2 * edge + 1), np.uint8)), np.uint8)


def _corners(outline: Outline) -> NDArray[np.float64]:
    """Return the corners (4, 2) of a rectangle seen at an angle: from the top left, clockwise."""
    hull = cv2.convexHull(outline)
    found = np.asarray(cv2.approxPolyDP(hull, _CORNER * cv2.arcLength(hull, True), True), np.float64)
    points = found.reshape(-1, 2)
    if len(points) != _SIDES:
        points = np.asarray(cv2.boxPoints(cv2.minAreaRect(outline)), np.float64)
    along, against = points.sum(axis=1), points[:, 0] - points[:, 1]
    return points[[along.argmin(), against.argmax(), along.argmax(), against.argmin()]]


def _cut_out(grey: NDArray[np.uint8], corners: NDArray[np.float64], *, edge: int) -> Sheet:
    """Return the sheet with these `corners` (4, 2) in `grey`, without an `edge` of so many pixels."""
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    width, height = (max(8, round(float(sides[[i, i + 2]].mean())) - 2 * edge) for i in (0, 1))
    ends = [(-edge, -edge), (width + edge, -edge), (width + edge, height + edge), (-edge, height + edge)]
    to_sheet = cv2.getPerspectiveTransform(corners.astype(np.float32), np.array(ends, np.float32))
    cut = cv2.warpPerspective(grey, to_sheet, (width, height), borderMode=cv2.BORDER_REPLICATE)
    room = round(_ROOM * min(width, height))
    wide = cv2.copyMakeBorder(cut, room, room, room, room, cv2.BORDER_REPLICATE)
    moved = np.array([(1, 0, -room), (0, 1, -room), (0, 0, 1)], np.float64)
    return Sheet(np.asarray(wide, np.uint8), np.asarray(cv2.invert(to_sheet)[1]) @ moved)


def without_table(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `grey` (h, w), what is around a sheet painted over; `grey` itself where there is no sheet."""
    small = reduced(grey, max(1, round(max(grey.shape) / _SIDE)))
    bright, dark = _bright_and_dark(small)
    if bright.all() or dark.all() or _contrast(small, bright, dark) < _CONTRAST:
        return grey
    for mask in (bright, dark):
        sheet = _sheet(mask)
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
    return _eroded(filled, _EDGE)


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
    outlines, family = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    around = 2 * np.sqrt(_SMALLEST * mask.size)  # pixels: the outline of the smallest sheet is longer
    large = [number for number, one in enumerate(outlines) if len(one) >= around]
    # The last of what OpenCV tells of an outline is which it is a hole in, below 0 for none.
    own = [outlines[number] for number in large if family[0, number, 3] < 0]
    return [one for one in own if _is_large_and_clear(one, mask.shape)]


def _is_large_and_clear(outline: Outline, shape: tuple[int, ...]) -> bool:
    """Return whether the box of an outline, in a picture of `shape`, is as large as a sheet's and clear."""
    left, top, width, height = cv2.boundingRect(outline)
    clear = left > 0 and top > 0 and left + width < shape[1] and top + height < shape[0]
    return clear and width * height >= _SMALLEST * shape[0] * shape[1]


def _is_rectangle(outline: Outline, pixels: int) -> bool:
    """Return whether an outline in a picture of so many `pixels` is a rectangle as large as a sheet."""
    area, (_, (width, height), _) = cv2.contourArea(outline), cv2.minAreaRect(outline)
    longer, shorter = max(width, height), min(width, height)
    sized = _SMALLEST <= area / pixels <= _LARGEST
    return sized and longer <= _WIDEST * shorter and area >= _STRAIGHT * width * height
