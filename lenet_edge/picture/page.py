"""Find the digit on a page and bring it into MNIST's form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.geometry import FIELD
from lenet_edge.picture.digit_search import Known, LocatedDigit, locate_digit, thickest_stroke, window_for
from lenet_edge.picture.findings import Box, Finding, Prepared
from lenet_edge.picture.ink_pieces import smoothed
from lenet_edge.picture.mnist_form import pad_to_field, to_mnist_form
from lenet_edge.picture.mnist_pictures import as_in_mnist
from lenet_edge.picture.reduction import reduced
from lenet_edge.picture.sheet import find_sheet

_FLAT = 0.5  # of the pixels of a drawn picture are exactly as grey as its paper
_SOME = 100  # rows, or columns: enough to tell a photograph from a drawn picture
_LITTLE = 20  # levels: with less contrast, a picture is left as it is
_SEARCHED_SIDE = 256  # pixels, about: the longer side of a page that is searched
_SMALL_DIGIT = 53  # pixels of the reduced page: a smaller digit is located again at a larger size


def prepare_page(grey: NDArray[np.uint8]) -> Prepared:
    """Find the digit on `grey`, uint8 (h, w), 0 black to 255 white, and normalise it as in MNIST."""
    grey = _levelled(grey)
    unchanged = as_in_mnist(grey)
    if unchanged is not None:
        return unchanged
    sheet = find_sheet(grey)
    if sheet is None:
        return _prepare_paper(grey)
    found = _prepare_paper(sheet.grey)
    if found.box is None:
        return found
    return replace(found, box=sheet.box_in_picture(found.box, grey.shape))


def _levelled(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a drawn picture (h, w) of one grey paper on pure black or white; `grey` itself if it is none."""
    step = max(1, min(grey.shape) // _SOME)
    some = np.bincount(grey[::step, ::step].ravel(), minlength=256)
    if some.max() < _FLAT / 2 * some.sum():  # a photograph's most frequent grey is a twentieth or so of it
        return grey
    paper = int(some.argmax())
    if np.count_nonzero(grey == paper) < _FLAT * grey.size:
        return grey
    away = grey.astype(np.float32) - paper
    below, above = -float(away.min()), float(away.max())
    if max(below, above) < _LITTLE:
        return grey
    field = away / above if above > below else 1 + away / below
    return (np.clip(field, 0, 1) * 255 + 0.5).astype(np.uint8)


def _prepare_paper(grey: NDArray[np.uint8]) -> Prepared:
    """Find the digit on `grey` (h, w), paper from edge to edge."""
    factor = _reduction_factor(grey.shape)
    located = locate_digit(reduced(grey, factor).astype(np.float32))
    segment = located.segment
    if segment.finding is Finding.BLANK:
        blank = np.zeros((FIELD, FIELD), np.uint8)
        return Prepared(blank, segment.finding, segment.reason, None, located.inverted)
    source = _enlarged(segment.box, factor, grey.shape)
    if segment.finding is Finding.DIGIT and factor > 1 and _longer_side(segment.box) < _SMALL_DIGIT:
        located = _locate_enlarged(grey, source, located) or located
    picture = _model_picture(located)
    if not picture.any():  # a speck so small that no ink is left at the model's size
        return Prepared(picture, Finding.BLANK, "nothing is written on it", None, located.inverted)
    return Prepared(picture, segment.finding, segment.reason, source, located.inverted, on_page=True)


def _locate_enlarged(grey: NDArray[np.uint8], box: Box, located: LocatedDigit) -> LocatedDigit | None:
    """Locate the digit again in the part of `grey` around `box`, less reduced; None if that finds none."""
    side = _longer_side(box)
    room = 8 + side
    left, top = (max(0, edge - room) for edge in box[:2])
    part = grey[top : box[3] + room, left : box[2] + room]
    small = reduced(part, _reduction_factor(part.shape)).astype(np.float32)
    stroke = thickest_stroke(located.segment) * side / _longer_side(located.segment.box)
    window = window_for(stroke, min(part.shape))
    known = Known(inverted=located.inverted, ruled=located.turn is not None, window=window)
    again = locate_digit(small, known=known)
    return again if again.segment.finding is Finding.DIGIT else None


def _model_picture(located: LocatedDigit) -> NDArray[np.uint8]:
    """Return the located digit as the model's input, uint8 (32, 32)."""
    segment = located.segment
    left, top, right, bottom = segment.box
    part = slice(max(top - 1, 0), bottom + 1), slice(max(left - 1, 0), right + 1)
    shade = np.maximum(segment.shade[part] / segment.level, 0)
    near = smoothed(segment.mask[part].astype(np.float32), 1) > 0
    digit = to_mnist_form(np.where(near, shade, 0).astype(np.float32), turn=located.turn or 0.0)
    return pad_to_field(digit)


def _reduction_factor(shape: tuple[int, ...]) -> int:
    return max(1, round(max(shape) / _SEARCHED_SIDE))


def _enlarged(box: Box, factor: int, shape: tuple[int, ...]) -> Box:
    """Return `box` in pixels that are `factor` times smaller, clipped to a picture of `shape`."""
    left, top, right, bottom = (edge * factor for edge in box)
    return left, top, min(right, shape[1]), min(bottom, shape[0])


def _longer_side(box: Box) -> int:
    return max(box[2] - box[0], box[3] - box[1])
