"""What a terminal can show: a digit drawn with characters, any file's name on one line, a remark."""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

_BLOCKS = np.array([" ", "▄", "▀", "█"])
_SHADES = " .:-=+*#%@"
_INKED = 96  # grey levels from which a half block is drawn


def drawn(picture: NDArray[np.uint8], *, encoding: str | None) -> str:
    """Return `picture`, uint8 (h, w) with h even, 0 for paper to 255 for ink, as h / 2 lines of text.

    A character stands for two pixels, one above the other, as it is about twice as tall as wide: half blocks
    where `encoding`, the terminal's, has them, and ASCII shades of their mean elsewhere.
    """
    upper, lower = picture[0::2].astype(int), picture[1::2].astype(int)
    if _can_write("".join(_BLOCKS), encoding):
        characters = _BLOCKS[2 * (upper >= _INKED) + (lower >= _INKED)]
    else:
        characters = np.array(list(_SHADES))[(upper + lower) * (len(_SHADES) - 1) // 510]
    return "\n".join("".join(row).rstrip() for row in characters)


def printable(text: str, encoding: str | None) -> str:
    """Return `text`, which may hold any file's name, fit for one line of a terminal of `encoding`."""
    escaped = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
    return escaped.encode(encoding or "ascii", "backslashreplace").decode(encoding or "ascii")


def say(name: str, what: object) -> None:
    """Print `what` in a line on standard error, behind the `name` of the command that says it."""
    print(f"{name}: {printable(str(what), sys.stderr.encoding)}", file=sys.stderr, flush=True)


def _can_write(text: str, encoding: str | None) -> bool:
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
