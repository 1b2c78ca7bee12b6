"""Decide which pieces of ink are the digit: not specks, and not a second digit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenet_edge.picture.connected_components import mask_of
from lenet_edge.picture.findings import Box, Finding
from lenet_edge.picture.ink import Array
from lenet_edge.picture.ink_pieces import Piece, find_pieces
from lenet_edge.picture.strokes import distances

_SLIM = 0.35  # width to height: two strokes as slim, side by side, are two ones
_WIDEST = 2.2  # width to height: that of the widest of MNIST's training digits


@dataclass(frozen=True)
class Segment:
    """The digit's pixels in `mask` (h, w), their `box`, the `shade` (h, w) of each, the `level` of full ink.

    A shade is the share of the paper's light that is absorbed, 0 for bare paper, slightly smoothed. Without
    ink, `mask` is empty and the box zeros; without a single digit, `reason` says why.
    """

    finding: Finding
    reason: str
    mask: NDArray[np.bool_]
    box: Box
    shade: Array
    level: float


def find_digit(density: Array, *, flat: bool = False) -> Segment:
    """Find the strokes of one digit in the ink `density` (h, w), 0 for paper; `flat` as for `find_pieces`."""
    found = find_pieces(density, flat=flat, single=True)
    labels, smooth, level = found.labels, found.shade, found.level
    if found.main is None:
        empty = np.zeros(smooth.shape, bool)
        return Segment(Finding.BLANK, "nothing is written on it", empty, (0, 0, 0, 0), smooth, 0.0)
    chosen, others = _group(labels, found.pieces, found.main)
    mask = mask_of(labels, [p.number for p in chosen])
    left, top = min(p.left for p in chosen), min(p.top for p in chosen)
    right, bottom = max(p.right for p in chosen), max(p.bottom for p in chosen)
    finding, reason = Finding.DIGIT, ""
    if others:
        finding, reason = Finding.CROWDED, f"{1 + len(others)} separate figures"
    elif right - left > _WIDEST * (bottom - top):
        finding, reason = Finding.CROWDED, "wider than one digit"
    return Segment(finding, reason, mask, (left, top, right, bottom), smooth, level)


def _group(labels: NDArray[np.int32], pieces: list[Piece], main: Piece) -> tuple[list[Piece], list[Piece]]:
    """Return the pieces of the digit that `main` belongs to, and the pieces that are separate figures."""
    chosen = [main]
    rest = sorted((p for p in pieces if p is not main), key=lambda p: -p.mass)
    rest = [p for p in rest if p.area >= 0.01 * main.area and (main.cut or not p.cut)]
    size = main.longer
    grown = True
    while grown:
        grown = False
        for piece in list(rest):
            if any(_gap(labels, piece, other) <= _largest_gap(piece, other) * size for other in chosen):
                chosen.append(piece)
                rest.remove(piece)
                grown = True
    others = [p for p in rest if p.longer >= 0.4 * size and p.area >= 0.15 * main.area]
    return chosen, others


def _largest_gap(one: Piece, other: Piece) -> float:
    """Return the largest gap between two pieces of one digit, as a share of the digit's size.

    Digits stand side by side, so two tall pieces next to each other must be close to be one digit.
    """
    shared_rows = min(one.bottom, other.bottom) - max(one.top, other.top)
    shared_columns = min(one.right, other.right) - max(one.left, other.left)
    heights = sorted((one.bottom - one.top, other.bottom - other.top))
    widths = sorted((one.right - one.left, other.right - other.left))
    if shared_columns <= 0 and heights[0] > 0.8 * heights[1] and widths[1] < _SLIM * heights[0]:
        return 0.0  # two ones
    narrower = widths[0]
    if shared_columns > 0.3 * narrower or shared_rows < 0.5 * heights[0]:
        return 0.35
    return 0.16 if heights[0] > 0.6 * heights[1] else 0.25


def _gap(labels: NDArray[np.int32], one: Piece, other: Piece) -> float:
    """Return the distance between the nearest pixels of two pieces."""
    top, left = min(one.top, other.top), min(one.left, other.left)
    bottom, right = max(one.bottom, other.bottom), max(one.right, other.right)
    part = labels[top:bottom, left:right]
    away = distances(part == other.number)
    return float(away[part == one.number].min())
