"""`python -m lenet_edge.classify`: read digits from pictures, pen on paper or as MNIST has them.

The digit is found on the page, whatever the pen, the paper and the light, and brought into MNIST's form; a
packaged model then reads it. TensorFlow is not needed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from converters.base.errors import InputError, exit_status, expect
from lenet_edge.reading.batch import Ready, read, ready_pictures
from lenet_edge.reading.camera import frames, open_camera
from lenet_edge.reading.digit_answer import Answer, answer, answer_ready
from lenet_edge.reading.digit_output import Results, results
from lenet_edge.reading.inbox import watch
from lenet_edge.reading.options import add_jobs, add_running, answer_all, constructed_by, say_report
from lenet_edge.reading.stopping import Stop
from lenet_edge.reading.terminal import printable
from lenet_edge.runtime.classifier import DEFAULT_MODEL, Classifier

__all__ = ["Answer", "answer", "main"]

NAME = "lenet-edge classify"
PRECISIONS = ("float32", "float16", "dynamic", "int8", "int8_qat")
MODELS = {"lenet5": DEFAULT_MODEL, "stock_lenet5": "int8"}
"""The packaged models by name, each with the precision that is used when none is named."""

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

A picture with nothing on it, or with more than one figure, is said to be so instead. Status: 0 when every
picture was read, 1 when some files could not be (each is named on standard error), 2 when none could. --watch
and --camera end with 0 when they are told to stop, after the picture at hand.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_intermixed_args(argv)
    _check(options)
    endless = options.watch is not None or options.camera is not None
    with (
        _classifier(options) as classifier,
        results(options.out, form=options.form, draw=options.show, append=endless) as written,
    ):
        if options.watch is not None:
            return _watched(options, classifier, written)
        if options.camera is not None:
            return _seen(options, classifier, written)
        return _read(options, classifier, written)


def _read(options: argparse.Namespace, classifier: Classifier, written: Results) -> int:
    """Answer the pictures that were named; return the exit status."""

    def answered(item: Ready) -> None:
        written.write(answer_ready(item, classifier))

    return answer_all(ready_pictures, options, answered=answered, say=_say)


def _watched(options: argparse.Namespace, classifier: Classifier, written: Results) -> int:
    """Answer the pictures that arrive in a folder until told to stop; return the exit status."""
    answered = 0
    with Stop() as stop:
        say = _nothing if options.quiet else _say
        for path in watch(options.watch, stop=stop, say=say, existing=options.existing):
            for item in read([path]):
                if isinstance(item, InputError):
                    _say(item)
                else:
                    written.write(answer_ready(item, classifier))
                    answered += 1
                if stop.asked or answered == options.count:
                    return 0
    return 0


def _seen(options: argparse.Namespace, classifier: Classifier, written: Results) -> int:
    """Answer what a camera sees until told to stop; return the exit status."""
    camera = open_camera(options.camera)
    try:
        with Stop() as stop:
            last = None
            for number, frame in enumerate(frames(camera, every=options.every, stop=stop), 1):
                read = answer(frame, classifier)
                if options.form != "text" or (read.digit, read.prepared.finding) != last:
                    written.write(read)
                last = (read.digit, read.prepared.finding)
                if number == options.count:
                    break
    finally:
        camera.close()
    return 0


def _classifier(options: argparse.Namespace) -> Classifier:
    classifier = Classifier(model=_model(options.model, options.precision), **constructed_by(options))
    say_report(classifier.report, say=_say, verbose=options.verbose)
    return classifier


def _model(name: str, precision: str | None) -> str:
    """Return what `Classifier` calls the model: a packaged file's name or a path."""
    if name in MODELS:
        return f"{name}_{precision or MODELS[name]}.tflite"
    expect(precision is None, f"--precision with a model of {', '.join(MODELS)} only", name)
    return name


def _check(options: argparse.Namespace) -> None:
    """Raise InputError for options that do not go together or are out of range."""
    sources = {"IMAGE": options.images or None, "--watch": options.watch, "--camera": options.camera}
    given = [name for name, value in sources.items() if value is not None]
    expect(len(given) == 1, "one of IMAGE..., --watch DIR and --camera", " and ".join(given) or "none")
    expect(options.count is None or not options.images, "--count with --watch or --camera", "IMAGE...")
    expect(options.count is None or options.count >= 1, "--count of 1 or more", options.count)
    expect(not options.existing or options.watch is not None, "--existing with --watch", "none")
    expect(options.jobs >= 1, "--jobs of 1 or more", options.jobs)
    expect(options.every >= 0, "--every of 0 seconds or more", options.every)


def _say(what: object) -> None:
    print(f"{NAME}: {printable(str(what), sys.stderr.encoding)}", file=sys.stderr, flush=True)


def _nothing(what: object) -> None:
    pass


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=NAME,
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_sources(parser)
    _add_results(parser)
    _add_model(parser)
    return parser


def _add_sources(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("what is read").add_argument
    add(
        "images",
        nargs="*",
        metavar="IMAGE",
        help="a PNG, JPEG, PGM, BMP, GIF, WebP or IDX file, a folder of them, or - for standard input",
    )
    add("--watch", metavar="DIR", help="read pictures as they arrive in a folder, each once it is whole")
    add("--existing", action="store_true", help="with --watch: those that are there at the start too")
    add(
        "--camera",
        nargs="?",
        const="0",
        metavar="INDEX|NAME",
        help="read what a camera sees: its number, model or device (default: 0); says what changes",
    )
    add(
        "--every",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="rest between two frames (default: %(default)g)",
    )
    add("--count", type=int, metavar="N", help="stop after N pictures of --watch or --camera")
    add_jobs(add)


def _add_results(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is written")
    form = group.add_mutually_exclusive_group()
    form.add_argument(
        "--json",
        action="store_const",
        const="json",
        dest="form",
        default="text",
        help="one JSON object a line: file, index (IDX), digit, probability",
    )
    form.add_argument(
        "--csv",
        action="store_const",
        const="csv",
        dest="form",
        help="file,index,digit,probability,finding,reason",
    )
    form.add_argument(
        "--show", action="store_true", help="draw each digit as the model sees it (in text only)"
    )
    add = group.add_argument
    add("--out", metavar="FILE", help="write to a file, which --watch and --camera append to")
    add("--quiet", action="store_true", help="no progress bar and no remarks")
    add("--verbose", action="store_true", help="say on standard error what runs the model")


def _add_model(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("what reads it").add_argument
    add(
        "--model",
        default="lenet5",
        metavar="NAME|FILE",
        help=f"{' or '.join(MODELS)}, or any .tflite file (default: %(default)s)",
    )
    defaults = ", ".join(f"{precision} of {name}" for name, precision in MODELS.items())
    add("--precision", choices=PRECISIONS, help=f"of the named model (default: {defaults})")
    add_running(add)


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
