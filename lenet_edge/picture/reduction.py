"""Reduce a picture to the size at which it is searched."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet_edge.picture.ink import Array
from lenet_edge.picture.pillow import Image


def reduced(grey: NDArray[np.uint8], factor: int) -> Array:
    """Return `grey` (h, w) in float32, each square of `factor` pixels a side averaged to one, rounded."""
    small = grey if factor == 1 else np.asarray(Image.fromarray(grey).reduce(factor))
    return small.astype(np.float32)
