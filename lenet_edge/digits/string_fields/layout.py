"""Lay out a string on a field: digits side by side, with dots, commas and dashes between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from converters.base.errors import InputError
from lenet_edge.digits.geometry import FIELD
from lenet_edge.digits.string_fields.fields import put_darker
from lenet_edge.digits.string_fields.handwriting import Writing

SPACINGS = {"touching": (-2.0, 0.0), "normal": (2.0, 7.0), "wide": (8.0, 24.0)}
"""The smallest and largest gap between two digits' ink, in columns; digits are about 20 rows high.

At 0 they touch, below 0 they overlap.
"""


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

    def add(self, picture: NDArray[np.uint8], box: NDArray[np.int64], label: int) -> None:
        """Append a digit."""
        top, bottom, left, right = box
        if self._digits:
            self._gap()
        column = self._end - left
        row = np.clip(self._base + self._rng.normal(0, 1) * self._hand.own_row, -top, FIELD - bottom)
        self._pieces.append(_Piece(picture, row, column))
        self._digits.append(WrittenDigit(label, self._end, column + right, column + (FIELD - 1) / 2))
        self._end = column + right

    def _gap(self) -> None:
        if self._rng.random() >= self._hand.separators:
            self._end += np.rint(self._rng.uniform(*self._spacing))
            return
        mark, row = separator(self._rng)
        self._end += self._rng.uniform(1, 5)
        self._pieces.append(_Piece(mark, row + self._base, self._end))
        self._end += mark.shape[1] + self._rng.uniform(1, 5)

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


def _cropped(image: Image.Image) -> NDArray[np.uint8]:
    box = image.getbbox()
    return np.asarray(image.crop(box) if box else image)
