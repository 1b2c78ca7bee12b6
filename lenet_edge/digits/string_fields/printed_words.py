"""Draw printed words in matplotlib's fonts."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from converters.base.errors import InputError

TRAINING_FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSerif",
    "DejaVuSerif-Italic",
    "DejaVuSansMono",
)
OTHER_FONTS = ("STIXGeneral", "STIXGeneralItalic", "cmr10", "cmss10", "cmtt10")
"""Fonts that come with matplotlib: for training, and for tests on fonts that training never sees."""

LETTERS = "ACEFGHJKLMNPRTUVWXYacdefhkmnprtuvwxy"
"""Letters of printed words, without B, D, I, O, Q, S, Z, b, g, i, l, o, q, s, z: they look like digits."""


@functools.lru_cache
def _font(name: str, height: int) -> ImageFont.FreeTypeFont:
    try:
        import matplotlib
    except ImportError:
        raise InputError(
            "expected matplotlib, whose fonts printed letters are drawn with, got no such package: "
            "install lenet-edge[train]"
        ) from None
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf")), height)


@functools.lru_cache(maxsize=4096)
def _letter(letter: str, name: str, height: int) -> NDArray[np.uint8]:
    font = _font(name, height)
    left, _, right, _ = font.getbbox(letter)
    image = Image.new("L", (max(1, int(right - left)) + 1, height + height // 2))
    ImageDraw.Draw(image).text((-left, 0), letter, fill=255, font=font)
    return np.asarray(image)


def printed_word(rng: np.random.Generator, height: int, fonts: Sequence[str]) -> NDArray[np.uint8]:
    """Return a printed word of one to seven letters, in a font `height` pixels high."""
    font = fonts[rng.integers(len(fonts))]
    letters = [LETTERS[i] for i in rng.integers(len(LETTERS), size=rng.integers(1, 8))]
    return np.concatenate([_letter(letter, font, height) for letter in letters], axis=1)
