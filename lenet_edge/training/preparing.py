"""Prepare a training: load the digits, get Keras, set TensorFlow's threads."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np

from converters.base.kerases import KERAS_3, check_backend, import_keras
from lenet_edge.digits.mnist import TRAINING, Digits, held_out_digits, training_digits


def training_and_held_out(*, data: Path | None, limit: int | None) -> tuple[Digits, Digits]:
    """Return the training digits, the first `limit` or all, and the held-out digits.

    `data` and errors as for `lenet_edge.digits.mnist.training_digits`.
    """
    images, labels = training_digits(data=data)
    held_out = held_out_digits(data=data)
    return Digits(images[:limit], labels[:limit]), held_out


def the_papers_digits(*, data: Path | None, limit: int | None) -> tuple[Digits, Digits | None]:
    """Return MNIST's 60,000 training digits, the first `limit` or all, and the held-out ones or None.

    The held-out digits are the last of the 60,000: they are None where some of them are trained on.
    `data` and errors as for `training_and_held_out`.
    """
    parts = training_and_held_out(data=data, limit=None)
    images, labels = (np.concatenate(both) for both in zip(*parts, strict=True))
    held_out = parts[1] if limit is not None and limit <= TRAINING else None
    return Digits(images[:limit], labels[:limit]), held_out


def training_keras() -> ModuleType:
    """Return the Keras that nets are trained in: Keras 3 on TensorFlow, whatever `tf.keras` is.

    One Keras, so that a training can be resumed and repeated wherever it began. Raises InputError if Keras
    computes with another backend: the batches and the checkpoints are TensorFlow's.
    """
    keras = import_keras(KERAS_3)
    check_backend(keras)
    return keras


def use_threads(count: int | None) -> None:
    """Let TensorFlow compute with `count` threads, 1 or more; None: with all of the processor's."""
    # TensorFlow takes seconds to import: bad input has been rejected by now.
    from converters.base.environment import tf

    if count is not None:
        tf.config.threading.set_intra_op_parallelism_threads(count)
