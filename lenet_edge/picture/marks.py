"""Tell marks that are no digit, a plus or a dollar sign, from the digit that a net takes them for.

A net that knows ten digits answers one of them whatever it sees, often surely. A picture that resembles a
mark clearly more than it resembles any of the packaged calibration digits of the answer is that mark. How
clearly was chosen on MNIST's training digits, of which a few in ten thousand are in doubt then
(scripts/marks.py). A slash is straighter than a hand writes a slanted 1. Not every euro sign can be told from
an 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.geometry import BOX, MNIST_SIDE, middle
from lenet_edge.digits.mnist import calibration_digits
from lenet_edge.digits.opencv import cv2
from lenet_edge.picture.ink import Array
from lenet_edge.picture.mnist_form import centred

Points = NDArray[np.float64]
"""A stroke's points (n, 2), across and down, in a mark about 1 high."""

_FINE = 4  # pixels in which a mark is drawn for one of MNIST's
_BLUR = 1.0  # pixels of MNIST's: the standard deviation of what pictures are blurred with to be compared
_TURNS, _SLANTS, _WIDTHS = (-12, -6, 0, 6, 12), (-0.2, 0.0, 0.2), (0.8, 1.0, 1.2)
_STROKES = (2.4, 3.2, 4.0)  # pixels of MNIST's

_BENT = 0.13  # of its height: so far the middle of a parenthesis is beside the line between its ends
_UPRIGHT = 0.3  # columns a row at most
_SMOOTH = 0.4  # pixels: so far at most a parenthesis is from a parabola
_SLANTED = 0.27  # columns a row at least, to the right: 15 degrees
_STRAIGHT = 0.01  # of its height: so far at most the middle of a slash is beside the line between its ends
_RULED = 0.15  # pixels: so far at most a slash is from that line, but for its ends
_SHORTEST = 8  # rows: in fewer there is neither


@dataclass(frozen=True)
class Mark:
    """A mark's `strokes`, and the digits that it is `taken_for`."""

    strokes: tuple[Points, ...]
    taken_for: tuple[int, ...]


NEARER = 0.09
"""By how much a mark is nearer than any digit: the cosine of two blurred pictures is 1 for the same."""


def resembles_mark(picture: NDArray[np.uint8], digit: int, *, nearer: float = NEARER) -> bool:
    """Return whether a `picture`, uint8 (32, 32), 0 for paper to 255 for ink, shows a mark and no `digit`.

    It is in MNIST's form, as `prepare` makes it, and not blank. `nearer`: as `NEARER`.
    """
    if not _marks_taken_for(digit):
        return False
    seen = _shifted(_blurred(middle(picture[None], side=MNIST_SIDE)[0]))
    enough = _nearest(_known_digits(digit), seen) + nearer
    # So near a digit, no mark can be nearer by enough, and none has to be drawn.
    return enough < 1 and _nearest(_drawn_marks(digit), seen) > enough


def _nearest(known: NDArray[np.float16], seen: Array) -> float:
    """Return the largest cosine of a row of `known` (n, 784) and a column of `seen` (784, 9)."""
    # By OpenCV: NumPy's product wakes a thread for each core, and these then wait at full speed for 30 ms.
    nothing = np.zeros((len(known), seen.shape[1]), np.float32)
    return float(np.asarray(cv2.gemm(known.astype(np.float32), seen, 1.0, nothing, 0.0)).max())


def _shifted(blurred: Array) -> Array:
    """Return a result of `_blurred`, (784,), and it moved by a pixel each way, (784, 9)."""
    field = np.pad(blurred.reshape(MNIST_SIDE, MNIST_SIDE), 1)
    windows = np.lib.stride_tricks.sliding_window_view(field, (MNIST_SIDE, MNIST_SIDE))
    return windows.reshape(9, -1).T


def is_parenthesis(picture: NDArray[np.uint8]) -> bool:
    """Return whether the ink of a `picture` in MNIST's form, uint8 (32, 32), is a parenthesis.

    That is one smooth bow, upright. A 1 may be one too, though seldom so bent.
    """
    bow = _bow_of(picture)
    return bow is not None and bow.rough < _SMOOTH and abs(bow.bend) > _BENT and abs(bow.lean) < _UPRIGHT


def is_slash(picture: NDArray[np.uint8]) -> bool:
    """Return whether the ink of a `picture` in MNIST's form, uint8 (32, 32), is a slash.

    That is one slanted stroke, as straight as a rule. None of the 1s among MNIST's 5,000 held-out digits is.
    """
    bow = _bow_of(picture, ends=1)
    return bow is not None and bow.rough < _RULED and abs(bow.bend) < _STRAIGHT and bow.lean < -_SLANTED


@dataclass(frozen=True, kw_only=True)
class _Bow:
    """The parabola nearest to the middle of the ink in each row.

    `lean`: columns a row, downwards. `bend`: how far its middle is beside the line between its ends, as a
    share of its height. `rough`: how far the ink's middle is from it at most, in pixels.
    """

    lean: float
    bend: float
    rough: float


