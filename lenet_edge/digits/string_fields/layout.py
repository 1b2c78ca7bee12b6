"""Lay out a string on a field: digits side by side, with dots, commas and dashes between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from converters.base.errors import InputError
from lenet_edge.digits.geometry import FIELD
from lenet_edge.digits.string_fields.fields import INK, put_darker
from lenet_edge.digits.string_fields.handwriting import Writing
from lenet_edge.digits.string_fields.pen_digits import drawn

SPACINGS = {"touching": (-2.0, 0.0), "normal": (2.0, 7.0), "wide": (8.0, 24.0)}
"""The smallest and largest gap between two digits' ink, in columns; digits are about 20 rows high.

At 0 they touch, below 0 they overlap.
"""

_CLOSE = 4  # columns: a pen stays on the paper across no wider gap
_LONG = 6  # columns: a shorter mark is a dot

TRAILING_ROOM = 48
"""Columns that the marks behind an amount take at most."""


@dataclass(frozen=True)
class _Piece:
    """A piece of ink in the layout: its `picture`, and the `row` and `column` of its upper left corner."""

    picture: NDArray[np.uint8]
    row: float
    column: float


@dataclass(frozen=True)
class WrittenDigit:
    """A digit of a string: the first column of its ink, the column after the last, and its field's middle."""

    digit: int
    left: float
    right: float
    centre: float


class LineOfDigits:
    """One string, laid out from left to right; columns count from its first ink."""

    def __init__(self, rng: np.random.Generator, hand: Writing, spacing: str) -> None:
        self._rng, self._hand, self._spacing = rng, hand, SPACINGS[spacing]
        self._base, self._drift = rng.normal(0, 1) * hand.baseline, rng.uniform(-1, 1) * hand.drift
        self._end = 0.0
        self._pieces: list[_Piece] = []
        self._digits: list[WrittenDigit] = []

    def add(
        self, picture: NDArray[np.uint8], box: NDArray[np.int64], label: int, *, raised: float = 0.0
    ) -> None:
        """Append a digit, `raised` so many rows."""
        top, bottom, left, right = box
        close = self._digits and self._gap()
        column = self._end - left
        place = self._base - raised + self._rng.normal(0, 1) * self._hand.own_row
        row = np.clip(place, -top, FIELD - bottom)
        piece = _Piece(picture, row, column)
        if close and self._hand.joined and self._rng.random() < self._hand.joined:
            self._pieces.append(_stroke_between(self._rng, self._pieces[-1], piece))
        self._pieces.append(piece)
        self._digits.append(WrittenDigit(label, self._end, column + right, column + (FIELD - 1) / 2))
        self._end = column + right

    def end(self) -> None:
        """Append what may follow the last digit: a dash, a dot, a dot and a dash, two dashes."""
        if not self._hand.trailing or self._rng.random() >= self._hand.trailing:
            return
        self._end += self._rng.uniform(1, 5)
        for mark, row in trailing_marks(self._rng):
            self._pieces.append(_Piece(mark, row + self._base, self._end))
            if mark.shape[1] < _LONG:
                self._end += mark.shape[1] + self._rng.uniform(1, 3)
        self._end += self._pieces[-1].picture.shape[1]

    def _gap(self) -> bool:
        """Leave a gap; return whether a pen could stay on the paper across it."""
        if self._rng.random() >= self._hand.separators:
            gap = np.rint(self._rng.uniform(*self._spacing))
            self._end += gap
            return bool(gap <= _CLOSE)
        mark, row = separator(self._rng)
        self._end += self._rng.uniform(1, 5)
        self._pieces.append(_Piece(mark, row + self._base, self._end))
        self._end += mark.shape[1] + self._rng.uniform(1, 5)
        return False

    def draw(self, picture: NDArray[np.uint8], *, may_cut: bool) -> list[WrittenDigit]:
        """Draw the line into `picture` (32, w); return the digits that are not cut, in its columns.

        Raises InputError if the string does not fit, unless it `may_cut` the string at an end.
        """
        room = picture.shape[1] - self._end
        low, high = min(4.0, room), max(room - 4.0, 0.0)
        if may_cut and self._rng.random() < 0.5:
            low, high = min(low, -10.0), max(high, room + 10.0)
        elif room < 0 and not may_cut:
            raise InputError(f"expected a width that holds the string, got one {-room:.0f} columns too small")
        shift = np.rint(self._rng.uniform(low, max(low, high)))
        slope = self._drift / max(self._end, FIELD)
        for piece in self._pieces:
            sinking = slope * (piece.column + piece.picture.shape[1] / 2 - self._end / 2)
            put_darker(picture, piece.picture, round(piece.row + sinking), round(piece.column + shift))
        moved = (
            WrittenDigit(one.digit, one.left + shift, one.right + shift, one.centre + shift)
            for one in self._digits
        )
        # a stroke's edge may be cut
        return [one for one in moved if one.left >= -2 and one.right <= picture.shape[1] + 2]


