"""Lay every .tflite file in every runtime beside the original model, and say which cell is out."""

from __future__ import annotations

import argparse
import hashlib
import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from converters.base.errors import InputError, expect
from converters.base.files import write_atomically, write_json
from converters.base.options import command_parser
from converters.runtimes.columns import COLUMNS, Column, delegate_column
from lenet_edge.digits.mnist import Digits, test_digits
from lenet_edge.packaged.files import checked_content, released_folder
from lenet_edge.packaged.names import ALL_NAMES, WIDE
from lenet_edge.parity.evidence import Evidence, evidence_of
from lenet_edge.parity.golden import golden_report
from lenet_edge.parity.imported import GOLDEN, Imported, read_imports
from lenet_edge.parity.printing import verdict

EPILOG = """\
examples:
  lenet-edge parity                                 all packaged files, runtimes and 10,000 digits
  lenet-edge parity --models build/tflite --digits 1000
  lenet-edge parity --layers --html parity.html --json parity.json
  lenet-edge parity --column tf.lite --column micro --slow-digits 200
  lenet-edge parity --net lenet5_wide --digits 1000 --slow-digits 100   strings, at four widths
  lenet-edge parity --import phone.json --only-imports --html phone.html

A cell is within its tolerance when the file holds the original's weights, each within half of its step; when
every score is within the accumulated rounding of the file's own scales; and when its errors are no more
than chance allows. docs/parity.md derives it. Answers to the golden pictures are judged by golden.json's own
limits. The exit status is 1 when a cell is out, 2 on bad input.
"""


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name="lenet-edge parity", description=__doc__, epilog=EPILOG)
    add = parser.add_argument
    add(
        "--models",
        type=Path,
        metavar="DIR",
        help="compare the .tflite files of DIR instead of the packaged ones",
    )
    add("--net", choices=ALL_NAMES, default="lenet5", help="whose files (default: %(default)s)")
    add(
        "--column",
        choices=COLUMNS,
        action="append",
        help="only this runtime (may be repeated; default: all; absent ones are listed)",
    )
    add(
        "--delegate",
        type=Path,
        metavar="LIB",
        help="measure a delegate's shared library too, as a column of its own",
    )
    add(
        "--import",
        type=Path,
        action="append",
        default=[],
        dest="imports",
        metavar="FILE",
        help="add what an app answered, from its report with `answers` (docs/benchmark.md; may be repeated)",
    )
    add(
        "--only-imports",
        action="store_true",
        help="measure nothing here; answers to the golden pictures alone need no TensorFlow",
    )
    add("--digits", type=int, default=10_000, metavar="N", help="first N test digits (default: all 10,000)")
    add(
        "--slow-digits",
        type=int,
        metavar="N",
        help="first N for the slow columns: reference kernels, GPU, Micro (default: as --digits)",
    )
    add("--data", type=Path, metavar="DIR", help="folder with MNIST's IDX files (default: the packaged ones)")
    add("--layers", action="store_true", help="compare layer by layer too: signal to quantisation noise")
    add("--json", type=Path, metavar="FILE", help="write everything measured to FILE")
    add("--html", type=Path, metavar="FILE", help="write a report to read in a browser, one file")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    _check(options)
    contents = _contents(options)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    imports = read_imports(options.imports, hashes)
    report, evidence = _measured(options, contents, imports)
    report["command"] = shlex.join(
        ["python", "-m", "lenet_edge.parity", *(sys.argv[1:] if argv is None else argv)]
    )
    if options.json:
        write_json(options.json, report)
    if options.html:
        from lenet_edge.parity.report import html_of

        write_atomically(options.html, html_of(report, evidence))
    print(verdict(report))
    return 0 if report["within"] else 1


def _measured(
    options: argparse.Namespace, contents: Mapping[str, bytes], imports: Sequence[Imported]
) -> tuple[dict[str, Any], Evidence | None]:
    """Measure what is asked for; return the report, and what HTML shows beside it of the test digits."""
    if options.only_imports and all(imported.pictures == GOLDEN for imported in imports):
        return golden_report(contents, imports, net=options.net), None
    digits, columns, count = test_digits(data=options.data), _columns(options), options.digits
    if not columns:
        count = min(count, max(imported.digits for imported in imports))
    digits = Digits(digits.images[:count], digits.labels[:count])
    # TensorFlow takes seconds to import: bad input has been answered by now.
    from lenet_edge.parity.measuring import measure

    report, matrix = measure(
        contents,
        digits,
        net=options.net,
        columns=columns,
        slow_digits=options.slow_digits or count,
        layers=options.layers,
        imports=imports,
    )
    shown = options.html and options.net != WIDE  # windows are no digits to show
    return report, evidence_of(digits, matrix) if shown else None


def _columns(options: argparse.Namespace) -> list[Column]:
    """Return the columns to measure here."""
    if options.only_imports:
        return []
    columns = [COLUMNS[name] for name in dict.fromkeys(options.column or COLUMNS)]
    return [*columns, delegate_column(options.delegate)] if options.delegate else columns


def _check(options: argparse.Namespace) -> None:
    expect(1 <= options.digits <= 10_000, "--digits from 1 to 10000", options.digits)
    slow = options.slow_digits
    expect(slow is None or slow >= 1, "--slow-digits of 1 or more", slow)
    only = options.only_imports
    expect(options.imports or not only, "--only-imports with --import", "none")
    expect(not (options.imports and options.net == WIDE), f"--import without --net {WIDE}", "both")
    measured = options.column or options.delegate or options.layers
    expect(not (only and measured), "--only-imports without --column, --delegate and --layers", "one of them")
    expect(options.models is None or options.models.is_dir(), "--models to be a folder", options.models)


def _contents(options: argparse.Namespace) -> dict[str, bytes]:
    """Return the files to compare by name, each with its manifest's sha256 where there is a manifest.

    A file that the manifest calls another net's is left out.
    """
    folder = options.models or released_folder()
    manifest = folder / "manifest.json"
    entries = _manifest(manifest) if manifest.is_file() else None
    models = {name: entry.get("model") for name, entry in (entries or {}).items()}
    there = (path for path in folder.glob("*.tflite") if models.get(path.name) in (None, options.net))
    paths = sorted(there, key=_rank)
    expect(paths, f".tflite files of {options.net} in {folder}", "none")
    return {path.name: checked_content(path, entries) for path in paths}


def _manifest(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text())["models"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: expected a manifest of `convert`, got another or a damaged file"
        ) from error


def _rank(path: Path) -> tuple[int, str]:
    """Order the files as their precisions are: float32 first, the fine-tuned last."""
    words = ("float32", "float16", "dynamic", "int8", "qat")
    return max(
        (place for place, word in enumerate(words) if word in path.stem), default=len(words)
    ), path.name
