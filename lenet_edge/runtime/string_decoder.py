"""What the wide net's answers say together: which digits, where, and how surely.

The net gives eleven scores a window, the ten digits and "no character here" (EMPTY); windows are 32 columns
wide and 4 apart. A window beside a digit's middle often says another digit, which it cannot know by itself to
be wrong. `viterbi` finds the best path through all windows among those that a row of digits can leave:

- a digit holds one window or several neighbouring ones, EMPTY holds all others;
- a digit that holds one window alone has EMPTY on both sides: were it a digit of its own, its middle would be
  4 to 8 columns from its neighbour's, and digits are some 14 wide;
- two equal digits have EMPTY between them, for nothing else parts them.

All these paths are equally likely beforehand; a path's weight is the product of its windows' scores, and the
probabilities are shares of all paths' weight. `greedy` is the reference without that knowledge. Plain NumPy,
in logarithms.
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
"""The least score, so that the 0 of an int8 file, below half a step of 1/256, ends no path.

Every window gives made-up digits up to ten times as much weight: 1/512 would make 30 windows of certain EMPTY
as likely a digit as none, 1e-6 leaves 2,500 of them at 2.5 %.
"""

_HALF_DIGIT = 10.0
"""Columns from a digit's middle to its side: no window tells the ink's sides, it is 20 wide at most."""

_SUM_TOLERANCE = 0.05
"""Of a row's sum: eleven scores in steps of 1/256, each off by half a step, are off by 0.02 together."""

# The states of a path at a window: a digit's only window, EMPTY, the first of a digit's several, a later one.
_ALONE, _FIRST, _LATER = slice(0, EMPTY), slice(EMPTY + 1, 2 * EMPTY + 1), slice(2 * EMPTY + 1, 3 * EMPTY + 1)
_CLASSES = np.r_[0 : EMPTY + 1, 0:EMPTY, 0:EMPTY]


def _log_steps() -> NDArray[np.float64]:
    """Return (31, 31): 0 where the state of a row may be followed by that of a column, else -infinity."""
    may = np.zeros((len(_CLASSES), len(_CLASSES)), bool)
    same = np.eye(EMPTY, dtype=bool)
    may[EMPTY, EMPTY] = may[_ALONE, EMPTY] = may[_LATER, EMPTY] = True
    may[EMPTY, _ALONE] = may[EMPTY, _FIRST] = True
    may[_FIRST, _LATER] = may[_LATER, _LATER] = same
    may[_LATER, _FIRST] = ~same
    return np.where(may, 0.0, -np.inf)


_STEPS = _log_steps()  # beyond both ends of the picture is EMPTY


@dataclass(frozen=True)
class ReadDigit:
    """A digit of a string: `digit` 0..9, `probability` 0..1, its place from column `left` to `right`.

    The columns are those of the picture that the scores were made of. The windows tell a digit's middle, to
    some 2 columns; its sides are not measured: they are 10 columns from the middle, or halfway to a
    neighbour's middle where that is less.
    """

    digit: int
    probability: float
    left: float
    right: float


@dataclass(frozen=True)
class DigitString:
    """What was read: `text` ("2544", "" for nothing), its `probability` 0..1, its digits left to right."""

    text: str
    probability: float
    digits: tuple[ReadDigit, ...]


@dataclass(frozen=True)
class _Run:
    """The windows from `start` to before `stop` that hold one digit."""

    digit: int
    start: int
    stop: int


def viterbi(scores: NDArray[Any]) -> DigitString:
    """Read the text of the path of most weight.

    `scores`: floats (T, 11), a row a window from left to right, each 0..1 and a row's sum 1. The text's
    probability is the weight of all paths that read as this text, as a share of all paths' weight; the rest
    belongs to other texts, "" among them. A digit's is the share of the paths in which this digit begins
    within one window of where it begins here, whatever they read elsewhere. The time grows as T times the
    digits. Raises InputError for scores of another shape or type, none, NaN, below 0 or another sum.
    """
    rows = _checked(scores)
    logs = np.log(rows)
    emitted = logs[:, _CLASSES]
    path = _best_path(emitted)
    runs = _runs(_CLASSES[path], path < _LATER.start)
    ahead, behind = _ahead(emitted), _behind(emitted)
    total = float(ahead[-1, EMPTY])
    text = _text_weight(logs, np.array([run.digit for run in runs], np.int64))
    probabilities = []
    free = 0  # the first window that does not count as a start of the digit before
    for run in runs:
        start, stop = max(run.start - 1, free), min(run.start + 2, len(rows))
        never = _never_begun(emitted, ahead, behind, digit=run.digit, start=start, stop=stop)
        probabilities.append(1 - _share(never, total))
        free = stop
    return _string(rows, runs, _share(text, total), probabilities)


