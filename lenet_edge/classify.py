"""`python -m lenet_edge.classify`: read digits from pictures, pen on paper or as MNIST has them.

The digit is found on the page, whatever the pen, the paper and the light, and brought into MNIST's form; a
packaged model then reads it. TensorFlow is not needed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from converters.errors import InputError, exit_status, expect
from lenet_edge.images import Picture, Prepared, picture_files, prepare, read_images
from lenet_edge.runtime import DEFAULT_MODEL, RUNTIMES, Classifier
from lenet_edge.segment import Finding
from lenet_edge.terminal import drawn

NAME = "lenet-edge classify"
STANDARD_INPUT = "-"
PRECISIONS = ("float32", "float16", "dynamic", "int8")
MODELS = ("lenet5", "stock_lenet5")

EPILOG = """\
examples:
  lenet-edge classify photo.jpg
  lenet-edge classify scans/ --json              every picture in a folder, one JSON object a line
  lenet-edge classify t10k-images-idx3-ubyte.gz  every image of an IDX file
  lenet-edge classify - --show < photo.png       standard input; draws the digit as the model sees it
  lenet-edge classify photo.jpg --model mine.tflite

A picture with nothing on it, or with more than one figure, is said to be so instead. Status: 0 when every
picture was read, 1 when some files could not be (each is named on standard error), 2 when none could.
"""


@dataclass(frozen=True)
class Answer:
    """What was read of one picture: `digit` 0..9 with its `probability` 0..1, or neither."""

    picture: Picture
    prepared: Prepared
    digit: int | None
    probability: float | None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    classifier = Classifier(model=_model(options.model, options.precision), runtime=options.runtime)
    read = failed = 0
    for source in options.images:
        for picture in _pictures(source):
            if isinstance(picture, InputError):
                print(f"{NAME}: {_printable(str(picture), sys.stderr.encoding)}", file=sys.stderr)
                failed += 1
            else:
                _print(answer(picture, classifier), options)
                read += 1
    if failed:
        return 1 if read else 2
    return 0


def answer(picture: Picture, classifier: Classifier) -> Answer:
    """Read the digit of one picture, if it shows one."""
    prepared = prepare(picture.grey)
    if prepared.finding is not Finding.DIGIT:
        return Answer(picture, prepared, None, None)
    scores = classifier.scores(prepared.picture[None])[0]
    digit = int(scores.argmax())
    return Answer(picture, prepared, digit, float(scores[digit]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=NAME,
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "images",
        nargs="+",
        metavar="IMAGE",
        help="a PNG, JPEG, PGM, BMP, GIF, WebP or IDX file, a folder of them, or - for standard input",
    )
    add("--json", action="store_true", help="one JSON object a line: file, index (IDX), digit, probability")
    add("--show", action="store_true", help="draw each digit as the model sees it (not with --json)")
    add(
        "--model",
        default=MODELS[0],
        metavar="NAME|FILE",
        help=f"{' or '.join(MODELS)}, or any .tflite file (default: %(default)s)",
    )
    add("--precision", choices=PRECISIONS, help=f"of the named model (default: {DEFAULT_MODEL})")
    add(
        "--runtime",
        choices=("auto", *RUNTIMES),
        default="auto",
        help="what runs the model (default: the first that is installed)",
    )
    return parser


def _model(name: str, precision: str | None) -> str:
    """Return what `Classifier` calls the model: a packaged file's name or a path."""
    if name in MODELS:
        return f"{name}_{precision or DEFAULT_MODEL}.tflite"
    expect(precision is None, f"--precision with a model of {', '.join(MODELS)} only", name)
    return name


def _pictures(source: str) -> Iterator[Picture | InputError]:
    """Yield the pictures of one argument, and an error in the place of each file that cannot be read."""
    try:
        files = [source] if source == STANDARD_INPUT else [os.fspath(path) for path in picture_files(source)]
    except InputError as error:
        yield error
        return
    for file in files:
        try:
            if file == STANDARD_INPUT:
                yield from read_images(sys.stdin.buffer, name="standard input")
            else:
                yield from read_images(file)
        except InputError as error:
            yield error


def _print(answer: Answer, options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(_facts(answer)))
        return
    print(_line(answer))
    if options.show and answer.prepared.box is not None:
        print(drawn(answer.prepared.picture, encoding=sys.stdout.encoding))


def _facts(answer: Answer) -> dict[str, Any]:
    """Return the object that --json prints; `finding` and `reason` tell why there is no digit."""
    facts: dict[str, Any] = {"file": answer.picture.name}
    if answer.picture.index is not None:
        facts["index"] = answer.picture.index
    facts["digit"] = answer.digit
    facts["probability"] = None if answer.probability is None else round(answer.probability, 6)
    if answer.digit is None:
        facts["finding"] = answer.prepared.finding.value
        facts["reason"] = answer.prepared.reason
    return facts


def _line(answer: Answer) -> str:
    name = _printable(answer.picture.name, sys.stdout.encoding)
    if answer.picture.index is not None:
        name += f"[{answer.picture.index}]"
    if answer.digit is None or answer.probability is None:
        return f"{name}: {answer.prepared.finding.value} ({answer.prepared.reason})"
    return f"{name}: {answer.digit}  {100 * answer.probability:.1f} %"


def _printable(text: str, encoding: str | None) -> str:
    """Return `text`, which may hold any file's name, fit for one line of the terminal."""
    escaped = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
    return escaped.encode(encoding or "ascii", "backslashreplace").decode(encoding or "ascii")


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
