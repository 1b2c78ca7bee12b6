"""Measure how well digits on paper are read, on synthetic photographs read as files."""

from __future__ import annotations

import io
import multiprocessing
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from converters.base.arrays import percent
from converters.base.words import counted
from lenet_edge.digits.mnist import Digits, pad
from lenet_edge.on_paper.drawing import SURROUNDINGS, Conditions, jpeg, photograph
from lenet_edge.on_paper.saved import SAVED, saved_picture
from lenet_edge.picture.files import read_images
from lenet_edge.picture.findings import Finding
from lenet_edge.reading.digit_answer import Answer, answer_picture
from lenet_edge.runtime.classifier import Classifier


@dataclass(frozen=True)
class _Range:
    """The values from `low` to `high`, both included, and their `title`."""

    title: str
    low: float
    high: float


_NAMED_CONDITIONS = ("pen", "ink", "paper", "ruling", "shadow")
_MEASURED_CONDITIONS = {
    "width": (
        _Range("40 to 99 pixels", 40, 99),
        _Range("100 to 399", 100, 399),
        _Range("400 to 2,000", 400, 2000),
    ),
    "size": (
        _Range("less than a quarter", 0.0, 0.25),
        _Range("a quarter to a half", 0.25, 0.5),
        _Range("more", 0.5, 1.0),
    ),
    "rotation": (
        _Range("up to 5 degrees", 0.0, 5.0),
        _Range("5 to 10", 5.0, 10.0),
        _Range("10 to 15", 10.0, 15.0),
    ),
}


PLAIN = "none"
"""The kind of a photograph with nothing around the digit."""

KINDS = (*(around for around in SURROUNDINGS if around != PLAIN), *SAVED)
"""The other kinds of pictures: photographs with something around the digit, and what programs save."""

_EACH_KIND = 5
"""Of so many digits, one is drawn as a picture of each kind."""


@dataclass(frozen=True)
class Share:
    """The share of `digits` that was read wrongly: `error`, in percent."""

    digits: int
    error: float


@dataclass(frozen=True)
class PhotographReport:
    """The result for photographs of `digits` digits; one called blank or crowded counts as an error.

    Errors are in percent: for the photographs, for the same digits fed directly, and for them as PNG files.
    `by_condition`: by a condition's name (`Conditions`) and value. `by_kind`: a fifth of the digits as
    pictures of each of `KINDS`.
    """

    model: str
    seed: int
    digits: int
    error: float
    error_of_the_digits_themselves: float
    error_of_the_digits_as_png_files: float
    called_blank: int
    called_crowded: int
    by_condition: dict[str, dict[str, Share]]
    by_kind: dict[str, Share]


@dataclass(frozen=True)
class _Task:
    """The picture to draw of a `digit`, of a `kind`, from a seed and its `number`."""

    kind: str
    number: int
    digit: NDArray[np.uint8]


@dataclass(frozen=True)
class _Reading:
    """The answer for one picture: `digit` is None if its `finding` is blank or crowded.

    `conditions`: a photograph's; None for what a program saved.
    """

    digit: int | None
    finding: Finding
    conditions: Conditions | None


def measure_photographs(digits: Digits, *, model: str, seed: int, jobs: int = 1) -> PhotographReport:
    """Photograph and read each of `digits`; return the errors, in total, by condition and by kind.

    Photograph i is drawn from (`seed`, i); `seed` is 0 or more. `jobs` processes share the work; the result
    does not depend on their number. Errors as `Classifier`'s.
    """
    photographs = [_Task(PLAIN, number, digit) for number, digit in enumerate(digits.images)]
    others = [_Task(kind, one.number, one.digit) for kind in KINDS for one in photographs[::_EACH_KIND]]
    answers = _read_pictures([*photographs, *others], model=model, seed=seed, jobs=jobs)
    readings, kinds = answers[: len(photographs)], answers[len(photographs) :]
    wrong = np.array([one.digit != label for one, label in zip(readings, digits.labels, strict=True)])
    misread = np.array(
        [one.digit != digits.labels[task.number] for one, task in zip(kinds, others, strict=True)]
    )
    with Classifier(model=model) as classifier:
        direct = classifier.scores(pad(digits.images)).argmax(axis=1)
        from_files = np.array([_read_png(image, classifier) for image in digits.images])
    return PhotographReport(
        model=model,
        seed=seed,
        digits=len(readings),
        error=percent(wrong),
        error_of_the_digits_themselves=percent(direct != digits.labels),
        error_of_the_digits_as_png_files=percent(from_files != digits.labels),
        called_blank=sum(one.finding is Finding.BLANK for one in readings),
        called_crowded=sum(one.finding is Finding.CROWDED for one in readings),
        by_condition=_by_condition([one.conditions for one in readings if one.conditions], wrong),
        by_kind={kind: _share(misread[[task.kind == kind for task in others]]) for kind in KINDS},
    )


