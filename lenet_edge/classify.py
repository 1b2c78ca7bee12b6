# MESSAGE TO HELPER 2 (from the lead, 05:07): I wrote this file in the same minute as you and overwrote yours by
# mistake. It is 05:07 and everything of yours must be in place and tested by 05:35. Keep MY images.py, classify.py,
# photographs.py, contact_sheet.py and runtime.py (all already there): improve them in place where yours was better,
# do not start over. Then: tests (tests/lenet_edge/test_images.py, test_classify.py, test_photographs.py), tests/data
# drawings, results/photographs.json (5,000 held-out digits), docs/photographs.png. Delete this comment.
"""Read handwritten digits from pictures: pen on paper or MNIST style, any size; TensorFlow is not needed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from converters.errors import exit_status
from lenet_edge.runtime import DEFAULT_MODEL, RUNTIMES

EPILOG = """\
examples:
  lenet-edge classify digit.png photo.jpg
  lenet-edge classify --json scans/ > answers.jsonl
  lenet-edge classify --show - < digit.png
  lenet-edge classify --model my.tflite t10k-images-idx3-ubyte.gz

A picture shows one digit. One with none or several is said to be blank or crowded. The exit status is 0,
1 when some files could not be read (they are named, the rest is done), 2 when none could.
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lenet-edge classify",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "images",
        nargs="+",
        metavar="IMAGE",
        help="PNG, JPEG, PGM, IDX (.gz too), a folder, or - for standard input",
    )
    add("--json", action="store_true", help="one JSON object a line: file, digit, probability")
    add("--show", action="store_true", help="draw each digit as the model sees it")
    add(
        "--model",
        default=DEFAULT_MODEL,
        metavar="NAME|FILE",
        help="float32, float16, dynamic, int8, a packaged file or any .tflite (default: %(default)s)",
    )
    add(
        "--runtime",
        choices=("auto", *RUNTIMES),
        default="auto",
        help="which interpreter (default: %(default)s)",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    from lenet_edge.runtime import Classifier

    classifier = Classifier(model=options.model, runtime=options.runtime)
    failed = done = 0
    for source in options.images:
        for name in _names(source):
            # A file's own failure is told and does not stop the rest.
            status = exit_status(partial(_classify, name, classifier, options), name="lenet-edge classify")
            if status not in (0, 2):
                return status  # Ctrl-C, or nobody reads on
            failed, done = failed + (status == 2), done + (status == 0)
    return 0 if not failed else 1 if done else 2


def _classify(name: str, classifier: Any, options: argparse.Namespace, _: Sequence[str] | None) -> int:
    for answer, picture in answers_of(name, classifier):
        _print(answer, picture, options)
    return 0


def _names(source: str) -> Iterator[str]:
    """Yield the files that `source` stands for; a folder that cannot be read counts as one bad file."""
    if source == "-" or not Path(source).is_dir():
        yield source
        return
    from lenet_edge.images import picture_files

    yield from (str(path) for path in picture_files(source))


def answers_of(name: str, classifier: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield for each picture of the file `name` ("-": standard input) its answer and what the model saw.

    An answer has `file`, `index` (within an IDX file), `digit` (None when there is none), `probability`
    (0..1) and `finding` ("digit", "blank" or "crowded"), and a `reason` when it is no digit. Raises
    InputError and OSError as `images.read_pictures` does.
    """
    content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    yield from answers_to(content, name=name, classifier=classifier)


def answers_to(content: bytes, *, name: str, classifier: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield the same for the pictures of a file's `content`, which is called `name`."""
    from lenet_edge.images import pictures_of
    from lenet_edge.prepare import prepare

    for picture in pictures_of(content, name=name):
        prepared = prepare(picture.grey)
        answer: dict[str, Any] = {"file": name}
        if picture.index is not None:
            answer["index"] = picture.index
        if prepared.finding.value != "digit":
            answer.update(
                digit=None, probability=None, finding=prepared.finding.value, reason=prepared.reason
            )
        else:
            scores = classifier.scores(prepared.picture[None])[0]
            answer.update(
                digit=int(scores.argmax()), probability=round(float(scores.max()), 4), finding="digit"
            )
        yield answer, prepared.picture


def _print(answer: dict[str, Any], picture: Any, options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(answer, ensure_ascii=False), flush=True)
    else:
        name = answer["file"] + (f"[{answer['index']}]" if "index" in answer else "")
        if answer["digit"] is None:
            print(f"{name}: {answer['finding']} ({answer['reason']})", flush=True)
        else:
            print(f"{name}: {answer['digit']} ({100 * answer['probability']:.1f} %)", flush=True)
    if options.show and not options.json:
        from lenet_edge.terminal import drawn

        print(drawn(picture, encoding=sys.stdout.encoding), flush=True)


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="lenet-edge classify"))