def greedy(scores: NDArray[Any]) -> DigitString:
    """Read each window's best answer by itself: neighbouring equal ones are one digit, EMPTY parts.

    `scores` and errors as for `viterbi`. The probabilities take windows to be independent: the string's is
    the product of all windows' best scores, a digit's the mean of its windows'.
    """
    rows = _checked(scores)
    best = rows.argmax(axis=1)
    begins = np.diff(best, prepend=EMPTY) != 0
    runs = _runs(best, begins)
    probabilities = [float(rows[run.start : run.stop, run.digit].mean()) for run in runs]
    return _string(rows, runs, float(rows.max(axis=1).prod()), probabilities)


def _checked(scores: NDArray[Any]) -> NDArray[np.float64]:
    """Return the scores between _FLOOR and 1, or raise InputError."""
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


def _best_path(emitted: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the state at each window (T,) of the path of most weight; `emitted`: (T, 31) logarithms."""
    came_from = np.empty(emitted.shape, np.int64)
    weights = _STEPS[EMPTY] + emitted[0]
    for t in range(1, len(emitted)):
        ways = weights[:, None] + _STEPS
        came_from[t] = ways.argmax(axis=0)
        weights = ways.max(axis=0) + emitted[t]
    path = np.empty(len(emitted), np.int64)
    path[-1] = (weights + _STEPS[:, EMPTY]).argmax()
    for t in range(len(emitted) - 1, 0, -1):
        path[t - 1] = came_from[t, path[t]]
    return path


def _runs(classes: NDArray[np.int64], begins: NDArray[np.bool_]) -> list[_Run]:
    """Return the digits of a path from left to right; `begins`: where a window is the first of its run."""
    starts = np.flatnonzero(begins | (classes == EMPTY))
    stops = np.append(starts[1:], len(classes))
    return [
        _Run(int(classes[start]), int(start), int(stop))
        for start, stop in zip(starts, stops, strict=True)
        if classes[start] != EMPTY
    ]


def _ahead(emitted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (T + 1, 31): the weight of all beginnings that come to a window in a state, without it."""
    weights = np.empty((len(emitted) + 1, len(_CLASSES)))
    weights[0] = _STEPS[EMPTY]
    for t, row in enumerate(emitted):
        weights[t + 1] = _step(weights[t] + row)
    return weights


def _behind(emitted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (T + 1, 31): the weight of all ends from a window in a state on, with it."""
    weights = np.empty((len(emitted) + 1, len(_CLASSES)))
    weights[-1] = np.where(np.arange(len(_CLASSES)) == EMPTY, 0.0, -np.inf)
    for t in range(len(emitted) - 1, -1, -1):
        weights[t] = emitted[t] + np.logaddexp.reduce(_STEPS + weights[t + 1], axis=1)
    return weights


def _step(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what comes to each state (31,) of the next window."""
    return np.logaddexp.reduce(weights[:, None] + _STEPS, axis=0)


def _never_begun(
    emitted: NDArray[np.float64],
    ahead: NDArray[np.float64],
    behind: NDArray[np.float64],
    *,
    digit: int,
    start: int,
    stop: int,
) -> float:
    """Return the weight of the paths in which `digit` begins at no window from `start` to before `stop`."""
    arriving = ahead[start]
    for t in range(start, stop):
        weights = arriving + emitted[t]
        weights[[digit, _FIRST.start + digit]] = -np.inf
        arriving = _step(weights)
    return float(np.logaddexp.reduce(arriving + behind[stop]))


def _text_weight(logs: NDArray[np.float64], text: NDArray[np.int64]) -> float:
    """Return the weight of all paths that read as `text` (n,); `logs`: (T, 11).

    The paths are kept by how much of the text they have read, 0 to n digits, and by their state there.
    """
    shown = np.r_[EMPTY, text]  # the last digit of each beginning of the text
    parts = np.diff(text, prepend=EMPTY, append=EMPTY) != 0  # whether the next one is another
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
    """Return a part of all paths' weight, both in logarithms, as a probability."""
    return float(np.exp(min(weight - total, 0.0)))


def _string(
    rows: NDArray[np.float64], runs: list[_Run], probability: float, probabilities: list[float]
) -> DigitString:
    """Return what was read, each digit with its place."""
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
    return float(STEP * np.clip(mean, windows[0], windows[-1]) + (FIELD - 1) / 2)  # a mean is rounded
