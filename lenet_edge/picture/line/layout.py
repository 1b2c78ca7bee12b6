"""Arrange pieces of ink in lines: their slope, and the height of their digits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lenet_edge.picture.ink_pieces import Piece, Pieces

STEEPEST = 18.0
"""The steepest slope of a line, in degrees."""

_TALL = (0.5, 1.7)  # times the usual height: anything lower is a dot or a dash, anything higher no digit
_TOUCHING = 1.4  # times the usual height: a wider piece is split into parts of about one digit
_PITCH = 0.8  # of the usual height: from one digit to the next
_SOLID = 0.77  # share of the box: only dots, dashes and slim 1s fill more, none of MNIST's digits
_SLIM = 0.55  # width to height: a 1
_ANGLE_STEP = 0.5  # degrees
_WOBBLE = 0.1  # of the usual height: how far digits are from their line
_NEW_LINE = 6.0  # the cost of one more line, in units of that wobble
_LINE_GAP = 0.55  # of the usual height: middles further apart are on two lines
_LEAST = 0.1  # of the main line's ink: less is a scratch and not a line
_LOOSE = 0.2  # of the usual height: a loose part of a digit is wider than this, and at most this far away
_CLEAR = 0.02  # share of the ink: with less of it uncut by the edges, cut pieces count too


@dataclass(frozen=True)
class Mark:
    """The box of the piece of ink `number`, or of a part of it, in pixels; `area`: its inked pixels."""

    number: int
    left: float
    top: float
    right: float
    bottom: float
    area: int
    cut: bool

    @property
    def height(self) -> float:
        """The height in pixels."""
        return self.bottom - self.top

    @property
    def width(self) -> float:
        """The width in pixels."""
        return self.right - self.left

    @property
    def middle(self) -> tuple[float, float]:
        """Column and row of the middle of the box."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


@dataclass(frozen=True)
class Layout:
    """Lines of digits: the marks of each, the line with the most ink first.

    `turn` is clockwise, in degrees; `body` is the height of a digit, in pixels.
    """

    lines: list[list[Mark]]
    turn: float
    body: float

    @cached_property
    def extent(self) -> tuple[float, float, float]:
        """Left end, right end and middle of the first line, along and across the direction of `turn`."""
        cos, sin = np.cos(np.radians(self.turn)), np.sin(np.radians(self.turn))
        middles = np.array([mark.middle for mark in self.lines[0]])
        halves = np.array([mark.width for mark in self.lines[0]]) / 2
        along, across = middles @ (cos, sin), middles @ (-sin, cos)
        return float((along - halves).min()), float((along + halves).max()), float(np.median(across))


def find_layout(found: Pieces, *, expected: float = 0.0, spread: float = 6.0) -> Layout | None:
    """Return the layout of the digits in `found`, None if there are only dots or nothing.

    `expected` is the most likely slope and `spread` its standard deviation, in degrees clockwise: a few
    digits alone do not determine it well.
    """
    marks = _marks(found)
    usual = _usual_height(marks)
    tall = [mark for mark in marks if _is_tall(mark, usual)]
    if all(_is_solid(mark) for mark in tall):
        return None
    turn = _best_slope(tall, usual, expected, spread)
    lines = [[tall[number] for number in line] for line in _lines(tall, turn, usual)]
    lines.sort(key=_ink_weight, reverse=True)
    lines = [line for line in lines if _ink_weight(line) >= _LEAST * _ink_weight(lines[0])]
    lines[0] = _complete(lines[0], found, usual)
    heights = [mark.height for mark in lines[0]]
    return Layout(lines, turn, float(np.median(heights)))


def _marks(found: Pieces) -> list[Mark]:
    """Return the boxes of the pieces; wide ones are split."""
    boxes = [_mark(piece) for piece in found.pieces]
    usual = _usual_height(boxes)
    marks = []
    for piece, box in zip(found.pieces, boxes, strict=True):
        marks += _parts(found.labels, piece, usual) if box.width > _TOUCHING * usual else [box]
    return marks


def _mark(piece: Piece) -> Mark:
    return Mark(piece.number, piece.left, piece.top, piece.right, piece.bottom, piece.area, piece.cut)


def _parts(labels: NDArray[np.int32], piece: Piece, usual: float) -> list[Mark]:
    """Return a wide piece split into parts about as wide as a digit."""
    count = max(1, round((piece.right - piece.left) / (_PITCH * usual)))
    edges = np.linspace(piece.left, piece.right, count + 1).astype(int)
    parts = []
    for left, right in pairwise(edges):
        inked = labels[piece.top : piece.bottom, left:right] == piece.number
        rows = np.flatnonzero(inked.any(axis=1))
        if len(rows):
            top, bottom = piece.top + int(rows[0]), piece.top + int(rows[-1]) + 1
            parts.append(Mark(piece.number, int(left), top, int(right), bottom, int(inked.sum()), piece.cut))
    return parts


