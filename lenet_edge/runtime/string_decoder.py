"""Decode the wide net's scores into a string: which digits, where, and how probable.

The net gives eleven scores a window, the ten digits and "no character here" (EMPTY); windows are 32 columns
wide and 4 apart. A window next to a digit's middle often scores another digit highest, and cannot know by
itself that this is wrong. `viterbi` finds the best path through all windows among the valid ones:

- a digit holds one window or several neighbouring ones, EMPTY holds all others;
- a digit that holds a single window has EMPTY on both sides: next to another digit, their middles would be
  4 to 8 columns apart, and digits are about 14 wide;
- two equal digits have EMPTY between them: nothing else separates them.

All valid paths have the same prior; a path's weight is the product of its windows' scores, and probabilities
are shares of the weight of all paths. `greedy` is the reference without these rules. Plain NumPy, in
logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import expect
from lenet_edge.digits.geometry import EMPTY, FIELD, STEP

_FLOOR = 1e-6
"""The least score, so that a 0 in an int8 file, any score below 1/512, rules out no path.

Each window adds up to ten times this weight to false digits: with 1/512, 30 windows of certain EMPTY would be
as likely to hold a digit as not; with 1e-6, 2,500 of them hold one with 2.5 %.
"""

_HALF_DIGIT = 10.0
"""Columns from a digit's middle to its side: windows do not show the sides, and ink is at most 20 wide."""

_SUM_TOLERANCE = 0.05
"""Of a row's sum: eleven scores, each rounded by up to half a step of 1/256, are off by 0.02 in all."""

# The states of a path at a window: a digit's only window, EMPTY, the first of several, a later one.
_ALONE, _FIRST, _LATER = slice(0, EMPTY), slice(EMPTY + 1, 2 * EMPTY + 1), slice(2 * EMPTY + 1, 3 * EMPTY + 1)
_CLASSES = np.r_[0 : EMPTY + 1, 0:EMPTY, 0:EMPTY]


def _log_transitions() -> NDArray[np.float64]:
    """Return (31, 31): 0 where the column's state may follow the row's, else -infinity."""
    allowed = np.zeros((len(_CLASSES), len(_CLASSES)), bool)
    same = np.eye(EMPTY, dtype=bool)
    allowed[EMPTY, EMPTY] = allowed[_ALONE, EMPTY] = allowed[_LATER, EMPTY] = True
    allowed[EMPTY, _ALONE] = allowed[EMPTY, _FIRST] = True
    allowed[_FIRST, _LATER] = allowed[_LATER, _LATER] = same
    allowed[_LATER, _FIRST] = ~same
    return np.where(allowed, 0.0, -np.inf)


_TRANSITIONS = _log_transitions()  # paths begin and end in EMPTY


@dataclass(frozen=True)
class ReadDigit:
    """A digit of a string: `digit` 0..9, `probability` 0..1, its place from column `left` to `right`.

    Columns are those of the picture that the scores come from. The middle is accurate to about 2 columns; the
    sides are not measured: they are 10 columns from the middle, or halfway to a neighbour's middle if that is
    nearer.
    """

    digit: int
    probability: float
    left: float
    right: float


@dataclass(frozen=True)
class DigitString:
    """A decoded string: `text` ("2544", "" if empty), its `probability` 0..1, its digits left to right."""

    text: str
    probability: float
    digits: tuple[ReadDigit, ...]


@dataclass(frozen=True)
class _Run:
    """The windows from `start` up to but excluding `stop`, which hold one digit."""

    digit: int
    start: int
    stop: int


