"""The option --weights, which replaces the packaged weights with the user's own."""

from __future__ import annotations

import argparse
from pathlib import Path

from converters.base.errors import expect


def add_weights_option(parser: argparse.ArgumentParser) -> None:
    """Add --weights, for `lenet_edge.packaged.models.released_model`."""
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="weights.npz of `lenet-edge train` (default: the packaged weights)",
    )


def check_weights(weights: Path | None) -> None:
    """Raise InputError if --weights is not a file."""
    expect(weights is None or weights.is_file(), "--weights to be a file", weights)
