"""Judge answers: by labels where they fit, by the model's own answer where its outputs are scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import Numbers, percent
from converters.base.errors import InputError, expect

Kind = Literal["classes", "yes or no", "values"]
"""What an output is: a score for each class along its last side; a probability; or any numbers."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scoring:
    """How an output's values (n, ...) are judged; `labels`: what is right, None where nobody said.

    Labels are classes (n, ...), as many as the output has rows of scores, 0 or 1 for "yes or no", or values
    of the output's own shape.
    """

    kind: Kind
    labels: Numbers | None = None

    def answers(self, values: NDArray[np.floating]) -> NDArray[np.generic] | None:
        """Return the answers (n, ...) that `values` give, None if they are no scores."""
        if self.kind == "classes":
            return values.argmax(axis=-1)
        return (values >= 0.5).reshape(len(values)) if self.kind == "yes or no" else None

    def right(self, values: NDArray[np.floating]) -> NDArray[np.bool_] | None:
        """Return where the answers are right, flat; None without labels, and of values."""
        answers = self.answers(values)
        if answers is None or self.labels is None:
            return None
        return (answers == self.labels[: len(values)]).ravel()

    def error(self, values: NDArray[np.floating]) -> float | None:
        """Return the share of wrong answers in percent; of values, their mean distance from the labels."""
        if self.labels is None:
            return None
        right = self.right(values)
        if right is None:
            return float(np.abs(values - self.labels[: len(values)]).mean())
        return percent(~right)


def scoring_of(outputs: NDArray[np.floating], labels: Numbers | None = None) -> Scoring:
    """Return how `outputs` (n, ...), a model's, are judged by `labels`.

    Classes are whole numbers (n, ...) or rows of which one entry is 1. Without labels, outputs are scores if
    each row is of positive numbers whose sum is 1, as a softmax makes them. Raises InputError for labels that
    do not fit this output.
    """
    if labels is None:
        return Scoring(kind="classes" if _are_shares(outputs) else "values")
    labels = np.asarray(labels)
    expect(labels.dtype.kind in "biuf" and labels.ndim, "labels that are numbers", labels.dtype)
    expect(len(labels) == len(outputs), f"{len(outputs)} labels, one for each sample", len(labels))
    if labels.shape == outputs.shape and _are_rows_of_one(labels):
        return Scoring(kind="classes", labels=labels.argmax(axis=-1))
    flat = labels.reshape(labels.shape[:-1]) if labels.shape[1:] == (1,) else labels
    whole = labels.dtype.kind in "biu" or bool((labels == np.rint(labels)).all())
    if whole and flat.shape == outputs.shape[:-1] and outputs.shape[-1] > 1:
        classes, most = flat.astype(np.int64), outputs.shape[-1] - 1
        low, high = int(classes.min()), int(classes.max())
        expect(low >= 0 and high <= most, f"labels from 0 to {most}", f"{low} to {high}")
        return Scoring(kind="classes", labels=classes)
    if whole and flat.shape == (outputs.size,) and _are_probabilities(outputs) and set(flat) <= {0, 1}:
        return Scoring(kind="yes or no", labels=flat.astype(bool))
    if labels.shape == outputs.shape:
        return Scoring(kind="values", labels=labels)
    wanted = f"labels of shape {outputs.shape[:-1]}, classes, or {outputs.shape}, values"
    raise InputError(f"expected {wanted}, got {labels.shape}")


def _are_shares(outputs: NDArray[np.floating]) -> bool:
    if outputs.ndim < 2 or outputs.shape[-1] < 2:
        return False
    return bool((outputs >= 0).all() and np.abs(outputs.sum(axis=-1) - 1).max() < 1e-3)


def _are_rows_of_one(labels: Numbers) -> bool:
    several = labels.ndim > 1 and labels.shape[-1] > 1
    return several and bool(np.isin(labels, (0, 1)).all() and (labels.sum(axis=-1) == 1).all())


def _are_probabilities(outputs: NDArray[np.floating]) -> bool:
    return outputs.shape in ((len(outputs),), (len(outputs), 1)) and bool(
        ((outputs >= 0) & (outputs <= 1)).all()
    )
