"""Temperature, calibration error and rejection on cases with known results."""

from __future__ import annotations

import numpy as np
import pytest

from converters.base.errors import InputError
from lenet_edge.training.score_calibration import (
    expected_calibration_error,
    fit_scale,
    negative_log_likelihood,
    probabilities,
    rejections,
)


def drawn(rng, scale, count=20_000):
    """Return logits and labels that are drawn from probabilities(scale * logits)."""
    logits = rng.normal(size=(count, 5)) * 2
    chances = probabilities(scale * logits)
    labels = (rng.random((count, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    return logits, labels


@pytest.mark.parametrize("sign", [1, -1])
def test_the_temperature_that_made_the_labels_is_found(rng, sign):
    logits, labels = drawn(rng, 0.7)
    # 20,000 labels determine the scale to about 1 %: the likelihood's curvature is about 2 a label
    assert fit_scale(sign * logits, labels, sign=sign) == pytest.approx(sign * 0.7, rel=0.04)
    with pytest.raises(InputError, match="expected sign 1 or -1, got 0"):
        fit_scale(logits, labels, sign=0)


def test_honest_scores_have_a_small_calibration_error(rng):
    logits, labels = drawn(rng, 0.7)
    honest = expected_calibration_error(probabilities(0.7 * logits), labels)
    # each of 15 bins holds some 1,300 labels, so its accuracy is known to about 1.4 %
    assert honest < 0.015
    assert expected_calibration_error(probabilities(2 * logits), labels) > 0.1


def test_calibration_error_is_what_guo_et_al_define():
    scores = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    labels = np.array([0, 1, 0, 0])
    # half the rows at confidence 0.9 and accuracy 0.5, half at 0.6 and 1
    assert expected_calibration_error(scores, labels) == pytest.approx(0.5 * 0.4 + 0.5 * 0.4)


def test_rejection_keeps_the_most_confident():
    confidence = np.linspace(1.0, 0.6, 10)
    scores = np.stack([confidence, 1 - confidence], axis=1)
    labels = np.array([0, 0, 0, 0, 0, 0, 1, 0, 1, 1])
    none, tenth = rejections(scores, labels, errors=(0.0, 0.125))
    assert (none.share, none.threshold) == (pytest.approx(0.4), pytest.approx(confidence[5]))
    assert (tenth.share, tenth.threshold) == (pytest.approx(0.2), pytest.approx(confidence[7]))
    everything = rejections(scores[:1], np.array([1]), errors=(0.5,))[0]
    assert (everything.share, everything.threshold) == (1.0, 1.0)


def test_rejection_tells_confidences_apart_that_round_to_1():
    logits = np.array([[40.0, 0.0], [90.0, 0.0], [50.0, 0.0], [80.0, 0.0]])
    scores = probabilities(logits)
    assert (scores.max(axis=1) == 1).all()
    (half,) = rejections(scores, np.array([1, 0, 1, 0]), errors=(0.0,))
    assert half.share == 0.5


def test_likelihood_and_softmax_stay_finite():
    scores = probabilities(np.array([[1000.0, -1000.0]]))
    np.testing.assert_array_equal(scores, [[1.0, 0.0]])
    assert np.isfinite(negative_log_likelihood(scores, np.array([1])))
