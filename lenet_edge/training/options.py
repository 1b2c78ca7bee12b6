"""What the commands that train have in common: options, their checks, the digits."""

from __future__ import annotations

import argparse
from pathlib import Path

from converters.base.errors import expect
from lenet_edge.digits.mnist import Digits, held_out_digits, training_digits


def add_training_options(
    parser: argparse.ArgumentParser, *, out: str, epochs: int, learning_rate: float
) -> None:
    """Add the options, with the defaults that differ from command to command."""
    add = parser.add_argument
    add(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder with MNIST's IDX files (default: LENET_EDGE_DATA, cache, download)",
    )
    add(
        "--out",
        type=Path,
        default=Path(out),
        metavar="DIR",
        help="where the results go (default: %(default)s)",
    )
    add("--resume", action="store_true", help="go on with the interrupted training in --out")
    add("--epochs", type=int, default=epochs, help="passes over the training digits (default: %(default)s)")
    add("--batch-size", type=int, default=128, help="digits a step (default: %(default)s)")
    add(
        "--learning-rate",
        type=float,
        default=learning_rate,
        help="at the start; cosine decay to 0 (default: %(default)s)",
    )
    add("--seed", type=int, default=1998, help="of weights, order and distortions (default: %(default)s)")
    add("--limit", type=int, metavar="N", help="use the first N training digits only, for a try")
    add("--test", action="store_true", help="measure the test digits too, once, at the end")
    add("--threads", type=int, metavar="N", help="processor threads (default: all)")
    add(
        "--verbose",
        type=int,
        choices=(0, 1, 2),
        default=1,
        help="0 silent, 1 progress bar, 2 a line an epoch",
    )


def check_training_options(options: argparse.Namespace) -> None:
    """Raise InputError on an option that cannot be."""
    expect(options.epochs >= 1, "--epochs of 1 or more", options.epochs)
    expect(options.batch_size >= 1, "--batch-size of 1 or more", options.batch_size)
    expect(options.learning_rate > 0, "--learning-rate above 0", options.learning_rate)
    expect(options.limit is None or options.limit >= 1, "--limit of 1 or more", options.limit)


def training_and_held_out(options: argparse.Namespace) -> tuple[Digits, Digits]:
    """Return the digits to train on, the first --limit of them, and the held-out ones; make --out."""
    images, labels = training_digits(data=options.data)
    held_out = held_out_digits(data=options.data)
    options.out.mkdir(parents=True, exist_ok=True)
    return Digits(images[: options.limit], labels[: options.limit]), held_out


def use_threads(count: int | None) -> None:
    """Let TensorFlow compute with `count` threads, all of the processor's if None."""
    # TensorFlow takes seconds to import: bad input has been answered by now.
    from converters.base.environment import tf

    if count:
        tf.config.threading.set_intra_op_parallelism_threads(count)
