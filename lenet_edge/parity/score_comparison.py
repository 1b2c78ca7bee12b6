"""Compare the models' scores: how far they differ, where models disagree, what is misread."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.mnist import Digits

MOST_SHOWN = 60
"""The most digits to show: where models disagree, and per model of those that it misreads."""

EDGES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
"""Upper ends of the histogram bins in steps of 1/256; scores are at most 1; one more bin has the rest."""

ORIGINAL = ("original", "keras")

Model = tuple[str, str]
"""A model in a runtime: row and column of the matrix."""


class HasScores(Protocol):
    """A Matrix, as far as it is needed here: the scores (n, 10) by model, on the first n digits."""

    scores: dict[Model, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Histogram:
    """How far the scores of `model` are from the original's: `counts` per bin of EDGES, then the rest."""

    model: Model
    digits: int
    counts: NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """Models that give the same answer, with the lowest and the highest score they give it."""

    answer: int
    low: float
    high: float
    models: tuple[Model, ...]


@dataclass(frozen=True, eq=False)
class TestDigit:
    """Test digit number `index`: its label and its picture, uint8 (28, 28), background 0."""

    index: int
    label: int
    picture: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Disagreement:
    """A digit on which models disagree; the original's group comes first, then the largest."""

    digit: TestDigit
    groups: tuple[Group, ...]


@dataclass(frozen=True, eq=False)
class Misread:
    """A digit and the wrong answer to it."""

    digit: TestDigit
    answer: int


@dataclass(frozen=True, eq=False)
class Confusion:
    """The answers of `model`: `counts` (10, 10) by label and answer; the first MOST_SHOWN misread digits."""

    model: Model
    counts: NDArray[np.int64]
    misread: tuple[Misread, ...]

    @property
    def wrong(self) -> int:
        """The number of misread digits."""
        return int(self.counts.sum() - np.trace(self.counts))


@dataclass(frozen=True, eq=False)
class ScoreComparison:
    """The whole comparison; `disagreements` has the first MOST_SHOWN of `disputed` digits."""

    histograms: tuple[Histogram, ...]
    disagreements: tuple[Disagreement, ...]
    disputed: int
    confusions: tuple[Confusion, ...]


def compare_scores(digits: Digits, matrix: HasScores) -> ScoreComparison:
    """Return the comparison of the scores in a measured `matrix` on `digits`.

    Histograms and confusions have each file in the first runtime that took it; confusions only the original
    and the int8 files, or all files if none is int8.
    """
    scores = matrix.scores
    files = list(_first_columns(scores).items())
    confused = [model for model in files if "int8" in model[0]] or files
    disputed = _disputed(scores)
    return ScoreComparison(
        histograms=tuple(_histogram(model, scores) for model in files),
        disagreements=tuple(_disagreement(int(i), digits, scores) for i in disputed[:MOST_SHOWN]),
        disputed=len(disputed),
        confusions=tuple(_confusion(model, digits, scores[model]) for model in [ORIGINAL, *confused]),
    )


def _first_columns(scores: Mapping[Model, NDArray[np.float64]]) -> dict[str, str]:
    """Return the first column in which each file has scores; Keras models are not files."""
    columns: dict[str, str] = {}
    for row, column in scores:
        if column != ORIGINAL[1]:
            columns.setdefault(row, column)
    return columns


def _histogram(model: Model, scores: Mapping[Model, NDArray[np.float64]]) -> Histogram:
    own = scores[model]
    difference = np.abs(own - scores[ORIGINAL][: len(own)]) * 256
    # NaN counts as beyond every bin.
    places = np.searchsorted(EDGES, np.nan_to_num(difference, nan=np.inf).ravel(), side="left")
    return Histogram(model, len(own), np.bincount(places, minlength=len(EDGES) + 1))


def _disputed(scores: Mapping[Model, NDArray[np.float64]]) -> NDArray[np.int64]:
    """Return the digits on which models disagree; those where most differ from the original come first."""
    original = scores[ORIGINAL].argmax(axis=1)
    differing = np.zeros(len(original), np.int64)  # models per digit
    for own in scores.values():
        differing[: len(own)] += own.argmax(axis=1) != original[: len(own)]
    disputed = np.flatnonzero(differing)
    return disputed[np.argsort(-differing[disputed], kind="stable")]


def _disagreement(index: int, digits: Digits, scores: Mapping[Model, NDArray[np.float64]]) -> Disagreement:
    answers: dict[int, list[Model]] = defaultdict(list)
    for model, own in scores.items():
        if index < len(own):
            answers[int(own[index].argmax())].append(model)
    groups = [_group(answer, models, index, scores) for answer, models in answers.items()]
    groups.sort(key=lambda group: (ORIGINAL not in group.models, -len(group.models)))
    return Disagreement(_test_digit(index, digits), tuple(groups))


def _group(
    answer: int, models: Sequence[Model], index: int, scores: Mapping[Model, NDArray[np.float64]]
) -> Group:
    group_scores = [float(scores[model][index, answer]) for model in models]
    return Group(answer, min(group_scores), max(group_scores), tuple(models))


def _confusion(model: Model, digits: Digits, scores: NDArray[np.float64]) -> Confusion:
    answers, labels = scores.argmax(axis=1), digits.labels[: len(scores)]
    counts = np.zeros((10, 10), np.int64)
    np.add.at(counts, (labels, answers), 1)
    wrong = np.flatnonzero(answers != labels)[:MOST_SHOWN]
    misread = tuple(Misread(_test_digit(int(i), digits), int(answers[i])) for i in wrong)
    return Confusion(model, counts, misread)


def _test_digit(index: int, digits: Digits) -> TestDigit:
    return TestDigit(index, int(digits.labels[index]), digits.images[index])
