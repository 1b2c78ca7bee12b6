"""`python -m lenet_edge.classify`: read digits from pictures, photographed on paper or in MNIST's form.

The digit is found on the page, whatever the pen, the paper and the light, and normalised as in MNIST; a
packaged model then reads it. TensorFlow is not needed.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
from collections.abc import Sequence

from converters.base.errors import exit_status, expect
from converters.base.options import command_parser
from lenet_edge.packaged.names import VARIANTS
from lenet_edge.packaged.thresholds import digit_threshold
from lenet_edge.reading.answering import answer_files, answer_frames, answer_watched_folder
from lenet_edge.reading.camera import open_camera
from lenet_edge.reading.decoding import PreparedPicture, list_files, prepared_pictures
from lenet_edge.reading.digit_answer import answer_picture, answer_prepared
from lenet_edge.reading.digit_output import COLUMNS, Results, open_results
from lenet_edge.reading.options import (
    add_images,
    add_jobs,
    add_results,
    add_session_options,
    check_reading,
    delegate_options,
    report_runtime,
)
from lenet_edge.reading.terminal import log
from lenet_edge.runtime.classifier import DEFAULT_MODEL, Classifier

NAME = "lenet-edge classify"
MODELS = {"lenet5": DEFAULT_MODEL, "stock_lenet5": "int8"}
"""The packaged models by name, each with its default precision."""

EPILOG = """\
examples:
  lenet-edge classify photo.jpg
  lenet-edge classify scans/ --json              every picture in a folder, one JSON object a line
  lenet-edge classify scans/ --csv --out all.csv
  lenet-edge classify t10k-images-idx3-ubyte.gz  every image of an IDX file
  lenet-edge classify - --show < photo.png       standard input; draws the digit as the model sees it
  lenet-edge classify photo.jpg --model mine.tflite --delegate xnnpack
  lenet-edge classify --watch inbox/             pictures as they arrive, until SIGTERM or Ctrl-C
  lenet-edge classify --camera                   what a camera sees, once a second

For a picture with nothing on it the answer is "blank", for one with several figures it is "crowded". A digit
less probable than the threshold is marked "unsure". An int8 model counts probabilities in steps of 1/256, so
the most that it says is 99.6 %. Status: 0 if every file was read, 1 if some could not be
read (each is named on standard error), 2 if none could. --watch and --camera finish the current picture on
SIGTERM or Ctrl-C and end with 0.

--out is written in one step at the end: after Ctrl-C, or if nothing could be read, an older file is kept.
--watch and --camera append each answer at once.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_intermixed_args(argv)
    _check(options)
    endless = options.watch is not None or options.camera is not None
    with (
        _classifier(options) as classifier,
        open_results(options.out, form=options.form, draw=options.show, append=endless) as results,
    ):
        threshold = digit_threshold(classifier.sha256) if options.threshold is None else options.threshold
        return _read(options, classifier, results, threshold)


def _read(options: argparse.Namespace, classifier: Classifier, results: Results, threshold: float) -> int:
    """Read the pictures that the options name; return the exit status."""

    def answer(picture: PreparedPicture) -> None:
        results.write(answer_prepared(picture, classifier, threshold=threshold))

    if options.watch is not None:
        log_status = _log_nothing if options.quiet else _log
        answer_watched_folder(
            options.watch,
            answer=answer,
            log=_log,
            log_status=log_status,
            existing=options.existing,
            limit=options.count,
        )
        return 0
    if options.camera is not None:
        with contextlib.closing(open_camera(options.camera)) as camera:
            answer_frames(
                camera,
                read=lambda frame: answer_picture(frame, classifier, threshold=threshold),
                write=results.write,
                every=options.every,
                limit=options.count,
                only_changes=options.form == "text",
            )
        return 0
    files = list_files(options.images)
    done = answer_files(
        prepared_pictures,
        files,
        answer=answer,
        log=_log,
        jobs=options.jobs,
        show_progress=not options.quiet,
    )
    return done.status


def _classifier(options: argparse.Namespace) -> Classifier:
    classifier = Classifier(
        model=_model(options.model, options.precision),
        runtime=options.runtime,
        delegate=options.delegate,
        delegate_options=delegate_options(options.delegate_option),
        threads=options.threads,
        require_delegate=options.require_delegate,
    )
    report_runtime(classifier.report, log=_log, verbose=options.verbose)
    return classifier


def _model(name: str, precision: str | None) -> str:
    """Return the model as `Classifier` takes it: a packaged file's name or a path."""
    if name in MODELS:
        return f"{name}_{precision or MODELS[name]}.tflite"
    expect(precision is None, f"--precision with a model of {', '.join(MODELS)} only", name)
    return name


def _check(options: argparse.Namespace) -> None:
    """Raise InputError for options that conflict or are out of range, OSError for an unwritable --out."""
    sources = {"IMAGE": options.images or None, "--watch": options.watch, "--camera": options.camera}
    named = [name for name, value in sources.items() if value is not None]
    expect(len(named) == 1, "one of IMAGE..., --watch DIR and --camera", " and ".join(named) or "none")
    expect(options.count is None or not options.images, "--count with --watch or --camera", "IMAGE...")
    expect(options.count is None or options.count >= 1, "--count of 1 or more", options.count)
    expect(not options.existing or options.watch is not None, "--existing with --watch", "none")
    expect(options.every >= 0, "--every of 0 seconds or more", options.every)
    check_reading(threshold=options.threshold, jobs=options.jobs, out=options.out)


_log = functools.partial(log, NAME)


def _log_nothing(message: object) -> None:
    """Log nothing, for --quiet."""


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name=NAME, description=__doc__, epilog=EPILOG)
    _add_sources(parser)
    add_results(
        parser,
        drawn="digit",
        json="file, index (IDX), digit, probability, sure",
        csv=",".join(COLUMNS),
        out="; --watch and --camera append to it",
    )(
        "--threshold",
        type=float,
        metavar="P",
        help='mark less probable digits as "unsure" (default: the packaged threshold; 0 for a model without)',
    )
    _add_model(parser)
    return parser


def _add_sources(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("input").add_argument
    add_images(add, nargs="*")
    add("--watch", metavar="DIR", help="read pictures as they arrive in a folder, each once it is complete")
    add("--existing", action="store_true", help="with --watch: also read the pictures already there")
    add(
        "--camera",
        nargs="?",
        const="0",
        metavar="INDEX|NAME",
        help="read from a camera, by its number, model or device (default: 0); text shows only changes",
    )
    add(
        "--every",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="pause between two frames (default: %(default)g)",
    )
    add("--count", type=int, metavar="N", help="stop after N pictures of --watch or --camera")
    add_jobs(add)


def _add_model(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("model").add_argument
    add_session_options(add, model=f"{' or '.join(MODELS)}, or any .tflite file", default="lenet5")
    defaults = ", ".join(f"{precision} of {name}" for name, precision in MODELS.items())
    add("--precision", choices=VARIANTS, help=f"of the named model (default: {defaults})")


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
