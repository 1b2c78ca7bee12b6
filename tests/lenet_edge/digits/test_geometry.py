"""The middle of a picture is the input of a model with fewer pixels."""

from __future__ import annotations

import numpy as np

from lenet_edge.digits.geometry import middle
from lenet_edge.digits.mnist import pad, test_digits


def test_the_middle_of_a_padded_digit_is_the_digit():
    digits = test_digits().images[:20]
    np.testing.assert_array_equal(middle(pad(digits), side=28), digits)
    assert middle(pad(digits)[..., None], side=28).shape == (20, 28, 28, 1)


def test_the_full_middle_is_the_picture():
    picture = np.arange(1024).reshape(1, 32, 32)
    np.testing.assert_array_equal(middle(picture, side=32), picture)
