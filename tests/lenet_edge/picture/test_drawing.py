"""Drawings to pictures: the docstring's integers one at a time, MNIST's digits, and bad drawings."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from converters.base.errors import InputError
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.picture.drawing import picture_of_drawing

small = npst.arrays(
    np.uint8,
    st.tuples(st.integers(1, 8), st.integers(1, 8)),
    elements=st.sampled_from([0, 0, 0, 1, 2, 7, 128, 254, 255]),
    fill=st.nothing(),
).filter(np.any)
factors = st.tuples(st.integers(1, 5), st.integers(1, 5))


def enlarged(ink, down, across):
    return ink.repeat(down, axis=0).repeat(across, axis=1)


def shared(target, i, source, r):
    """Return the length that [r target, (r + 1) target] and [i source, (i + 1) source] have in common."""
    return max(0, min((r + 1) * target, (i + 1) * source) - max(r * target, i * source))


def weights(source, target):
    """Return, for each target pixel, the source pixels that it shares a length with, and the length."""
    return [
        [(r, shared(target, i, source, r)) for r in range(source) if shared(target, i, source, r)]
        for i in range(target)
    ]


def half_up(fraction):
    return floor(fraction + Fraction(1, 2))


def recipe(ink):
    """Return the picture as lists: the docstring of `picture_of_drawing`, pixel by pixel in fractions."""
    inked = [(r, c) for r, row in enumerate(ink) for c, value in enumerate(row) if value]
    top, left = min(r for r, _ in inked), min(c for _, c in inked)
    h, w = max(r for r, _ in inked) - top + 1, max(c for _, c in inked) - left + 1
    high, wide = (max(1, half_up(Fraction(20 * side, max(h, w)))) for side in (h, w))
    down, across = weights(h, high), weights(w, wide)
    digit = {
        (i, j): half_up(
            Fraction(sum(a * b * ink[top + r][left + c] for r, a in down[i] for c, b in across[j]), h * w)
        )
        for i in range(high)
        for j in range(wide)
    }
    picture = [[0] * 32 for _ in range(32)]
    total = sum(digit.values())
    if not total:
        return picture  # ink so thin that no pixel has half a unit of it
    places = []
    for axis, side in ((0, high), (1, wide)):
        mass = Fraction(sum(place[axis] * value for place, value in digit.items()), total)
        places.append(2 + min(max(half_up(14 - mass), 0), 28 - side))
    for (i, j), value in digit.items():
        picture[places[0] + i][places[1] + j] = value
    return picture


@settings(max_examples=40)
@given(small, factors)
def test_the_picture_is_what_the_recipe_gives_pixel_by_pixel(ink, by):
    drawing = enlarged(ink, *by)
    found = picture_of_drawing(drawing)
    assert (found.shape, found.dtype) == ((32, 32), np.uint8)
    assert found.tolist() == recipe(drawing.tolist())


@pytest.mark.parametrize("shape", [(1, 57), (61, 2), (47, 33), (40, 80)])
def test_it_is_so_for_drawings_larger_than_the_box(rng, shape):
    # Noise of high contrast on a slope, so that the centre of mass is not in the middle.
    ink = (rng.integers(0, 2, shape) * np.linspace(1, 255, shape[1])).astype(np.uint8)
    ink[0, 0] = ink[-1, -1] = 255
    assert picture_of_drawing(ink).tolist() == recipe(ink.tolist())


@given(small, st.tuples(*[st.integers(0, 20)] * 4))
def test_where_it_is_drawn_does_not_matter(ink, margins):
    top, bottom, left, right = margins
    on_paper = np.pad(ink, ((top, bottom), (left, right)))
    np.testing.assert_array_equal(picture_of_drawing(on_paper), picture_of_drawing(ink))


@given(small, st.integers(2, 6))
def test_how_large_it_is_drawn_does_not_matter(ink, by):
    # The same means of the same areas: exact.
    np.testing.assert_array_equal(picture_of_drawing(enlarged(ink, by, by)), picture_of_drawing(ink))


@given(small)
def test_a_drawing_on_its_side_gives_the_picture_on_its_side(ink):
    np.testing.assert_array_equal(picture_of_drawing(ink.T), picture_of_drawing(ink).T)


@pytest.fixture(scope="module")
def of_mnist():
    """Packaged digits whose box is 20 on its longer side, as MNIST says that all of them are."""
    images = calibration_digits().images
    return [image for image in images if max(np.ptp(np.argwhere(image), axis=0)) == 19]


def test_mnist_s_digits_enlarged_give_their_own_pixels(of_mnist):
    assert len(of_mnist) > 400
    for number, image in enumerate(of_mnist):
        by = 1 + number % 5
        np.testing.assert_array_equal(picture_of_drawing(enlarged(image, by, by)), pad(image[None])[0])


def test_one_pixel_becomes_a_square_in_the_middle():
    ink = np.zeros((50, 70), np.uint8)
    ink[3, 66] = 90
    wanted = np.zeros((32, 32), np.uint8)
    wanted[7:27, 7:27] = 90  # 20x20, its middle 9.5 at 14 of 28 (4.5, rounded half up), and 2 more
    np.testing.assert_array_equal(picture_of_drawing(ink), wanted)


def test_the_faintest_dot_is_ink():
    ink = np.zeros((9, 9), np.uint8)
    ink[4, 4] = 1
    assert picture_of_drawing(ink).sum() == 400


def test_ink_too_thin_for_any_pixel_leaves_blank_paper():
    ink = np.zeros((400, 400), np.uint8)
    ink[0, 0] = ink[-1, -1] = 1  # a mean of 1 / 400 each
    assert not picture_of_drawing(ink).any()


def test_a_line_stays_a_line_of_one_pixel_s_width():
    assert (np.flatnonzero(picture_of_drawing(np.full((300, 2), 255, np.uint8)).any(axis=0)) == 16).all()
    found = picture_of_drawing(np.full((1, 4096), 255, np.uint8))
    # row 0 to row 14, column 9.5 to 14 (4.5, rounded half up), and 2 more
    assert sorted(map(tuple, np.argwhere(found))) == [(16, column) for column in range(7, 27)]
    assert (found[16, 7:27] == 255).all()


def test_a_heavy_end_is_held_within_the_field():
    ink = np.full((20, 20), 1, np.uint8)
    ink[:, 0] = 255
    found = picture_of_drawing(ink)
    assert (found[:, 10] == 0).sum() == 12  # as high as the box
    # The centre of mass is near column 0.7; column 14 would take columns 14 to 33, so it goes to 8 + 2.
    assert np.flatnonzero(found.any(axis=0)).tolist() == list(range(10, 30))
    mirrored = picture_of_drawing(ink[:, ::-1])
    assert np.flatnonzero(mirrored.any(axis=0)).tolist() == list(range(2, 22))


@pytest.mark.parametrize(
    ("ink", "message"),
    [
        (np.zeros((20, 30), np.uint8), "expected a drawing with ink, got a blank one"),
        (np.zeros((0, 30), np.uint8), "expected a drawing with ink, got a blank one"),
        (np.ones((4, 5)), r"expected a drawing \(height, width\) of uint8, got 4x5 of float64"),
        (np.ones((4, 5), bool), r"expected a drawing \(height, width\) of uint8, got 4x5 of bool"),
        (np.ones((4, 5, 3), np.uint8), r"expected a drawing \(height, width\) of uint8, got 4x5x3 of uint8"),
        (np.uint8([7]), r"expected a drawing \(height, width\) of uint8, got 1 of uint8"),
        (np.array(7, np.uint8), r"expected a drawing \(height, width\) of uint8, got one number of uint8"),
        (np.ones((4097, 1), np.uint8), "expected sides of 4096 at most, got 4097x1"),
        (np.ones((1, 5000), np.uint8), "expected sides of 4096 at most, got 1x5000"),
    ],
)
def test_bad_drawings_are_one_line_errors(ink, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        picture_of_drawing(ink)
