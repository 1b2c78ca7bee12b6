"""The option that puts a training's weights in the place of the packaged ones."""

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
    """Raise InputError when --weights names what is no file."""
    expect(weights is None or weights.is_file(), "--weights to be a file", weights)
