"""Warp MNIST digits into one writer's handwriting: slant, size and tremor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import expect
from lenet_edge.digits.geometry import FIELD
from lenet_edge.digits.mnist import Digits, pad
from lenet_edge.digits.smoothing import smoothing
from lenet_edge.digits.string_fields.fields import INK

_ELASTIC_DISTANCE = 4.5  # pixels: nearer points move together


@dataclass(frozen=True)
class Writing:
    """How strings are written and soiled; with zeros, MNIST's digits are unchanged.

    Of a string: `slant` (columns a row) and `size` (natural logarithm) as standard deviations, `baseline` in
    rows, `drift` in rows from one end to the other. Of each digit, relative to its string: `own_slant`,
    `own_size`, `squeeze`, `rotation` (radians), `own_row` (rows) as standard deviations, `elastic` in pixels,
    the strength of the largest displacement field. `separators`: the share of gaps with a dot, a comma or a
    dash. `dirt`: 0 clean to 1, a factor on the probability of every kind of line, print and noise.
    """

    slant: float = 0.14
    size: float = 0.11
    baseline: float = 1.2
    drift: float = 1.5
    own_slant: float = 0.06
    own_size: float = 0.05
    squeeze: float = 0.07
    rotation: float = 0.07
    own_row: float = 0.8
    elastic: float = 0.9
    separators: float = 0.15
    dirt: float = 1.0

    def gentler(self, factor: float) -> Writing:
        """Return this writing with its distortions and dirt multiplied by `factor`, 0..1."""
        expect(0 <= factor <= 1, "a factor of 0..1", factor)
        sizes = ("slant", "size", "own_slant", "own_size", "squeeze", "rotation", "elastic", "dirt")
        return replace(self, **{name: factor * getattr(self, name) for name in sizes})


AS_IN_MNIST = Writing(**dict.fromkeys(Writing.__dataclass_fields__, 0.0))
"""Unchanged MNIST digits on one straight line, nothing else."""


AMOUNTS = Writing(separators=0.4, dirt=0.0)
"""Amounts such as 25.441: marks in four of ten gaps; `strings.behind` adds the form's print."""


class WarpedDigits(NamedTuple):
    """Warped digits (n, 32, 32), the boxes of their ink (n, 4: top, bottom, left, right), their labels."""

    pictures: NDArray[np.uint8]
    boxes: NDArray[np.int64]
    labels: NDArray[np.uint8]


def warped(
    rng: np.random.Generator, digits: Digits, lengths: NDArray[np.int64], hand: Writing
) -> WarpedDigits:
    """Draw the digits of strings of `lengths`, each warped by its string's distortions and its own."""
    total = int(lengths.sum())
    chosen = rng.integers(len(digits.labels), size=total)
    of_string = np.repeat(np.arange(len(lengths)), lengths)

    def drawn(shared: float, own: float) -> NDArray[np.float32]:
        values = rng.normal(0, 1, len(lengths))[of_string] * shared + rng.normal(0, 1, total) * own
        return values.astype(np.float32)

    slant, size = drawn(hand.slant, hand.own_slant), drawn(hand.size, hand.own_size)
    squeeze, turn = drawn(0.0, hand.squeeze), drawn(0.0, hand.rotation)
    high = np.exp(np.clip(size, -0.33, 0.22))  # digits 14 to 25 rows high stay within the 32
    matrix = _matrices(slant, turn, high, high * np.exp(squeeze))
    pictures = np.empty((total, FIELD, FIELD), np.uint8)
    for start in range(0, total, 2000):  # limits memory
        part = slice(start, start + 2000)
        sources = pad(digits.images[chosen[part]])
        pictures[part] = _sampled(sources, *_sources(rng, matrix[part], hand.elastic))
    return WarpedDigits(pictures, _boxes(pictures), digits.labels[chosen])


def _matrices(
    slant: NDArray[np.float32],
    turn: NDArray[np.float32],
    high: NDArray[np.float32],
    wide: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return matrices (n, 2, 2) from points (x, y) of the result to source points, both from the centre."""
    cos, sin = np.cos(turn), np.sin(turn)
    rows = [[cos / wide, (sin + slant) / wide], [-sin / high, cos / high]]
    return np.array(rows, np.float32).transpose(2, 0, 1)


def _sources(
    rng: np.random.Generator, matrix: NDArray[np.float32], elastic: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the source columns and rows (n, 32, 32) of all pixels."""
    centre = np.float32((FIELD - 1) / 2)
    steps = np.arange(FIELD, dtype=np.float32) - centre
    x, y = steps[None, None, :], steps[None, :, None]
    a = matrix[:, :, :, None, None]
    columns = a[:, 0, 0] * x + a[:, 0, 1] * y + centre
    rows = a[:, 1, 0] * x + a[:, 1, 1] * y + centre
    if elastic:
        smooth = smoothing(FIELD, _ELASTIC_DISTANCE)
        noise = rng.standard_normal((2, len(matrix), FIELD, FIELD), np.float32)
        fields = smooth @ noise @ smooth.T * rng.random((len(matrix), 1, 1), np.float32) * np.float32(elastic)
        columns, rows = columns + fields[0], rows + fields[1]
    return columns, rows


def _sampled(
    pictures: NDArray[np.uint8], columns: NDArray[np.float32], rows: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Sample `pictures` (n, 32, 32) bilinearly; outside, the edge is repeated."""
    columns, rows = np.clip(columns, 0, FIELD - 1.001), np.clip(rows, 0, FIELD - 1.001)
    left, top = columns.astype(np.int32), rows.astype(np.int32)
    right_share, lower_share = columns - left, rows - top
    corner = np.arange(len(pictures), dtype=np.int32)[:, None, None] * FIELD**2 + top * FIELD + left
    flat = pictures.reshape(-1).astype(np.float32)
    upper = flat[corner] * (1 - right_share) + flat[corner + 1] * right_share
    lower = flat[corner + FIELD] * (1 - right_share) + flat[corner + FIELD + 1] * right_share
    return np.rint(upper * (1 - lower_share) + lower * lower_share).astype(np.uint8)


def _boxes(pictures: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the box of each picture's ink, (n, 4): top, bottom, left, right; bottom and right exclusive."""
    ink = pictures >= INK
    sides = []
    for axis in (2, 1):
        used = ink.any(axis=axis)
        sides += [used.argmax(axis=1), FIELD - used[:, ::-1].argmax(axis=1)]
    return np.stack(sides, axis=1)
