"""Fields as the picture stage finds them: amounts are drawn as scans of cheques, and the line is found.

So the net learns what it will be shown: strokes that were redrawn, print that was taken for ink, lost dots.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.geometry import FIELD
from lenet_edge.digits.mnist import Digits
from lenet_edge.digits.string_fields.fields import INK, MOST_DIGITS, Fields
from lenet_edge.digits.string_fields.handwriting import CLEAN_CHEQUES
from lenet_edge.digits.string_fields.strings import string_fields
from lenet_edge.on_paper.amounts import Scan, scanned
from lenet_edge.picture.line.finding import Line, find_line
from lenet_edge.runtime.string_reader import MARGIN

_LENGTHS = {2: 0.1, 3: 0.15, 4: 0.25, 5: 0.25, 6: 0.15, 7: 0.1}
_EDGE = 8.0  # columns: a digit whose middle is nearer to an edge of the field is not in it
_NEAR = 5  # columns: where a digit was written, there has to be ink within so many


def found_fields(
    digits: Digits, count: int, *, seed: Sequence[int], width: int, whole: bool = False
) -> Fields:
    """Return at most `count` fields of `width` cut from the lines found on scanned amounts.

    A scan on which no line is found, or on which the line is not where its digits are, gives no field: some
    three in a hundred. `whole`: only lines that fit are taken, with all their digits; else a line may be cut.
    """
    pictures, labels, centres = [], [], []
    for spacing in ("touching", "normal"):
        for length, share in _LENGTHS.items():
            place = (*seed, length, spacing == "normal")
            some = round(count * share / 2)
            clean = string_fields(
                digits, some, seed=place, spacing=spacing, length=length, writing=CLEAN_CHEQUES
            )
            rng = np.random.default_rng((*place, 1))
            for number, field in enumerate(clean.pictures):
                scan = scanned(field, seed=(*place, 2, number))
                found = _found(scan, find_line(scan.grey), clean, number)
                if found is not None and (not whole or found[0].shape[1] + 2 * MARGIN <= width):
                    picture, own_labels, own_centres = _cut(rng, *found, width=width)
                    pictures.append(picture)
                    labels.append(own_labels)
                    centres.append(own_centres)
    return Fields(
        np.array(pictures, np.uint8).reshape(-1, FIELD, width),
        np.array(labels, np.int8).reshape(-1, MOST_DIGITS),
        np.array(centres, np.float32).reshape(-1, MOST_DIGITS),
    )


def _found(
    scan: Scan, line: Line, clean: Fields, number: int
) -> tuple[NDArray[np.uint8], NDArray[np.int8], NDArray[np.float32]] | None:
    """Return a found line's picture, its labels and the columns of its digits; None if they do not fit."""
    picture, labels = line.picture, clean.labels[number][clean.labels[number] >= 0]
    if not picture.shape[1]:
        return None
    middles = np.stack([clean.centres[number][: len(labels)] + 0.5, np.full(len(labels), FIELD / 2)])
    on_scan = scan.to_scan[:, :2] @ middles + scan.to_scan[:, 2:]
    columns = np.linalg.solve(line.to_image[:, :2], on_scan - line.to_image[:, 2:])[0] - 0.5
    inked = (picture >= INK).any(axis=0)
    for column in columns:
        near = slice(max(0, round(column) - _NEAR), max(0, round(column) + _NEAR + 1))
        if not inked[near].any():
            return None
    return picture, labels, columns.astype(np.float32)


def _cut(
    rng: np.random.Generator,
    picture: NDArray[np.uint8],
    labels: NDArray[np.int8],
    columns: NDArray[np.float32],
    *,
    width: int,
) -> tuple[NDArray[np.uint8], NDArray[np.int8], NDArray[np.float32]]:
    """Return a field of `width` from a found line, its labels and centres as in `Fields`."""
    spare = picture.shape[1] + 2 * MARGIN - width
    start = -MARGIN + int(rng.integers(min(spare, 0), max(spare, 0) + 1))
    field = np.zeros((FIELD, width), np.uint8)
    left, right = max(start, 0), min(start + width, picture.shape[1])
    field[:, left - start : right - start] = picture[:, left:right]
    middles = columns - start
    within = np.flatnonzero((middles >= _EDGE) & (middles <= width - 1 - _EDGE))[:MOST_DIGITS]
    own, centres = np.full(MOST_DIGITS, -1, np.int8), np.full(MOST_DIGITS, np.nan, np.float32)
    own[: len(within)], centres[: len(within)] = labels[within], middles[within]
    return field, own, centres
