"""Locate the digit in a picture: find its strokes on any paper."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lenet_edge.picture.findings import Finding
from lenet_edge.picture.ink import (
    WIDEST_STROKE,
    Array,
    Grey,
    Ink,
    brightness_of_ink,
    find_ink,
    flat_ink,
    flat_paper,
)
from lenet_edge.picture.ink_pieces import is_bare_around, thickest_square
from lenet_edge.picture.ruled_lines import Courses, Rules, find_rules, no_rules
from lenet_edge.picture.segment import Segment, find_digit

SURE_BRIGHTNESS = 0.7  # of `brightness_of_ink`: below it, dark and bright ink are both tried
_WEIGHT = 0.3  # of the logarithm of a prominence beside `brightness_of_ink`
_CORNER = 0.03  # of a prominence: so little that it outweighs any brightness that is not sure
_NARROWEST_WINDOW = 0.08  # window of the paper's closing, as a share of the shorter side
SMALLEST_RULED_SIDE = 100  # pixels: in a smaller picture on flat paper no rules are looked for
THICKEST_RULE = 0.025  # of the shorter side: on flat paper, rules are at most this thick and strokes thicker
_THICKEST_STROKE = 0.3  # of the digit's longer side, unless it is seen to be thicker
_THICKEST_BLOT = 0.5  # of the digit's longer side: what is thicker is in shadow


@dataclass(frozen=True)
class LocatedDigit:
    """The digit's segment, the rules of its paper, and whether the ink is the bright part."""

    segment: Segment
    rules: Rules
    inverted: bool


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a look at the whole page has told: the ink is the bright part, `inverted`; where `rules` run.

    `window`: of the paper's closing, a share of the shorter side of the part that is searched now.
    """

    inverted: bool
    rules: Courses
    window: float


def locate_digit(grey: Grey) -> LocatedDigit:
    """Locate the digit on a `grey` page (h, w), 0 black to 255 white."""
    flat = flat_paper(grey)
    if flat is not None:
        return _locate_on_flat_paper(flat_ink(grey, inverted=flat))
    return _followed(grey, _look(grey), window=WIDEST_STROKE)


def look_at(grey: Grey) -> LocatedDigit | None:
    """Locate the digit on a `grey` page at a first look, which no shadow may disturb; None on flat paper."""
    return _look(grey) if flat_paper(grey) is None else None


def locate_again(grey: Grey, known: Known) -> LocatedDigit:
    """Locate the digit in `grey` (h, w), a part of a page of which something is `known`."""
    ink = find_ink(grey, inverted=known.inverted, window=known.window)
    ruled = len(known.rules.level) or len(known.rules.upright)
    rules = find_rules(ink.density, ink.noise, expected=known.rules) if ruled else no_rules(grey.shape)
    segment = find_digit(_without(rules, ink.density))
    return _followed(grey, LocatedDigit(segment, rules, ink.inverted), window=known.window)


def _look(grey: Grey) -> LocatedDigit:
    """Locate the digit on a page with shades, `grey` (h, w), whatever the width of its strokes."""
    tried = _try_dark_and_bright(grey)
    rules = find_rules(tried.ink.density, tried.ink.noise)
    segment = tried.segment
    if segment is None or rules.count:
        segment = find_digit(_without(rules, tried.ink.density))
    return LocatedDigit(segment, rules, tried.ink.inverted)


def _followed(grey: Grey, located: LocatedDigit, *, window: float) -> LocatedDigit:
    """Return the digit `located` with a `window` anew where it is in shadow: a narrow one follows that."""
    segment = located.segment
    for _ in range(2):
        narrower = None if segment.finding is Finding.BLANK else narrower_window(segment, window)
        if narrower is None:
            break
        window = narrower
        density = find_ink(grey, inverted=located.inverted, window=window).density
        segment = find_digit(_without(located.rules, density))
    return replace(located, segment=segment)


def narrower_window(segment: Segment, window: float) -> float | None:
    """Return a narrower window of the closing with which a digit is to be found anew; None if none is.

    A narrow one follows shadows better. `window`: with which `segment` was found. Both are shares of the
    picture's shorter side.
    """
    shorter = min(segment.mask.shape)
    narrower = window_for(thickest_stroke(segment), shorter)
    if narrower > 0.8 * window:
        return None
    left, top, right, bottom = segment.box
    thin = thickest_square(segment.mask[top:bottom, left:right]) <= narrower * shorter
    # On bare paper any window that is wider than the strokes finds the same.
    return None if thin and is_bare_around(segment.shade, [segment.box], segment.level) else narrower


def window_for(stroke: float, shorter: int) -> float:
    """Return the window of the paper's closing, a share of the picture's shorter side.

    `stroke` and `shorter` are the thickest stroke of the digit and the shorter side, in pixels.
    """
    return max(_NARROWEST_WINDOW, stroke / shorter)


def thickest_stroke(segment: Segment) -> float:
    """Return how thick the segment's strokes may be, in pixels: more than the largest square in them."""
    left, top, right, bottom = segment.box
    longer = max(right - left, bottom - top)
    square = thickest_square(segment.mask[top:bottom, left:right])
    return max(_THICKEST_STROKE * longer, square if square <= _THICKEST_BLOT * longer else 0.0)


def _without(rules: Rules, density: Array) -> Array:
    """Return the ink `density` (h, w) without that of the rules, if there are any."""
    return density - rules.density if rules.count else density


def _locate_on_flat_paper(ink: Ink) -> LocatedDigit:
    """Locate the digit in a drawn picture; in a close-up, a stroke may run from edge to edge."""
    shorter = min(ink.density.shape)
    if shorter < SMALLEST_RULED_SIDE:
        return LocatedDigit(find_digit(ink.density, flat=True), no_rules(ink.density.shape), ink.inverted)
    rules = find_rules(ink.density, ink.noise, thickest=THICKEST_RULE * shorter)
    segment = find_digit(ink.density - rules.density, flat=True)
    return LocatedDigit(segment, rules, ink.inverted)


@dataclass(frozen=True)
class _Tried:
    """The `ink` of a picture, and the `segment` found in it, rules included; None if none was looked for."""

    ink: Ink
    segment: Segment | None


def _try_dark_and_bright(grey: Grey) -> _Tried:
    """Return the ink of `grey` (h, w), whether it is dark or bright."""
    bright = brightness_of_ink(grey)
    if abs(bright) > SURE_BRIGHTNESS:
        return _Tried(find_ink(grey, inverted=bright > 0), None)
    inks = [find_ink(grey, inverted=inverted) for inverted in (False, True)]
    segments = [find_digit(ink.density) for ink in inks]
    dark, light = map(_prominence, segments)
    chosen = int(bright + _WEIGHT * np.log(light / dark) > 0)
    return _Tried(inks[chosen], segments[chosen])


def _prominence(segment: Segment) -> float:
    """Return how strongly a segment stands out: hardly if it fills one corner, as a shadow or its light."""
    left, top, right, bottom = segment.box
    height, width = segment.mask.shape
    in_corner = (left == 0) != (right == width) and (top == 0) != (bottom == height)
    return 0.1 + (_CORNER if in_corner else 1) * segment.level * float(np.sqrt(segment.mask.sum()))
