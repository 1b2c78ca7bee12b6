"""A digit drawn in the terminal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SHADES = " .:-=+*#%@"


def drawn(picture: NDArray[np.uint8], *, encoding: str | None) -> str:
    """Return `picture` (uint8 (h, w), h even, 0 for paper) as lines of text, two rows of pixels a line.

    Half blocks where the terminal's `encoding` has them; else a character of ASCII shade for each column,
    dark for ink, two rows averaged.
    """
    upper, lower = picture[0::2].astype(int), picture[1::2].astype(int)
    try:
        "█▀▄".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        shades = (upper + lower) * (len(_SHADES) - 1) // 510
        return "\n".join("".join(_SHADES[shade] for shade in row) for row in shades)
    blocks = np.array([" ", "▄", "▀", "█"])[2 * (upper > 95) + (lower > 95)]
    return "\n".join("".join(row) for row in blocks)
