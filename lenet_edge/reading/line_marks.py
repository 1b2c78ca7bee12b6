"""Tell whether a line that was read may be no line of digits: a slash or a plus in it, bars of a display."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lenet_edge.picture.drawing import picture_of_drawing
from lenet_edge.picture.marks import NEARER, resembles_mark
from lenet_edge.picture.strokes import bars
from lenet_edge.reading.digit_boxes import InkBox

_TALL = 1.12  # times the height of the highest other digit: a 1 this high is a slash or a parenthesis
_FEWEST = 2  # other digits that tell how high digits are in this line
_OTHER_HEIGHT = 0.15  # of the usual height: what differs as much is taken for a mark more readily
_NEARER = 0.045  # as `NEARER`, for that

_INKED = 64  # grey levels: anything fainter is the soft edge of a stroke
_BAR = 7  # pixels: a segment is longer
_STRAIGHT = 0.95  # of the ink is in segments
_BOTH = 0.3  # of the ink is in level ones, and in upright ones


def has_mark(picture: NDArray[np.uint8], digits: Sequence[int], boxes: Sequence[InkBox]) -> bool:
    """Return whether the ink of one of `digits`, each with its box in `picture` (32, w), resembles a mark.

    Or the line is written in the bars of a display.
    """
    if _is_in_segments(picture):
        return True
    heights = np.array([bottom - top for _, top, _, bottom in boxes])
    return any(
        _is_too_high(digit, height, np.delete(heights, place))
        or _resembles_mark(picture, digit, box, odd=abs(height / np.median(heights) - 1) > _OTHER_HEIGHT)
        for place, (digit, box, height) in enumerate(zip(digits, boxes, heights, strict=True))
    )


def _is_in_segments(picture: NDArray[np.uint8]) -> bool:
    """Return whether nearly all strokes are level or upright, and both, as on seven-segment displays.

    The net has seen none; where the segments do not touch, parts of digits are lost.
    """
    inked = (picture > _INKED).astype(np.uint8)
    level, upright = bars(inked, level=_BAR, upright=_BAR)
    least = min(np.count_nonzero(level), np.count_nonzero(upright))
    count = np.count_nonzero(inked)
    return least >= _BOTH * count and np.count_nonzero(level | upright) >= _STRAIGHT * count


def _is_too_high(digit: int, height: float, others: NDArray[np.float64]) -> bool:
    """Return whether a 1 is higher than all other digits in the line, by their heights (n,): no 1 then."""
    return digit == 1 and len(others) >= _FEWEST and height > _TALL * others.max()


def _resembles_mark(picture: NDArray[np.uint8], digit: int, box: InkBox, *, odd: bool) -> bool:
    """Return whether the ink in a digit's `box` resembles a mark; `odd`: lower or higher than others."""
    left, _, right, _ = box
    ink = picture[:, max(int(left), 0) : int(np.ceil(right))]
    return bool(ink.any()) and resembles_mark(
        picture_of_drawing(ink), digit, nearer=_NEARER if odd else NEARER
    )
