"""Which ink is the digit: one digit's strokes told from specks, from a second digit and from nothing."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenet_edge.components import label
from lenet_edge.ink import Array, deviation

_FAINTEST = 0.07  # share of light taken away: nothing fainter is ink
_WIDEST = 2.2  # times as wide as high; the widest of MNIST's training digits is
_SURENESS = 12.0  # how many standard errors above bare paper a piece of ink is, taken whole


class Finding(enum.Enum):
    """What a picture shows."""

    DIGIT = "digit"
    BLANK = "blank"
    CROWDED = "crowded"


@dataclass(frozen=True)
class Segment:
    """The digit's pixels in `mask` (h, w), the `shade` (h, w) of each and the `level` of full ink.

    A shade is the share of the paper's light that is taken away, 0 for bare paper, smoothed a little.
    Without ink, `mask` is empty; without a digit, `reason` says why.
    """

    finding: Finding
    reason: str
    mask: NDArray[np.bool_]
    shade: Array
    level: float


@dataclass(frozen=True)
class _Piece:
    number: int
    area: int
    level: float
    mass: float
    top: int
    left: int
    bottom: int
    right: int
    cut: bool  # by the edge of the picture

    @property
    def longer(self) -> int:
        return max(self.bottom - self.top, self.right - self.left)


def find_digit(density: Array, *, flat: bool = False) -> Segment:
    """Find the strokes of one digit in the ink `density` (h, w), paper at 0; `flat` if all of it is."""
    shade = 1 - np.exp(-np.maximum(density, -1))
    smooth = smoothed(shade, 1)
    noise = 0.0 if flat else deviation(smooth)
    labels, pieces = _pieces(smooth, max(_FAINTEST, 4 * noise))
    pieces = [p for p in pieces if p.mass > _SURENESS * noise * np.sqrt(p.area) and p.area >= 5]
    nothing = Segment(Finding.BLANK, "nothing is written on it", np.zeros(shade.shape, bool), smooth, 0.0)
    if not pieces:
        return nothing
    main = max(pieces, key=_prominence)
    if main.longer > 100:  # a large digit can do without the finest detail, and pencil is grainy
        smooth = smoothed(shade, main.longer // 80)
    level = _level(smooth[labels == main.number])
    labels, pieces = _pieces(smooth, max(_FAINTEST, 0.35 * level))
    pieces = [p for p in pieces if p.level > 0.55 * level]
    if not pieces:
        return nothing
    chosen, others = _grouped(labels, pieces, max(pieces, key=_prominence))
    mask = np.isin(labels, [p.number for p in chosen])
    height = max(p.bottom for p in chosen) - min(p.top for p in chosen)
    width = max(p.right for p in chosen) - min(p.left for p in chosen)
    if others:
        return Segment(Finding.CROWDED, f"{1 + len(others)} separate figures", mask, smooth, level)
    if width > _WIDEST * height:
        return Segment(Finding.CROWDED, "wider than one digit", mask, smooth, level)
    return Segment(Finding.DIGIT, "", mask, smooth, level)


def _prominence(piece: _Piece) -> float:
    """Return how likely a piece is to be the digit: much ink, and not cut by the edge of the picture."""
    return piece.mass * (0.1 if piece.cut else 1)


def smoothed(values: Array, passes: int) -> Array:
    """Return `values` (h, w) after `passes` of the binomial filter 1 2 1 both ways."""
    for _ in range(max(1, passes)):
        for axis in (0, 1):
            wide = np.pad(values, [(1, 1) if axis == a else (0, 0) for a in (0, 1)], mode="edge")
            if axis == 0:
                values = (wide[:-2] + 2 * wide[1:-1] + wide[2:]) / 4
            else:
                values = (wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]) / 4
    return values


def _level(values: Array) -> float:
    """Return the shade of full ink, given those of a piece: the mean, weighted by itself."""
    positive = np.maximum(values, 0)
    return float((positive**2).sum() / max(positive.sum(), 1e-9))


def _pieces(shade: Array, threshold: float) -> tuple[NDArray[np.int32], list[_Piece]]:
    labels, count = label(shade > threshold)
    height, width = labels.shape
    rows, columns = np.nonzero(labels)
    numbers = labels[rows, columns]
    values = shade[rows, columns]
    area = np.bincount(numbers, minlength=count + 1)
    mass = np.bincount(numbers, values, count + 1)
    squares = np.bincount(numbers, values**2, count + 1)
    limits = np.full((4, count + 1), 0)
    limits[:2] = max(height, width)
    np.minimum.at(limits[0], numbers, rows)
    np.minimum.at(limits[1], numbers, columns)
    np.maximum.at(limits[2], numbers, rows + 1)
    np.maximum.at(limits[3], numbers, columns + 1)
    pieces = []
    for number in range(1, count + 1):
        top, left, bottom, right = (int(limit) for limit in limits[:, number])
        cut = top == 0 or left == 0 or bottom == height or right == width
        level = float(squares[number] / mass[number])
        pieces.append(
            _Piece(number, int(area[number]), level, float(mass[number]), top, left, bottom, right, cut)
        )
    return labels, pieces


def _grouped(
    labels: NDArray[np.int32], pieces: list[_Piece], main: _Piece
) -> tuple[list[_Piece], list[_Piece]]:
    """Return the pieces of the digit that `main` is part of, and those that are figures of their own."""
    chosen = [main]
    rest = sorted((p for p in pieces if p is not main), key=lambda p: -p.mass)
    rest = [p for p in rest if p.area >= 0.01 * main.area and (main.cut or not p.cut)]
    size = main.longer
    grown = True
    while grown:
        grown = False
        for piece in list(rest):
            if any(_gap(labels, piece, other) <= _allowed(piece, other) * size for other in chosen):
                chosen.append(piece)
                rest.remove(piece)
                grown = True
    others = [p for p in rest if p.longer >= 0.4 * size and p.area >= 0.15 * main.area]
    return chosen, others


def _allowed(one: _Piece, other: _Piece) -> float:
    """Return how far apart two pieces of one digit may be, in sizes of the digit.

    Digits are written side by side: two tall pieces beside each other must be close to be one digit.
    """
    shared_rows = min(one.bottom, other.bottom) - max(one.top, other.top)
    shared_columns = min(one.right, other.right) - max(one.left, other.left)
    heights = sorted((one.bottom - one.top, other.bottom - other.top))
    narrower = min(one.right - one.left, other.right - other.left)
    if shared_columns > 0.3 * narrower or shared_rows < 0.5 * heights[0]:
        return 0.35
    return 0.16 if heights[0] > 0.6 * heights[1] else 0.25


def _gap(labels: NDArray[np.int32], one: _Piece, other: _Piece) -> float:
    """Return the distance between the nearest pixels of two pieces."""
    first, second = _points(labels, one), _points(labels, other)
    between = first[:, None, :] - second[None, :, :]
    return float(np.sqrt((between**2).sum(axis=2).min()))


def _points(labels: NDArray[np.int32], piece: _Piece) -> Array:
    part = labels[piece.top : piece.bottom, piece.left : piece.right] == piece.number
    points = np.argwhere(part) + np.array([piece.top, piece.left])
    return points[:: max(1, len(points) // 400)].astype(np.float32)
