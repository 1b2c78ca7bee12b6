"""Keep TensorFlow's converter from storing a bias whose entries are all equal with one channel's scale."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf
from converters.base.untyped import KerasModel, TfTensor


@contextlib.contextmanager
def unequal_biases(model: KerasModel) -> Iterator[None]:
    """Make one entry of each such bias differ by a rounding while `model` is converted, then put it back.

    `model`: one of `quantize_aware`. The converter holds a constant whose entries are all equal as a single
    number, divides that by the first channel's scale, and stores the result for every channel: with a scale
    for each channel, -0.5 six times becomes -0.5, -0.47, -0.35, ... A change in the last bit of float32 ends
    that, and is far below half a step of the int32 that a bias is stored as.
    """
    kept = {bias.ref(): bias.numpy() for bias in _biases(model)}
    changed = {reference: value for reference, value in kept.items() if _all_equal(value)}
    try:
        for reference, value in changed.items():
            reference.deref().assign(_one_unequal(value))
        yield
    finally:
        for reference, value in changed.items():
            reference.deref().assign(value)


def _biases(model: KerasModel) -> Iterator[TfTensor]:
    for wrapper in model.layers:
        bias = getattr(getattr(wrapper, "layer", None), "bias", None)
        if isinstance(bias, tf.Variable):
            yield bias


def _all_equal(value: NDArray[np.float32]) -> bool:
    return value.size > 1 and value.flat[0] != 0 and bool(np.all(value == value.flat[0]))


def _one_unequal(value: NDArray[np.float32]) -> NDArray[np.float32]:
    changed = value.copy()
    changed.flat[-1] = np.nextafter(changed.flat[-1], np.float32(0))
    return changed
