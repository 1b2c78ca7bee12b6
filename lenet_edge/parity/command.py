"""Compare every .tflite file in every runtime with the original model; report what is out of tolerance."""

from __future__ import annotations

import argparse
import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from converters.base.errors import expect
from converters.base.files import write_atomically, write_json
from converters.base.options import (
    add_column_option,
    add_report_options,
    check_report_options,
    command_parser,
    command_text,
)
from converters.runtimes.columns import COLUMNS, Column, delegate_column
from lenet_edge.digits.mnist import Digits, test_digits
from lenet_edge.digits.options import add_data_option
from lenet_edge.packaged.files import released_folder
from lenet_edge.packaged.names import ALL_NAMES, WIDE
from lenet_edge.parity.compared_files import compared_files
from lenet_edge.parity.golden import golden_report
from lenet_edge.parity.imported import GOLDEN, Imported, most_digits, read_imports
from lenet_edge.parity.score_comparison import ScoreComparison, compare_scores
from lenet_edge.parity.terminal_lines import verdict

EPILOG = """\
examples:
  lenet-edge parity                                 all packaged files, runtimes and 10,000 digits
  lenet-edge parity --models build/tflite --digits 1000
  lenet-edge parity --layers --html parity.html --json parity.json
  lenet-edge parity --column tf.lite --column micro --slow-digits 200
  lenet-edge parity --net lenet5_wide --digits 1000 --slow-digits 100   strings, at four widths
  lenet-edge parity --import phone.json --only-imports --html phone.html

A cell is one file in one runtime. It is within tolerance if the file holds the original's weights, each
within half of its step; if every score is within the accumulated rounding of the file's own scales; and if it
misreads no more digits than chance allows. docs/parity.md derives this. Answers to the golden pictures are
judged by the limits in golden.json. The exit status is 1 if a cell is out of tolerance, 2 on bad input.
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
    add("--net", choices=ALL_NAMES, default="lenet5", help="the net of the files (default: %(default)s)")
    add_column_option(parser, COLUMNS)
    add(
        "--delegate",
        type=Path,
        metavar="LIB",
        help="also measure this shared library of a delegate, as a column of its own",
    )
    add(
        "--import",
        type=Path,
        action="append",
        default=[],
        dest="imports",
        metavar="FILE",
        help="add the `answers` in an app's report (docs/benchmark.md; may be repeated)",
    )
    add(
        "--only-imports",
        action="store_true",
        help="measure nothing here; golden pictures alone need no TensorFlow",
    )
    add("--digits", type=int, default=10_000, metavar="N", help="first N test digits (default: all 10,000)")
    add(
        "--slow-digits",
        type=int,
        metavar="N",
        help="first N for the slow runtimes: reference kernels, GPU, Micro (default: --digits)",
    )
    add_data_option(parser, digits="test")
    add_report_options(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    _check(options)
    contents = compared_files(options.models or released_folder(), net=options.net)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    report, comparison = _measured(options, contents, read_imports(options.imports, hashes))
    report["command"] = command_text("lenet_edge.parity", argv)
    if options.json:
        write_json(options.json, report)
    if options.html:
        from lenet_edge.parity.report import html_of

        write_atomically(options.html, html_of(report, comparison))
    print(f"\n{verdict(report)}")
    return 0 if report["within"] else 1


def _measured(
    options: argparse.Namespace, contents: Mapping[str, bytes], imports: Sequence[Imported]
) -> tuple[dict[str, Any], ScoreComparison | None]:
    """Measure; return the report and, for HTML, the comparison of scores on the test digits."""
    print_lines = functools.partial(print, flush=True)
    if options.only_imports and all(imported.pictures == GOLDEN for imported in imports):
        return golden_report(contents, imports, net=options.net, print_lines=print_lines), None
    digits, columns = test_digits(data=options.data), _columns(options)
    count = options.digits if columns else min(options.digits, most_digits(imports))
    digits = Digits(digits.images[:count], digits.labels[:count])
    # TensorFlow takes seconds to import: bad input has been rejected by now.
    from lenet_edge.parity.measuring import measure

    report, matrix = measure(
        contents,
        digits,
        net=options.net,
        columns=columns,
        slow_digits=options.slow_digits or count,
        layers=options.layers,
        imports=imports,
        print_lines=print_lines,
    )
    has_digits = options.html and options.net != WIDE  # a wide net's windows are not digits to show
    return report, compare_scores(digits, matrix) if has_digits else None


def _columns(options: argparse.Namespace) -> list[Column]:
    """Return the columns to measure here."""
    if options.only_imports:
        return []
    columns = [COLUMNS[name] for name in dict.fromkeys(options.column or COLUMNS)]
    return [*columns, delegate_column(options.delegate)] if options.delegate else columns


def _check(options: argparse.Namespace) -> None:
    """Raise InputError on invalid options, OSError on a report that cannot be written."""
    expect(1 <= options.digits <= 10_000, "--digits from 1 to 10000", options.digits)
    slow = options.slow_digits
    expect(slow is None or slow >= 1, "--slow-digits of 1 or more", slow)
    expect(options.imports or not options.only_imports, "--only-imports with --import", "none")
    expect(not (options.imports and options.net == WIDE), f"--import without --net {WIDE}", "both")
    here = options.column or options.delegate or options.layers or options.slow_digits
    wanted = "--only-imports without --column, --delegate, --layers and --slow-digits"
    expect(not (options.only_imports and here), wanted, "one of them")
    expect(options.models is None or options.models.is_dir(), "--models to be a folder", options.models)
    check_report_options(options)
