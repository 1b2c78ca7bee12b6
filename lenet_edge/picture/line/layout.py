"""How pieces of ink lie on the page: in which lines, how far these slope, and how tall their digits are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lenet_edge.picture.ink_pieces import Piece, Pieces

STEEPEST = 18.0
"""Degrees: no line that slopes more is looked for."""

_TALL = (0.5, 1.7)  # times the usual height: what is lower is a dot or a dash, what is higher no digit
_TOUCHING = 1.4  # times the usual height: a wider piece is looked at in parts, each about one digit
_PITCH = 0.8  # of the usual height: from one digit to the next
_SOLID = 0.77  # share of its box: what fills more is a dot, a dash or a slim 1; of MNIST's digits none does
_SLIM = 0.55  # times as wide as high: a 1
_ANGLE_STEP = 0.5  # degrees
_WOBBLE = 0.1  # of the usual height: how far digits stand off their line
_NEW_LINE = 6.0  # as many times that wobble is as unlikely as one more line
_LINE_GAP = 0.55  # of the usual height: middles further apart are on two lines
_LEAST = 0.1  # of the main line's ink: less is a scratch and not a line
_LOOSE = 0.2  # of the usual height: loose parts of a digit are wider than this, and no further away
_CLEAR = 0.02  # share of the ink: with less of it clear of the picture's edge, what is cut counts too


@dataclass(frozen=True)
class Mark:
    """The box of the piece of ink `number`, or of a part of it, in pixels; `area` of them are inked."""

    number: int
    left: float
    top: float
    right: float
    bottom: float
    area: int
    cut: bool

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def middle(self) -> tuple[float, float]:
        """Column and row of the middle of its box."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


@dataclass(frozen=True)
class Layout:
    """Lines of digits: the marks of each, from the one with most ink on; `turn` clockwise in degrees.

    `body` is the height of a digit, in pixels.
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


def layout_of(found: Pieces, *, expected: float = 0.0, spread: float = 6.0) -> Layout | None:
    """Return how the digits of `found` lie, or None if there are no digits but dots at most.

    `expected` is the likeliest slope and `spread` how far it may well be from that, in degrees clockwise:
    few digits say little about it.
    """
    marks = _marks(found)
    usual = _usual_height(marks)
    tall = [mark for mark in marks if _is_tall(mark, usual)]
    if all(_is_solid(mark) for mark in tall):
        return None
    turn = _turn(tall, usual, expected, spread)
    lines = [[tall[number] for number in line] for line in _lines(tall, turn, usual)]
    lines.sort(key=_ink, reverse=True)
    lines = [line for line in lines if _ink(line) >= _LEAST * _ink(lines[0])]
    lines[0] = _whole(lines[0], found, usual)
    heights = [mark.height for mark in lines[0]]
    return Layout(lines, turn, float(np.median(heights)))


def _marks(found: Pieces) -> list[Mark]:
    """Return the boxes of the pieces, of wide ones in parts."""
    boxes = [_mark(piece) for piece in found.pieces]
    usual = _usual_height(boxes)
    marks = []
    for piece, box in zip(found.pieces, boxes, strict=True):
        marks += _parts(found.labels, piece, usual) if box.width > _TOUCHING * usual else [box]
    return marks


def _mark(piece: Piece) -> Mark:
    return Mark(piece.number, piece.left, piece.top, piece.right, piece.bottom, piece.area, piece.cut)


def _parts(labels: NDArray[np.int32], piece: Piece, usual: float) -> list[Mark]:
    """Return a wide piece cut into columns about as wide as a digit."""
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
    """Return the height of digits: the median, by the square of the height, so that specks have no say."""
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
    """Tell a dot or a dash from a digit."""
    return mark.area > _SOLID * mark.height * mark.width and mark.width > _SLIM * mark.height


def _turn(tall: list[Mark], usual: float, expected: float, spread: float) -> float:
    """Return the slope at which the marks stand best in lines, in degrees."""
    angles = np.arange(-STEEPEST, STEEPEST + _ANGLE_STEP / 2, _ANGLE_STEP)
    costs = []
    for angle in angles:
        across = _across(tall, float(angle))
        lines = _lines(tall, float(angle), usual)
        away = sum(float(np.abs(across[line] - np.median(across[line])).sum()) for line in lines)
        unlikely = 0.5 * ((angle - expected) / spread) ** 2
        costs.append(away / (_WOBBLE * usual) + _NEW_LINE * len(lines) + unlikely)
    return float(angles[int(np.argmin(costs))])


def _across(marks: list[Mark], angle: float) -> NDArray[np.float64]:
    """Return the rows of the middles of `marks` once a slope of `angle` degrees is taken out."""
    middles = np.array([mark.middle for mark in marks])
    return middles @ (-np.sin(np.radians(angle)), np.cos(np.radians(angle)))


def _lines(marks: list[Mark], angle: float, usual: float) -> list[NDArray[np.intp]]:
    """Return the numbers of the marks in each line, from the top line on."""
    across = _across(marks, angle)
    order = np.argsort(across)
    return np.split(order, np.flatnonzero(np.diff(across[order]) > _LINE_GAP * usual) + 1)


def _ink(line: list[Mark]) -> float:
    return sum(mark.height**2 for mark in line)


def _whole(line: list[Mark], found: Pieces, usual: float) -> list[Mark]:
    """Return the marks of a line with their loose parts, for part of a piece the box of all of it."""
    boxes = {piece.number: _mark(piece) for piece in found.pieces}
    loose = [
        box
        for box in boxes.values()
        if _LOOSE * usual < box.width <= _TOUCHING * usual and not _is_tall(box, usual)
    ]
    return [_with_loose_parts(boxes[mark.number], loose, usual) for mark in line]


def _with_loose_parts(mark: Mark, loose: list[Mark], usual: float) -> Mark:
    """Return `mark` with what of `loose` stands close above or below it, as the bar of a 5 may."""
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
