"""What a report shows beside the measures: how far scores differ, where models disagree, what is misread."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.mnist import Digits

MOST_SHOWN = 60
"""Digits shown at most, of those that models disagree on and of those that one misreads."""

EDGES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
"""Upper ends of a histogram's bins in steps of 1/256, scores being 1 at most; a last bin is for the rest."""

ORIGINAL = ("original", "keras")

Model = tuple[str, str]
"""A model in a runtime: row and column of the matrix."""


class Answered(Protocol):
    """What is taken from a Matrix: the scores (n, 10) by model, on the first n digits."""

    scores: dict[Model, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Histogram:
    """How far the scores of `model` are from the original's: `counts` of EDGES' bins and of the rest."""

    model: Model
    digits: int
    counts: NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """Models that give the same answer, with the least and the most score that one of them gives it."""

    answer: int
    low: float
    high: float
    models: tuple[Model, ...]


@dataclass(frozen=True, eq=False)
class Shown:
    """Digit number `index` of the test: its label and its picture, uint8 (28, 28), background 0."""

    index: int
    label: int
    picture: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Disagreement:
    """A digit that is not read alike by all; the original's group comes first, then the largest."""

    shown: Shown
    groups: tuple[Group, ...]


@dataclass(frozen=True, eq=False)
class Misread:
    """A digit and the wrong answer that it got."""

    shown: Shown
    answer: int


@dataclass(frozen=True, eq=False)
class Confusion:
    """What `model` reads: `counts` (10, 10) by label and answer; the first MOST_SHOWN that it misreads."""

    model: Model
    counts: NDArray[np.int64]
    misread: tuple[Misread, ...]

    @property
    def wrong(self) -> int:
        """How many digits are misread."""
        return int(self.counts.sum() - np.trace(self.counts))


@dataclass(frozen=True, eq=False)
class ScoreComparison:
    """All of it; `disagreements` are the first MOST_SHOWN of `divided` digits."""

    histograms: tuple[Histogram, ...]
    disagreements: tuple[Disagreement, ...]
    divided: int
    confusions: tuple[Confusion, ...]


def compare_scores(digits: Digits, matrix: Answered) -> ScoreComparison:
    """Return the evidence of a measured `matrix` on `digits`.

    Histograms and confusions are of each file in the first runtime that took it; confusions only of the
    original and of the int8 files, or of all files when none is int8.
    """
    scores = matrix.scores
    files = list(_first_columns(scores).items())
    read = [model for model in files if "int8" in model[0]] or files
    divided = _divided(scores)
    return ScoreComparison(
        histograms=tuple(_histogram(model, scores) for model in files),
        disagreements=tuple(_disagreement(int(i), digits, scores) for i in divided[:MOST_SHOWN]),
        divided=len(divided),
        confusions=tuple(_confusion(model, digits, scores[model]) for model in [ORIGINAL, *read]),
    )


def _first_columns(scores: Mapping[Model, NDArray[np.float64]]) -> dict[str, str]:
    """Return the first column that each file has scores in; the Keras models are no files."""
    found: dict[str, str] = {}
    for row, column in scores:
        if column != ORIGINAL[1]:
            found.setdefault(row, column)
    return found


def _histogram(model: Model, scores: Mapping[Model, NDArray[np.float64]]) -> Histogram:
    mine = scores[model]
    difference = np.abs(mine - scores[ORIGINAL][: len(mine)]) * 256
    # What is no number is beyond every bin, not within one.
    places = np.searchsorted(EDGES, np.nan_to_num(difference, nan=np.inf).ravel(), side="left")
    return Histogram(model, len(mine), np.bincount(places, minlength=len(EDGES) + 1))


def _divided(scores: Mapping[Model, NDArray[np.float64]]) -> NDArray[np.int64]:
    """Return the digits not read alike by all; those where most models leave the original come first."""
    original = scores[ORIGINAL].argmax(axis=1)
    others = np.zeros(len(original), np.int64)
    for mine in scores.values():
        others[: len(mine)] += mine.argmax(axis=1) != original[: len(mine)]
    divided = np.flatnonzero(others)
    return divided[np.argsort(-others[divided], kind="stable")]


def _disagreement(index: int, digits: Digits, scores: Mapping[Model, NDArray[np.float64]]) -> Disagreement:
    answers: dict[int, list[Model]] = defaultdict(list)
    for model, mine in scores.items():
        if index < len(mine):
            answers[int(mine[index].argmax())].append(model)
    groups = [_group(answer, models, index, scores) for answer, models in answers.items()]
    groups.sort(key=lambda group: (ORIGINAL not in group.models, -len(group.models)))
    return Disagreement(_shown(index, digits), tuple(groups))


def _group(
    answer: int, models: Sequence[Model], index: int, scores: Mapping[Model, NDArray[np.float64]]
) -> Group:
    given = [float(scores[model][index, answer]) for model in models]
    return Group(answer, min(given), max(given), tuple(models))


def _confusion(model: Model, digits: Digits, scores: NDArray[np.float64]) -> Confusion:
    answers, labels = scores.argmax(axis=1), digits.labels[: len(scores)]
    counts = np.zeros((10, 10), np.int64)
    np.add.at(counts, (labels, answers), 1)
    wrong = np.flatnonzero(answers != labels)[:MOST_SHOWN]
    return Confusion(model, counts, tuple(Misread(_shown(int(i), digits), int(answers[i])) for i in wrong))


def _shown(index: int, digits: Digits) -> Shown:
    return Shown(index, int(digits.labels[index]), digits.images[index])
