"""Locate the digit in a picture: find its strokes on any paper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lenet_edge.digits.opencv import cv2
from lenet_edge.picture.findings import Finding, box_of
from lenet_edge.picture.ink import (
    WIDEST_STROKE,
    Array,
    Ink,
    brightness_of_ink,
    find_ink,
    flat_ink,
    flat_paper,
)
from lenet_edge.picture.ruled_lines import find_rules
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
    """The digit's segment and the clockwise turn of its paper in degrees, None without rules."""

    segment: Segment
    turn: float | None
    inverted: bool


def locate_digit(grey: Array, *, inverted: bool | None = None) -> LocatedDigit:
    """Locate the digit in a `grey` picture (h, w), 0 black to 255 white.

    `inverted`: whether the ink is the bright part, if that is known.
    """
    flat = flat_paper(grey)
    if flat is not None:
        return _locate_on_flat_paper(flat_ink(grey, inverted=flat))
    known = inverted is not None
    ink = find_ink(grey, inverted=bool(inverted)) if known else _find_dark_or_bright_ink(grey)
    rules = find_rules(ink.density, ink.noise)
    segment = find_digit(ink.density - rules.density)
    window = WIDEST_STROKE
    # Under small digits the paper is estimated again with a smaller window, which follows shadows better.
    for _ in range(2):
        narrower = max(_NARROWEST_WINDOW, _thickest_stroke(segment) / min(grey.shape))
        if segment.finding is Finding.BLANK or narrower > 0.8 * window:
            break
        window = narrower
        density = find_ink(grey, inverted=ink.inverted, window=window).density
        segment = find_digit(density - rules.density)
    return LocatedDigit(segment, rules.turn, ink.inverted)


def _locate_on_flat_paper(ink: Ink) -> LocatedDigit:
    """Locate the digit in a drawn picture; in a close-up, a stroke may run from edge to edge."""
    shorter = min(ink.density.shape)
    if shorter < SMALLEST_RULED_SIDE:
        return LocatedDigit(find_digit(ink.density, flat=True), None, ink.inverted)
    rules = find_rules(ink.density, ink.noise, thickest=THICKEST_RULE * shorter)
    segment = find_digit(ink.density - rules.density, flat=True)
    return LocatedDigit(segment, rules.turn, ink.inverted)


def _find_dark_or_bright_ink(grey: Array) -> Ink:
    """Return the ink of `grey`, whether it is dark or bright."""
    bright = brightness_of_ink(grey)
    if abs(bright) > SURE_BRIGHTNESS:
        return find_ink(grey, inverted=bright > 0)
    inks = [find_ink(grey, inverted=inverted) for inverted in (False, True)]
    dark, light = (_prominence(find_digit(ink.density)) for ink in inks)
    return inks[int(bright + _WEIGHT * np.log(light / dark) > 0)]


def _prominence(segment: Segment) -> float:
    """Return how strongly a segment stands out: hardly if it fills a corner, as a shadow or its light.

    Printed rules run from edge to edge.
    """
    left, top, right, bottom = box_of(segment.mask)
    height, width = segment.mask.shape
    in_corner = (left == 0) != (right == width) and (top == 0) != (bottom == height)
    return 0.1 + (_CORNER if in_corner else 1) * segment.level * float(np.sqrt(segment.mask.sum()))


def _thickest_stroke(segment: Segment) -> float:
    """Return how thick the segment's strokes may be, in pixels: more than the largest square in them."""
    left, top, right, bottom = box_of(segment.mask)
    longer = max(right - left, bottom - top)
    inside = np.pad(segment.mask[top:bottom, left:right], 1).astype(np.uint8)
    square = 2 * float(cv2.distanceTransform(inside, cv2.DIST_C, 3).max()) + 1
    return max(_THICKEST_STROKE * longer, square if square <= _THICKEST_BLOT * longer else 0.0)
