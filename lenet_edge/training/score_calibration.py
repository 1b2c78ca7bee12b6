"""How reliable scores are: temperature, calibration error, rejection. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import softmax
from converters.base.errors import expect


def probabilities(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the softmax of `logits` over the last axis, in float64."""
    return softmax(logits.astype(np.float64))


def negative_log_likelihood(scores: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Return the mean of -log(score of the label) of scores (n, classes), rows of sum 1."""
    return float(-np.log(np.maximum(scores[np.arange(len(labels)), labels], 1e-300)).mean())


def fit_scale(outputs: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], *, sign: int) -> float:
    """Return the scale, of `sign`, that makes softmax(scale * outputs) most likely (temperature scaling).

    `outputs` (n, classes): logits (sign +1) or distances (sign -1). One number, found by golden-section
    search over its logarithm; the likelihood is convex in it. Raises InputError on another sign.
    """
    expect(sign in (1, -1), "sign 1 or -1", sign)

    def cost(log_scale: float) -> float:
        return negative_log_likelihood(probabilities(sign * np.exp(log_scale) * outputs), labels)

    ratio = (np.sqrt(5) - 1) / 2
    low, high = np.log(1e-3), np.log(1e2)
    while high - low > 1e-6:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if cost(left) < cost(right) else (left, high)
    return float(sign * np.exp((low + high) / 2))


def expected_calibration_error(
    scores: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], *, bins: int = 15
) -> float:
    """Return the mean distance of confidence from accuracy over equal bins of confidence (Guo et al. 2017).

    `scores` (n, classes), rows of sum 1. The result is 0..1; at 0 the scores are probabilities.
    """
    confidence, correct = scores.max(axis=1), scores.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(correct[place == b].mean() - confidence[place == b].mean()) * np.mean(place == b)
        for b in set(place)
    ]
    return float(sum(gaps))


@dataclass(frozen=True)
class Rejection:
    """For an `error` (0..1) on the rest, reject the scores below `threshold`: a `share` (0..1) of all."""

    error: float
    share: float
    threshold: float


def rejections(
    scores: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    *,
    errors: Sequence[float] = (0.005, 0.001),
) -> list[Rejection]:
    """Return the smallest share to reject, lowest scores first, for each error on the rest (page 12).

    `scores` (n, classes), rows of sum 1; `errors` and shares 0..1.
    """
    confidence, wrong = scores.max(axis=1), scores.argmax(axis=1) != labels
    # What is left for the other classes still differs where all of the confidence has been rounded to 1.
    doubt = np.sort(scores, axis=1)[:, :-1].sum(axis=1)
    order = np.argsort(doubt, kind="stable")
    rate = np.cumsum(wrong[order]) / np.arange(1, len(order) + 1)
    result = []
    for error in errors:
        kept = int(np.flatnonzero(rate <= error).max(initial=-1)) + 1
        threshold = float(confidence[order[kept - 1]]) if kept else 1.0
        result.append(Rejection(error, 1 - kept / len(order), threshold))
    return result


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The metrics of a model's scores on some digits; errors and shares in percent.

    `rejected`: the share that must be rejected, by the error that remains on the rest.
    """

    digits: int
    error: float
    negative_log_likelihood: float
    expected_calibration_error: float
    rejected: dict[str, float]


def measure(
    outputs: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], *, scale: float
) -> Measured:
    """Return the metrics of a model's `outputs` (n, 10) on digits with `labels` (n,).

    `scale` turns outputs into logits.
    """
    scores = probabilities(scale * outputs)
    return Measured(
        digits=len(labels),
        error=round(100 * float(np.mean(scores.argmax(axis=1) != labels)), 4),
        negative_log_likelihood=round(negative_log_likelihood(scores, labels), 6),
        expected_calibration_error=round(expected_calibration_error(scores, labels), 6),
        rejected={f"{100 * r.error:g}": round(100 * r.share, 4) for r in rejections(scores, labels)},
    )
