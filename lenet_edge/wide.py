"""The wide net's measures: what its files are called, its windows. Light: the runtime imports it."""

from __future__ import annotations

from lenet_edge.codes import EMPTY
from lenet_edge.field import FIELD

NAME = "lenet5_wide"
"""The model for strings of digits: `lenet5(wide=True, empty=True)`."""

VARIANTS = ("float32", "int8")
"""The precisions that it is converted to."""

CLASSES = EMPTY + 1

OWN_WIDTH = 112
"""The width that its .tflite files have until an interpreter resizes them: four digits."""

STEP = 4
"""Columns from one 32x32 window to the next: S2 and S4 halve the picture each."""


def windows(width: int) -> int:
    """Return how many windows a picture `width` columns wide has, 32 or more."""
    return (width - FIELD) // STEP + 1


def width_of(count: int) -> int:
    """Return the least width that has `count` windows."""
    return FIELD + STEP * (count - 1)
