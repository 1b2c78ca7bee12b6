"""Turn a photograph or scan of a line of digits into the picture that the wide net reads.

The line is found on any paper, in any light, levelled, set upright, scaled so that its digits are as tall as
MNIST's, and redrawn with strokes as wide as MNIST's. A map back to the image is kept.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import expect
from lenet_edge.digits.geometry import BOX, FIELD
from lenet_edge.picture.connected_components import mask_of
from lenet_edge.picture.digit import check_shape
from lenet_edge.picture.ink import WIDEST_STROKE, Array, Grey, flat_paper
from lenet_edge.picture.ink_pieces import (
    Piece,
    Pieces,
    find_pieces,
    is_bare_around,
    smoothed,
    thickest_square,
)
from lenet_edge.picture.line.ink import (
    NARROWEST_WINDOW,
    THICKEST_STROKE,
    Paper,
    find_line_ink,
    find_paper,
)
from lenet_edge.picture.line.layout import Layout, find_layout
from lenet_edge.picture.line.slant import room_for, slant_of, upright_map
from lenet_edge.picture.line.strip import LARGEST_BODY, Strip, compose, cut_strip, rotation_map, starting_at
from lenet_edge.picture.line.strokes import draw_line, sampled
from lenet_edge.picture.reduction import reduced
from lenet_edge.picture.sheet import without_table

_FAINTEST = 16  # grey levels: the least contrast of a picture that passes unchanged
_SEARCHED_SIDE = 384  # pixels of a reduced page's shorter side
_MOST_PIXELS = 700_000  # of the reduced page that is searched
_RULED_SPREAD = 2.0  # degrees: how far a line's slope is from that of the rules
_FREE_SPREAD = 6.0  # degrees: how far it is from level without rules
_LEVEL = 1.0  # degrees: a line that slopes less need not be levelled
_CLOSE_CROP = 1.8  # digit heights: in a lower picture a 1 could pass for a rule
_FULL_HEIGHT = 0.97  # of the picture's height: rules are this tall, digits are not

_BAND = 0.8  # digit heights from the line's middle: a piece further away is not on the line
_SPECK = 0.06  # digit heights: a piece smaller both ways is dirt
_UNDER = 0.45  # digit heights: a long flat piece further from the middle is an underline

_MARGIN = 6  # columns left empty on each side of the line


class LineFinding(enum.Enum):
    """What a picture shows."""

    LINE = "line"
    BLANK = "blank"
    LINES = "lines"


@dataclass(frozen=True)
class Line:
    """A line made ready for the wide net.

    `picture` is uint8 (32, w), 0 for paper to 255 for ink, digits about 20 rows tall around the middle; w is
    0 unless `finding` is LINE, and `reason` then says why. `to_image`, float64 (2, 3), maps a point of the
    picture into the image: `to_image @ (column, row, 1)`, in pixels from the upper left corner. `inverted`:
    the ink was the bright part of the image.
    """

    finding: LineFinding
    reason: str
    picture: NDArray[np.uint8]
    to_image: NDArray[np.float64]
    inverted: bool


def find_line(grey: NDArray[np.uint8]) -> Line:
    """Find the line of digits in `grey`, uint8 (h, w) with 0 black and 255 white.

    Dark ink on bright paper or the reverse. A picture of 32 rows on uniformly black or white paper is already
    in the net's form and passes with its paper made black. Raises InputError for another type or shape
    (`check_shape`).
    """
    expect(
        isinstance(grey, np.ndarray) and grey.ndim == 2 and grey.dtype == np.uint8,
        "a grey picture of uint8 (h, w)",
        f"{getattr(grey, 'dtype', type(grey).__name__)} {getattr(grey, 'shape', '')}".strip(),
    )
    check_shape(grey.shape[1], grey.shape[0], line=True)
    bright = flat_paper(grey)
    if len(grey) == FIELD and bright is not None and np.ptp(grey) > _FAINTEST:
        return Line(LineFinding.LINE, "", grey.copy() if bright else np.invert(grey), np.eye(2, 3), bright)
    grey = without_table(grey)
    factor = _reduction_factor(grey.shape)
    small = reduced(grey, factor)
    found = _choose_layout(small, find_paper(small, window=WIDEST_STROKE))
    layout, paper = found.layout, found.paper
    if layout is None:
        return _blank("nothing is written on it", paper)
    if len(layout.lines) > 1:
        reason = f"{len(layout.lines)} lines of digits, where one is read"
        return Line(LineFinding.LINES, reason, *_no_picture(), paper.inverted)
    if factor == 1 and _is_as_in_a_strip(layout, found.pieces):
        return _line_of(found.pieces, layout, np.eye(2, 3), paper)
    strip = cut_strip(grey, layout, factor=factor, paper=paper, density=found.density)
    return _extract_line(strip, paper)


@dataclass(frozen=True)
class _Searched:
    """The `layout` of the lines on a page, None without any; the `density` of its ink, on which `paper`.

    `pieces`: those of the ink.
    """

    layout: Layout | None
    density: Array
    pieces: Pieces
    paper: Paper


def _blank(reason: str, paper: Paper) -> Line:
    return Line(LineFinding.BLANK, reason, *_no_picture(), paper.inverted)


def _no_picture() -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    return np.zeros((FIELD, 0), np.uint8), np.eye(2, 3)


def _reduction_factor(shape: tuple[int, ...]) -> int:
    height, width = shape
    return max(1, -(-min(shape) // _SEARCHED_SIDE), int(np.ceil(np.sqrt(height * width / _MOST_PIXELS))))


def _choose_layout(small: Grey, paper: Paper) -> _Searched:
    """Return what is found in a reduced picture, and on which paper: upright rules may be digits."""
    first = _refined_layout(small, paper)
    if first.layout is not None and small.shape[0] >= _CLOSE_CROP * first.layout.body:
        return first
    second = _refined_layout(small, replace(paper, squared=False))
    if second.layout is None or _is_squared_paper(second.layout, first.layout, small.shape[0]):
        return first
    return second


def _is_squared_paper(second: Layout, layout: Layout | None, height: int) -> bool:
    """Return whether the `second` layout, found without removing upright rules, consists of those rules."""
    if layout is not None:
        return second.body > 1.2 * layout.body or len(second.lines[0]) < len(layout.lines[0])
    return second.body > _FULL_HEIGHT * height


def _refined_layout(small: Grey, paper: Paper) -> _Searched:
    window = WIDEST_STROKE
    ink = find_line_ink(small, paper, window=window)
    found = find_pieces(ink.density, flat=paper.flat)
    layout = _layout_of(found, ink.turn)
    # Under small digits the paper is estimated again with a smaller window, which follows shadows better.
    for _ in range(0 if paper.flat else 2):
        if layout is None:
            break
        narrower = max(NARROWEST_WINDOW, THICKEST_STROKE * layout.body / min(small.shape))
        if narrower > 0.8 * window or _is_fully_inked(found, narrower * min(small.shape)):
            break
        window = narrower
        ink = find_line_ink(small, paper, window=window, known=ink)
        found = find_pieces(ink.density, flat=paper.flat)
        layout = _layout_of(found, ink.turn)
    return _Searched(layout, ink.density, found, paper)


def _is_fully_inked(found: Pieces, window: float) -> bool:
    """Return whether a narrower `window`, in pixels, finds the same pieces: thin ones, on bare paper."""
    if not is_bare_around(found.shade, [piece.box for piece in found.pieces], found.level):
        return False
    return thickest_square(found.shade > 0.5 * found.level) <= window


def _layout_of(found: Pieces, turn: float | None) -> Layout | None:
    """Return the layout of the pieces `found` on paper whose rules have a `turn`, None without rules."""
    if turn is None:
        return find_layout(found, spread=_FREE_SPREAD)
    ruled = find_layout(found, expected=turn, spread=_RULED_SPREAD)
    if ruled is None or len(ruled.lines) == 1:
        return ruled
    # Print such as a cheque's waves may pass for rules, but nobody writes along those.
    free = find_layout(found, spread=_FREE_SPREAD)
    return free if free is not None and len(free.lines) < len(ruled.lines) else ruled


def _is_as_in_a_strip(layout: Layout, found: Pieces) -> bool:
    """Return whether a line is level, its digits are no larger than in a strip, and none is cut."""
    level = abs(layout.turn) <= _LEVEL and layout.body <= LARGEST_BODY
    return level and not any(piece.cut for piece in found.pieces)


def _extract_line(strip: Strip, paper: Paper) -> Line:
    """Return the line in `strip`."""
    found = find_pieces(strip.density, flat=paper.flat)
    levelled = find_layout(found, spread=_RULED_SPREAD)
    if levelled is None:
        return _blank("nothing is written on it", paper)
    return _line_of(found, _middle_line(levelled, len(strip.density) / 2), strip.to_image, paper)


def _line_of(found: Pieces, layout: Layout, to_image: NDArray[np.float64], paper: Paper) -> Line:
    """Return the one line of `layout`; `to_image` (2, 3) maps where its pieces were found to the image."""
    picture, to_found = _line_picture(found, layout)
    if not picture.any():
        return _blank("nothing is written on it", paper)
    return Line(LineFinding.LINE, "", picture, compose(to_image, to_found), paper.inverted)


def _middle_line(layout: Layout, row: float) -> Layout:
    """Return `layout` with only the line nearest to `row`."""
    lines = sorted(layout.lines, key=lambda line: abs(np.median([mark.middle[1] for mark in line]) - row))
    return Layout(lines[:1], layout.turn, layout.body)


def _line_picture(found: Pieces, layout: Layout) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the line as the net's input, and the map from there to the strip."""
    left, right, middle = layout.extent
    size = layout.body / BOX
    to_strip = rotation_map(layout.turn, size, left - _MARGIN * size, middle - FIELD / 2 * size)
    chosen = [piece.number for piece in found.pieces if _belongs_to(piece, layout)]
    near = smoothed(mask_of(found.labels, chosen).astype(np.float32), 1) > 0
    shade = np.where(near, np.maximum(found.shade / found.level, 0), 0).astype(np.float32)
    width = int(np.ceil((right - left) / size)) + 2 * _MARGIN
    slant = slant_of(sampled(shade, to_strip, width))
    if not slant:
        return draw_line(shade, to_strip, width), to_strip
    room = room_for(slant)
    to_strip = compose(to_strip, upright_map(slant, room))
    return _without_margins(draw_line(shade, to_strip, width + 2 * room), to_strip)


def _without_margins(
    picture: NDArray[np.uint8], to_strip: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return a line's picture with no more than `_MARGIN` empty columns on each side, and its map."""
    used = np.flatnonzero(picture.any(axis=0))
    if not len(used):
        return picture, to_strip
    left, right = max(0, int(used[0]) - _MARGIN), int(used[-1]) + 1 + _MARGIN
    return picture[:, left:right].copy(), starting_at(left, to_strip)


def _belongs_to(piece: Piece, layout: Layout) -> bool:
    """Return whether a piece is on the line: a digit or a mark between digits, no underline and no dirt."""
    turn = np.radians(layout.turn)
    column, row = (piece.left + piece.right) / 2, (piece.top + piece.bottom) / 2
    away = abs(row * np.cos(turn) - column * np.sin(turn) - layout.extent[2]) / layout.body
    high, wide = (piece.bottom - piece.top) / layout.body, (piece.right - piece.left) / layout.body
    underline = away > _UNDER and wide > 1.2 and high < 0.35
    return away <= _BAND and max(high, wide) >= _SPECK and not underline
