"""Make the parsers of commands, and add the options that several commands share."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from converters.base.errors import expect
from converters.base.precisions import ALL_PRECISIONS


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
    parser: argparse.ArgumentParser, *, default: str, precisions: Sequence[str] = ALL_PRECISIONS
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


def given_options(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> set[str]:
    """Return the names of the options that `argv` sets, those that it sets to their default included."""
    blank = argparse.Namespace(**dict.fromkeys(vars(parser.parse_args(argv))))
    return {name for name, value in vars(parser.parse_args(argv, blank)).items() if value is not None}


def refuse_beside(option: str, refused: Iterable[str], *, given: set[str]) -> None:
    """Raise InputError, naming them, when options of `refused` are `given` that `option` does not take.

    `option`: as a person writes it. `refused` and `given`: names as argparse has them, without "--".
    """
    beside = [f"--{name.replace('_', '-')}" for name in refused if name in given]
    expect(not beside, f"{option} without {', '.join(beside)}", "both" if len(beside) == 1 else "all of them")


def command_text(module: str, argv: Sequence[str] | None) -> str:
    """Return the command that runs `module` with `argv`, or this process's arguments, as a shell takes it."""
    return shlex.join(["python", "-m", module, *(sys.argv[1:] if argv is None else argv)])
