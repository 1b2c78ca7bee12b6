"""Check that values are pixels as the models take them: 0 for paper to 255 for ink."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from converters.base.errors import InputError, expect

_RANGE = "pixels of 0 for paper to 255 for ink"


def check_pixels(
    pictures: ArrayLike, *, wanted: str, fits: Callable[[tuple[int, ...]], bool], only_uint8: bool = False
) -> NDArray[Any]:
    """Return `pictures` as an array, 0..255; uint8 is returned without a copy and without a check of values.

    `fits` checks the shape, `wanted` describes it. Raises InputError for another shape, for another type than
    uint8 if `only_uint8`, and for values that are no pixels: not real numbers (booleans and text too), not
    finite, outside 0..255, or scaled to 0..1.
    """
    try:
        pixels = np.asarray(pictures)
    except ValueError:
        raise InputError(f"expected {wanted}, got rows of different lengths") from None
    right = fits(pixels.shape) and (pixels.dtype == np.uint8 or not only_uint8)
    expect(right, wanted, f"{pixels.dtype} {pixels.shape}")
    if pixels.dtype != np.uint8:
        _check_values(pixels)
    return pixels


def _check_values(pixels: NDArray[Any]) -> None:
    fractions = np.issubdtype(pixels.dtype, np.floating)
    expect(fractions or np.issubdtype(pixels.dtype, np.integer), _RANGE, f"values of type {pixels.dtype}")
    if not pixels.size:
        return
    expect(np.isfinite(pixels).all(), _RANGE, "values that are not finite")
    least, most = pixels.min(), pixels.max()
    values = f"values from {least:g} to {most:g}"
    expect(least >= 0 and most <= 255, _RANGE, values)
    # To the model a picture of 0..1 is nearly blank, and it would still give an answer.
    expect(not (fractions and 0 < most <= 1), _RANGE, f"{values}: multiply them by 255")
