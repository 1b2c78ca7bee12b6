"""`python -m lenet_edge.read`: read a line of digits from pictures: a house number, a meter, an amount.

The line is found on the page, whatever the pen, the paper and the light, laid level and scaled; the packaged
wide model then reads it as a whole, without cutting it into digits. TensorFlow is not needed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence

from converters.base.errors import exit_status, expect
from lenet_edge.packaged.files import released_folder
from lenet_edge.reading.options import add_jobs, add_running, answer_all, constructed_by, say_report
from lenet_edge.reading.output import Output, opened
from lenet_edge.reading.string_answer import ReadyLine, StringAnswer, answer_line, ready_lines
from lenet_edge.reading.string_output import StringResults
from lenet_edge.reading.terminal import printable
from lenet_edge.runtime.string_reader import DEFAULT_MODEL, StringReader

__all__ = ["main"]

NAME = "lenet-edge read"

EPILOG = """\
examples:
  lenet-edge read meter.jpg
  lenet-edge read scans/ --json             every picture in a folder, one JSON object a line
  lenet-edge read - --show < amount.png     standard input; draws the line as the model sees it
  lenet-edge read meter.jpg --png seen.png  the picture with boxes, and below it what each window says
  lenet-edge read scans/ --png drawn/       one such picture for each, in a folder

One line of digits is read; dots, commas and dashes between them are passed over. A picture with nothing on
it, or with more than one line, is said to be so instead. A string less probable than the threshold is marked
"unsure". Status: 0 when every picture was read, 1 when some files could not be (each is named on standard
error), 2 when none could.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_intermixed_args(argv)
    threshold = packaged_threshold() if options.threshold is None else options.threshold
    expect(0 <= threshold <= 1, "--threshold of 0 to 1", options.threshold)
    expect(options.jobs >= 1, "--jobs of 1 or more", options.jobs)
    with _reader(options) as reader, opened(options.out) as (stream, name):
        written = StringResults(Output(stream, name=name), as_json=options.json, draw=options.show)
        draw = _drawer(options.png, reader) if options.png else None

        def answered(ready: ReadyLine) -> None:
            answer = answer_line(ready, reader, threshold=threshold)
            written.write(answer)
            if draw is not None:
                draw(answer)

        return answer_all(ready_lines, options, answered=answered, say=_say)


def packaged_threshold() -> float:
    """Return the probability below which a string is unsure, as it was measured for the packaged weights.

    Raises InputError, naming the file, when it has none.
    """
    path = released_folder() / "lenet5_wide.json"
    expect(path.is_file(), f"the packaged {path.name} with a threshold", "no such file: give --threshold")
    threshold = json.loads(path.read_text()).get("threshold")
    expect(isinstance(threshold, (int, float)), f'"threshold", a number, in {path.name}', threshold)
    return float(threshold)


def _drawer(path: str, reader: StringReader) -> Callable[[StringAnswer], None]:
    from lenet_edge.reading.string_picture import Drawings  # here, as only --png needs it

    drawings = Drawings(path)

    def draw(answer: StringAnswer) -> None:
        line = answer.ready.line
        drawings.add(answer, reader.scores(line.picture) if line.picture.size else None)

    return draw


def _reader(options: argparse.Namespace) -> StringReader:
    reader = StringReader(model=options.model, **constructed_by(options))
    say_report(reader.report, say=_say, verbose=options.verbose)
    return reader


def _say(what: object) -> None:
    print(f"{NAME}: {printable(str(what), sys.stderr.encoding)}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=NAME,
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument_group("what is read").add_argument
    add(
        "images",
        nargs="+",
        metavar="IMAGE",
        help="a PNG, JPEG, PGM, BMP, GIF, WebP or IDX file, a folder of them, or - for standard input",
    )
    add_jobs(add)
    _add_results(parser)
    add = parser.add_argument_group("what reads it").add_argument
    add(
        "--model",
        default=DEFAULT_MODEL,
        metavar="NAME|FILE",
        help="float32 or int8, or any .tflite file from 1x32xWx1 to eleven scores a window "
        "(default: %(default)s)",
    )
    add_running(add)
    return parser


def _add_results(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is written")
    form = group.add_mutually_exclusive_group()
    form.add_argument(
        "--json",
        action="store_true",
        help="one JSON object a line: file, index (IDX), digits, probability, sure, boxes, finding",
    )
    form.add_argument(
        "--show", action="store_true", help="draw each line as the model sees it (in text only)"
    )
    add = group.add_argument
    add("--png", metavar="FILE|DIR", help="draw the answers over the picture: a .png file, or a folder")
    add("--out", metavar="FILE", help="write to a file")
    add(
        "--threshold",
        type=float,
        metavar="P",
        help='mark a string less probable as "unsure" (default: the packaged one)',
    )
    add("--quiet", action="store_true", help="no progress bar")
    add("--verbose", action="store_true", help="say on standard error what runs the model")


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
