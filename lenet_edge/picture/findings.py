"""What is found on a picture of a digit."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels."""


class Finding(enum.Enum):
    """What a picture shows."""

    DIGIT = "digit"
    BLANK = "blank"
    CROWDED = "crowded"


@dataclass(frozen=True)
class Prepared:
    """A picture made ready for the model.

    `picture` is uint8 (32, 32), 0 for paper to 255 for ink: MNIST's 28x28 in the middle. `finding` says
    whether it shows one digit, and `reason` why not; `box` is the box of the ink in the source picture, in
    pixels (left, top, right, bottom; None if blank); `inverted`: the ink was its bright part; `on_page`: it
    was found on a page, so that it may be any mark.
    """

    picture: NDArray[np.uint8]
    finding: Finding
    reason: str
    box: Box | None
    inverted: bool
    on_page: bool = False


def box_of(mask: NDArray[np.bool_]) -> Box:
    """Return the box of the pixels set in `mask`; zeros if there are none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return 0, 0, 0, 0
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
