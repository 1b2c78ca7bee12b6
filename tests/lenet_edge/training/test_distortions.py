"""Distortions: drawn from a seed, within their bounds, and the ones that the paper names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from converters.base.environment import tf
from converters.base.errors import InputError
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.training.distortions import VERSION, Distortions, _displacements, distort

NONE = Distortions().gentler(0.0)


@pytest.fixture(scope="module")
def pictures():
    return pad(calibration_digits().images[:200])


def centres(pictures):
    """Return each picture's centre of mass: (n, 2), row and column."""
    mass = pictures.astype(float)
    total = mass.sum(axis=(1, 2))
    rows, columns = np.indices(pictures.shape[1:])
    return np.stack([(mass * rows).sum((1, 2)) / total, (mass * columns).sum((1, 2)) / total], axis=1)


def spread(pictures, axis):
    """Return each picture's standard deviation along rows (0) or columns (1) about its centre."""
    mass = pictures.astype(float)
    places = np.indices(pictures.shape[1:])[axis] - centres(pictures)[:, axis, None, None]
    return np.sqrt((mass * places**2).sum((1, 2)) / mass.sum((1, 2)))


def test_no_distortion_is_the_picture_itself(pictures):
    np.testing.assert_array_equal(distort(pictures, seed=(1, 2), sizes=NONE), pictures)


def test_the_same_seed_gives_the_same_copies(pictures):
    first, again = distort(pictures, seed=(1, 2)), distort(pictures, seed=(1, 2))
    np.testing.assert_array_equal(first, again)
    for other in ((1, 3), (2, 2)):
        assert (distort(pictures, seed=other) != first).any(axis=(1, 2)).all()


DRAWN = Path(__file__).parents[2] / "data" / f"distorted-{VERSION}.npy"


def test_copies_are_those_of_their_version(pictures):
    """Passes on disk go by it. Who gives other copies raises VERSION in distortions and saves these anew."""
    copies = distort(pictures[:8], seed=(7, 3))
    # Another processor may round a grey level otherwise.
    assert np.abs(copies.astype(int) - np.load(DRAWN)).max() <= 1


def test_copies_within_one_call_differ(pictures):
    same = np.repeat(pictures[:1], 50, axis=0)
    assert len(np.unique(distort(same, seed=(1, 2)), axis=0)) == 50


def test_translation_stays_within_its_bound(pictures):
    moved = distort(pictures, seed=(1, 2), sizes=replace(NONE, translation=1.5))
    shift = centres(moved) - centres(pictures)
    assert np.abs(shift).max() <= 1.5 + 0.05  # rounding to whole grey levels moves a centre a little
    assert np.abs(shift).max(axis=0).min() > 1.2
    np.testing.assert_allclose(shift.mean(axis=0), 0, atol=4 * 1.5 / np.sqrt(3 * len(pictures)))


@pytest.mark.parametrize(
    ("size", "both"),
    [("scale", 1), ("squeeze", -1)],
    ids=["scale: both alike", "squeeze: one against the other"],
)
def test_scale_and_squeeze_change_height_and_width_as_named(pictures, size, both):
    changed = distort(pictures, seed=(1, 2), sizes=replace(NONE, **{size: 0.1}))
    high, wide = (np.log(spread(changed, axis) / spread(pictures, axis)) for axis in (0, 1))
    assert np.corrcoef(high, wide)[0, 1] * both > 0.9
    assert 0.05 < np.abs(high).max() < 0.15


def test_elastic_fields_are_as_large_as_said():
    dx, _ = _displacements(400, 32, tf.constant((1, 2)), replace(NONE, elastic=2.0))
    # each field's strength is uniform over 0..2, so the mean square is 4/3
    assert np.sqrt((dx.numpy() ** 2).mean()) == pytest.approx(np.sqrt(4 / 3), rel=0.1)
    steps = np.diff(dx.numpy(), axis=2)
    assert np.sqrt((steps**2).mean()) < np.sqrt(4 / 3) / 3  # smooth over 4.5 pixels


def test_bad_input_is_a_one_line_error(pictures):
    with pytest.raises(InputError, match=r"expected uint8 pictures \(n, size, size\), got float32"):
        distort(pictures.astype(np.float32), seed=(1, 2))
    with pytest.raises(InputError, match="expected a factor of 0..1, got 2"):
        Distortions().gentler(2)
