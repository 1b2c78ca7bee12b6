"""Make the parsers of commands, and add the options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from converters.base.precisions import PRECISIONS


def command_parser(
    *, name: str, description: str | None, epilog: str | None = None
) -> argparse.ArgumentParser:
    """Return a parser whose help shows `epilog` as it is written."""
    return argparse.ArgumentParser(
        prog=name,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_conversion_options(
    parser: argparse.ArgumentParser, *, default: str, precisions: Sequence[str] = PRECISIONS
) -> None:
    """Add --out and --precision; `default` says in the help which `precisions` are meant by none."""
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/tflite"),
        metavar="DIR",
        help="where the files go (default: %(default)s)",
    )
    parser.add_argument(
        "--precision",
        choices=precisions,
        action="append",
        help=f"only this precision (may be repeated; default: {default})",
    )
