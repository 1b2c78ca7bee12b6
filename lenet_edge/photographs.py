"""Measure the error on synthetic photographs of held-out digits: pens, papers, shadows, sizes, JPEG.

Each photograph is encoded as JPEG and read exactly as `lenet-edge classify` reads a file. For comparison, the
original MNIST digits are read too, directly and from PNG files.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from converters.base.errors import exit_status, expect
from converters.base.files import check_folder, check_writable, write_json
from converters.base.options import command_parser
from lenet_edge.digits.mnist import HELD_OUT, Digits, held_out_digits
from lenet_edge.digits.options import add_data_option
from lenet_edge.on_paper.contact_sheet import write_samples
from lenet_edge.on_paper.measuring import measure_photographs, report_lines
from lenet_edge.runtime.classifier import DEFAULT_MODEL, Classifier

NAME = "lenet-edge photographs"
EPILOG = """\
examples:
  lenet-edge photographs --data MNIST --count 5000 --out results/photographs.json
  lenet-edge photographs --data MNIST --count 0 --samples samples
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    _check(options)
    Classifier(model=options.model).close()  # a bad model is an error before digits are loaded
    digits = held_out_digits(data=options.data)
    if options.count:
        chosen = Digits(digits.images[: options.count], digits.labels[: options.count])
        report = measure_photographs(chosen, model=options.model, seed=options.seed, jobs=options.jobs)
        print("\n".join(report_lines(report)))
        if options.out:
            write_json(options.out, asdict(report))
    if options.samples:
        with Classifier(model=options.model) as classifier:
            write_samples(digits, classifier, folder=options.samples, seed=options.seed)
    return 0


def _check(options: argparse.Namespace) -> None:
    """Raise InputError for options that are out of range, OSError for outputs that cannot be written."""
    expect(0 <= options.count <= HELD_OUT, f"--count of 0 to {HELD_OUT}", options.count)
    expect(options.seed >= 0, "--seed of 0 or more", options.seed)
    expect(options.jobs >= 1, "--jobs of 1 or more", options.jobs)
    if options.out is not None:
        check_writable(options.out)
    if options.samples is not None:
        check_folder(options.samples)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name=NAME, description=__doc__, epilog=EPILOG)
    add_data_option(parser, digits="training")
    add = parser.add_argument
    add(
        "--count",
        type=int,
        default=1000,
        metavar="N",
        help="photograph the first N held-out digits, 5,000 at most (default: %(default)s)",
    )
    add("--seed", type=int, default=1998, help="seed of the photographs (default: %(default)s)")
    add("--model", default=DEFAULT_MODEL, help="the model to read with (default: %(default)s)")
    add("--jobs", type=int, default=1, metavar="N", help="processes (default: %(default)s)")
    add("--out", type=Path, metavar="FILE", help="write the results as JSON")
    add(
        "--samples",
        type=Path,
        metavar="DIR",
        help="also write 24 photographs, named by their digits, and a sheet of them with the answers",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
