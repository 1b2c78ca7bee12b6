"""The argument RUNTIME... of the scripts that measure times."""

from __future__ import annotations

import argparse

from converters.base.installed import RUNTIMES


def add_runtimes(parser: argparse.ArgumentParser) -> None:
    """Add `runtimes`: those to measure in, LiteRT and tflite-runtime unless others are named."""
    parser.add_argument(
        "runtimes",
        nargs="*",
        type=_runtime,
        default=["litert", "tflite"],
        metavar="RUNTIME",
        help=f"one of {', '.join(RUNTIMES)} (default: litert tflite)",
    )


def _runtime(name: str) -> str:
    if name not in RUNTIMES:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(RUNTIMES)}, got {name}")
    return name
