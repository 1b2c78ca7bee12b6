"""Generate fields without digits: blank ones, printed letters, marks, strokes, noise and stains."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from converters.base.errors import expect
from lenet_edge.digits.geometry import FIELD
from lenet_edge.digits.string_fields.dirt import soiled
from lenet_edge.digits.string_fields.fields import MOST_DIGITS, Fields, put_darker
from lenet_edge.digits.string_fields.layout import separator
from lenet_edge.digits.string_fields.printed_words import TRAINING_FONTS, printed_word


def empty_fields(
    count: int,
    *,
    seed: int | Sequence[int],
    kind: str | None = None,
    width: int = 112,
    fonts: Sequence[str] = TRAINING_FONTS,
    dirt: float = 1.0,
) -> Fields:
    """Return `count` fields without digits, of one `kind` of EMPTIES or of random kinds.

    `fonts`: for the printed letters. `dirt` as in Writing. Raises InputError for an unknown kind.
    """
    expect(kind is None or kind in EMPTIES, f"a kind of {', '.join(EMPTIES)}", kind)
    rng = np.random.default_rng(seed)
    pictures = np.zeros((count, FIELD, width), np.uint8)
    kinds = list(EMPTIES)
    for i in range(count):
        draw = EMPTIES[kind or kinds[rng.integers(len(kinds))]]
        pictures[i] = soiled(rng, draw(rng, width, fonts), dirt)
    labels = np.full((count, MOST_DIGITS), -1, np.int8)
    return Fields(pictures, labels, np.full((count, MOST_DIGITS), np.nan, np.float32))


def _blank(_: np.random.Generator, width: int, __: Sequence[str]) -> NDArray[np.uint8]:
    return np.zeros((FIELD, width), np.uint8)


def _letters(rng: np.random.Generator, width: int, fonts: Sequence[str]) -> NDArray[np.uint8]:
    """Draw one line of printed words, from small print to letters as high as the field."""
    picture = _blank(rng, width, fonts)
    height = int(rng.integers(9, 31))
    row, column = int(rng.integers(-4, max(-3, FIELD - height))), int(rng.integers(-8, 24))
    while column < width:
        word = printed_word(rng, height, fonts)
        put_darker(picture, (word * rng.uniform(0.6, 1)).astype(np.uint8), row, column)
        column += word.shape[1] + int(rng.integers(3, 30))
        if rng.random() < 0.25:
            break
    return picture


def _marks(rng: np.random.Generator, width: int, fonts: Sequence[str]) -> NDArray[np.uint8]:
    """Draw dots, commas and dashes anywhere."""
    picture = _blank(rng, width, fonts)
    for _ in range(rng.integers(1, 7)):
        mark, _row = separator(rng)
        put_darker(picture, mark, int(rng.integers(-2, 30)), int(rng.integers(0, width)))
    return picture


def _strokes(rng: np.random.Generator, width: int, fonts: Sequence[str]) -> NDArray[np.uint8]:
    """Draw long strokes across the field: a crossing-out, an underline, a frame."""
    image = Image.fromarray(_blank(rng, width, fonts))
    pen = ImageDraw.Draw(image)
    for _ in range(rng.integers(1, 4)):
        ends = (int(rng.integers(-20, 16)), int(rng.integers(-4, 36)))
        other = (width + int(rng.integers(-16, 20)), int(rng.integers(-4, 36)))
        pen.line((*ends, *other), fill=int(rng.integers(60, 256)), width=int(rng.integers(1, 4)))
    return np.asarray(image).copy()


def _noise(rng: np.random.Generator, width: int, _: Sequence[str]) -> NDArray[np.uint8]:
    """Draw every pixel at random."""
    return (rng.random((FIELD, width), np.float32) * rng.integers(20, 256)).astype(np.uint8)


def _blobs(rng: np.random.Generator, width: int, _: Sequence[str]) -> NDArray[np.uint8]:
    """Draw stains: noise smoothed over one to three pixels and thresholded."""
    grain = Image.fromarray((rng.random((FIELD, width)) * 255).astype(np.uint8))
    smooth = np.asarray(grain.filter(ImageFilter.GaussianBlur(rng.uniform(0.8, 2.5))), np.float32)
    level = (smooth - smooth.min()) / max(float(np.ptp(smooth)), 1.0)
    return np.clip((level - rng.uniform(0.3, 0.6)) * 500, 0, 255).astype(np.uint8)


_Draw = Callable[[np.random.Generator, int, Sequence[str]], NDArray[np.uint8]]
EMPTIES: dict[str, _Draw] = {
    "blank": _blank,
    "letters": _letters,
    "marks": _marks,
    "strokes": _strokes,
    "noise": _noise,
    "blobs": _blobs,
}
"""The kinds of fields without digits."""
