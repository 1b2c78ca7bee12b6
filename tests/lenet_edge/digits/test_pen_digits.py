"""Digits in the styles of a pen."""

from __future__ import annotations

import numpy as np
import pytest

from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.digits.string_fields.fields import INK
from lenet_edge.digits.string_fields.pen_digits import crossed, pen_digit, pen_hand
from lenet_edge.runtime.classifier import Classifier

DIGITS = calibration_digits()


def _written(seed: int, *, hands: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the ten digits as each of so many hands writes them, and their labels."""
    rng = np.random.default_rng(seed)
    pictures, labels = [], []
    for _ in range(hands):
        hand = pen_hand(rng)
        pictures += [pen_digit(rng, digit, hand, width=rng.uniform(2, 3.4)) for digit in range(10)]
        labels += range(10)
    return np.stack(pictures), np.array(labels)


def test_they_have_the_size_and_the_place_of_mnists_digits():
    pictures, _ = _written(1, hands=20)
    places = np.arange(32)
    for picture in pictures:
        ink = picture >= INK
        for axis in (0, 1):
            used = np.flatnonzero(ink.any(axis=axis))
            assert used[-1] - used[0] + 1 <= 22  # twenty, and soft edges
            middle = (picture.sum(axis=axis) * places).sum() / picture.sum()
            assert abs(middle - 15.5) < 4
        assert picture.max() == 255


def test_they_are_the_digits_that_they_are_called():
    """The released net never saw a pen's styles, some of which it misreads; by chance 10 % would be right."""
    pictures, labels = _written(2, hands=30)
    with Classifier() as classifier:
        right = classifier.scores(pictures).argmax(axis=1) == labels
    assert right.mean() > 0.7
    assert all(right[labels == digit].mean() > 0.3 for digit in range(10))


def test_a_hand_keeps_its_styles_and_two_hands_differ():
    rng = np.random.default_rng(3)
    one, other = np.full(10, 0.01), np.full(10, 0.99)
    same = [pen_digit(rng, 7, one, width=2.5).astype(float) for _ in range(12)]
    different = [pen_digit(rng, 7, other, width=2.5).astype(float) for _ in range(12)]
    bars = [picture[15:19, 10:14].mean() for picture in same]  # left of the stem: only a bar is there
    without = [picture[15:19, 10:14].mean() for picture in different]
    assert np.mean(bars) > 2 * np.mean(without)


@pytest.mark.parametrize("place", [int(place) for place in np.flatnonzero(DIGITS.labels == 7)[:5]])
def test_a_crossed_seven_is_the_seven_and_a_bar(place):
    seven = pad(DIGITS.images[place : place + 1])[0]
    bar = crossed(np.random.default_rng(place), seven, width=2.5)
    assert (bar >= seven).all()
    more = np.argwhere(bar > seven)
    assert len(more)
    assert more[:, 0].min() >= 12
    assert more[:, 0].max() <= 24
