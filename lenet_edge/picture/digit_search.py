"""The digit in a picture: which pixels are its strokes, whatever it was written on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lenet_edge.picture.ink import WIDEST, Array, Ink, brightness_of_ink, find_ink, flat_ink, flat_paper
from lenet_edge.picture.ruled_lines import find_rules
from lenet_edge.picture.segment import Finding, Segment, find_digit

UNSURE = 0.7  # of the brightness of the ink: below it both are tried
_NARROWEST = 0.08  # window of the paper's closing, of the picture's shorter side
ROOM_FOR_RULES = 100  # pixels: on flat paper smaller than this there are none
THIN_RULE = 0.025  # of the shorter side: on flat paper a rule is no thicker, and a stroke not as thin
_STROKE = 0.3  # no stroke is thicker than this share of its digit


@dataclass(frozen=True)
class Located:
    """The segment of the digit and how far its paper is turned clockwise, in degrees, if its rules tell."""

    segment: Segment
    turn: float | None
    inverted: bool


def locate(grey: Array) -> Located:
    """Locate the digit in a `grey` picture (h, w), 0 black to 255 white."""
    flat = flat_paper(grey)
    if flat is not None:
        return _on_flat_paper(flat_ink(grey, inverted=flat))
    ink = _ink(grey)
    rules = find_rules(ink.density, ink.noise)
    segment = find_digit(ink.density - rules.density)
    window = WIDEST
    # The paper under small digits is found again by a smaller window: shadows come out better.
    for _ in range(2):
        narrower = max(_NARROWEST, _STROKE * _size(segment) / min(grey.shape))
        if segment.finding is Finding.BLANK or narrower > 0.8 * window:
            break
        window = narrower
        density = find_ink(grey, inverted=ink.inverted, window=window).density
        segment = find_digit(density - rules.density)
    return Located(segment, rules.turn, ink.inverted)


def _on_flat_paper(ink: Ink) -> Located:
    """Locate the digit in a drawn picture; in a close one, a stroke may run from edge to edge."""
    shorter = min(ink.density.shape)
    if shorter < ROOM_FOR_RULES:
        return Located(find_digit(ink.density, flat=True), None, ink.inverted)
    rules = find_rules(ink.density, ink.noise, thickest=THIN_RULE * shorter)
    segment = find_digit(ink.density - rules.density, flat=True)
    return Located(segment, rules.turn, ink.inverted)


def _ink(grey: Array) -> Ink:
    """Return the ink, dark or bright, whichever it is."""
    bright = brightness_of_ink(grey)
    if abs(bright) > UNSURE:
        return find_ink(grey, inverted=bright > 0)
    inks = [find_ink(grey, inverted=inverted) for inverted in (False, True)]
    dark, light = (_weight(find_digit(ink.density)) for ink in inks)
    return inks[int(bright + 0.2 * np.log(light / dark) > 0)]


def _weight(segment: Segment) -> float:
    """Return how strongly a segment stands out."""
    return 0.1 + segment.level * float(np.sqrt(segment.mask.sum()))


def _size(segment: Segment) -> int:
    """Return the longer side of the segment's box, in pixels."""
    rows, columns = segment.mask.any(axis=1), segment.mask.any(axis=0)
    return max(int(np.ptp(np.flatnonzero(side))) + 1 if side.any() else 0 for side in (rows, columns))
