"""How answers are judged: which labels fit which outputs, errors, agreement."""

from __future__ import annotations

import numpy as np
import pytest

from converters.base.errors import InputError
from converters.proof.scoring import scoring_of

SCORES = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.2, 0.5, 0.3], [0.4, 0.3, 0.3]])
LOGITS = 5 * SCORES - 2
MAPS = np.stack([SCORES, SCORES[::-1]], axis=1)  # (4, 2, 3)


@pytest.mark.parametrize(
    ("outputs", "labels", "kind", "error"),
    [
        (SCORES, None, "classes", None),
        (LOGITS, None, "values", None),
        (SCORES, np.array([0, 2, 0, 0]), "classes", 25.0),
        (LOGITS, np.array([[0], [2], [1], [1]]), "classes", 25.0),
        (LOGITS, np.array([0.0, 2, 1, 0]), "classes", 0.0),
        (SCORES, np.eye(3)[[0, 2, 1, 1]], "classes", 25.0),
        (MAPS, np.array([[0, 0], [2, 1], [1, 2], [0, 1]]), "classes", 12.5),
        (SCORES[:, :1], np.array([1, 0, 0, 1]), "yes or no", 25.0),
        (SCORES[:, 0], np.array([1, 0, 0, 0]), "yes or no", 0.0),
        (LOGITS, LOGITS + [[0.5, 0, -0.25]], "values", 0.25),
        (LOGITS[:, :1], LOGITS[:, :1] - 1, "values", 1.0),
    ],
)
def test_labels_are_taken_for_what_they_fit(outputs, labels, kind, error):
    scoring = scoring_of(outputs, labels)
    assert scoring.kind == kind
    assert scoring.error(outputs) == (error if error is None else pytest.approx(error))
    # Of the first samples, and of what has answers.
    right = scoring.right(outputs[:2])
    assert (right is None) == (labels is None or kind == "values")
    assert right is None or right.all()


@pytest.mark.parametrize(
    ("outputs", "labels", "message"),
    [
        (SCORES, np.array([0, 1, 3, 0]), "labels from 0 to 2, got 0 to 3"),
        (SCORES, np.array([0, 1, -1, 0]), "labels from 0 to 2, got -1 to 1"),
        (SCORES, np.array([0, 1, 2]), "4 labels, one for each sample, got 3"),
        (SCORES, np.array(["a"] * 4), "labels that are numbers, got <U1"),
        (
            SCORES,
            np.array([0.5, 0, 1, 2]),
            r"labels of shape \(4,\), classes, or \(4, 3\), values, got \(4,\)",
        ),
        (SCORES, np.zeros((4, 2)), r"labels of shape \(4,\), classes, or \(4, 3\), values, got \(4, 2\)"),
        (
            LOGITS[:, :1],
            np.array([0, 1, 2, 0]),
            r"labels of shape \(4,\), classes, or \(4, 1\), values, got \(4,\)",
        ),
    ],
)
def test_labels_that_fit_nothing_are_refused(outputs, labels, message):
    with pytest.raises(InputError, match=f"^expected {message}$"):
        scoring_of(outputs, labels)