def _bow_of(picture: NDArray[np.uint8], *, ends: int = 0) -> _Bow | None:
    """Return the bow of the ink of a `picture`, uint8 (32, 32), not blank; None in too few rows.

    `ends`: rows at the top and at the bottom that are left out, as a round end is in the middle of no stroke.
    """
    ink = middle(picture[None], side=MNIST_SIDE)[0].astype(np.float64)
    mass = ink.sum(axis=1)
    rows = np.flatnonzero(mass > 0.3 * np.median(mass[mass > 0]))  # not the soft ends
    rows = rows[ends : len(rows) - ends]
    if len(rows) < _SHORTEST:
        return None
    columns = ink[rows] @ np.arange(MNIST_SIDE) / mass[rows]
    height = rows[-1] - rows[0] + 1
    places = np.linspace(-1, 1, height)[rows - rows[0]]
    bow = np.polynomial.Polynomial.fit(places, columns, 2, domain=[-1, 1])
    _, lean, bend = bow.coef
    rough = float(np.abs(columns - bow(places)).max())
    return _Bow(lean=2 * lean / height, bend=bend / height, rough=rough)


def _marks_taken_for(digit: int) -> list[Mark]:
    return [mark for mark in MARKS.values() if digit in mark.taken_for]


# Kept in half precision: a cosine is right to 0.001 then, and the marks of all digits take 2 MB.
@lru_cache
def _known_digits(digit: int) -> NDArray[np.float16]:
    """Return the packaged calibration digits of one class as `_blurred` returns them, (n, 784)."""
    digits = calibration_digits()
    return np.stack([_blurred(image).astype(np.float16) for image in digits.images[digits.labels == digit]])


@lru_cache
def _drawn_marks(digit: int) -> NDArray[np.float16]:
    """Return the marks that are taken for `digit` as `_blurred` returns them, (n, 784): many of each."""
    ways = list(product(_marks_taken_for(digit), _TURNS, _SLANTS, _WIDTHS, _STROKES))
    drawn = np.empty((len(ways), MNIST_SIDE**2), np.float16)
    for row, (mark, turn, slant, width, stroke) in zip(drawn, ways, strict=True):
        row[:] = _blurred(_draw(mark.strokes, turn=turn, slant=slant, width=width, stroke=stroke))
    return drawn


def _blurred(field: NDArray[np.uint8]) -> Array:
    """Return `field` (28, 28) blurred, as a vector (784,) of length 1."""
    soft = np.asarray(cv2.GaussianBlur(field.astype(np.float32), (0, 0), _BLUR), np.float32).ravel()
    return soft / max(float(np.linalg.norm(soft)), 1e-9)


def _draw(
    strokes: Sequence[Points], *, turn: float, slant: float, width: float, stroke: float
) -> NDArray[np.uint8]:
    """Return a mark in MNIST's form, uint8 (28, 28), turned by degrees, slanted, widened; `stroke` pixels."""
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    placed = [
        points @ (np.array([[cos, -sin], [sin, cos]]) @ [[width, slant], [0, 1]]).T for points in strokes
    ]
    low, high = (end(np.concatenate(placed), axis=0) for end in (np.min, np.max))
    scale = (BOX - stroke) / (high - low).max()
    size = np.maximum(np.round((high - low) * scale + stroke), 1).astype(int)
    fine = np.zeros((size[1] * _FINE, size[0] * _FINE), np.uint8)
    for points in placed:
        # OpenCV takes whole numbers, here with four bits behind the point.
        corners = np.round(((points - low) * scale + stroke / 2) * _FINE * 16).astype(np.int32)
        cv2.polylines(fine, [corners], False, (255,), round(stroke * _FINE), cv2.LINE_AA, 4)
    small = cv2.resize(fine, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
    return centred(np.asarray(small, np.uint8))


def _arc(centre: tuple[float, float], radii: tuple[float, float], start: float, stop: float) -> Points:
    """Return a part of an ellipse, from `start` to `stop` degrees clockwise from the right."""
    angles = np.radians(np.linspace(start, stop, 24))
    return np.array(centre) + np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii


def _lines(*lines: Sequence[tuple[float, float]]) -> tuple[Points, ...]:
    return tuple(np.array(line) for line in lines)


MARKS = {
    "plus": Mark(_lines([(0, 0.4), (0.8, 0.4)], [(0.4, 0), (0.4, 0.8)]), (4,)),
    "times": Mark(_lines([(0, 0), (0.6, 0.6)], [(0.6, 0), (0, 0.6)]), (8,)),
    "hash": Mark(
        _lines(
            [(0.2, 0), (0.1, 1)], [(0.6, 0), (0.5, 1)], [(0, 0.33), (0.75, 0.33)], [(0, 0.67), (0.75, 0.67)]
        ),
        (4,),
    ),
    "tick": Mark(_lines([(0, 0.6), (0.22, 0.95), (0.75, 0)]), (1, 5, 7)),
    "round tick": Mark(_lines([(0, 0.55), (0.15, 0.9), (0.3, 0.95), (0.45, 0.6), (0.9, 0.05)]), (5,)),
    "dollar": Mark(
        (
            np.concatenate(
                [_arc((0.3, 0.27), (0.27, 0.23), -30, -270), _arc((0.3, 0.73), (0.27, 0.23), -90, 150)]
            ),
            *_lines([(0.3, -0.1), (0.3, 1.1)]),
        ),
        (5,),
    ),
    "euro": Mark(
        (
            _arc((0.45, 0.5), (0.38, 0.45), -45, -315),
            *_lines([(-0.05, 0.42), (0.5, 0.42)], [(-0.05, 0.58), (0.5, 0.58)]),
        ),
        (8,),
    ),
    "percent": Mark(
        (
            _arc((0.1, 0.2), (0.13, 0.17), 0, 360),
            _arc((0.6, 0.8), (0.13, 0.17), 0, 360),
            *_lines([(0.6, 0), (0.1, 1)]),
        ),
        (6, 8),
    ),
}
"""The marks by name; a colon is two figures; a parenthesis is told by its bow, a slash by having none."""
