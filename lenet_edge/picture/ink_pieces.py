"""Find the connected pieces of ink on a page, without the paper's noise, and the shade of full ink."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.opencv import cv2
from lenet_edge.picture.connected_components import find_components, mask_of
from lenet_edge.picture.findings import Box, box_of
from lenet_edge.picture.ink import Array, deviation
from lenet_edge.picture.strokes import bars, distances

_FAINTEST = 0.07  # share of light absorbed: nothing fainter is ink
_SPECK = 5  # pixels: less ink is a speck
_FRAMED = 0.25  # of a frame's shorter side: what is smaller in it is a dot, as in a dotted zero
_AS_DARK = 0.75  # of a frame's shade: paler ink in it is print behind it, as a cheque's waves in a zero
_AROUND = 0.85  # of the directions from what is framed: so much is left of a broken frame at least
_DIRECTIONS = 36
_DARKEST = 0.7  # of full shade: the blur between a frame and what it frames is paler
_LARGE = 0.4  # of a frame's shorter side: smaller, it may be the end of a digit's own stroke
_BREAK = 0.2  # of the longer side of what is framed: so wide is a break in its frame at most
_LIKELY = 3  # pieces, those with the most ink, that a broken frame is looked for around
_LONG_COMB = 1.2  # times as long as high
_COMB_INK = 0.4  # of its box at most
_TEETH = 3  # at least
_STRAIGHT = 0.9  # of a comb's ink
_SLIM_TOOTH = 5.0  # times as high as wide
_ALIKE = 0.1  # of their height or distance: so little teeth differ
_SHADOWS_EDGE = 0.25  # of the light: what a shadow's edge leaves, where the paper is estimated, is fainter
_BARE = 0.2  # of full shade: what is paler is bare paper
_BLUR = 2  # pixels around a box that are not bare paper
_BINOMIAL = np.array([0.25, 0.5, 0.25], np.float32)
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
    def box(self) -> Box:
        """The box."""
        return self.left, self.top, self.right, self.bottom

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


def find_pieces(density: Array, *, flat: bool = False, single: bool = False) -> Pieces:
    """Find the pieces in the ink `density` (h, w), 0 for paper; `flat`: the paper has no noise.

    `single`: one digit is looked for, so pieces all around another are a frame with breaks in it. On a line
    they may be its neighbours.
    """
    shade = 1 - np.exp(-np.maximum(density, -1))
    smooth = smoothed(shade, 1)
    noise = 0.0 if flat else deviation(smooth)
    labels, pieces = _label_pieces(smooth, max(_FAINTEST, 4 * noise), smallest=_SPECK)
    pieces = [p for p in pieces if p.mass > _SURENESS * noise * math.sqrt(p.area)]
    inked, pieces = pieces, _without_frames(labels, pieces, broken=single)
    if not pieces:
        return Pieces(labels, [], smooth, 0.0, None)
    if len(pieces) < len(inked):  # away with the frames: at another threshold they fall apart
        frames = mask_of(labels, [one.number for one in inked if one not in pieces])
        shade, smooth = (np.where(frames, np.float32(0), values) for values in (shade, smooth))
    main = max(pieces, key=_prominence)
    if main.longer > 100:  # a large digit does not need the finest detail, and pencil is grainy
        smooth = smoothed(shade, main.longer // 80)
    own = slice(main.top, main.bottom), slice(main.left, main.right)
    level = _full_shade(smooth[own][labels[own] == main.number])
    joined = _joined_frame(smooth[own], level) if single else None
    if joined is not None:
        smooth[own] = np.where(joined, np.float32(0), smooth[own])
    labels, pieces = _label_pieces(smooth, max(_FAINTEST, 0.35 * level), palest=0.55 * level)
    pieces = _without_frames(labels, pieces, broken=single)
    return Pieces(labels, pieces, smooth, level, max(pieces, key=_prominence, default=None))


def is_bare_around(shade: Array, boxes: Iterable[Box], level: float) -> bool:
    """Return whether nothing outside `boxes` is darker than bare paper: no shadow, and no other ink.

    `shade` (h, w) as in `Pieces`, and the `level` of full ink. Ink so faint that it may be the edge of a
    shadow is not told from one.
    """
    if level < _SHADOWS_EDGE:
        return False
    around = shade.copy()
    for left, top, right, bottom in boxes:
        around[max(top - _BLUR, 0) : bottom + _BLUR, max(left - _BLUR, 0) : right + _BLUR] = 0
    return bool(around.max() < _BARE * level)


def thickest_square(mask: NDArray[np.bool_]) -> float:
    """Return the side of the largest square in the ink `mask` (h, w), in pixels, with the blur around it."""
    inside = cv2.copyMakeBorder(mask.view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    return 2 * float(cv2.distanceTransform(inside, cv2.DIST_C, 3).max()) + 1


def _without_frames(labels: NDArray[np.int32], pieces: list[Piece], *, broken: bool) -> list[Piece]:
    """Return `pieces` without circles and boxes, which enclose another, large one, and without combs.

    `broken`: without frames that have breaks in them, too.
    """
    frames = {one.number for one in pieces for other in pieces if _may_enclose(one, other)}
    frames = {one.number for one in pieces if one.number in frames and _encloses(labels, one, pieces)}
    frames |= {one.number for one in pieces if _is_comb(labels, one, pieces)} | _teeth(pieces)
    if broken:
        frames |= _broken_frame(labels, [one for one in pieces if one.number not in frames])
    return [piece for piece in pieces if piece.number not in frames]


def _may_enclose(one: Piece, other: Piece) -> bool:
    """Return whether `other` lies within the box of `one`, is no dot in it, and no paler print behind it."""
    within = one.top < other.top and one.left < other.left
    within = within and other.bottom < one.bottom and other.right < one.right
    within = within and other.level >= _AS_DARK * one.level
    return within and other.longer >= _FRAMED * min(one.bottom - one.top, one.right - one.left)


def _encloses(labels: NDArray[np.int32], one: Piece, pieces: list[Piece]) -> bool:
    """Return whether a piece has another in its hole."""
    own = labels[one.top : one.bottom, one.left : one.right]
    around = np.pad(own != one.number, 1, constant_values=True).astype(np.uint8)
    _, areas = cv2.connectedComponents(around, connectivity=4)
    hole = (areas != areas[0, 0])[1:-1, 1:-1]
    held = {int(number) for number in np.unique(own[hole])}
    return any(other.number in held for other in pieces if _may_enclose(one, other))


def _joined_frame(shade: Array, level: float) -> NDArray[np.bool_] | None:
    """Return where in `shade` (h, w) a frame is that blur has joined to what it frames; None without one."""
    labels, cores = _label_pieces(shade, _DARKEST * level, smallest=_SPECK)
    frame = _broken_frame(labels, cores, smallest=_LARGE)
    if not frame:
        return None
    framing = mask_of(labels, list(frame))
    return distances(framing) < distances((labels > 0) & ~framing)


def _broken_frame(labels: NDArray[np.int32], pieces: list[Piece], *, smallest: float = _FRAMED) -> set[int]:
    """Return the numbers of the pieces of a frame, which noise or a rule across it may have broken.

    `smallest`: the longer side of what is framed, as a share of the frame's shorter side.
    """
    for inner in sorted(pieces, key=lambda one: -one.mass)[:_LIKELY]:
        parts = [one for one in pieces if one is not inner and inner.level >= _AS_DARK * one.level]
        if not _in_box_of(inner, parts):
            continue
        mask = mask_of(labels, [one.number for one in parts])
        reach = 2 * round(_BREAK * inner.longer / 2) + 1
        bridged = find_components(np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((reach, reach)))) > 0)
        for number in range(1, len(bridged.areas) + 1):
            frame = mask & (bridged.labels == number)
            if _surrounds(frame, inner, smallest):
                return set(np.unique(labels[frame]).tolist())
    return set()


def _in_box_of(inner: Piece, parts: list[Piece]) -> bool:
    """Return whether `inner` lies within the box around all the `parts`."""
    if not parts:
        return False
    above, below = min(one.top for one in parts), max(one.bottom for one in parts)
    before, after = min(one.left for one in parts), max(one.right for one in parts)
    return above < inner.top and before < inner.left and inner.bottom < below and inner.right < after


def _surrounds(frame: NDArray[np.bool_], inner: Piece, smallest: float) -> bool:
    """Return whether `frame` (h, w) is nearly all around `inner`, which is so large a share of it or more."""
    left, top, right, bottom = box_of(frame)
    within = top < inner.top and left < inner.left and inner.bottom < bottom and inner.right < right
    if not within or inner.longer < smallest * min(bottom - top, right - left):
        return False
    rows, columns = np.nonzero(frame)
    ways = np.arctan2(rows - (inner.top + inner.bottom - 1) / 2, columns - (inner.left + inner.right - 1) / 2)
    seen = np.unique(np.floor(ways / (2 * np.pi) * _DIRECTIONS) % _DIRECTIONS)
    return len(seen) >= _AROUND * _DIRECTIONS


def _is_comb(labels: NDArray[np.int32], piece: Piece, pieces: list[Piece]) -> bool:
    """Return whether a piece is a level line with teeth under others: straight lines only, three upright."""
    height, width = piece.bottom - piece.top, piece.right - piece.left
    if width < _LONG_COMB * height or piece.area > _COMB_INK * height * width:
        return False
    if not any(piece.left < o.left and o.right < piece.right and o.bottom < piece.bottom for o in pieces):
        return False
    own = (labels[piece.top : piece.bottom, piece.left : piece.right] == piece.number).astype(np.uint8)
    level, upright = bars(own, level=max(width // 2, 1), upright=max(height // 2, 1))
    teeth, _ = cv2.connectedComponents(upright)
    straight = np.count_nonzero(level | upright)
    return bool(level.any()) and teeth > _TEETH and straight >= _STRAIGHT * piece.area


def _teeth(pieces: list[Piece]) -> set[int]:
    """Return the numbers of the teeth of a comb whose level line was taken away as a printed rule.

    They are upright bars of one height, at equal distances, and end below all that stands between them.
    """
    bars = [one for one in pieces if one.bottom - one.top >= _SLIM_TOOTH * (one.right - one.left)]
    bars = [one for one in bars if one.area >= _STRAIGHT * (one.bottom - one.top) * (one.right - one.left)]
    if len(bars) < _TEETH:
        return set()
    usual = np.median([(one.top, one.bottom) for one in bars], axis=0)
    room = _ALIKE * (usual[1] - usual[0])
    bars = [one for one in bars if max(abs(one.top - usual[0]), abs(one.bottom - usual[1])) <= room]
    if len(bars) < _TEETH:
        return set()
    ends = np.array(sorted((one.left, one.bottom) for one in bars))
    pitch = np.diff(ends[:, 0])
    even = np.ptp(pitch) <= _ALIKE * pitch.mean()
    own = {one.number for one in bars}
    below = min((ends[:, 1].min() - one.bottom for one in pieces if one.number not in own), default=0)
    return own if even and below > room else set()


def _prominence(piece: Piece) -> float:
    """Return how prominent a piece is: much ink, not cut by the edge of the picture."""
    return piece.mass * (0.1 if piece.cut else 1)


def smoothed(values: Array, passes: int) -> Array:
    """Return `values` (h, w) after `passes` of the binomial filter 1 2 1 along both axes."""
    smooth = values
    for _ in range(max(1, passes)):
        filtered = cv2.sepFilter2D(smooth, -1, _BINOMIAL, _BINOMIAL, borderType=cv2.BORDER_REPLICATE)
        smooth = np.asarray(filtered, np.float32)
    return smooth


def _full_shade(values: Array) -> float:
    """Return the shade of full ink from a piece's shades: their mean, weighted by the shade."""
    positive = np.maximum(values, 0)
    return float((positive**2).sum() / max(positive.sum(), 1e-9))


def _label_pieces(
    shade: Array, threshold: float, *, smallest: int = 1, palest: float = 0.0
) -> tuple[NDArray[np.int32], list[Piece]]:
    """Return the numbers of the pieces darker than `threshold`, (h, w), and those pieces that count.

    These are of `smallest` pixels or more, and their full shade is above `palest`.
    """
    inked = shade > threshold
    found = find_components(inked)
    height, width = shade.shape
    numbers, values = found.labels[inked], shade[inked]
    masses = np.bincount(numbers, values, len(found.areas) + 1)[1:]
    levels = np.bincount(numbers, values * values, len(found.areas) + 1)[1:] / masses
    pieces = []
    for place in np.flatnonzero((found.areas >= smallest) & (levels > palest)).tolist():
        left, top, right, bottom = found.boxes[place].tolist()
        cut = top == 0 or left == 0 or bottom == height or right == width
        area, level, mass = int(found.areas[place]), float(levels[place]), float(masses[place])
        pieces.append(Piece(place + 1, area, level, mass, top, left, bottom, right, cut))
    return found.labels, pieces
