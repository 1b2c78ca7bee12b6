"""The connected pieces of ink on a page: strokes told from the paper's noise, and how dark full ink is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenet_edge.picture.connected_components import label
from lenet_edge.picture.ink import Array, deviation

_FAINTEST = 0.07  # share of light taken away: nothing fainter is ink
_SURENESS = 12.0  # how many standard errors above bare paper a piece of ink is, taken whole


@dataclass(frozen=True)
class Piece:
    """One of them: its number among the labels, pixels, shade of full ink, summed shade, and box."""

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
        """The longer side of its box."""
        return max(self.bottom - self.top, self.right - self.left)


@dataclass(frozen=True)
class Pieces:
    """The `pieces` numbered in `labels` (h, w), the `shade` (h, w) of each pixel, the `level` of full ink.

    A shade is the share of the paper's light that is taken away, 0 for bare paper, smoothed a little. `main`
    is the piece that stands out most. Without ink there are no pieces, and no `main`.
    """

    labels: NDArray[np.int32]
    pieces: list[Piece]
    shade: Array
    level: float
    main: Piece | None


def find_pieces(density: Array, *, flat: bool = False) -> Pieces:
    """Find the strokes in the ink `density` (h, w), paper at 0; `flat` if all of it is."""
    shade = 1 - np.exp(-np.maximum(density, -1))
    smooth = smoothed(shade, 1)
    noise = 0.0 if flat else deviation(smooth)
    labels, pieces = _labelled(smooth, max(_FAINTEST, 4 * noise))
    pieces = [p for p in pieces if p.mass > _SURENESS * noise * np.sqrt(p.area) and p.area >= 5]
    if not pieces:
        return Pieces(labels, [], smooth, 0.0, None)
    main = max(pieces, key=_prominence)
    if main.longer > 100:  # a large digit can do without the finest detail, and pencil is grainy
        smooth = smoothed(shade, main.longer // 80)
    level = _level(smooth[labels == main.number])
    labels, pieces = _labelled(smooth, max(_FAINTEST, 0.35 * level))
    pieces = [p for p in pieces if p.level > 0.55 * level]
    return Pieces(labels, pieces, smooth, level, max(pieces, key=_prominence, default=None))


def _prominence(piece: Piece) -> float:
    """Return how likely a piece is to be the digit: much ink, and not cut by the edge of the picture."""
    return piece.mass * (0.1 if piece.cut else 1)


def smoothed(values: Array, passes: int) -> Array:
    """Return `values` (h, w) after `passes` of the binomial filter 1 2 1 both ways."""
    smooth: NDArray[np.floating] = values
    for _ in range(max(1, passes)):
        for axis in (0, 1):
            wide = np.pad(smooth, [(1, 1) if axis == a else (0, 0) for a in (0, 1)], mode="edge")
            if axis == 0:
                smooth = (wide[:-2] + 2 * wide[1:-1] + wide[2:]) / 4
            else:
                smooth = (wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]) / 4
    return smooth.astype(values.dtype, copy=False)


def _level(values: Array) -> float:
    """Return the shade of full ink, given those of a piece: the mean, weighted by itself."""
    positive = np.maximum(values, 0)
    return float((positive**2).sum() / max(positive.sum(), 1e-9))


def _labelled(shade: Array, threshold: float) -> tuple[NDArray[np.int32], list[Piece]]:
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
            Piece(number, int(area[number]), level, float(mass[number]), top, left, bottom, right, cut)
        )
    return labels, pieces
