"""Find the connected pieces of ink on a page, without the paper's noise, and the shade of full ink."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenet_edge.picture.connected_components import label
from lenet_edge.picture.ink import Array, deviation

_FAINTEST = 0.07  # share of light absorbed: nothing fainter is ink
_SURENESS = 12.0  # standard errors above bare paper, for a piece as a whole


@dataclass(frozen=True)
class Piece:
    """A piece of ink: its label, area in pixels, full shade, summed shade, and box; `cut` by the edge."""

    number: int
    area: int
    level: float
    mass: float
    top: int
    left: int
    bottom: int
    right: int
    cut: bool

    @property
    def longer(self) -> int:
        """The longer side of the box."""
        return max(self.bottom - self.top, self.right - self.left)


@dataclass(frozen=True)
class Pieces:
    """The `pieces` numbered in `labels` (h, w), the `shade` (h, w) of each pixel, the `level` of full ink.

    A shade is the share of the paper's light that is absorbed, 0 for bare paper, slightly smoothed. `main` is
    the most prominent piece. Without ink there are no pieces, and `main` is None.
    """

    labels: NDArray[np.int32]
    pieces: list[Piece]
    shade: Array
    level: float
    main: Piece | None


def find_pieces(density: Array, *, flat: bool = False) -> Pieces:
    """Find the pieces in the ink `density` (h, w), 0 for paper; `flat`: the paper has no noise."""
    shade = 1 - np.exp(-np.maximum(density, -1))
    smooth = smoothed(shade, 1)
    noise = 0.0 if flat else deviation(smooth)
    labels, pieces = _label_pieces(smooth, max(_FAINTEST, 4 * noise))
    pieces = [p for p in pieces if p.mass > _SURENESS * noise * np.sqrt(p.area) and p.area >= 5]
    if not pieces:
        return Pieces(labels, [], smooth, 0.0, None)
    main = max(pieces, key=_prominence)
    if main.longer > 100:  # a large digit does not need the finest detail, and pencil is grainy
        smooth = smoothed(shade, main.longer // 80)
    level = _full_shade(smooth[labels == main.number])
    labels, pieces = _label_pieces(smooth, max(_FAINTEST, 0.35 * level))
    pieces = [p for p in pieces if p.level > 0.55 * level]
    return Pieces(labels, pieces, smooth, level, max(pieces, key=_prominence, default=None))


def _prominence(piece: Piece) -> float:
    """Return how prominent a piece is: much ink, not cut by the edge of the picture."""
    return piece.mass * (0.1 if piece.cut else 1)


def smoothed(values: Array, passes: int) -> Array:
    """Return `values` (h, w) after `passes` of the binomial filter 1 2 1 along both axes."""
    smooth: NDArray[np.floating] = values
    for _ in range(max(1, passes)):
        for axis in (0, 1):
            wide = np.pad(smooth, [(1, 1) if axis == a else (0, 0) for a in (0, 1)], mode="edge")
            if axis == 0:
                smooth = (wide[:-2] + 2 * wide[1:-1] + wide[2:]) / 4
            else:
                smooth = (wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]) / 4
    return smooth.astype(values.dtype, copy=False)


def _full_shade(values: Array) -> float:
    """Return the shade of full ink from a piece's shades: their mean, weighted by the shade."""
    positive = np.maximum(values, 0)
    return float((positive**2).sum() / max(positive.sum(), 1e-9))


def _label_pieces(shade: Array, threshold: float) -> tuple[NDArray[np.int32], list[Piece]]:
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