def report_lines(report: PhotographReport) -> list[str]:
    """Return the report as lines of text."""
    lines = [
        f"{counted(report.digits, 'photograph')}: {report.error:.2f} % read wrongly",
        f"  called blank: {report.called_blank}, crowded: {report.called_crowded}",
        f"the original digits: {report.error_of_the_digits_themselves:.2f} %",
        f"as PNG files: {report.error_of_the_digits_as_png_files:.2f} %",
    ]
    for condition, shares in {**report.by_condition, "kind": report.by_kind}.items():
        for value, share in shares.items():
            lines.append(f"  {condition:<9} {value:<22} {share.digits:>6,}  {share.error:>6.2f} %")
    return lines


def _read_pictures(tasks: list[_Task], *, model: str, seed: int, jobs: int) -> list[_Reading]:
    with multiprocessing.get_context("spawn").Pool(jobs, _start_process, (model,)) as pool:
        work = pool.imap(partial(_read_picture, seed), tasks, chunksize=8)
        return list(tqdm(work, total=len(tasks), unit="picture", disable=None))


_worker: Classifier | None = None  # each process opens its own: an interpreter cannot be pickled


def _start_process(model: str) -> None:
    global _worker
    _worker = Classifier(model=model)


def _read_picture(seed: int, task: _Task) -> _Reading:
    assert _worker is not None
    content, conditions = _draw(seed, task)
    answer = _read_file(content, _worker)
    return _Reading(answer.digit, answer.prepared.finding, conditions)


def _draw(seed: int, task: _Task) -> tuple[bytes, Conditions | None]:
    """Return the file of a task's picture, and the conditions of a photograph."""
    if task.kind in SAVED:
        return saved_picture(task.digit, task.kind, seed=(seed, task.number)), None
    image, conditions = photograph(task.digit, seed=(seed, task.number), around=task.kind)
    return jpeg(image, conditions.quality), conditions


def _read_png(digit: NDArray[np.uint8], classifier: Classifier) -> int | None:
    stream = io.BytesIO()
    Image.fromarray(digit).save(stream, "PNG")
    return _read_file(stream.getvalue(), classifier).digit


def _read_file(content: bytes, classifier: Classifier) -> Answer:
    """Read a file's `content` as `lenet-edge classify` does."""
    (picture,) = read_images(io.BytesIO(content), name="a photograph")
    return answer_picture(picture, classifier)


def _by_condition(conditions: list[Conditions], wrong: NDArray[np.bool_]) -> dict[str, dict[str, Share]]:
    table: dict[str, dict[str, Share]] = {}
    for name in _NAMED_CONDITIONS:
        values = np.array([getattr(one, name) for one in conditions])
        table[name] = {str(value): _share(wrong[values == value]) for value in np.unique(values)}
    for name, ranges in _MEASURED_CONDITIONS.items():
        values = np.abs([getattr(one, name) for one in conditions])
        parts = {one.title: wrong[(values >= one.low) & (values <= one.high)] for one in ranges}
        table[name] = {title: _share(part) for title, part in parts.items() if len(part)}
    return table


def _share(wrong: NDArray[np.bool_]) -> Share:
    return Share(digits=len(wrong), error=percent(wrong))
