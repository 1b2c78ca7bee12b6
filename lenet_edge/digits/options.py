"""The --data option of the commands that read MNIST."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Literal

_DEFAULTS = {
    "training": "the folder in LENET_EDGE_DATA, else the cache, else a download",
    "test": "the packaged test digits",
}


def add_data_option(parser: argparse.ArgumentParser, *, digits: Literal["training", "test"]) -> None:
    """Add --data, the folder with the files of these `digits`, as `lenet_edge.digits.mnist` takes it."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help=f"folder with MNIST's IDX files, plain or gzipped (default: {_DEFAULTS[digits]})",
    )
