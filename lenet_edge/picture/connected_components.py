"""Label the connected components of a mask, with NumPy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def label(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Label the components of `mask` (h, w); pixels that touch at a side or a corner are connected.

    Returns the labels (h, w), 0 outside the mask, and the number of components. Labels count from 1, in the
    order of each component's first pixel.
    """
    height, width = mask.shape
    pitch = width + 1  # an empty column, so that no run of pixels continues into the next row
    flat = np.zeros((height, pitch), np.int8)
    flat[:, :width] = mask
    steps = np.diff(flat.ravel(), prepend=0)
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    # A run touches the runs of the next row from the first that ends at most one pixel left of its start to
    # the last that starts at most one pixel right of its end.
    first = np.searchsorted(ends, starts + pitch - 1, side="right")
    last = np.searchsorted(starts, ends + pitch + 1, side="left")
    counts = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(starts)), counts)
    lower = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    roots, numbers = np.unique(_roots(len(starts), upper, lower), return_inverse=True)
    labels = np.zeros(height * pitch, np.int32)
    labels[flat.ravel() > 0] = np.repeat(numbers + 1, ends - starts)
    return labels.reshape(height, pitch)[:, :width], len(roots)


def _roots(count: int, upper: NDArray[np.intp], lower: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the smallest run of each run's component, given the pairs of touching runs."""
    root = np.arange(count)
    while True:
        before = root.copy()
        smaller = np.minimum(root[upper], root[lower])
        np.minimum.at(root, root[upper], smaller)
        np.minimum.at(root, root[lower], smaller)
        while not np.array_equal(root, root[root]):
            root = root[root]
        if np.array_equal(root, before):
            return root
