"""Run a Keras model on pictures: one answer per picture or, for a wide model, one per window."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf
from lenet_edge.digits.geometry import middle


def is_wide(model: Any) -> bool:
    """Return whether the Keras `model` takes pictures of any width."""
    return model.input_shape[2] is None


def as_input(model: Any, pictures: Any) -> Any:
    """Return uint8 pictures (n, 32, 32) as the float32 pixels (n, size, size, 1) that `model` takes.

    Pictures for a wide model are (n, 32, width), and keep their size.
    """
    pixels = pictures if is_wide(model) else middle(pictures, side=model.input_shape[1])
    return tf.cast(pixels, tf.float32)[..., None]


def outputs_of(model: Any, pictures: np.ndarray, *, batch: int = 1000) -> np.ndarray:
    """Return the model's output for uint8 pictures: (n, 10) or, for a wide model, (n, 1, windows, 11)."""
    parts = [
        model(as_input(model, pictures[i : i + batch]), training=False)
        for i in range(0, len(pictures), batch)
    ]
    return np.concatenate([part.numpy() for part in parts])


def answers_of(model: Any, inputs: NDArray[np.float32], *, batch: int = 1000) -> NDArray[np.float32]:
    """Return the scores (m, classes) of the Keras `model` on `inputs` (n, ...), a row per answer."""
    parts = [model(inputs[i : i + batch], training=False).numpy() for i in range(0, len(inputs), batch)]
    return rows_of(np.concatenate(parts))


def rows_of(scores: NDArray[Any]) -> NDArray[Any]:
    """Return `scores` (..., classes) as (m, classes), a row per answer: for a wide model, per window."""
    return scores.reshape(-1, scores.shape[-1])
