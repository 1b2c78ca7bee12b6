"""Prepare any picture of a digit for the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from converters.base.errors import expect
from lenet_edge.digits.geometry import BOX, FIELD, MNIST_SIDE, SEARCHED_SIDE
from lenet_edge.picture.digit_search import LocatedDigit, locate_digit
from lenet_edge.picture.ink import Array
from lenet_edge.picture.ink_pieces import smoothed
from lenet_edge.picture.mnist_form import pad_to_field, to_mnist_form
from lenet_edge.picture.segment import Finding

SMALLEST_SIDE = 8
"""The shortest side of a picture, in pixels."""
LARGEST_ASPECT_RATIO = 20
"""The largest ratio of a picture's longer side to its shorter one."""

_SMALL_DIGIT = 80  # pixels, at SEARCHED_SIDE: a smaller digit is located again at a larger size
_BLACK = 40  # grey levels: up to here MNIST's paper is empty, with JPEG artefacts

Box = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels."""


@dataclass(frozen=True)
class Prepared:
    """A picture made ready for the model.

    `picture` is uint8 (32, 32), 0 for paper to 255 for ink: MNIST's 28x28 in the middle. `finding` says
    whether it shows one digit, and `reason` why not; `box` is the box of the ink in the source picture, in
    pixels (left, top, right, bottom; None if blank); `inverted`: the ink was its bright part.
    """

    picture: NDArray[np.uint8]
    finding: Finding
    reason: str
    box: Box | None
    inverted: bool


def prepare(grey: NDArray[np.uint8]) -> Prepared:
    """Find the digit in `grey`, uint8 (h, w) with 0 black and 255 white, and normalise it as in MNIST.

    Dark ink on bright paper or the reverse, at least 8x8 pixels, and up to 20 times as long as wide. A
    picture already in MNIST's form passes unchanged. Raises InputError for another type or shape.
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
            return Prepared(_in_field(field), Finding.DIGIT, "", box, inverted)
    return _prepare_page(grey)


def check_shape(width: int, height: int, *, line: bool = False) -> None:
    """Raise InputError unless a picture of this size can hold a digit, or a `line` of digits."""
    shorter, longer = min(width, height), height if line else max(width, height)
    long = "high" if line else "long"
    expect(shorter >= SMALLEST_SIDE, f"at least {SMALLEST_SIDE} pixels each way", f"{width}x{height}")
    expect(
        longer <= LARGEST_ASPECT_RATIO * shorter,
        f"a picture at most {LARGEST_ASPECT_RATIO} times as {long} as wide",
        f"{width}x{height}",
    )


def _is_mnist(field: NDArray[np.uint8]) -> bool:
    """Return whether `field` is already in MNIST's form."""
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
    positions = np.arange(len(field))
    centre = [(values * positions).sum() / values.sum() for values in (rows, columns)]
    near = all(abs(position - middle) <= 1 for position in centre)
    return near and max(right - left, bottom - top) >= BOX - 3


def _in_field(field: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pad_to_field(field) if len(field) == MNIST_SIDE else field.copy()


def _prepare_page(grey: NDArray[np.uint8]) -> Prepared:
    factor = _reduction_factor(grey.shape)
    small = _reduced(grey, factor)
    located = locate_digit(small)
    segment = located.segment
    if segment.finding is Finding.BLANK:
        blank = np.zeros((FIELD, FIELD), np.uint8)
        return Prepared(blank, segment.finding, segment.reason, None, located.inverted)
    box = _box(segment.mask)
    source = _enlarged(box, factor, grey.shape)
    if segment.finding is Finding.DIGIT and factor > 1 and _longer_side(box) < _SMALL_DIGIT:
        located = _locate_enlarged(grey, source) or located
    picture = _model_picture(located)
    if not picture.any():  # a speck so small that no ink is left at the model's size
        return Prepared(picture, Finding.BLANK, "nothing is written on it", None, located.inverted)
    return Prepared(picture, segment.finding, segment.reason, source, located.inverted)


def _locate_enlarged(grey: NDArray[np.uint8], box: Box) -> LocatedDigit | None:
    """Locate the digit again in the part of `grey` around `box`, less reduced; None if that finds none."""
    room = 8 + _longer_side(box)
    left, top = (max(0, edge - room) for edge in box[:2])
    part = grey[top : box[3] + room, left : box[2] + room]
    located = locate_digit(_reduced(part, _reduction_factor(part.shape)))
    return located if located.segment.finding is Finding.DIGIT else None


def _model_picture(located: LocatedDigit) -> NDArray[np.uint8]:
    """Return the located digit as the model's input, uint8 (32, 32)."""
    segment = located.segment
    left, top, right, bottom = _box(segment.mask)
    part = slice(max(top - 1, 0), bottom + 1), slice(max(left - 1, 0), right + 1)
    shade = np.maximum(segment.shade[part] / segment.level, 0)
    near = smoothed(segment.mask[part].astype(np.float32), 1) > 0
    digit = to_mnist_form(np.where(near, shade, 0).astype(np.float32), turn=located.turn or 0.0)
    return pad_to_field(digit)


def _reduction_factor(shape: tuple[int, ...]) -> int:
    return max(1, -(-max(shape) // SEARCHED_SIDE))


def _reduced(grey: NDArray[np.uint8], factor: int) -> Array:
    return np.asarray(Image.fromarray(grey).reduce(factor)).astype(np.float32)


def _box(mask: NDArray[np.bool_]) -> Box:
    """Return the box of the pixels set in `mask`; zeros if there are none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return 0, 0, 0, 0
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _enlarged(box: Box, factor: int, shape: tuple[int, ...]) -> Box:
    """Return `box` in pixels that are `factor` times smaller, clipped to a picture of `shape`."""
    left, top, right, bottom = (edge * factor for edge in box)
    return left, top, min(right, shape[1]), min(bottom, shape[0])


def _longer_side(box: Box) -> int:
    return max(box[2] - box[0], box[3] - box[1])
