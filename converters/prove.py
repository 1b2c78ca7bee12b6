"""Prove .tflite files: compare each with the Keras model it was made from, in every runtime found here.

Each file must have the model's weights, each within half of its step, and give the model's outputs within the
rounding of the file's own scales. Where no tolerance can be derived, the report shows what was measured and
never says "within".
"""

from __future__ import annotations

import argparse
import functools
import os
from collections.abc import Sequence
from pathlib import Path

from converters.base.arrays import read_arrays
from converters.base.errors import exit_status, expect
from converters.base.files import write_atomically, write_json
from converters.base.kerases import BACKEND
from converters.base.model_files import check_model_file
from converters.base.options import (
    add_column_option,
    add_import_option,
    add_model_argument,
    add_report_options,
    add_trust_option,
    check_report_options,
    command_parser,
    command_text,
)
from converters.file.soundness import unchecked
from converters.proof.samples import check_labels, checked_data, first_samples
from converters.runtimes.columns import COLUMNS

NAME = "python -m converters.prove"

EPILOG = """\
examples:
  python -m converters.prove MODEL.keras int8.tflite float16.tflite --data DATA.npz
  python -m converters.prove MODEL.keras int8.tflite --data DATA.npz --labels Y.npy --layers --html proof.html
  python -m converters.prove MODEL.keras int8.tflite --data DATA.npz --column tf.lite --column micro

DATA.npz holds real inputs (n, ...), ten or more; a few hundred are better. A model with several inputs needs
an array for each, by the input's name. Y.npy (or .npz) holds the correct answers: classes (n,), or values of
the output's shape. With it the report shows each file's error. Where outputs are scores, the report always
shows how often file and model agree. A fine-tuned model must be in an .h5 file; its file is compared with the
exact model that has its weights. The exit status is 1 if a cell is out of tolerance, 2 on bad input.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    check_model_file(options.model, trust_code=options.trust_code)
    check_report_options(options)
    names = [path.name for path in options.files]
    expect(len(set(names)) == len(names), "files of different names", ", ".join(names))
    files = {path.name: path.read_bytes() for path in options.files}
    for name, content in files.items():
        unchecked(content, name=name)  # refuses one that is damaged
    expect(options.samples is None or options.samples >= 1, "--samples of 1 or more", options.samples)
    slow = options.slow_samples
    expect(slow is None or slow >= 1, "--slow-samples of 1 or more", slow)
    data = checked_data(first_samples(read_arrays(options.data), options.samples))
    labels = first_samples(read_arrays(options.labels), options.samples) if options.labels else None
    if labels is not None:
        check_labels(labels, data)
    os.environ[BACKEND] = "tensorflow"  # files are made from its graphs; this process is ours
    # TensorFlow takes seconds to import: bad input has been rejected by now.
    from converters.model.loading import load_model
    from converters.proof.proving import prove
    from converters.proof.terminal_lines import verdict

    proof = prove(
        load_model(options.model, modules=options.imports, trust_code=options.trust_code),
        files,
        data,
        labels=labels,
        columns=options.column,
        slow_samples=slow,
        layers=options.layers,
        answers=options.answers,
        print_lines=functools.partial(print, flush=True),
    )
    report = {**proof.as_json(), "command": command_text("converters.prove", argv)}
    if options.json:
        write_json(options.json, report)
    if options.html:
        from converters.proof.report import html_of

        write_atomically(options.html, html_of(report))
    print(f"\n{verdict(report)}")
    return 1 if proof.verdict == "out" else 0


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name=NAME, description=__doc__, epilog=EPILOG)
    add = parser.add_argument
    add_model_argument(parser)
    add("files", type=Path, nargs="+", metavar="FILE", help="a .tflite file of the model")
    add("--data", type=Path, required=True, metavar="DATA.npz", help="real inputs of the model")
    add("--labels", type=Path, metavar="Y.npy", help="the correct answers, for the error")
    add("--samples", type=int, metavar="N", help="only the first N samples (default: all)")
    add(
        "--slow-samples",
        type=int,
        metavar="N",
        help="only the first N in the slow runtimes: reference kernels, GPU, Micro (default: all)",
    )
    add_column_option(parser, COLUMNS)
    add(
        "--answers",
        type=Path,
        action="append",
        default=[],
        metavar="FILE.json",
        help="add the `answers` in an app's report (docs/prove.md; may be repeated)",
    )
    add_report_options(parser)
    add_import_option(parser)
    add_trust_option(parser)
    return parser


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
