"""Find the digit on a page and bring it into MNIST's form."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.geometry import FIELD
from lenet_edge.picture.digit_search import (
    Known,
    LocatedDigit,
    locate_again,
    locate_digit,
    look_at,
    narrower_window,
    thickest_stroke,
    window_for,
)
from lenet_edge.picture.findings import Box, Finding, Prepared
from lenet_edge.picture.ink import WIDEST_STROKE
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
_FIRST_SIDE = 144  # pixels, about: the longer side at which a page is looked at first
_USUAL_DIGIT = 72  # pixels, about: the longer side at which a digit is located again
_AGREED = 0.12  # of a digit's longer side: so far may the ends of its box differ between two looks


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
    found = _at_first_look(grey) or _searched(grey)
    segment, inverted = found.located.segment, found.located.inverted
    if segment.finding is Finding.BLANK:
        return Prepared(np.zeros((FIELD, FIELD), np.uint8), segment.finding, segment.reason, None, inverted)
    picture = _model_picture(found.located)
    if not picture.any():  # a speck so small that no ink is left at the model's size
        return Prepared(picture, Finding.BLANK, "nothing is written on it", None, inverted)
    return Prepared(picture, segment.finding, segment.reason, found.box, inverted, on_page=True)


@dataclass(frozen=True)
class _Found:
    """A digit `located` in a part of a page, or in all of it; its `box` is in pixels of the page."""

    located: LocatedDigit
    box: Box


def _at_first_look(grey: NDArray[np.uint8]) -> _Found | None:
    """Find the digit by a look at the much reduced page, then at what is around it alone.

    None if both looks do not find the same one digit: there is a shadow, a frame, a second figure, or none.
    """
    factor = max(1, round(max(grey.shape) / _FIRST_SIDE))
    if factor == 1:
        return None
    seen = look_at(reduced(grey, factor))
    if seen is None or seen.segment.finding is not Finding.DIGIT:
        return None
    box = _enlarged(seen.segment.box, factor, grey.shape)
    found = _located_enlarged(grey, _Found(seen, box), factor)
    if found is None:
        return None
    room = max(2 * factor, _AGREED * _longer_side(box))
    return found if np.abs(np.subtract(found.box, box)).max() <= room else None


def _searched(grey: NDArray[np.uint8]) -> _Found:
    """Find the digit by a search of the whole page."""
    factor = _reduction_factor(grey.shape)
    located = locate_digit(reduced(grey, factor))
    segment = located.segment
    found = _Found(located, _enlarged(segment.box, factor, grey.shape))
    if segment.finding is Finding.DIGIT and factor > 1 and _longer_side(segment.box) < _SMALL_DIGIT:
        return _located_enlarged(grey, found, factor) or found
    return found


def _located_enlarged(grey: NDArray[np.uint8], found: _Found, factor: int) -> _Found | None:
    """Locate the digit `found` again in the part of `grey` around it; None if that finds no single one.

    It was found in the page reduced by `factor`; the part is reduced less.
    """
    box, located = found.box, found.located
    side = _longer_side(box)
    room = 8 + side
    left, top = (max(0, edge - room) for edge in box[:2])
    part = grey[top : box[3] + room, left : box[2] + room]
    less = max(1, min(factor // 2, round(side / _USUAL_DIGIT)))  # a second look is twice as fine at least
    small = reduced(part, less)
    stroke, narrow = thickest_stroke(located.segment), narrower_window(located.segment, WIDEST_STROKE)
    known = Known(
        inverted=located.inverted,
        rules=located.rules.courses.in_part((left / factor, top / factor), less / factor, small.shape),
        window=window_for(stroke * factor, min(part.shape)) if narrow else WIDEST_STROKE,
    )
    again = locate_again(small, known)
    if again.segment.finding is not Finding.DIGIT:
        return None
    own = [edge * less + start for edge, start in zip(again.segment.box, (left, top) * 2, strict=True)]
    return _Found(again, (own[0], own[1], min(own[2], grey.shape[1]), min(own[3], grey.shape[0])))


def _model_picture(located: LocatedDigit) -> NDArray[np.uint8]:
    """Return the located digit as the model's input, uint8 (32, 32)."""
    segment = located.segment
    left, top, right, bottom = segment.box
    part = slice(max(top - 1, 0), bottom + 1), slice(max(left - 1, 0), right + 1)
    shade = np.maximum(segment.shade[part] / segment.level, 0)
    near = smoothed(segment.mask[part].astype(np.float32), 1) > 0
    digit = to_mnist_form(np.where(near, shade, 0).astype(np.float32), turn=located.rules.turn or 0.0)
    return pad_to_field(digit)


def _reduction_factor(shape: tuple[int, ...]) -> int:
    return max(1, round(max(shape) / _SEARCHED_SIDE))


def _enlarged(box: Box, factor: int, shape: tuple[int, ...]) -> Box:
    """Return `box` in pixels that are `factor` times smaller, clipped to a picture of `shape`."""
    left, top, right, bottom = (edge * factor for edge in box)
    return left, top, min(right, shape[1]), min(bottom, shape[0])


def _longer_side(box: Box) -> int:
    return max(box[2] - box[0], box[3] - box[1])
