"""Run a Keras model on pictures: one answer per picture or, for a wide model, one per window."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.kerases import KERAS_2, keras_of
from converters.base.untyped import KerasModel
from lenet_edge.digits.geometry import middle


def is_wide(model: KerasModel) -> bool:
    """Return whether the Keras `model` takes pictures of any width."""
    return model.input_shape[2] is None


def seen_by(model: KerasModel, pictures: Any) -> Any:
    """Return what `model` sees of uint8 pictures (n, 32, 32): (n, size, size), the middle.

    A wide model sees pictures (n, 32, width) whole. `pictures`: an array or a tensor, and so is the result.
    """
    return pictures if is_wide(model) else middle(pictures, side=model.input_shape[1])


def as_input(model: KerasModel, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return uint8 pictures (n, 32, 32) as the float32 pixels (n, size, size, 1) that `model` takes.

    Pictures for a wide model are (n, 32, width), and keep their size.
    """
    return seen_by(model, pictures).astype(np.float32)[..., None]


def outputs_of(model: KerasModel, pictures: NDArray[np.uint8], *, batch: int = 1000) -> NDArray[np.float32]:
    """Return the model's output for uint8 pictures: (n, 10) or, for a wide model, (n, 1, windows, 11)."""
    starts = range(0, len(pictures), batch)
    return np.concatenate([_run(model, as_input(model, pictures[i : i + batch])) for i in starts])


def answers_of(model: KerasModel, inputs: NDArray[np.float32], *, batch: int = 1000) -> NDArray[np.float32]:
    """Return the scores (m, classes) of the Keras `model` on `inputs` (n, ...), a row per answer."""
    starts = range(0, len(inputs), batch)
    return rows_of(np.concatenate([_run(model, inputs[i : i + batch]) for i in starts]))


def _run(model: KerasModel, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the output of `model`, of either Keras and any backend, as an array."""
    keras, outputs = keras_of(model), model(inputs, training=False)
    return outputs.numpy() if keras.__name__ == KERAS_2 else keras.ops.convert_to_numpy(outputs)


def rows_of(scores: NDArray[Any]) -> NDArray[Any]:
    """Return `scores` (..., classes) as (m, classes), a row per answer: for a wide model, per window."""
    return scores.reshape(-1, scores.shape[-1])
