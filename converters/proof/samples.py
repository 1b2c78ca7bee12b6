"""Check the samples and labels that a person gives, before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from converters.base.arrays import Numbers
from converters.base.errors import expect

LEAST_SAMPLES = 10
"""The fewest samples that prove anything; a few hundred are better."""

Data: TypeAlias = Numbers | Mapping[str, Numbers]
"""An array (n, ...) for a model's only input, or an array for each input by the input's name."""


def checked_data(data: Data, *, least: int = LEAST_SAMPLES) -> dict[str, Numbers]:
    """Return the arrays of `data` by name ("" for a single array), checked as far as no model is needed.

    Raises InputError: not numbers, not finite, fewer than `least` samples, arrays of different lengths.
    """
    arrays = dict(data) if isinstance(data, Mapping) else {"": np.asarray(data)}
    expect(arrays, "at least one array of samples", "none")
    for array in arrays.values():
        numbers = array.ndim > 0 and array.dtype.kind in "biuf"
        expect(numbers, "samples (n, ...) that are numbers", f"{array.dtype} of shape {array.shape}")
        expect(np.isfinite(array).all(), "finite samples", "NaN or infinity")
    counts = sorted({len(array) for array in arrays.values()})
    expect(len(counts) == 1, "the same number of samples for each input", " and ".join(map(str, counts)))
    expect(counts[0] >= least, f"{least} samples or more", counts[0])
    return arrays


def first_samples(arrays: Mapping[str, Numbers], count: int | None) -> dict[str, Numbers]:
    """Return the first `count` rows of each array, all if None; what has no rows is left as it is."""
    return {name: array[:count] if array.ndim else array for name, array in arrays.items()}


def check_labels(labels: Mapping[str, Numbers], data: Mapping[str, Numbers]) -> None:
    """Raise InputError unless there is a label for each sample of `data`."""
    count = len(next(iter(data.values())))
    for array in labels.values():
        numbers = array.ndim > 0 and array.dtype.kind in "biuf"
        expect(numbers, "labels (n, ...) that are numbers", f"{array.dtype} of shape {array.shape}")
        expect(len(array) == count, f"{count:,} labels, one for each sample", f"{len(array):,}")
