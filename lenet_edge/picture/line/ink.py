"""Estimate the ink of a picture of any width: the paper once, the ink part by part.

`lenet_edge.picture.ink` and `lenet_edge.picture.ruled_lines` measure in shares of a picture's sides, which
does not work for a strip 10,000 pixels wide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lenet_edge.picture.digit_search import SMALLEST_RULED_SIDE, SURE_BRIGHTNESS, THICKEST_RULE
from lenet_edge.picture.ink import Array, Grey, Ink, brightness_of_ink, find_ink, flat_ink, flat_paper
from lenet_edge.picture.ink_pieces import find_pieces
from lenet_edge.picture.ruled_lines import Rules, find_rules, no_rules

THICKEST_STROKE = 0.4
"""The thickest stroke, as a share of the digits' height."""

NARROWEST_WINDOW = 0.08
"""The smallest window of the paper's closing, as a share of the part's shorter side."""

_LONGEST = 4.0  # width to height: wider pictures are processed in parts
_PART = 3.0  # the width of a part, in picture heights, without the overlap
_THIN_UPRIGHT = 1.5  # pixels: a thicker line from top to bottom of a small part may be a 1
_SHARED = 0.75  # the overlap with the neighbours on each side, in picture heights


@dataclass(frozen=True)
class Paper:
    """The paper of a picture: `inverted` if the ink is the bright part, `flat` if uniformly black or white.

    `squared`: rules from top to bottom are removed. In a picture hardly higher than its digits, a 1 would
    pass for one.
    """

    inverted: bool
    flat: bool
    squared: bool = True


@dataclass(frozen=True)
class LineInk:
    """The `density` (h, w) of the ink without printed rules, that of the `rules`, and their `turn`.

    The turn is clockwise, in degrees; None without rules.
    """

    density: Array
    rules: Array
    turn: float | None


def find_paper(grey: Grey, *, window: float) -> Paper:
    """Return the paper of `grey` (h, w), 0 black to 255 white; `window` as for `find_line_ink`."""
    flat = flat_paper(grey)
    if flat is not None:
        return Paper(inverted=flat, flat=True)
    bright = float(np.mean([brightness_of_ink(grey[:, wide]) for wide, _ in _parts(grey.shape)]))
    if abs(bright) > SURE_BRIGHTNESS:
        return Paper(inverted=bright > 0, flat=False)
    papers = [Paper(inverted, flat=False) for inverted in (False, True)]
    dark, light = (_weight(_inks(grey, paper, window)) for paper in papers)
    return papers[int(bright + 0.2 * np.log(light / dark) > 0)]


def find_line_ink(grey: Grey, paper: Paper, *, window: float, known: LineInk | None = None) -> LineInk:
    """Return the ink of `grey` (h, w), 0 black to 255 white, on `paper`.

    Strokes are thinner than `window`, a share of the shorter side of the picture or of its part. The rules
    are those of `known`, if it is given: the ink of the same picture and paper, with another window.
    """
    inks = _inks(grey, paper, window)
    if known is not None:
        return LineInk(
            _joined(grey.shape, [ink.density for ink in inks]) - known.rules, known.rules, known.turn
        )
    found = [_part_rules(ink, paper) for ink in inks]
    rules = _joined(grey.shape, [part.density for part in found])
    turns = [part.turn for part in found if part.turn is not None]
    turn = float(np.median(turns)) if turns else None
    return LineInk(_joined(grey.shape, [ink.density for ink in inks]) - rules, rules, turn)


def _inks(grey: Grey, paper: Paper, window: float) -> list[Ink]:
    """Return the ink of each part, rules included."""
    parts = [np.ascontiguousarray(grey[:, wide]) for wide, _ in _parts(grey.shape)]
    if paper.flat:
        return [flat_ink(part, inverted=paper.inverted) for part in parts]
    return [find_ink(part, inverted=paper.inverted, window=window) for part in parts]


def _joined(shape: tuple[int, ...], parts: list[Array]) -> Array:
    """Return the densities of the `parts`, which overlap, as one (h, w)."""
    whole = np.empty(shape, np.float32)
    for (wide, own), part in zip(_parts(shape), parts, strict=True):
        whole[:, own] = part[:, own.start - wide.start : own.stop - wide.start]
    return whole


def _part_rules(ink: Ink, paper: Paper) -> Rules:
    shorter = min(ink.density.shape)
    upright = max(_THIN_UPRIGHT, THICKEST_RULE * shorter) if paper.squared else 0.0
    if paper.flat and shorter < SMALLEST_RULED_SIDE:
        return no_rules(ink.density.shape)
    thickest = THICKEST_RULE * shorter if paper.flat else np.inf
    return find_rules(ink.density, ink.noise, thickest=thickest, thickest_upright=upright)


def _parts(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    """Yield the columns of each part, with the overlap and without."""
    height, width = shape
    if width <= _LONGEST * height:
        yield slice(0, width), slice(0, width)
        return
    count = round(width / (_PART * height))
    edges = np.linspace(0, width, count + 1).astype(int)
    shared = int(_SHARED * height)
    for start, stop in pairwise(edges):
        yield slice(max(0, start - shared), min(width, stop + shared)), slice(start, stop)


def _weight(inks: list[Ink]) -> float:
    """Return how prominent the ink is."""
    found = [find_pieces(ink.density) for ink in inks]
    return 0.1 + max(one.level * float(np.sqrt(sum(piece.area for piece in one.pieces))) for one in found)
