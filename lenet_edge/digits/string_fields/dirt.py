"""Soil a field: ruled lines, boxes, faint print behind the digits, noise, pale ink."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.geometry import FIELD
from lenet_edge.digits.string_fields.fields import put_darker
from lenet_edge.digits.string_fields.printed_words import TRAINING_FONTS, printed_word


def soiled(rng: np.random.Generator, picture: NDArray[np.uint8], dirt: float) -> NDArray[np.uint8]:
    """Return the field with lines, print and noise, each with its own probability."""
    if not dirt:
        return picture
    for chance, soil in _DIRT:
        if rng.random() < chance * dirt:
            picture = soil(rng, picture)
    return picture


def _ruled(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Add a horizontal line of one or two rows, fainter than the pen."""
    row = rng.integers(FIELD)
    rows = slice(row, row + rng.integers(1, 3))
    picture[rows] = np.maximum(picture[rows], rng.integers(40, 200))
    return picture


def _boxed(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Add vertical lines, like a form's boxes."""
    columns = rng.integers(0, picture.shape[1], rng.integers(1, 5))
    picture[:, columns] = np.maximum(picture[:, columns], rng.integers(30, 160))
    return picture


def with_print(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Add faint small print behind the digits, as on a cheque."""
    print_behind = np.zeros_like(picture)
    height, row = int(rng.integers(6, 12)), int(rng.integers(-4, 4))
    while row < FIELD:
        column = int(rng.integers(-20, 10))
        while column < picture.shape[1]:
            word = printed_word(rng, height, TRAINING_FONTS)
            put_darker(print_behind, word, row, column)
            column += word.shape[1] + int(rng.integers(2, 12))
        row += height + int(rng.integers(1, 8))
    faint = (print_behind * rng.uniform(0.1, 0.35)).astype(np.uint8)
    return np.maximum(picture, faint)


def _salt_and_pepper(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Invert up to 10 % of the pixels: ink to paper, paper to ink."""
    turned = rng.random(picture.shape, np.float32) < rng.uniform(0, 0.1)
    return np.where(turned, 255 - picture, picture)


def _grain(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Add Gaussian noise to every pixel, like a sensor's."""
    noise = rng.standard_normal(picture.shape, np.float32) * rng.uniform(2, 22)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def _paler(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Make the ink paler than black."""
    return (picture * rng.uniform(0.6, 1.0)).astype(np.uint8)


_Soil = Callable[[np.random.Generator, NDArray[np.uint8]], NDArray[np.uint8]]
_DIRT: tuple[tuple[float, _Soil], ...] = (
    (0.12, _paler),
    (0.12, _ruled),
    (0.08, _boxed),
    (0.10, with_print),
    (0.15, _salt_and_pepper),
    (0.25, _grain),
)