def _usual_height(marks: list[Mark]) -> float:
    """Return the height of digits: the median weighted by the squared height, so that specks do not count."""
    weight = np.array([mark.height**2 for mark in marks])
    clear = np.array([not mark.cut for mark in marks], bool)
    if weight[clear].sum() >= _CLEAR * weight.sum():
        weight = weight * clear
    return _weighted_median(np.array([mark.height for mark in marks]), weight)


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    if not len(values):
        return 0.0
    order = np.argsort(values)
    sums = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(sums, sums[-1] / 2)])


def _is_tall(mark: Mark, usual: float) -> bool:
    return _TALL[0] * usual <= mark.height <= _TALL[1] * usual


def _is_solid(mark: Mark) -> bool:
    """Return whether a mark is a dot or a dash, not a digit."""
    return mark.area > _SOLID * mark.height * mark.width and mark.width > _SLIM * mark.height


def _best_slope(tall: list[Mark], usual: float, expected: float, spread: float) -> float:
    """Return the slope, in degrees, at which the marks fit lines best."""
    angles = np.arange(-STEEPEST, STEEPEST + _ANGLE_STEP / 2, _ANGLE_STEP)
    across = np.sort(_across(tall, angles), axis=0)  # (marks, angles)
    breaks = np.diff(across, axis=0) > _LINE_GAP * usual
    # Around a median the distances add up to the sum of the upper half less that of the lower.
    away = (_sides_of_medians(breaks) * across).sum(axis=0)
    unlikely = 0.5 * ((angles - expected) / spread) ** 2
    costs = away / (_WOBBLE * usual) + _NEW_LINE * (1 + breaks.sum(axis=0)) + unlikely
    return float(angles[int(np.argmin(costs))])


def _sides_of_medians(breaks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return 1 for sorted values above their group's median, -1 for those below, 0 for the median itself.

    `breaks` (n - 1, k): a group ends behind this value. The result is (n, k).
    """
    count = len(breaks) + 1
    places = np.broadcast_to(np.arange(count)[:, None], (count, breaks.shape[1]))
    ends = np.ones((1, breaks.shape[1]), bool)
    first = np.maximum.accumulate(np.where(np.concatenate([ends, breaks]), places, 0), axis=0)
    last = np.where(np.concatenate([breaks, ends]), places, count)[::-1]
    last = np.minimum.accumulate(last, axis=0)[::-1]
    return np.sign(2 * places - first - last)


def _across(marks: list[Mark], angles: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rows of the middles of the n `marks` after removing a slope of `angles` degrees.

    The result is (n,) for one angle, (n, k) for k.
    """
    middles = np.array([mark.middle for mark in marks])
    return middles @ np.array([-np.sin(np.radians(angles)), np.cos(np.radians(angles))])


def _lines(marks: list[Mark], angle: float, usual: float) -> list[NDArray[np.intp]]:
    """Return the indices of the marks in each line, from top to bottom."""
    across = _across(marks, angle)
    order = np.argsort(across)
    return np.split(order, np.flatnonzero(np.diff(across[order]) > _LINE_GAP * usual) + 1)


def _ink_weight(line: list[Mark]) -> float:
    return sum(mark.height**2 for mark in line)


def _complete(line: list[Mark], found: Pieces, usual: float) -> list[Mark]:
    """Return the marks of a line with their loose parts; a part of a piece becomes the whole piece."""
    boxes = {piece.number: _mark(piece) for piece in found.pieces}
    loose = [
        box
        for box in boxes.values()
        if _LOOSE * usual < box.width <= _TOUCHING * usual and not _is_tall(box, usual)
    ]
    return [_with_loose_parts(boxes[mark.number], loose, usual) for mark in line]


def _with_loose_parts(mark: Mark, loose: list[Mark], usual: float) -> Mark:
    """Return `mark` extended by loose parts close above or below it, such as the bar of a 5."""
    for other in loose:
        shared = min(mark.right, other.right) - max(mark.left, other.left)
        gap = max(other.top - mark.bottom, mark.top - other.bottom)
        if shared > 0.5 * other.width and gap <= _LOOSE * usual:
            mark = replace(
                mark,
                left=min(mark.left, other.left),
                top=min(mark.top, other.top),
                right=max(mark.right, other.right),
                bottom=max(mark.bottom, other.bottom),
            )
    return mark
