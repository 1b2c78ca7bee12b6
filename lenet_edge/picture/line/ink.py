"""The ink of a picture of any width: its paper, decided once, and its ink, in parts.

`lenet_edge.picture.ink` and `lenet_edge.picture.ruled_lines` measure in shares of a picture's sides, which a
strip of 10,000 pixels has none of that would do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lenet_edge.picture.digit_search import ROOM_FOR_RULES, THIN_RULE, UNSURE
from lenet_edge.picture.ink import Array, brightness_of_ink, find_ink, flat_ink, flat_paper
from lenet_edge.picture.ink_pieces import find_pieces
from lenet_edge.picture.ruled_lines import find_rules

STROKE = 0.4
"""No stroke is thicker than this share of the digits' height."""

NARROWEST = 0.08
"""The smallest window of the paper's closing, a share of the shorter side of what is looked at."""

_LONGEST = 4.0  # times as wide as high: wider pictures are looked at in parts
_PART = 3.0  # the width of a part, in heights, without what it shares with its neighbours
_THIN_UPRIGHT = 1.5  # pixels: what is thicker and goes from top to bottom of a small part may be a 1
_SHARED = 0.75  # how much of the neighbours a part sees on each side, in heights


@dataclass(frozen=True)
class Paper:
    """Whether the ink is the bright part of a picture, and whether the paper is black or white all over.

    `squared`: whether rules from top to bottom are looked for. In a picture that is hardly higher than its
    digits a 1 would pass for one.
    """

    inverted: bool
    flat: bool
    squared: bool = True


@dataclass(frozen=True)
class LineInk:
    """The `density` (h, w) of the ink without printed rules, and how far these are turned clockwise.

    The turn is in degrees, None without rules.
    """

    density: Array
    turn: float | None


def paper_of(grey: Array, *, window: float) -> Paper:
    """Tell what `grey` (h, w), 0 black to 255 white, is written on; `window` as for `ink_on`."""
    flat = flat_paper(grey)
    if flat is not None:
        return Paper(inverted=flat, flat=True)
    bright = float(np.mean([brightness_of_ink(grey[:, seen]) for seen, _ in _parts(grey.shape)]))
    if abs(bright) > UNSURE:
        return Paper(inverted=bright > 0, flat=False)
    papers = [Paper(inverted, flat=False) for inverted in (False, True)]
    dark, light = (_weight(ink_on(grey, paper, window=window).density) for paper in papers)
    return papers[int(bright + 0.2 * np.log(light / dark) > 0)]


def ink_on(grey: Array, paper: Paper, *, window: float) -> LineInk:
    """Return the ink of `grey` (h, w), 0 black to 255 white, on `paper`.

    Strokes are thinner than `window`, a share of the shorter side of the picture or of a part of it.
    """
    density = np.empty(grey.shape, np.float32)
    turns = []
    for seen, own in _parts(grey.shape):
        part = _part_ink(np.ascontiguousarray(grey[:, seen]), paper, window)
        density[:, own] = part.density[:, own.start - seen.start : own.stop - seen.start]
        if part.turn is not None:
            turns.append(part.turn)
    return LineInk(density, float(np.median(turns)) if turns else None)


def _part_ink(grey: Array, paper: Paper, window: float) -> LineInk:
    shorter = min(grey.shape)
    upright = max(_THIN_UPRIGHT, THIN_RULE * shorter) if paper.squared else 0.0
    if paper.flat:
        ink = flat_ink(grey, inverted=paper.inverted)
        if shorter < ROOM_FOR_RULES:
            return LineInk(ink.density, None)
        thickest = THIN_RULE * shorter
        rules = find_rules(ink.density, ink.noise, thickest=thickest, thickest_upright=upright)
    else:
        ink = find_ink(grey, inverted=paper.inverted, window=window)
        rules = find_rules(ink.density, ink.noise, thickest_upright=upright)
    return LineInk(ink.density - rules.density, rules.turn)


def _parts(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    """Yield the columns that a part sees, and those of them that are its own."""
    height, width = shape
    if width <= _LONGEST * height:
        yield slice(0, width), slice(0, width)
        return
    count = round(width / (_PART * height))
    edges = np.linspace(0, width, count + 1).astype(int)
    shared = int(_SHARED * height)
    for start, stop in pairwise(edges):
        yield slice(max(0, start - shared), min(width, stop + shared)), slice(start, stop)


def _weight(density: Array) -> float:
    """Return how strongly the ink stands out."""
    found = find_pieces(density)
    return 0.1 + found.level * float(np.sqrt(sum(piece.area for piece in found.pieces)))
