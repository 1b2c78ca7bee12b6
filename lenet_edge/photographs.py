"""Measure reading on drawn photographs of held-out digits: pens, papers, shadows, sizes, JPEG.

Each photograph is encoded as JPEG and read exactly as `lenet-edge classify` reads a file. The same digits are
read as MNIST has them, fed directly and from PNG files, for comparison.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from converters.base.errors import exit_status, expect
from converters.base.files import write_json
from lenet_edge.digits.mnist import HELD_OUT, Digits, held_out_digits
from lenet_edge.on_paper.contact_sheet import write_samples
from lenet_edge.on_paper.drawing import Conditions, jpeg, photograph
from lenet_edge.picture.files import read_images
from lenet_edge.reading.digit_answer import Answer, answer_picture
from lenet_edge.runtime.classifier import DEFAULT_MODEL, Classifier

NAME = "lenet-edge photographs"
EPILOG = """\
examples:
  lenet-edge photographs --data MNIST --count 5000 --out results/photographs.json
  lenet-edge photographs --data MNIST --count 0 --samples samples
"""

_WIDTHS = (("40 to 99 pixels", 40, 99), ("100 to 399", 100, 399), ("400 to 2,000", 400, 2000))
_SIZES = (("less than a quarter", 0.0, 0.25), ("a quarter to a half", 0.25, 0.5), ("more", 0.5, 1.0))
_TURNS = (("up to 5 degrees", 0.0, 5.0), ("5 to 10", 5.0, 10.0), ("10 to 15", 10.0, 15.0))


@dataclass(frozen=True)
class Reading:
    """What was read of one photograph: `digit` is None when it was called `finding`, blank or crowded."""

    digit: int | None
    finding: str
    conditions: Conditions


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    expect(0 <= options.count <= HELD_OUT, f"--count of 0 to {HELD_OUT}", options.count)
    expect(options.jobs >= 1, "--jobs of 1 or more", options.jobs)
    Classifier(model=options.model)  # a model that is none is said so before the digits are looked for
    digits = held_out_digits(data=options.data)
    if options.count:
        chosen = Digits(digits.images[: options.count], digits.labels[: options.count])
        report = measure(chosen, model=options.model, seed=options.seed, jobs=options.jobs)
        _print(report)
        if options.out:
            write_json(options.out, report)
    if options.samples:
        write_samples(digits, Classifier(model=options.model), folder=options.samples, seed=options.seed)
    return 0


def measure(digits: Digits, *, model: str, seed: int, jobs: int = 1) -> dict[str, Any]:
    """Photograph and read each of `digits`; return errors in percent, in all and by condition.

    Photograph i is drawn from (`seed`, i). One called blank or crowded counts as read wrongly, and is
    counted besides. `jobs` processes share the work; the result does not depend on how many.
    """
    tasks = list(enumerate(digits.images))
    with multiprocessing.get_context("spawn").Pool(jobs, _start, (model,)) as pool:
        work = pool.imap(partial(_read_photograph, seed), tasks, chunksize=8)
        readings = list(tqdm(work, total=len(tasks), unit="photo", disable=None))
    classifier = Classifier(model=model)
    wrong = np.array([r.digit != label for r, label in zip(readings, digits.labels, strict=True)])
    padded = np.pad(digits.images, ((0, 0), (2, 2), (2, 2)))
    direct = classifier.scores(padded).argmax(axis=1)
    from_files = [_read_png(image, classifier) for image in digits.images]
    return {
        "model": model,
        "seed": seed,
        "digits": len(readings),
        "error": _percent(wrong),
        "error_of_the_digits_themselves": _percent(direct != digits.labels),
        "error_of_the_digits_as_png_files": _percent(np.array(from_files) != digits.labels),
        "called_blank": sum(r.finding == "blank" for r in readings),
        "called_crowded": sum(r.finding == "crowded" for r in readings),
        "by_condition": _by_condition([r.conditions for r in readings], wrong),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=NAME,
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder with MNIST's IDX files (default: LENET_EDGE_DATA, cache, download)",
    )
    add(
        "--count",
        type=int,
        default=1000,
        metavar="N",
        help="photograph the first N held-out digits, 5,000 at most (default: %(default)s)",
    )
    add("--seed", type=int, default=1998, help="of the photographs (default: %(default)s)")
    add("--model", default=DEFAULT_MODEL, help="which model reads (default: %(default)s)")
    add("--jobs", type=int, default=1, metavar="N", help="processes (default: %(default)s)")
    add("--out", type=Path, metavar="FILE", help="write what was measured as JSON")
    add(
        "--samples",
        type=Path,
        metavar="DIR",
        help="also write 24 photographs, each named by its digit, and a sheet of them with what was read",
    )
    return parser


_worker: Classifier | None = None  # each process makes its own: an interpreter cannot be sent


def _start(model: str) -> None:
    global _worker
    _worker = Classifier(model=model)


def _read_photograph(seed: int, task: tuple[int, NDArray[np.uint8]]) -> Reading:
    assert _worker is not None
    number, digit = task
    image, conditions = photograph(digit, seed=(seed, number))
    read = _read(jpeg(image, conditions.quality), _worker)
    return Reading(read.digit, read.prepared.finding.value, conditions)


def _read_png(digit: NDArray[np.uint8], classifier: Classifier) -> int | None:
    stream = io.BytesIO()
    Image.fromarray(digit).save(stream, "PNG")
    return _read(stream.getvalue(), classifier).digit


def _read(content: bytes, classifier: Classifier) -> Answer:
    """Read a file's `content` as the command does."""
    (picture,) = read_images(io.BytesIO(content), name="a photograph")
    return answer_picture(picture, classifier)


def _by_condition(conditions: list[Conditions], wrong: NDArray[np.bool_]) -> dict[str, dict[str, Any]]:
    facts = [asdict(one) for one in conditions]
    table: dict[str, dict[str, Any]] = {}
    for name in ("pen", "ink", "paper", "ruling", "shadow"):
        values = np.array([one[name] for one in facts])
        table[name] = {str(value): _share(wrong[values == value]) for value in np.unique(values)}
    ranges = {"width": _WIDTHS, "size": _SIZES, "rotation": _TURNS}
    for name, parts in ranges.items():
        values = np.abs([one[name] for one in facts])
        chosen = {title: wrong[(values >= low) & (values <= high)] for title, low, high in parts}
        table[name] = {title: _share(part) for title, part in chosen.items() if len(part)}
    return table


def _share(wrong: NDArray[np.bool_]) -> dict[str, Any]:
    return {"digits": len(wrong), "error": _percent(wrong)}


def _percent(marks: NDArray[np.bool_]) -> float:
    return round(100 * float(np.mean(marks)), 3)


def _print(report: dict[str, Any]) -> None:
    print(f"{report['digits']:,} photographs: {report['error']:.2f} % read wrongly")
    print(f"  called blank: {report['called_blank']}, crowded: {report['called_crowded']}")
    print(f"the digits themselves: {report['error_of_the_digits_themselves']:.2f} %")
    print(f"as PNG files: {report['error_of_the_digits_as_png_files']:.2f} %")
    for condition, values in report["by_condition"].items():
        for value, facts in values.items():
            print(f"  {condition:<9} {value:<22} {facts['digits']:>6,}  {facts['error']:>6.2f} %")


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
