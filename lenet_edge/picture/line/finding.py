"""A photograph or scan of one line of digits, made into the picture that the wide net reads.

The line is found whatever the pen, the paper and the light, laid level, scaled so that its digits are as tall
as MNIST's, and drawn with strokes as wide as MNIST's. Where each column came from is kept.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from converters.base.errors import expect
from lenet_edge.digits.geometry import BOX, FIELD, SEARCHED_SIDE
from lenet_edge.picture.digit import check_shape
from lenet_edge.picture.ink import WIDEST, Array, flat_paper
from lenet_edge.picture.ink_pieces import Piece, Pieces, find_pieces, smoothed
from lenet_edge.picture.line.ink import NARROWEST, STROKE, Paper, ink_on, paper_of
from lenet_edge.picture.line.layout import Layout, layout_of
from lenet_edge.picture.line.strip import composed, laid, strip_of
from lenet_edge.picture.line.strokes import drawn_line

_FAINTEST = 16  # grey levels between ink and paper in a picture that passes unchanged
_MOST_PIXELS = 700_000  # of the page, when it is reduced to be searched
_RULED = 2.0  # degrees: how far a line's slope is off that of the paper's rules
_FREE = 6.0  # degrees: how far it is off level without rules
_TIGHT = 1.8  # heights: in a lower picture a 1 would pass for a rule from top to bottom
_WHOLE = 0.97  # of the picture's height: what is as tall and was taken for rules is no digit

_BAND = 0.8  # heights: what has its middle further from the line's is not of the line
_SPECK = 0.06  # heights: what is smaller both ways is dirt
_UNDER = 0.45  # heights: what is low, long and further from the middle than this is an underline

_BESIDE = 6  # columns left empty on each side of the line


class LineFinding(enum.Enum):
    """What a picture shows."""

    LINE = "line"
    BLANK = "blank"
    LINES = "lines"


@dataclass(frozen=True)
class Line:
    """A line made ready for the wide net.

    `picture` is uint8 (32, w), 0 for paper to 255 for ink, digits about 20 rows tall around the middle; w is
    0 unless `finding` is LINE, and `reason` then says why. `to_image`, float64 (2, 3), turns a place in the
    picture into one in the image: `to_image @ (column, row, 1)`, all counted in pixels from the upper left
    corner. `inverted` tells that the ink was the bright part of the image.
    """

    finding: LineFinding
    reason: str
    picture: NDArray[np.uint8]
    to_image: NDArray[np.float64]
    inverted: bool


def find_line(grey: NDArray[np.uint8]) -> Line:
    """Find the line of digits in `grey`, uint8 (h, w) with 0 black and 255 white.

    Dark ink on bright paper or the reverse. A picture of 32 rows whose paper is black or white all over is
    what the net reads already, and passes unchanged. Raises InputError for another shape (`check_shape`).
    """
    expect(
        isinstance(grey, np.ndarray) and grey.ndim == 2 and grey.dtype == np.uint8,
        "a grey picture of uint8 (h, w)",
        f"{getattr(grey, 'dtype', type(grey).__name__)} {getattr(grey, 'shape', '')}".strip(),
    )
    check_shape(grey.shape[1], grey.shape[0], line=True)
    bright = flat_paper(grey.astype(np.float32))
    if len(grey) == FIELD and bright is not None and np.ptp(grey) > _FAINTEST:
        return Line(LineFinding.LINE, "", grey.copy() if bright else np.invert(grey), np.eye(2, 3), bright)
    factor = _reduction(grey.shape)
    small = _reduced(grey, factor)
    layout, paper = _first_look(small, paper_of(small, window=WIDEST))
    if layout is None:
        return _nothing("nothing is written on it", paper)
    if len(layout.lines) > 1:
        reason = f"{len(layout.lines)} lines of digits, where one is read"
        return Line(LineFinding.LINES, reason, *_no_picture(), paper.inverted)
    return _second_look(grey, layout, factor, paper)


def _nothing(reason: str, paper: Paper) -> Line:
    return Line(LineFinding.BLANK, reason, *_no_picture(), paper.inverted)


def _no_picture() -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    return np.zeros((FIELD, 0), np.uint8), np.eye(2, 3)


def _reduction(shape: tuple[int, ...]) -> int:
    height, width = shape
    return max(1, -(-min(shape) // SEARCHED_SIDE), int(np.ceil(np.sqrt(height * width / _MOST_PIXELS))))


def _reduced(grey: NDArray[np.uint8], factor: int) -> Array:
    return np.asarray(Image.fromarray(grey).reduce(factor)).astype(np.float32)


def _first_look(small: Array, paper: Paper) -> tuple[Layout | None, Paper]:
    """Return how the lines lie in a picture of moderate size, and its paper, now that digits are seen."""
    layout = _layout(small, paper)
    if layout is not None and small.shape[0] >= _TIGHT * layout.body:
        return layout, paper
    close = replace(paper, squared=False)
    again = _layout(small, close)
    if again is None or _is_squared_paper(again, layout, small.shape[0]):
        return layout, paper
    return again, close


def _is_squared_paper(again: Layout, layout: Layout | None, height: int) -> bool:
    """Tell whether what is seen `again`, without looking for squares, is the squares."""
    if layout is not None:
        return again.body > 1.2 * layout.body or len(again.lines[0]) < len(layout.lines[0])
    return again.body > _WHOLE * height


def _layout(small: Array, paper: Paper) -> Layout | None:
    window = WIDEST
    layout = _layout_by(small, paper, window)
    # The paper under small digits is found again by a smaller window: shadows come out better.
    for _ in range(0 if paper.flat else 2):
        if layout is None:
            break
        narrower = max(NARROWEST, STROKE * layout.body / min(small.shape))
        if narrower > 0.8 * window:
            break
        window = narrower
        layout = _layout_by(small, paper, window)
    return layout


def _layout_by(small: Array, paper: Paper, window: float) -> Layout | None:
    ink = ink_on(small, paper, window=window)
    found = find_pieces(ink.density, flat=paper.flat)
    if ink.turn is None:
        return layout_of(found, spread=_FREE)
    return layout_of(found, expected=ink.turn, spread=_RULED)


def _second_look(grey: NDArray[np.uint8], layout: Layout, factor: int, paper: Paper) -> Line:
    """Return the line that `layout` has seen in `grey`, `factor` times as small, in all detail."""
    strip = strip_of(grey, layout, factor=factor, paper=paper)
    found = find_pieces(strip.density, flat=paper.flat)
    again = layout_of(found, spread=_RULED)
    if again is None:
        return _nothing("nothing is written on it", paper)
    picture, to_strip = _picture(found, _middle_line(again, len(strip.density) / 2))
    if not picture.any():
        return _nothing("nothing is written on it", paper)
    return Line(LineFinding.LINE, "", picture, composed(strip.to_image, to_strip), paper.inverted)


def _middle_line(layout: Layout, row: float) -> Layout:
    """Return `layout` with nothing but the line that is nearest to `row`."""
    lines = sorted(layout.lines, key=lambda line: abs(np.median([mark.middle[1] for mark in line]) - row))
    return Layout(lines[:1], layout.turn, layout.body)


def _picture(found: Pieces, layout: Layout) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the line as the net sees it, and the map from there to the strip."""
    left, right, middle = layout.extent
    size = layout.body / BOX
    to_strip = laid(layout.turn, size, left - _BESIDE * size, middle - FIELD / 2 * size)
    chosen = [piece.number for piece in found.pieces if _is_of_line(piece, layout)]
    near = smoothed(np.isin(found.labels, chosen).astype(np.float32), 1) > 0
    shade = np.where(near, np.maximum(found.shade / found.level, 0), 0).astype(np.float32)
    width = int(np.ceil((right - left) / size)) + 2 * _BESIDE
    return drawn_line(shade, to_strip, width), to_strip


def _is_of_line(piece: Piece, layout: Layout) -> bool:
    """Tell a piece of the line, marks between digits included, from what is above, below or dirt."""
    turn = np.radians(layout.turn)
    column, row = (piece.left + piece.right) / 2, (piece.top + piece.bottom) / 2
    away = abs(row * np.cos(turn) - column * np.sin(turn) - layout.extent[2]) / layout.body
    high, wide = (piece.bottom - piece.top) / layout.body, (piece.right - piece.left) / layout.body
    underline = away > _UNDER and wide > 1.2 and high < 0.35
    return away <= _BAND and max(high, wide) >= _SPECK and not underline