def viterbi(scores: NDArray[Any]) -> DigitString:
    """Decode the text of the path with the most weight.

    `scores`: floats (T, 11), one row a window from left to right, each 0..1, each row with sum 1. The text's
    probability is the share of the weight of all paths that read as this text; the rest belongs to other
    texts, "" included. A digit's probability is the share of the paths in which this digit begins within one
    window of its start here, whatever else they read. The time grows with T times the number of digits.
    Raises InputError for another shape or type, no rows, NaN, scores below 0 or another sum.
    """
    rows = _check_scores(scores)
    logs = np.log(rows)
    emissions = logs[:, _CLASSES]
    path = _best_path(emissions)
    runs = _runs(_CLASSES[path], path < _LATER.start)
    forward, backward = _forward(emissions), _backward(emissions)
    total = float(forward[-1, EMPTY])
    text = _text_weight(logs, np.array([run.digit for run in runs], np.int64))
    probabilities = []
    free = 0  # the first window after those counted for the previous digit
    for run in runs:
        start, stop = max(run.start - 1, free), min(run.start + 2, len(rows))
        never = _weight_without(emissions, forward, backward, digit=run.digit, start=start, stop=stop)
        probabilities.append(1 - _share(never, total))
        free = stop
    return _digit_string(rows, runs, _share(text, total), probabilities)


def greedy(scores: NDArray[Any]) -> DigitString:
    """Decode each window by itself: neighbouring equal digits are one, EMPTY separates.

    `scores` and errors as for `viterbi`. The probabilities treat windows as independent: the string's is the
    product of all windows' best scores, a digit's the mean over its windows.
    """
    rows = _check_scores(scores)
    best = rows.argmax(axis=1)
    begins = np.diff(best, prepend=EMPTY) != 0
    runs = _runs(best, begins)
    probabilities = [float(rows[run.start : run.stop, run.digit].mean()) for run in runs]
    return _digit_string(rows, runs, float(rows.max(axis=1).prod()), probabilities)


def _check_scores(scores: NDArray[Any]) -> NDArray[np.float64]:
    """Return valid scores, clipped to _FLOOR..1; InputError as for `viterbi`."""
    rows = np.asarray(scores)
    fits = rows.ndim == 2 and rows.shape[1] == EMPTY + 1 and len(rows)
    expect(fits, f"scores of shape (T, {EMPTY + 1}), T of 1 or more", rows.shape)
    expect(rows.dtype.kind == "f", "scores of a float type", rows.dtype)
    expect(not np.isnan(rows).any(), "scores that are numbers", "NaN")
    expect(rows.min() >= 0, "scores of 0 or more", f"{rows.min():g}")
    sums = rows.sum(axis=1, dtype=np.float64)
    worst = sums[np.abs(sums - 1).argmax()]
    expect(abs(worst - 1) <= _SUM_TOLERANCE, "scores of sum 1 in each row", f"a sum of {worst:g}")
    return np.clip(rows.astype(np.float64), _FLOOR, 1)


