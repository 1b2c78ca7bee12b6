"""The options that `train` and `quantize` share, and their checks. No TensorFlow."""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path

from converters.base.errors import expect
from converters.base.kerases import BACKEND
from lenet_edge.digits.mnist import TRAINING
from lenet_edge.digits.options import add_data_option
from lenet_edge.digits.string_fields.fields import DIGITS_PER_FIELD

MOST_THREADS = 1024
MOST_PASSES = 2000
"""The limit on distorted copies: the number of a copy is part of a 32-bit seed."""

LARGEST_SEED = 2**31 - 1


def add_training_options(
    parser: argparse.ArgumentParser, *, out: str, epochs: int, learning_rate: float
) -> None:
    """Add the options, with those defaults that differ between the commands."""
    add = parser.add_argument
    add_data_option(parser, digits="training")
    add(
        "--out",
        type=Path,
        default=Path(out),
        metavar="DIR",
        help="where the results go (default: %(default)s)",
    )
    add("--resume", action="store_true", help="continue the interrupted training in --out")
    add("--epochs", type=int, default=epochs, help="passes over the training digits (default: %(default)s)")
    add("--batch-size", type=int, default=128, help="digits per step (default: %(default)s)")
    add(
        "--learning-rate",
        type=float,
        default=learning_rate,
        help="initial rate; cosine decay to 0 (default: %(default)s)",
    )
    add("--seed", type=int, default=1998, help="for weights, order and distortions (default: %(default)s)")
    add("--limit", type=int, metavar="N", help="use only the first N training digits, for a quick try")
    add("--test", action="store_true", help="also measure on the test digits, once, at the end")
    add("--threads", type=int, metavar="N", help="processor threads (default: all)")
    add(
        "--verbose",
        type=int,
        choices=(0, 1, 2),
        default=1,
        help="0 silent, 1 progress bar, 2 a line per epoch",
    )


def check_training_options(
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    passes: int,
    limit: int | None,
    threads: int | None,
) -> None:
    """Raise InputError, naming the option, on a number out of range; also on a backend but TensorFlow."""
    backend = os.environ.get(BACKEND) or "tensorflow"
    expect(backend == "tensorflow", f"{BACKEND}=tensorflow to train with", backend)
    expect(epochs >= 1, "--epochs of 1 or more", epochs)
    expect(batch_size >= 1, "--batch-size of 1 or more", batch_size)
    expect(0 < learning_rate < math.inf, "--learning-rate above 0", learning_rate)
    check_seed("--seed", seed)
    expect(passes <= MOST_PASSES, f"--passes of {MOST_PASSES} or fewer", passes)
    expect(limit is None or limit >= 1, "--limit of 1 or more", limit)
    digits = min(limit or TRAINING, TRAINING)
    expect(batch_size <= digits, f"--batch-size of {digits} or fewer, the digits to train on", batch_size)
    in_range = threads is None or 1 <= threads <= MOST_THREADS
    expect(in_range, f"--threads of 1 to {MOST_THREADS}", threads)


def check_fields(*, batch_size: int, limit: int | None) -> None:
    """Raise InputError if the fields that are written with the digits do not fill one batch."""
    fields = min(limit or TRAINING, TRAINING) // DIGITS_PER_FIELD
    wanted = f"--batch-size of {fields} or fewer, the fields to train on"
    expect(batch_size <= fields, wanted, batch_size)


def check_seed(option: str, seed: int) -> None:
    """Raise InputError unless TensorFlow and NumPy both accept `seed`, the value of `option`."""
    expect(0 <= seed <= LARGEST_SEED, f"{option} of 0 to {LARGEST_SEED}", seed)
