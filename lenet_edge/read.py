"""`python -m lenet_edge.read`: read a line of digits from pictures: a house number, a meter, an amount.

The line is found on the page, whatever the pen, the paper and the light, levelled and scaled; the packaged
wide model then reads it as a whole, without segmenting it into digits. TensorFlow is not needed.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from converters.base.errors import exit_status
from converters.base.options import command_parser
from lenet_edge.digits.opencv import LIBRARY
from lenet_edge.packaged.thresholds import string_threshold
from lenet_edge.reading.answering import answer_files
from lenet_edge.reading.decoding import list_files
from lenet_edge.reading.drawing_files import DrawingFiles
from lenet_edge.reading.options import (
    add_images,
    add_jobs,
    add_results,
    add_session_options,
    check_reading,
    delegate_options,
    report_runtime,
)
from lenet_edge.reading.output import open_output
from lenet_edge.reading.string_answer import FoundLine, answer_line, found_lines
from lenet_edge.reading.string_output import StringResults
from lenet_edge.reading.terminal import log
from lenet_edge.runtime.string_reader import DEFAULT_MODEL, StringReader

if TYPE_CHECKING:
    from lenet_edge.reading.string_drawing import Drawings

NAME = "lenet-edge read"

EPILOG = """\
examples:
  lenet-edge read meter.jpg
  lenet-edge read scans/ --json             every picture in a folder, one JSON object a line
  lenet-edge read - --show < amount.png     standard input; draws the line as the model sees it
  lenet-edge read meter.jpg --png seen.png  the picture with boxes, and below it the answer of each window
  lenet-edge read scans/ --png drawn/       one such picture for each, in a folder

One line of digits is read; dots, commas and dashes between them are ignored. For a picture with
nothing on it the answer is "blank", for one with several lines it is "lines". A string less probable than the
threshold is marked "unsure".

--out is written in one step at the end: after Ctrl-C, or if nothing could be read, an older file is kept.
Status: 0 if every file was read, 1 if some could not be read (each is named on standard error), 2 if none
could.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_intermixed_args(argv)
    check_reading(threshold=options.threshold, jobs=options.jobs, out=options.out)
    LIBRARY.check()
    files = list_files(options.images)
    drawing_files = _drawing_files(options.png, len(files))
    with _reader(options) as reader, open_output(options.out) as output:
        threshold = string_threshold(reader.sha256) if options.threshold is None else options.threshold
        results = StringResults(output, as_json=options.form == "json", draw=options.show)
        drawings = _drawings(drawing_files, reader)

        def answer(line: FoundLine) -> None:
            answered = answer_line(line, reader, threshold=threshold)
            results.write(answered)
            if drawings is not None:
                drawings.add(answered)

        done = answer_files(
            found_lines,
            files,
            answer=answer,
            log=_log,
            jobs=options.jobs,
            show_progress=not options.quiet,
        )
    return done.status


def _drawing_files(path: str | None, files: int) -> DrawingFiles | None:
    """Return where --png puts the drawings of `files` pictures, None without --png."""
    if path is None:
        return None
    drawing_files = DrawingFiles(path)
    drawing_files.check_room(files)
    return drawing_files


def _drawings(files: DrawingFiles | None, reader: StringReader) -> Drawings | None:
    if files is None:
        return None
    from lenet_edge.reading.string_drawing import Drawings  # here, as only --png needs it

    return Drawings(files, score=reader.scores)


def _reader(options: argparse.Namespace) -> StringReader:
    reader = StringReader(
        model=options.model,
        runtime=options.runtime,
        delegate=options.delegate,
        delegate_options=delegate_options(options.delegate_option),
        threads=options.threads,
        require_delegate=options.require_delegate,
    )
    report_runtime(reader.report, log=_log, verbose=options.verbose)
    return reader


_log = functools.partial(log, NAME)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name=NAME, description=__doc__, epilog=EPILOG)
    add = parser.add_argument_group("input").add_argument
    add_images(add, nargs="+")
    add_jobs(add)
    add = add_results(
        parser,
        drawn="line",
        json="file, index (IDX), digits, probability, sure, boxes, finding",
    )
    add(
        "--png",
        metavar="FILE|DIR",
        help="draw the answers over the picture: a .png file for one picture, or a folder",
    )
    add(
        "--threshold",
        type=float,
        metavar="P",
        help='mark less probable strings as "unsure" (default: the packaged threshold)',
    )
    add = parser.add_argument_group("model").add_argument
    model = "float32, int8 or int8_qat, or any .tflite file from 1x32xWx1 to eleven scores a window"
    add_session_options(add, model=model, default=DEFAULT_MODEL)
    return parser


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
