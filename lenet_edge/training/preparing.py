"""What stands before a training: the digits, and the threads that TensorFlow computes with."""

from __future__ import annotations

from pathlib import Path

from lenet_edge.digits.mnist import Digits, held_out_digits, training_digits


def training_and_held_out(*, data: Path | None, limit: int | None) -> tuple[Digits, Digits]:
    """Return the digits to train on, the first `limit` of them or all, and the held-out ones.

    `data` and errors as for `lenet_edge.digits.mnist.training_digits`.
    """
    images, labels = training_digits(data=data)
    held_out = held_out_digits(data=data)
    return Digits(images[:limit], labels[:limit]), held_out


def use_threads(count: int | None) -> None:
    """Let TensorFlow compute with `count` threads, 1 or more; all of the processor's if None."""
    # TensorFlow takes seconds to import: bad input has been answered by now.
    from converters.base.environment import tf

    if count is not None:
        tf.config.threading.set_intra_op_parallelism_threads(count)
