"""Find the box around each digit's ink in the picture of a line that has been read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lenet_edge.picture.connected_components import find_components
from lenet_edge.picture.findings import box_of
from lenet_edge.runtime.string_decoder import ReadDigit

InkBox = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels of the line's picture."""

INKED = 64
"""A grey level; anything fainter is the soft edge of a stroke."""

_LARGE = 0.3  # of the largest piece's box: a piece this large belongs to the digit, wherever it lies


def ink_boxes(picture: NDArray[np.uint8], digits: Sequence[ReadDigit]) -> list[InkBox]:
    """Return the box around the ink of each of `digits`, read from `picture` (32, w).

    A piece of ink belongs to one digit; a piece shared by several digits is split at their `left` and
    `right`. A digit without ink gets the full height between them.
    """
    components = find_components(picture > INKED)
    labels, boxes = components.labels, components.boxes
    middles = np.array([(digit.left + digit.right) / 2 for digit in digits])
    centres = (boxes[:, 0] + boxes[:, 2]) / 2
    found = []
    for digit in digits:
        pieces = []
        for number in np.flatnonzero((boxes[:, 2] > digit.left) & (boxes[:, 0] < digit.right)):
            left, _, right, _ = boxes[number]
            shared = np.count_nonzero((middles > left) & (middles < right)) > 1
            if shared:
                pieces += _shared_part(labels, int(number) + 1, digit)
            elif digit.left <= centres[number] <= digit.right:
                pieces.append(boxes[number])
        found.append(_digit_box(pieces) or (digit.left, 0.0, digit.right, float(len(picture))))
    return found


def _shared_part(labels: NDArray[np.int32], number: int, digit: ReadDigit) -> list[NDArray[np.int32]]:
    """Return the box of the part of a shared piece that belongs to `digit`, if there is any."""
    first, last = max(int(np.floor(digit.left)), 0), int(np.ceil(digit.right))
    left, top, right, bottom = box_of(labels[:, first:last] == number)
    return [np.array([first + left, top, first + right, bottom])] if right else []


def _digit_box(pieces: list[NDArray[np.int32]]) -> InkBox | None:
    """Return the box around the largest of `pieces`, those above and below it, and other large ones."""
    if not pieces:
        return None
    sizes = [(piece[2] - piece[0]) * (piece[3] - piece[1]) for piece in pieces]
    main = pieces[int(np.argmax(sizes))]
    own = []
    for piece, size in zip(pieces, sizes, strict=True):
        shared = min(piece[2], main[2]) - max(piece[0], main[0])
        if shared > 0.5 * (piece[2] - piece[0]) or size >= _LARGE * max(sizes):
            own.append(piece)
    low, high = np.min(own, axis=0), np.max(own, axis=0)
    return float(low[0]), float(low[1]), float(high[2]), float(high[3])
