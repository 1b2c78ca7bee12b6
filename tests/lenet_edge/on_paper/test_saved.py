"""Pictures of digits as programs save them: each kind is what its name says, and the same from a seed."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from lenet_edge.digits.mnist import calibration_digits
from lenet_edge.on_paper.saved import SAVED, saved_picture

DIGIT = calibration_digits().images[0]
SEEDS = range(8)


def pictures(kind):
    """Return pictures of one digit, as Pillow opens them."""
    return [Image.open(io.BytesIO(saved_picture(DIGIT, kind, seed=(seed, 1)))) for seed in SEEDS]


@pytest.mark.parametrize("kind", SAVED)
def test_the_same_seed_gives_the_same_file_and_another_another(kind):
    first, again, other = (saved_picture(DIGIT, kind, seed=seed) for seed in ((3, 1), (3, 1), (4, 1)))
    assert first == again != other


def test_a_digit_on_grey_is_mnists_with_its_paper_raised():
    for picture in pictures("28x28 on grey"):
        grey = np.asarray(picture)
        field = grey if np.median(grey) < 128 else 255 - grey
        paper = field.min()
        assert 5 <= paper < 60
        assert np.array_equal(field, np.maximum(DIGIT, paper))


def test_a_panel_has_a_margin_of_the_other_polarity():
    margins = set()
    for picture in pictures("a panel in its margin"):
        grey = np.asarray(picture)
        margins.add(int(grey[0, 0]))
        assert {*grey[0], *grey[-1], *grey[:, 0], *grey[:, -1]} == {grey[0, 0]}
        away = np.abs(grey.astype(int) - grey[0, 0])
        panel = away[np.ix_(away.any(axis=1), away.any(axis=0))]
        assert panel[0, 0] == 255
        assert panel.size % 28**2 == 0
    assert margins == {0, 255}


def test_ink_in_alpha_alone_has_one_colour():
    for picture in pictures("ink in alpha alone"):
        pixels = np.asarray(picture)
        assert pixels.shape[2] == 4
        assert len(np.unique(pixels[..., :3])) == 1
        times = len(pixels) // 28
        assert np.array_equal(pixels[::times, ::times, 3], DIGIT)


def test_ink_as_bright_as_its_paper_is_seen_by_its_colour_alone():
    for picture in pictures("ink as bright as paper"):
        # each of three channels is rounded by half a level at most, and grey once more
        assert np.ptp(np.asarray(picture.convert("L"))) <= 2
        assert np.ptp(np.asarray(picture), axis=(0, 1)).max() > 50
