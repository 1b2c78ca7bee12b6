"""Make the parsers of commands, and add the options that several commands share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from converters.base.errors import expect
from converters.base.files import check_writable
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
    """Add --out and --precision, one of `precisions`; `default`: what the help says of leaving it out."""
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/tflite"),
        metavar="DIR",
        help="folder to write the files to (default: %(default)s)",
    )
    parser.add_argument(
        "--precision",
        choices=precisions,
        action="append",
        help=f"only this precision (may be repeated; default: {default})",
    )


def add_model_argument(parser: argparse.ArgumentParser) -> None:
    """Add MODEL, what `converters.model.loading.load_model` takes."""
    parser.add_argument(
        "model", type=Path, metavar="MODEL", help="a .keras, .h5 or .hdf5 file, or a SavedModel's folder"
    )


def add_import_option(parser: argparse.ArgumentParser) -> None:
    """Add --import, as `imports`: the modules with a model's custom layers."""
    parser.add_argument(
        "--import",
        dest="imports",
        action="append",
        default=[],
        metavar="MODULE",
        help="module with the model's custom layers (may be repeated)",
    )


def add_trust_option(parser: argparse.ArgumentParser) -> None:
    """Add --trust-code."""
    parser.add_argument(
        "--trust-code", action="store_true", help="run code that MODEL holds or names, such as a lambda"
    )


def add_column_option(parser: argparse.ArgumentParser, names: Iterable[str]) -> None:
    """Add --column, one of the `names` of runtimes."""
    parser.add_argument(
        "--column",
        choices=list(names),
        action="append",
        help="only this runtime (may be repeated; default: all; those not installed are listed)",
    )


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """Add --layers, --json and --html."""
    add = parser.add_argument
    add("--layers", action="store_true", help="also compare each layer: signal to quantisation noise")
    add("--json", type=Path, metavar="FILE", help="write all measurements to FILE")
    add("--html", type=Path, metavar="FILE", help="write a report for the browser to FILE")


def check_report_options(options: argparse.Namespace) -> None:
    """Raise OSError when a report that is asked for cannot be written."""
    for path in filter(None, (options.json, options.html)):
        check_writable(path)


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
    import shlex  # here, as only reports need it

    return shlex.join(["python", "-m", module, *(sys.argv[1:] if argv is None else argv)])
