"""Recognise pictures that are already in MNIST's form: they pass unchanged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.geometry import BOX, FIELD, MNIST_SIDE
from lenet_edge.picture.findings import Finding, Prepared, box_of

_BLACK = 40  # grey levels: up to here MNIST's paper is empty, with JPEG artefacts
_PAPER = 4  # grey levels: the middle one of a digit's pixels is paper, which is 0 in MNIST, but for JPEG


def as_in_mnist(grey: NDArray[np.uint8]) -> Prepared | None:
    """Return `grey`, uint8 (h, w), as it is if it is in MNIST's form, on black or on white; else None."""
    if grey.shape not in ((MNIST_SIDE, MNIST_SIDE), (FIELD, FIELD)):
        return None
    for inverted, field in ((True, grey), (False, np.invert(grey))):
        if _is_mnist(field):
            picture = np.pad(field, (FIELD - len(field)) // 2)
            return Prepared(picture, Finding.DIGIT, "", box_of(field > _BLACK), inverted)
    return None


def _is_mnist(field: NDArray[np.uint8]) -> bool:
    """Return whether `field`, of 28x28 or 32x32, is already in MNIST's form."""
    if field.max() < 128 or np.median(field) > _PAPER:
        return False
    edge = (len(field) - BOX) // 2 - 1
    inner = field[edge:-edge, edge:-edge]
    around = field.copy()
    around[edge:-edge, edge:-edge] = 0
    if around.max() > _BLACK and np.count_nonzero(around > _BLACK) > 0.02 * around.size:
        return False
    ink = np.where(field > _BLACK, field, 0).astype(np.float64)
    left, top, right, bottom = box_of(inner > _BLACK)
    middle = len(field) / 2
    rows, columns = ink.sum(axis=1), ink.sum(axis=0)
    positions = np.arange(len(field))
    centre = [(values * positions).sum() / values.sum() for values in (rows, columns)]
    near = all(abs(position - middle) <= 1 for position in centre)
    return near and max(right - left, bottom - top) >= BOX - 3
