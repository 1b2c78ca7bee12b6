"""Generate fields with strings of handwritten digits, of any width, from a seed.

MNIST digits are warped like one person's handwriting (slant, size, a rising or falling baseline), placed side
by side at a spacing, with dots, commas and dashes between them, and soiled: ruled lines, boxes, faint print
behind them, noise on up to 10 % of the pixels ("salt and pepper", section VII). The same seed gives the same
fields. `python scripts/draw_string_fields.py FILE.png` draws some of each kind.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import expect
from lenet_edge.digits.geometry import FIELD
from lenet_edge.digits.mnist import Digits
from lenet_edge.digits.string_fields.dirt import soiled, with_print
from lenet_edge.digits.string_fields.fields import MOST_DIGITS, Fields
from lenet_edge.digits.string_fields.handwriting import Writing, warped
from lenet_edge.digits.string_fields.layout import SPACINGS, TRAILING_ROOM, LineOfDigits


def width_for(length: int, *, spacing: str) -> int:
    """Return a width that fits any string of `length` digits at `spacing`."""
    return 4 * int(np.ceil((length * 30 + (length - 1) * (SPACINGS[spacing][1] + 8) + 16) / 4))


def string_fields(
    digits: Digits,
    count: int,
    *,
    seed: int | Sequence[int],
    spacing: str = "normal",
    length: int | None = None,
    width: int | None = None,
    writing: Writing | None = None,
) -> Fields:
    """Return `count` fields of strings of `digits`.

    `length`: the digits of a string, 1 to 8; None draws a length from 1 to as many as `width` holds, and may
    cut the string at either end (cut digits are not in the labels). `width`: of the fields, 32 or more; None
    is `width_for`, and more where the writing ends in marks. Raises InputError for anything else.
    """
    expect(spacing in SPACINGS, f"a spacing of {', '.join(SPACINGS)}", spacing)
    expect(length is None or 1 <= length <= MOST_DIGITS, f"a length of 1 to {MOST_DIGITS}", length)
    expect(len(digits.labels), "digits to write with", "none")
    hand = writing or Writing()
    room = TRAILING_ROOM if hand.trailing else 0
    wide = width or width_for(length or MOST_DIGITS, spacing=spacing) + room
    expect(wide >= FIELD, f"a width of {FIELD} or more", wide)
    rng = np.random.default_rng(seed)
    pictures = np.zeros((count, FIELD, wide), np.uint8)
    labels = np.full((count, MOST_DIGITS), -1, np.int8)
    centres = np.full((count, MOST_DIGITS), np.nan, np.float32)
    lengths = _lengths(rng, count, length, wide, spacing)
    written = warped(rng, digits, lengths, hand)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    for i in range(count):
        line = LineOfDigits(rng, hand, spacing)
        for k in range(starts[i], starts[i + 1]):
            line.add(
                written.pictures[k],
                written.boxes[k],
                int(written.labels[k]),
                raised=float(written.raised[k]),
            )
        line.end()
        whole = line.draw(pictures[i], may_cut=length is None)
        labels[i, : len(whole)] = [one.digit for one in whole]
        centres[i, : len(whole)] = [one.centre for one in whole]
        pictures[i] = soiled(rng, pictures[i], hand.dirt)
    return Fields(pictures, labels, centres)


def behind(fields: Fields, *, seed: int | Sequence[int]) -> Fields:
    """Return the fields with faint print behind the writing on each of them."""
    rng = np.random.default_rng(seed)
    return fields._replace(pictures=np.stack([with_print(rng, picture) for picture in fields.pictures]))


def _lengths(
    rng: np.random.Generator, count: int, length: int | None, width: int, spacing: str
) -> NDArray[np.int64]:
    if length is not None:
        return np.full(count, length)
    pitch = 14 + np.mean(SPACINGS[spacing])  # a digit's ink is about 14 columns wide
    return rng.integers(1, max(2, min(MOST_DIGITS, int(1.25 * width / pitch)) + 1), count)
