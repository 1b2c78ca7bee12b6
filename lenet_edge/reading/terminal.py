"""Text for a terminal: a picture drawn in characters, any file name on one line, messages."""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from converters.base.words import printable

_BLOCKS = np.array([" ", "▄", "▀", "█"])
_SHADES = " .:-=+*#%@"
_INKED = 96  # grey levels: from here on a half block is drawn


def draw_text(picture: NDArray[np.uint8], *, encoding: str | None) -> str:
    """Return `picture`, uint8 (h, w) with h even, 0 for paper to 255 for ink, as h / 2 lines of text.

    A character shows two pixels, one above the other, as it is about twice as tall as wide: half blocks if
    the terminal's `encoding` has them, otherwise ASCII shades of the mean.
    """
    upper, lower = picture[0::2].astype(int), picture[1::2].astype(int)
    if _can_write("".join(_BLOCKS), encoding):
        characters = _BLOCKS[2 * (upper >= _INKED) + (lower >= _INKED)]
    else:
        characters = np.array(list(_SHADES))[(upper + lower) * (len(_SHADES) - 1) // 510]
    return "\n".join("".join(row).rstrip() for row in characters)


def log(name: str, message: object) -> None:
    """Print the command's `name` and the `message` in one line on standard error."""
    print(f"{name}: {printable(str(message), sys.stderr.encoding)}", file=sys.stderr, flush=True)


def _can_write(text: str, encoding: str | None) -> bool:
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