def separator(rng: np.random.Generator) -> tuple[NDArray[np.uint8], float]:
    """Return a separator and its top row: a dot or a comma at the baseline, a dash at half height."""
    kind, ink = rng.integers(3), int(rng.integers(170, 256))
    if kind == 0:
        side = int(rng.integers(2, 5))
        return np.full((side, side), ink, np.uint8), 26.0 - side + rng.normal(0, 1)
    image = Image.new("L", (12, 9))
    pen, thick = ImageDraw.Draw(image), int(rng.integers(2, 4))
    if kind == 1:
        pen.line((5, 0, int(rng.integers(2, 5)), int(rng.integers(3, 8))), fill=ink, width=thick)
        return _cropped(image), 23.0 + rng.normal(0, 1)
    length, rise = int(rng.integers(4, 11)), int(rng.integers(-1, 2))
    pen.line((0, 4, length, 4 + rise), fill=ink, width=thick)
    return _cropped(image), 15.0 + rng.normal(0, 2)


def trailing_marks(rng: np.random.Generator) -> list[tuple[NDArray[np.uint8], float]]:
    """Return the marks behind an amount, each with its top row; long ones stand one on another."""
    ink, width = int(rng.integers(170, 256)), float(rng.uniform(1.8, 3.2))
    dot = np.full((3, 3), ink, np.uint8), 23.0
    middle = float(rng.uniform(13, 21))
    kind = rng.integers(5)
    if kind == 0:
        return [dot]
    if kind == 1:
        return [dot, _dash(rng, ink, width, middle)]
    if kind == 2:
        return [_dash(rng, ink, width, middle - 3), _dash(rng, ink, width, middle + 3)]
    return [_dash(rng, ink, width, middle)]


def _dash(rng: np.random.Generator, ink: int, width: float, row: float) -> tuple[NDArray[np.uint8], float]:
    """Return a dash, straight or wavy, and its top row."""
    length, rise, wave = rng.uniform(_LONG, 26), rng.normal(0, 1.5), rng.uniform(0, 2)
    along = np.linspace(0, 1, 12)
    rows = FIELD / 2 - rise * along + wave * np.sin(2 * np.pi * along)
    picture = drawn([np.stack([2 + along * length, rows], axis=1)], width, columns=int(length) + 5)
    return (picture.astype(np.float32) * (ink / 255)).astype(np.uint8), row - FIELD / 2


def _stroke_between(rng: np.random.Generator, left: _Piece, right: _Piece) -> _Piece:
    """Return a stroke from the rightmost ink of the `left` piece to the leftmost of the `right` one."""
    start, end = _side(left, last=True), _side(right, last=False)
    corner = np.floor(min(start[0], end[0])) - 3
    bend = np.array([(start[0] + end[0]) / 2, max(start[1], end[1]) + rng.uniform(-2, 4)])
    t = np.linspace(0, 1, 10)[:, None]
    curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
    columns = int(abs(end[0] - start[0])) + 7
    return _Piece(drawn([curve - (corner, 0)], float(rng.uniform(1.6, 2.8)), columns=columns), 0.0, corner)


def _side(piece: _Piece, *, last: bool) -> NDArray[np.float64]:
    """Return the (column, row) of a piece's first or last ink, in the line's columns."""
    ink = piece.picture >= INK
    used = np.flatnonzero(ink.any(axis=0))
    column = int(used[-1] if last else used[0])
    row = float(np.flatnonzero(ink[:, column]).mean())
    return np.array([piece.column + column + (-1.0 if last else 1.0), piece.row + row])


def _cropped(image: Image.Image) -> NDArray[np.uint8]:
    box = image.getbbox()
    return np.asarray(image.crop(box) if box else image)
