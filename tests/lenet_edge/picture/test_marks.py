"""Marks that are no digit are told from digits, in MNIST's form and on pages."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lenet_edge.digits.mnist import pad
from lenet_edge.digits.mnist import test_digits as mnist_test_digits
from lenet_edge.packaged.thresholds import digit_threshold
from lenet_edge.picture.files import Picture
from lenet_edge.picture.marks import MARKS, is_parenthesis, is_slash, resembles_mark
from lenet_edge.reading.digit_answer import answer_picture
from lenet_edge.runtime.classifier import Classifier

DIGITS = mnist_test_digits()


@pytest.fixture(scope="module")
def classifier():
    with Classifier() as classifier:
        yield classifier


def page(*strokes, width=16, round_ends=True):
    """Draw strokes, in a square of one, with a pen of `width` pixels."""
    image = Image.new("L", (360, 360), 255)
    draw = ImageDraw.Draw(image)
    for points in strokes:
        corners = [(90 + 180 * x, 90 + 180 * y) for x, y in points]
        draw.line(corners, fill=0, width=width, joint="curve")
        for x, y in (corners[0], corners[-1]) if round_ends else ():
            draw.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=0)
    return Picture("a page", None, np.asarray(image))


def bow(*, depth):
    """Return a parenthesis whose middle is `depth` of its height beside its ends."""
    return [(0.5 + depth * (1 - down**2), 0.5 + 0.5 * down) for down in np.linspace(-1, 1, 41)]


PAGES = {
    "plus": page([(0.1, 0.5), (0.9, 0.5)], [(0.5, 0.1), (0.5, 0.9)]),
    "plus, turned": page([(0.1, 0.44), (0.9, 0.56)], [(0.56, 0.1), (0.44, 0.9)], width=24),
    "plus, square": page([(0.1, 0.5), (0.9, 0.5)], [(0.5, 0.1), (0.5, 0.9)], width=20, round_ends=False),
    "times": page([(0.2, 0.1), (0.8, 0.9)], [(0.8, 0.1), (0.2, 0.9)]),
    "hash": page(
        [(0.35, 0), (0.25, 1)], [(0.75, 0), (0.65, 1)], [(0.1, 0.33), (0.9, 0.33)], [(0.1, 0.67), (0.9, 0.67)]
    ),
    "round tick": page([(0, 0.6), (0.15, 0.95), (0.3, 0.97), (0.45, 0.62), (0.95, 0.03)]),
    "slash": page([(0.66, 0), (0.34, 1)]),
    "slash, thin and turned": page([(0.75, 0), (0.25, 1)], width=12),
    "left parenthesis": page(bow(depth=-0.2)),
    "right parenthesis": page(bow(depth=0.18), width=22),
}


@pytest.mark.parametrize("mark", PAGES)
def test_a_mark_on_a_page_is_never_sure(classifier, mark):
    below = digit_threshold(classifier.sha256)
    assert not answer_picture(PAGES[mark], classifier, threshold=below).sure


@pytest.mark.parametrize("mark", ["plus", "round tick", "slash", "left parenthesis"])
def test_of_the_net_alone_it_would_be_sure(classifier, mark):
    one = answer_picture(PAGES[mark], classifier)
    assert one.probability >= digit_threshold(classifier.sha256)
    assert not one.sure  # whatever the threshold


@pytest.mark.parametrize("lean", [-0.32, 0.0, 0.1, 0.2])
def test_a_stroke_that_is_upright_or_leans_back_is_no_slash(lean):
    stroke = page([(0.5 + lean / 2, 0), (0.5 - lean / 2, 1)])
    assert not is_slash(answered(stroke))


def test_digits_in_doubt_are_a_few_in_ten_thousand():
    # Nothing was chosen on these digits; 7 in 2,000 would be more than a few in ten thousand by chance alone
    # with less than 1 in 1,000 (a binomial of 1 in 1,000).
    pictures, labels = pad(DIGITS.images[:2000]), DIGITS.labels[:2000]
    in_doubt = [
        resembles_mark(picture, int(label)) or (label == 1 and (is_parenthesis(picture) or is_slash(picture)))
        for picture, label in zip(pictures, labels, strict=True)
    ]
    assert sum(in_doubt) < 8


def test_a_straight_or_slanted_one_is_no_parenthesis():
    for lean in (-0.25, 0, 0.25):
        assert not is_parenthesis(answered(page([(0.5 + lean, 0), (0.5 - lean, 1)])))
    assert is_parenthesis(answered(PAGES["left parenthesis"]))


def answered(picture):
    """Return the picture in MNIST's form."""
    from lenet_edge.picture.digit import prepare

    return prepare(picture.grey).picture


def test_only_digits_that_marks_are_taken_for_are_compared():
    taken = {digit for mark in MARKS.values() for digit in mark.taken_for}
    picture = answered(PAGES["plus"])
    assert resembles_mark(picture, 4)
    assert not any(resembles_mark(picture, digit) for digit in set(range(10)) - taken)


def test_a_picture_in_mnists_form_is_a_digit(classifier):
    plus = answered(PAGES["plus"])[2:-2, 2:-2]
    one = answer_picture(Picture("x", None, plus), classifier)
    assert one.sure
    assert not one.prepared.on_page
