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
from lenet_edge.digits.string_fields.pen_digits import crossed, pen_digit, pen_hand

_ELASTIC_DISTANCE = 4.5  # pixels: nearer points move together
_PEN_STYLES = 0.4  # the share of the ten digits that such a hand writes in a style of the pen's


@dataclass(frozen=True)
class Writing:
    """How strings are written and soiled; with zeros, MNIST's digits are unchanged.

    Of a string: `slant` (columns a row, to the right) and `size` (natural logarithm) as standard deviations,
    `lean` as the mean slant, `baseline` in rows, `drift` in rows from one end to the other. Of each digit,
    relative to its string: `own_slant`, `own_size`, `squeeze`, `rotation` (radians), `own_row` (rows) as
    standard deviations, `elastic` in pixels, the strength of the largest displacement field. `separators`:
    the share of gaps with a dot, a comma or a dash. `dirt`: 0 clean to 1, a factor on the probability of
    every kind of line, print and noise.

    As on cheques, in shares 0..1: `pen` of the strings are in a hand that writes a 1 with an upstroke, a
    crossed 7 and more of `pen_digits`; `joined` of the narrow gaps have a stroke across; `zeros` of the
    strings end in zeros, smaller and raised at times; `trailing` of them end in a dash or dot.
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
    pen: float = 0.0
    joined: float = 0.0
    zeros: float = 0.0
    trailing: float = 0.0
    lean: float = 0.0

    def gentler(self, factor: float) -> Writing:
        """Return this writing with its distortions and dirt multiplied by `factor`, 0..1."""
        expect(0 <= factor <= 1, "a factor of 0..1", factor)
        sizes = ("slant", "size", "own_slant", "own_size", "squeeze", "rotation", "elastic", "dirt")
        return replace(self, **{name: factor * getattr(self, name) for name in sizes})


AS_IN_MNIST = Writing(**dict.fromkeys(Writing.__dataclass_fields__, 0.0))
"""Unchanged MNIST digits on one straight line, nothing else."""


AMOUNTS = Writing(separators=0.4, dirt=0.0)
"""Amounts such as 25.441: marks in four of ten gaps; `strings.behind` adds the form's print."""


CHEQUES = Writing(
    slant=0.24,
    size=0.13,
    baseline=1.5,
    drift=2.5,
    own_slant=0.08,
    own_size=0.08,
    squeeze=0.12,
    own_row=1.4,
    elastic=1.1,
    separators=0.25,
    dirt=0.6,
    pen=0.7,
    joined=0.35,
    zeros=0.5,
    trailing=0.4,
    lean=0.15,
)
"""Amounts as on bank cheques: quick, joined, in a pen's styles, most of them slanted by -5 to 21 degrees."""

CLEAN_CHEQUES = replace(CHEQUES, dirt=0.0)
"""The same without dirt, for paper of its own."""


class WarpedDigits(NamedTuple):
    """Warped digits (n, 32, 32), the boxes of their ink (n, 4: top, bottom, left, right), their labels.

    `raised` (n,): rows that a digit stands above its place.
    """

    pictures: NDArray[np.uint8]
    boxes: NDArray[np.int64]
    labels: NDArray[np.uint8]
    raised: NDArray[np.float32]


def warped(
    rng: np.random.Generator, digits: Digits, lengths: NDArray[np.int64], hand: Writing
) -> WarpedDigits:
    """Draw the digits of strings of `lengths`, each warped by its string's distortions and its own."""
    total = int(lengths.sum())
    chosen = rng.integers(len(digits.labels), size=total)
    of_string = np.repeat(np.arange(len(lengths)), lengths)
    smaller, raised = np.zeros((2, total), np.float32)
    if hand.zeros:
        smaller, raised = _end_in_zeros(rng, digits, lengths, chosen, share=hand.zeros)

    def drawn(shared: float, own: float) -> NDArray[np.float32]:
        values = rng.normal(0, 1, len(lengths))[of_string] * shared + rng.normal(0, 1, total) * own
        return values.astype(np.float32)

    slant = hand.lean + drawn(hand.slant, hand.own_slant)
    size = drawn(hand.size, hand.own_size)
    squeeze, turn = drawn(0.0, hand.squeeze), drawn(0.0, hand.rotation)
    high = np.exp(np.clip(size, -0.33, 0.22) - smaller)  # digits 14 to 25 rows high stay within the 32
    matrix = _matrices(slant, turn, high, high * np.exp(squeeze))
    sources = pad(digits.images[chosen])
    if hand.pen:
        _take_the_pen(rng, sources, digits.labels[chosen], of_string, share=hand.pen)
    pictures = np.empty((total, FIELD, FIELD), np.uint8)
    for start in range(0, total, 2000):  # limits memory
        part = slice(start, start + 2000)
        pictures[part] = _sampled(sources[part], *_sources(rng, matrix[part], hand.elastic))
    return WarpedDigits(pictures, _boxes(pictures), digits.labels[chosen], raised)


def _end_in_zeros(
    rng: np.random.Generator,
    digits: Digits,
    lengths: NDArray[np.int64],
    chosen: NDArray[np.int64],
    *,
    share: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Choose zeros for the end of a `share` of the strings; return how much smaller and raised each digit is.

    The size is a natural logarithm, the rise in rows.
    """
    smaller, raised = np.zeros((2, len(chosen)), np.float32)
    zeros = np.flatnonzero(digits.labels == 0)
    for end, length in zip(np.cumsum(lengths), lengths, strict=True):
        if not len(zeros) or rng.random() >= share:
            continue
        tail = slice(int(end - min(length, rng.integers(1, 5))), int(end))
        chosen[tail] = rng.choice(zeros, tail.stop - tail.start)
        if rng.random() < 0.4:
            smaller[tail], raised[tail] = rng.uniform(0.1, 0.5), rng.uniform(0, 6)
    return smaller, raised


def _take_the_pen(
    rng: np.random.Generator,
    sources: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    of_string: NDArray[np.int64],
    *,
    share: float,
) -> None:
    """Replace digits (n, 32, 32) of a `share` of the strings by those of a hand that has the pen's styles."""
    for string in np.flatnonzero(rng.random(len(np.unique(of_string))) < share):
        hand, own, width = pen_hand(rng), rng.random(10) < _PEN_STYLES, float(rng.uniform(2.0, 3.4))
        own[1] = True
        for place in np.flatnonzero(of_string == string):
            if own[labels[place]]:
                sources[place] = pen_digit(rng, int(labels[place]), hand, width=width)
            elif labels[place] == 7:
                sources[place] = crossed(rng, sources[place], width=width)


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
