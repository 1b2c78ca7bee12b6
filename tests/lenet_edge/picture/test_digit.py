"""From any picture to MNIST's form: what is kept, what is removed, and what is found without a digit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image, ImageDraw

from converters.base.errors import InputError
from lenet_edge.digits.mnist import calibration_digits
from lenet_edge.picture.digit import prepare
from lenet_edge.picture.findings import Finding
from lenet_edge.picture.ink import flat_paper
from lenet_edge.picture.mnist_form import centred
from lenet_edge.picture.ruled_lines import find_rules

DIGITS = calibration_digits()
no_deadline = settings(deadline=None)

# Strokes of digits, points (x, y) in a box of 1x1.
ONE = [[(0.35, 0.25), (0.55, 0.02), (0.5, 0.98)]]
FOUR = [[(0.4, 0.02), (0.12, 0.6), (0.9, 0.6)], [(0.65, 0.3), (0.6, 0.98)]]
FIVE = [
    [(0.3, 0.2), (0.24, 0.45), (0.6, 0.4), (0.8, 0.65), (0.6, 0.92), (0.2, 0.93)],
    [(0.4, 0.02), (0.9, 0.03)],
]
SEVEN = [[(0.1, 0.08), (0.85, 0.06), (0.42, 0.98)]]


def page(*strokes, size=(400, 400), box=(140, 100, 260, 300), pen=10, paper=225, ink=40, seed=1, noise=2.0):
    """Photograph `strokes` in `box` (left, top, right, bottom), in the middle of plain paper."""
    image = Image.new("L", size, paper)
    draw = ImageDraw.Draw(image)
    left, top, right, bottom = box
    for stroke in strokes:
        points = [(left + x * (right - left), top + y * (bottom - top)) for x, y in stroke]
        draw.line(points, fill=ink, width=pen, joint="curve")
    return noisy(np.asarray(image), seed, noise)


def noisy(grey, seed=1, noise=2.0):
    drawn = np.random.default_rng(seed).normal(0, noise, grey.shape)
    return np.clip(grey + drawn, 0, 255).astype(np.uint8)


def with_rules(grey, *, spacing=45, squared=True, level=0.75, slope=0.05):
    """The same page with printed rules, which let `level` of the light through."""
    rows, columns = np.mgrid[: grey.shape[0], : grey.shape[1]]
    light = np.ones(grey.shape)
    for along in (rows - slope * columns, columns + slope * rows)[: 1 + squared]:
        light[np.abs((along + 20) % spacing - spacing / 2) < 1.2] = level
    return (grey * light).astype(np.uint8)


def with_shadow(grey, depth=0.5):
    """The same page with the edge of a shadow across the middle, a few pixels soft."""
    rows, columns = np.mgrid[: grey.shape[0], : grey.shape[1]]
    away = (rows - 0.3 * columns - grey.shape[0] * 0.35) / 6
    return (grey * (1 - depth / (1 + np.exp(-np.clip(away, -30, 30))))).astype(np.uint8)


def digit_of(grey):
    prepared = prepare(grey)
    assert prepared.finding is Finding.DIGIT, prepared.reason
    assert prepared.picture.shape == (32, 32)
    return prepared.picture


def assert_alike(one, other, most=0.1):
    """Both pictures are the same strokes: the ink that only one has is `most` of what both have."""
    one, other = (picture.astype(int) for picture in (one, other))
    assert np.abs(one - other).sum() <= most * (one.sum() + other.sum()), (one, other)


def assert_mnist_form(picture):
    field = picture[2:-2, 2:-2]
    assert picture.sum() == field.sum()
    rows, columns = np.flatnonzero(field.any(axis=1)), np.flatnonzero(field.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    for axis in (0, 1):
        mass = field.sum(axis=axis).astype(float)
        assert 13.5 <= (mass * np.arange(28)).sum() / mass.sum() <= 14.5


@pytest.mark.parametrize("margin", [0, 2])
@pytest.mark.parametrize("inverted", [False, True])
def test_mnist_digits_are_passed_on_unchanged(margin, inverted):
    for image in DIGITS.images:
        given_ = np.pad(image, margin)
        prepared = prepare(np.invert(given_) if inverted else given_)
        np.testing.assert_array_equal(prepared.picture, np.pad(image, 2))
        assert prepared.finding is Finding.DIGIT
        assert prepared.inverted is not inverted


def test_centring_a_centred_digit_changes_nothing():
    for image in DIGITS.images:
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        cropped = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        if max(cropped.shape) <= 20:
            np.testing.assert_array_equal(centred(cropped), image)


@pytest.mark.parametrize("scale", [2, 10])
def test_a_larger_mnist_digit_comes_back_nearly_as_it_was(scale):
    for image in DIGITS.images[::25]:
        large = np.asarray(Image.fromarray(image).resize((28 * scale, 28 * scale), Image.Resampling.BICUBIC))
        picture = digit_of(large)
        assert_mnist_form(picture)
        # Edges are drawn anew, at most half a grey pixel off on either side of strokes two or more wide (a
        # quarter of both inks together), and the picture is resampled twice on the way (a twentieth).
        assert_alike(picture, np.pad(image, 2), most=0.3)


@no_deadline
@given(st.integers(0, 60), st.integers(0, 60), st.booleans())
def test_where_a_drawn_digit_lies_and_which_way_it_is_inked_does_not_matter(top, left, inverted):
    field = np.zeros((100, 100), np.uint8)
    field[5:33, 5:33] = DIGITS.images[7]
    wanted = digit_of(field)
    moved = np.zeros((100, 100), np.uint8)
    moved[top : top + 28, left : left + 28] = DIGITS.images[7]
    np.testing.assert_array_equal(digit_of(np.invert(moved) if inverted else moved), wanted)


@pytest.mark.parametrize("digit", [ONE, FOUR, FIVE, SEVEN])
def test_paper_rules_and_shadows_make_no_difference(digit):
    plain = page(*digit)
    wanted = digit_of(plain)
    assert_mnist_form(wanted)
    for other in (
        with_rules(plain, slope=0.0),
        with_rules(plain, squared=False, slope=0.0),
        with_shadow(plain),
    ):
        assert_alike(digit_of(other), wanted)
    assert_alike(digit_of(np.invert(plain)), wanted)
    assert_alike(digit_of(page(*digit, paper=120, ink=30)), wanted)
    assert_alike(digit_of(page(*digit, paper=225, ink=170)), wanted)  # faint as pencil


def test_strokes_that_lie_on_rules_or_are_parallel_to_them_stay():
    wanted = digit_of(page(*SEVEN))
    for spacing in (30, 37, 45, 60):
        assert_alike(digit_of(with_rules(page(*SEVEN), spacing=spacing, slope=0.0)), wanted)


@pytest.mark.parametrize(("gap", "rules"), [(0.0, 1), (0.2, 1), (0.35, 0)])
def test_a_rule_runs_through_three_quarters_of_the_page_or_more(rng, gap, rules):
    density = np.abs(rng.normal(0, 0.01, (160, 200))).astype(np.float32)
    density[80:83] += 0.5
    bare = round(100 * gap)
    density[80:83, 100 - bare : 100 + bare] = 0
    assert find_rules(density, 0.01).count == rules


def test_a_page_that_is_turned_is_turned_back_by_its_rules():
    upright = with_rules(page(*FOUR, size=(600, 600), box=(240, 200, 360, 400)), slope=0.0)
    turned = np.asarray(Image.fromarray(upright).rotate(-12, Image.Resampling.BICUBIC))[90:-90, 90:-90]
    assert_alike(digit_of(np.ascontiguousarray(turned)), digit_of(upright), most=0.15)


def test_separate_strokes_are_one_digit_without_specks():
    whole = page(*FIVE)
    assert_mnist_form(digit_of(whole))
    dirty = whole.copy()
    for row, column in [(30, 40), (350, 90), (60, 360)]:
        dirty[row : row + 3, column : column + 3] = 60
    assert_alike(digit_of(dirty), digit_of(whole), most=0.02)
    without_bar = page(FIVE[0])
    assert np.abs(digit_of(whole).astype(int) - digit_of(without_bar)).sum() > 0.1 * digit_of(whole).sum()


def test_a_thin_pen_on_a_large_page_is_drawn_as_thick_as_mnist_draws():
    thin = digit_of(page(*FIVE, size=(2000, 2000), box=(800, 600, 1200, 1300), pen=3))
    inked = (DIGITS.images > 127).sum(axis=(1, 2))
    assert (thin > 127).sum() >= np.percentile(inked, 1)
    assert_alike(
        thin, digit_of(page(*FIVE)), most=0.3
    )  # the same strokes, between 2.2 and 1 pixels of 20 thick


@pytest.mark.parametrize("level", [0, 30, 128, 200, 255])
@pytest.mark.parametrize("noise", [0.0, 1.0, 8.0])
def test_bare_paper_is_blank(level, noise):
    bare = np.full((300, 400), level, np.uint8)
    for seed in range(3):
        prepared = prepare(noisy(bare, seed, noise))
        assert (prepared.finding, prepared.box) == (Finding.BLANK, None)
        assert prepared.reason
        assert not prepared.picture.any()


def test_rules_and_shadows_alone_are_blank():
    bare = page(noise=2.0)
    # Squared paper alone is not told from a digit yet: what is left of a square at the edge counts as ink.
    for grey in (with_rules(bare, squared=False), with_shadow(bare)):
        assert prepare(grey).finding is Finding.BLANK


def test_several_figures_are_crowded():
    two = np.minimum(page(*FIVE, box=(60, 100, 160, 300)), page(*FOUR, box=(230, 100, 340, 300)))
    prepared = prepare(two)
    assert (prepared.finding, prepared.reason) == (Finding.CROWDED, "2 separate figures")
    dash = prepare(page([(0, 0.5), (1, 0.5)], box=(80, 100, 320, 300)))
    assert (dash.finding, dash.reason) == (Finding.CROWDED, "wider than one digit")


def test_the_box_is_where_the_ink_is():
    left, top, right, bottom = prepare(page(*FOUR, size=(1000, 800), box=(300, 200, 500, 600))).box
    # the points of FOUR's box, half a pen of 10 pixels around them, three pixels of the reduced picture
    wanted = (300 + 24 - 5, 200 + 8 - 5, 300 + 180 + 5, 200 + 392 + 5)
    np.testing.assert_allclose((left, top, right, bottom), wanted, atol=3 * 3)


def test_small_digits_on_a_large_page_are_looked_at_again():
    small = page(*FIVE, size=(1500, 1500), box=(1000, 300, 1060, 400), pen=5)
    assert_alike(digit_of(small), digit_of(page(*FIVE)), most=0.25)


@no_deadline
@given(npst.arrays(np.uint8, npst.array_shapes(min_dims=2, max_dims=2, min_side=8, max_side=60)))
def test_any_grey_picture_has_a_finding(grey):
    prepared = prepare(grey)
    assert prepared.picture.shape == (32, 32)
    assert prepared.picture.dtype == np.uint8
    assert (prepared.finding is Finding.DIGIT) == (prepared.reason == "")
    assert (prepared.finding is Finding.BLANK) == (prepared.box is None)
    assert prepared.picture.any() == (prepared.finding is not Finding.BLANK)
    if prepared.box:
        left, top, right, bottom = prepared.box
        assert 0 <= left < right <= grey.shape[1]
        assert 0 <= top < bottom <= grey.shape[0]
    np.testing.assert_array_equal(prepare(grey).picture, prepared.picture)


@pytest.mark.parametrize(
    "grey",
    [
        np.zeros((28, 28)),
        np.zeros((28, 28, 3), np.uint8),
        np.zeros((7, 28), np.uint8),
        np.zeros((10, 201), np.uint8),
        [[0]],
    ],
)
def test_other_arrays_are_refused(grey):
    with pytest.raises(InputError, match="expected .*, got "):
        prepare(grey)


def test_flat_paper_is_distinguished_from_photographed_paper():
    assert flat_paper(np.pad(DIGITS.images[0], 10)) is True
    assert flat_paper(255 - np.pad(DIGITS.images[0], 10)) is False
    assert flat_paper(page(*FIVE)) is None
