"""The Gaussian smoothing matrix of elastic distortions."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray


@functools.lru_cache
def smoothing(size: int, distance: float) -> NDArray[np.float32]:
    """Return the matrix (size, size) that smooths a column with a Gaussian, of unit noise gain.

    `distance`: the Gaussian's standard deviation, in pixels.
    """
    steps = np.arange(size)
    weights = np.exp(-0.5 * ((steps[:, None] - steps[None, :]) / distance) ** 2)
    return (weights / np.sqrt((weights**2).sum(axis=1, keepdims=True))).astype(np.float32)
