"""Measure reading on drawn photographs of held-out digits: pens, papers, shadows, sizes, JPEG."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from converters.errors import exit_status, expect
from converters.files import write_json
from lenet_edge.mnist import Digits, held_out_digits, pad
from lenet_edge.runtime import DEFAULT_MODEL

EPILOG = """\
examples:
  lenet-edge photographs --data MNIST --count 5000 --out results/photographs.json
  lenet-edge photographs --data MNIST --count 0 --samples samples --sheet docs/photographs.png

Each photograph is encoded as JPEG and read as `lenet-edge classify` reads a file.
"""

_SIZES = (("40 to 99 pixels wide", 40, 99), ("100 to 399", 100, 399), ("400 to 2,000", 400, 2000))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lenet-edge photographs",
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
        help="held-out digits to photograph, 5,000 at most (default: %(default)s)",
    )
    add("--seed", type=int, default=1998, help="of the photographs (default: %(default)s)")
    add("--model", default=DEFAULT_MODEL, help="which model reads (default: %(default)s)")
    add("--out", type=Path, metavar="FILE", help="write what was measured as JSON")
    add("--samples", type=Path, metavar="DIR", help="also write 24 photographs, each named by its digit")
    add("--sheet", type=Path, metavar="FILE", help="also write a PNG of 24 photographs with what was read")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    expect(0 <= options.count <= 5000, "--count of 0 to 5,000", options.count)
    digits = held_out_digits(data=options.data)
    from lenet_edge.runtime import Classifier

    classifier = Classifier(model=options.model)
    if options.count:
        report = measure(Digits(*(part[: options.count] for part in digits)), classifier, seed=options.seed)
        _print(report)
        if options.out:
            write_json(options.out, {"model": options.model, "seed": options.seed, **report})
    if options.samples or options.sheet:
        from lenet_edge.contact_sheet import write_samples

        write_samples(digits, classifier, seed=options.seed, samples=options.samples, sheet=options.sheet)
    return 0


def measure(digits: Digits, classifier: Any, *, seed: int) -> dict[str, Any]:
    """Photograph and read each of `digits`; return errors in percent, in all and by condition.

    A photograph called blank or crowded counts as read wrongly, and is counted besides.
    """
    rows = []
    for number, (image, label) in enumerate(
        zip(tqdm(digits.images, unit="photo"), digits.labels, strict=True)
    ):
        content, conditions = encoded(image, (seed, number))
        rows.append((read(content, classifier), int(label), conditions))
    direct = classifier.scores(pad(digits.images)).argmax(axis=1)
    answers = [answer["digit"] for answer, _, _ in rows]
    wrong = np.array([answer != label for answer, label in zip(answers, digits.labels, strict=True)])
    return {
        "digits": len(rows),
        "error": _percent(wrong),
        "error_of_the_digits_themselves": _percent(direct != digits.labels),
        "called_blank": sum(answer["finding"] == "blank" for answer, _, _ in rows),
        "called_crowded": sum(answer["finding"] == "crowded" for answer, _, _ in rows),
        "by_condition": _by_condition([conditions for _, _, conditions in rows], wrong),
    }


def encoded(image: np.ndarray, seed: tuple[int, int]) -> tuple[bytes, Any]:
    """Return the JPEG of a photograph of the digit `image`, uint8 (28, 28), and its conditions."""
    from lenet_edge.on_paper import jpeg, photograph

    picture, conditions = photograph(image, seed=seed)
    return jpeg(picture, conditions.quality), conditions


def read(content: bytes, classifier: Any) -> dict[str, Any]:
    """Return the answer to a picture's file `content`, as the command reads it."""
    from lenet_edge.classify import answers_to

    ((answer, _),) = answers_to(content, name="photograph", classifier=classifier)
    return answer


def _by_condition(conditions: list[Any], wrong: np.ndarray) -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = {}
    for name in ("pen", "ink", "paper", "ruling", "shadow"):
        values = np.array([getattr(condition, name) for condition in conditions])
        table[name] = {value: _facts(wrong[values == value]) for value in dict.fromkeys(sorted(values))}
    widths = np.array([condition.width for condition in conditions])
    chosen = {title: wrong[(widths >= low) & (widths <= high)] for title, low, high in _SIZES}
    table["width"] = {title: _facts(part) for title, part in chosen.items() if len(part)}
    return table


def _facts(wrong: np.ndarray) -> dict[str, Any]:
    return {"digits": len(wrong), "error": _percent(wrong)}


def _percent(marks: np.ndarray) -> float:
    return round(100 * float(np.mean(marks)), 3)


def _print(report: dict[str, Any]) -> None:
    own = report["error_of_the_digits_themselves"]
    print(f"{report['digits']:,} photographs: {report['error']:.2f} % read wrongly")
    print(f"the same digits as MNIST has them: {own:.2f} %")
    print(f"called blank: {report['called_blank']}, crowded: {report['called_crowded']}")
    for condition, values in report["by_condition"].items():
        for value, facts in values.items():
            print(f"  {condition:<8} {value:<22} {facts['digits']:>6,}  {facts['error']:>6.2f} %")


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="lenet-edge photographs"))
