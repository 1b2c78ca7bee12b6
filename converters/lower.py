"""Lay a .tflite file out for faster kernels: the same function, bit for bit in int8, without retraining.

Convolutions with few channels, and the poolings behind them, are computed at several positions at once. It
takes any model, quantised or not, and needs no TensorFlow where LiteRT is installed. Before the new file is
written, both files run on a few random inputs. If their outputs differ, nothing is written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from converters.base.errors import exit_status, expect
from converters.base.files import check_writable, write_atomically
from converters.base.installed import RUNTIMES
from converters.base.options import command_parser
from converters.file.soundness import check_sound

NAME = "python -m converters.lower"

EPILOG = """\
examples:
  python -m converters.lower model.tflite                   four columns at once where channels are few
  python -m converters.lower model.tflite --tune            the fastest here, measured (half a minute)
  python -m converters.lower model.tflite --tune --runtime tflite --threads 2
  python -m converters.lower model.tflite --layout "1x4>1x4 1x4>1x2 -"

A layout has one word for each CONV_2D, DEPTHWISE_CONV_2D and AVERAGE_POOL_2D, in order: the rows x columns
that are computed at once, of its input and of its output, or - to leave it as it is. A layout that does not
fit is refused.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    # They answer in a line where no package has the schema: not while this module is imported.
    from converters.file.layouts import describe, layout_of
    from converters.file.lowering import lower
    from converters.runtimes.lowered_comparison import check_same
    from converters.timing.tuning import suggested_layout, tune

    expect(not (options.layout and options.tune), "--layout or --tune", "both")
    expect(options.tune or options.most_bytes is None, "--most-bytes with --tune", "it alone")
    out = options.out or options.model.with_name(f"{options.model.stem}_lowered.tflite")
    content = options.model.read_bytes()
    if not options.only_layout:
        check_writable(out)
    if options.tune:
        check_sound(content, name=options.model.name)
        found = tune(
            content,
            runtime=options.runtime,
            threads=options.threads,
            most_bytes=options.most_bytes,
            progress=_print_progress,
        )
        _print_progress(str(found))
        layout = found.layout
    else:
        layout = layout_of(options.layout) if options.layout else suggested_layout(content)
    if options.only_layout:
        print(describe(layout))
        return 0
    lowered = lower(content, layout=layout)
    compared = check_same(content, lowered)
    write_atomically(out, lowered)
    print(f"{out}: {describe(layout)}, {len(lowered):,} bytes ({len(content):,} before), {compared}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name=NAME, description=__doc__, epilog=EPILOG)
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL.tflite")
    add("--layout", metavar="TEXT", help="the layout (default: four or two columns where channels are few)")
    add("--tune", action="store_true", help="measure which layout is fastest on this machine")
    add("--runtime", choices=("auto", *RUNTIMES), default="auto", help="runtime that --tune measures in")
    add("--threads", type=int, default=1, metavar="N", help="CPU threads for --tune (default: 1)")
    add("--most-bytes", type=int, metavar="N", help="with --tune: the largest file allowed")
    add("--out", type=Path, metavar="FILE", help="file to write (default: MODEL_lowered.tflite)")
    add("--only-layout", action="store_true", help="print the layout and write nothing")
    return parser


def _print_progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
