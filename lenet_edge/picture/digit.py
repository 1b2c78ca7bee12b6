"""From any picture of a digit to the picture that the model sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from converters.base.errors import expect
from lenet_edge.digits.geometry import BOX, FIELD, MNIST_SIDE, SEARCHED_SIDE
from lenet_edge.picture.digit_search import Located, locate
from lenet_edge.picture.ink import Array
from lenet_edge.picture.ink_pieces import smoothed
from lenet_edge.picture.mnist_form import pad_to_field, to_mnist_form
from lenet_edge.picture.segment import Finding

SMALLEST_SIDE = 8
"""Pixels: a picture with a shorter side is refused."""
LONGEST_SHAPE = 20
"""How many times as long as wide a picture may be."""

_SECOND_LOOK = 80  # pixels, at SEARCHED_SIDE: a smaller digit is looked at again, larger
_BLACK = 40  # grey levels: MNIST's empty paper, JPEG's ripples included

Box = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels."""


@dataclass(frozen=True)
class Prepared:
    """A picture made ready for the model.

    `picture` is uint8 (32, 32), 0 for paper to 255 for ink: MNIST's 28x28 in the middle.
    `finding` says whether it is a digit at all, and `reason` why not; `box` is where the ink was found in
    the picture that was given (left, top, right, bottom; None when blank); `inverted` tells that the ink was
    the bright part of it.
    """

    picture: NDArray[np.uint8]
    finding: Finding
    reason: str
    box: Box | None
    inverted: bool


def prepare(grey: NDArray[np.uint8]) -> Prepared:
    """Find the digit in `grey`, uint8 (h, w) with 0 black and 255 white, and make it look like MNIST's.

    Dark ink on bright paper or the reverse, of any size from 8x8 on and up to 20 times as long as wide. A
    picture that already is as MNIST has it is passed on unchanged. Raises InputError for another shape.
    """
    expect(
        isinstance(grey, np.ndarray) and grey.ndim == 2 and grey.dtype == np.uint8,
        "a grey picture of uint8 (h, w)",
        f"{getattr(grey, 'dtype', type(grey).__name__)} {getattr(grey, 'shape', '')}".strip(),
    )
    check_shape(grey.shape[1], grey.shape[0])
    for inverted, field in ((True, grey), (False, np.invert(grey))):
        if _is_mnist(field):
            box = _box(field > _BLACK)
            return Prepared(_in_picture(field), Finding.DIGIT, "", box, inverted)
    return _prepare_any(grey)


def check_shape(width: int, height: int, *, line: bool = False) -> None:
    """Raise InputError unless a picture of this size can hold a digit, or a `line` of any length of them."""
    shorter, longer = min(width, height), height if line else max(width, height)
    long = "high" if line else "long"
    expect(shorter >= SMALLEST_SIDE, f"at least {SMALLEST_SIDE} pixels each way", f"{width}x{height}")
    expect(
        longer <= LONGEST_SHAPE * shorter,
        f"a picture at most {LONGEST_SHAPE} times as {long} as wide",
        f"{width}x{height}",
    )


def _is_mnist(field: NDArray[np.uint8]) -> bool:
    """Tell whether `field` is one of MNIST, or made by its recipe: nothing is to be done about it."""
    if field.shape not in ((MNIST_SIDE, MNIST_SIDE), (FIELD, FIELD)) or field.max() < 128:
        return False
    edge = (len(field) - BOX) // 2 - 1
    inner = field[edge:-edge, edge:-edge]
    around = field.copy()
    around[edge:-edge, edge:-edge] = 0
    if around.max() > _BLACK and np.count_nonzero(around > _BLACK) > 0.02 * around.size:
        return False
    ink = np.where(field > _BLACK, field, 0).astype(np.float64)
    left, top, right, bottom = _box(inner > _BLACK)
    middle = len(field) / 2
    rows, columns = ink.sum(axis=1), ink.sum(axis=0)
    places = np.arange(len(field))
    centre = [(values * places).sum() / values.sum() for values in (rows, columns)]
    near = all(abs(place - middle) <= 1 for place in centre)
    return near and max(right - left, bottom - top) >= BOX - 3


def _in_picture(field: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pad_to_field(field) if len(field) == MNIST_SIDE else field.copy()


def _prepare_any(grey: NDArray[np.uint8]) -> Prepared:
    factor = _reduction(grey.shape)
    small = _reduced(grey, factor)
    located = locate(small)
    segment = located.segment
    if segment.finding is Finding.BLANK:
        nothing = np.zeros((FIELD, FIELD), np.uint8)
        return Prepared(nothing, segment.finding, segment.reason, None, located.inverted)
    box = _box(segment.mask)
    source = _times(box, factor, grey.shape)
    if segment.finding is Finding.DIGIT and factor > 1 and _longer(box) < _SECOND_LOOK:
        located = _second_look(grey, source) or located
    picture = _picture(located)
    if not picture.any():  # a speck that leaves no ink at the model's size
        return Prepared(picture, Finding.BLANK, "nothing is written on it", None, located.inverted)
    return Prepared(picture, segment.finding, segment.reason, source, located.inverted)


def _second_look(grey: NDArray[np.uint8], box: Box) -> Located | None:
    """Locate the digit of `box` again in that part of `grey`, with room around it; None if it is lost."""
    room = 8 + _longer(box)
    left, top = (max(0, edge - room) for edge in box[:2])
    part = grey[top : box[3] + room, left : box[2] + room]
    located = locate(_reduced(part, _reduction(part.shape)))
    return located if located.segment.finding is Finding.DIGIT else None


def _picture(located: Located) -> NDArray[np.uint8]:
    """Return the located digit as the model sees it, uint8 (32, 32)."""
    segment = located.segment
    left, top, right, bottom = _box(segment.mask)
    part = slice(max(top - 1, 0), bottom + 1), slice(max(left - 1, 0), right + 1)
    shade = np.maximum(segment.shade[part] / segment.level, 0)
    near = smoothed(segment.mask[part].astype(np.float32), 1) > 0
    digit = to_mnist_form(np.where(near, shade, 0).astype(np.float32), turn=located.turn or 0.0)
    return pad_to_field(digit)


def _reduction(shape: tuple[int, ...]) -> int:
    return max(1, -(-max(shape) // SEARCHED_SIDE))


def _reduced(grey: NDArray[np.uint8], factor: int) -> Array:
    return np.asarray(Image.fromarray(grey).reduce(factor)).astype(np.float32)


def _box(mask: NDArray[np.bool_]) -> Box:
    """Return left, top, right and bottom of what is set in `mask`; zeros if nothing is."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return 0, 0, 0, 0
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _times(box: Box, factor: int, shape: tuple[int, ...]) -> Box:
    """Return `box` in pixels that are `factor` times smaller, within a picture of `shape`."""
    left, top, right, bottom = (edge * factor for edge in box)
    return left, top, min(right, shape[1]), min(bottom, shape[0])


def _longer(box: Box) -> int:
    return max(box[2] - box[0], box[3] - box[1])
