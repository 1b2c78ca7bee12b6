"""The paper's criteria, eq. 8 and eq. 9, against plain NumPy."""

from __future__ import annotations

import paper_numpy as paper
import pytest

from converters.base.environment import tf
from converters.base.errors import InputError


@pytest.fixture
def case(rng):
    return rng.random((6, 10)) * 5, rng.integers(0, 10, 6)


def test_eq_8_is_the_mean_distance_of_the_desired_class(ours, case):
    distances, labels = case
    got = ours.MinimumDistanceLoss()(labels[:, None], tf.constant(distances, tf.float32))
    assert float(got) == pytest.approx(paper.eq_8(distances, labels), rel=1e-6)


@pytest.mark.parametrize("j", [0.1, 2.0])
def test_eq_9_is_as_printed(ours, case, j):
    distances, labels = case
    got = ours.MAPLoss(rubbish=j)(labels, tf.constant(distances, tf.float32))
    assert float(got) == pytest.approx(paper.eq_9(distances, labels, j), rel=1e-6)


def test_eq_9_stays_finite_where_exponentials_underflow(ours):
    distances = tf.fill((1, 10), 500.0)
    # y_D + log(e^-j + 10 e^-500), of which the exponentials are 0 in float32
    assert float(ours.MAPLoss(rubbish=0.1)([3], distances)) == pytest.approx(499.9, rel=1e-6)


def test_cross_entropy_of_distances_prefers_the_near_code(ours):
    distances = tf.constant([[1.0, 50.0]])
    loss = ours.DistanceCrossEntropy(scale=0.1)
    near, far = loss([[1.0, 0.0]], distances), loss([[0.0, 1.0]], distances)
    assert float(far - near) == pytest.approx(0.1 * 49, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "options"),
    [("MinimumDistanceLoss", {}), ("MAPLoss", {"rubbish": 3.0}), ("DistanceCrossEntropy", {"scale": 0.2})],
)
def test_losses_are_serialised(either_keras, ours, name, options):
    loss = getattr(ours, name)(**options)
    again = either_keras.losses.deserialize(either_keras.losses.serialize(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    assert options.items() <= again.get_config().items()


def test_bad_options_give_one_line(ours):
    for make in (lambda: ours.MAPLoss(rubbish=0), lambda: ours.DistanceCrossEntropy(scale=-1)):
        with pytest.raises(InputError, match="^expected .*, got .*$"):
            make()
