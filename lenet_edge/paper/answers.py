"""What a Keras model answers to pictures of digits, one by one or, of a wide model, a window at a time."""

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

    A wide model takes pictures (n, 32, width) whole.
    """
    seen = pictures if is_wide(model) else middle(pictures, side=model.input_shape[1])
    return tf.cast(seen, tf.float32)[..., None]


def outputs_of(model: Any, pictures: np.ndarray, *, batch: int = 1000) -> np.ndarray:
    """Return the model's output for uint8 pictures: (n, 10), of a wide one (n, 1, windows, 11)."""
    parts = [
        model(as_input(model, pictures[i : i + batch]), training=False)
        for i in range(0, len(pictures), batch)
    ]
    return np.concatenate([part.numpy() for part in parts])


def answers_of(model: Any, inputs: NDArray[np.float32], *, batch: int = 1000) -> NDArray[np.float32]:
    """Return the scores (m, classes) that the Keras `model` gives to `inputs` (n, ...), an answer a row."""
    parts = [model(inputs[i : i + batch], training=False).numpy() for i in range(0, len(inputs), batch)]
    return rows_of(np.concatenate(parts))


def rows_of(scores: NDArray[Any]) -> NDArray[Any]:
    """Return `scores` (..., classes) as (m, classes), an answer a row: a wide model's windows one by one."""
    return scores.reshape(-1, scores.shape[-1])