def _best_path(emissions: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the states (T,) of the path with the most weight; `emissions`: log scores (T, 31)."""
    predecessors = np.empty(emissions.shape, np.int64)
    weights = _TRANSITIONS[EMPTY] + emissions[0]
    for t in range(1, len(emissions)):
        ways = weights[:, None] + _TRANSITIONS
        predecessors[t] = ways.argmax(axis=0)
        weights = ways.max(axis=0) + emissions[t]
    path = np.empty(len(emissions), np.int64)
    path[-1] = (weights + _TRANSITIONS[:, EMPTY]).argmax()
    for t in range(len(emissions) - 1, 0, -1):
        path[t - 1] = predecessors[t, path[t]]
    return path


def _runs(classes: NDArray[np.int64], begins: NDArray[np.bool_]) -> list[_Run]:
    """Return the digits of a path from left to right; `begins` marks the first window of each run."""
    starts = np.flatnonzero(begins | (classes == EMPTY))
    stops = np.append(starts[1:], len(classes))
    return [
        _Run(int(classes[start]), int(start), int(stop))
        for start, stop in zip(starts, stops, strict=True)
        if classes[start] != EMPTY
    ]


def _forward(emissions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return forward log weights (T + 1, 31): of all paths into a state at a window, without its score."""
    weights = np.empty((len(emissions) + 1, len(_CLASSES)))
    weights[0] = _TRANSITIONS[EMPTY]
    for t, row in enumerate(emissions):
        weights[t + 1] = _advance(weights[t] + row)
    return weights


def _backward(emissions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return backward log weights (T + 1, 31): of all paths from a state at a window on, with its score."""
    weights = np.empty((len(emissions) + 1, len(_CLASSES)))
    weights[-1] = np.where(np.arange(len(_CLASSES)) == EMPTY, 0.0, -np.inf)
    for t in range(len(emissions) - 1, -1, -1):
        weights[t] = emissions[t] + np.logaddexp.reduce(_TRANSITIONS + weights[t + 1], axis=1)
    return weights


def _advance(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log weight that reaches each state (31,) of the next window."""
    return np.logaddexp.reduce(weights[:, None] + _TRANSITIONS, axis=0)


def _weight_without(
    emissions: NDArray[np.float64],
    forward: NDArray[np.float64],
    backward: NDArray[np.float64],
    *,
    digit: int,
    start: int,
    stop: int,
) -> float:
    """Return the log weight of the paths in which `digit` begins at no window in `start`..`stop` - 1."""
    arriving = forward[start]
    for t in range(start, stop):
        weights = arriving + emissions[t]
        weights[[digit, _FIRST.start + digit]] = -np.inf
        arriving = _advance(weights)
    return float(np.logaddexp.reduce(arriving + backward[stop]))


def _text_weight(logs: NDArray[np.float64], text: NDArray[np.int64]) -> float:
    """Return the log weight of all paths that read as `text` (n,); `logs`: log scores (T, 11).

    Weights are summed by the number of digits read so far, 0 to n, and by state.
    """
    shown = np.r_[EMPTY, text]  # the last digit of each prefix of the text
    parts = np.diff(text, prepend=EMPTY, append=EMPTY) != 0  # whether the next digit differs
    nowhere = np.full(len(shown), -np.inf)
    empty, alone, first, later = np.where(shown == EMPTY, 0.0, -np.inf), nowhere, nowhere, nowhere
    for row in logs:
        to_first = np.logaddexp(empty, np.where(parts, later, -np.inf))
        to_empty = np.logaddexp(empty, np.logaddexp(alone, later))
        later = np.logaddexp(first, later) + row[shown]
        alone = np.r_[-np.inf, empty[:-1]] + row[shown]
        first = np.r_[-np.inf, to_first[:-1]] + row[shown]
        empty = to_empty + row[EMPTY]
    return float(np.logaddexp.reduce([empty[-1], alone[-1], later[-1]]))


def _share(weight: float, total: float) -> float:
    """Return `weight` as a share of `total`, both in logarithms, as a probability."""
    return float(np.exp(min(weight - total, 0.0)))


def _digit_string(
    rows: NDArray[np.float64], runs: list[_Run], probability: float, probabilities: list[float]
) -> DigitString:
    """Return the decoded string, each digit with its columns."""
    middles = [_middle(rows, run) for run in runs]
    bounds = [-np.inf, *((a + b) / 2 for a, b in pairwise(middles)), np.inf]
    digits = tuple(
        ReadDigit(
            run.digit,
            probabilities[i],
            left=float(max(middles[i] - _HALF_DIGIT, bounds[i])),
            right=float(min(middles[i] + _HALF_DIGIT, bounds[i + 1])),
        )
        for i, run in enumerate(runs)
    )
    return DigitString("".join(str(run.digit) for run in runs), probability, digits)


def _middle(rows: NDArray[np.float64], run: _Run) -> float:
    """Return the column of a digit's middle: the mean of its windows' middles, weighted with its scores."""
    windows = np.arange(run.start, run.stop)
    mean = np.average(windows, weights=rows[windows, run.digit])
    # The clip undoes rounding that pushes the mean out of the run.
    return float(STEP * np.clip(mean, windows[0], windows[-1]) + (FIELD - 1) / 2)
