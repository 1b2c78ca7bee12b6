"""A page is looked at much reduced, then around the digit alone: what the first look tells the second."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lenet_edge.digits.mnist import calibration_digits
from lenet_edge.picture import page
from lenet_edge.picture.digit import prepare
from lenet_edge.picture.findings import Finding
from lenet_edge.picture.ink_pieces import is_bare_around
from lenet_edge.picture.ruled_lines import find_rules

DIGITS = calibration_digits().images
TIMES = 3
"""Pixels of the page for each pixel of the first look."""


def photographed(digit, *, width=720, height=600, times=7, corner=(220, 180)):
    """A digit on grey paper with noise; `corner` is the row and the column of its field."""
    light = np.full((height, width), 210.0)
    field = np.kron(digit, np.ones((times, times)))
    own = slice(corner[0], corner[0] + len(field)), slice(corner[1], corner[1] + len(field))
    light[own] *= 1 - 0.8 * field / 255
    return np.clip(light + np.random.default_rng(5).normal(0, 2, light.shape), 0, 255).astype(np.uint8)


def ruled(shape, *, spacing=70, slope=0.06):
    """The density of squared paper, (h, w)."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    density = np.zeros(shape, np.float32)
    for along in (rows - slope * columns, columns + slope * rows):
        away = np.abs((along + spacing / 2) % spacing - spacing / 2)
        density += np.clip(2.5 - away, 0, 1) * 0.4
    return density


def reduced(density, times):
    height, width = (length // times for length in density.shape)
    parts = density[: height * times, : width * times].reshape(height, times, width, times)
    return np.ascontiguousarray(parts.mean(axis=(1, 3)))


@pytest.mark.parametrize("size", [1, 2])
def test_rules_of_the_page_are_found_where_they_run_in_its_part(rng, size):
    whole = ruled((420, 540))
    noisy = whole + rng.normal(0, 0.01, whole.shape).astype(np.float32)
    seen = find_rules(reduced(noisy, TIMES), 0.01)
    assert len(seen.courses.level) >= 4
    assert len(seen.courses.upright) >= 5
    top, left = 130, 170
    part, clean = (reduced(one[top:350, left:440], size) for one in (noisy, whole))
    expected = seen.courses.in_part((left / TIMES, top / TIMES), size / TIMES, part.shape)
    found = find_rules(part, 0.01, expected=expected)
    # Nowhere on a rule is half of its density left, but for a few pixels; and of bare paper nothing is taken.
    assert np.mean((part - found.density)[clean >= 0.4] > 0.2) < 0.02
    assert found.density[clean == 0].mean() < 0.02
    assert found.turn == pytest.approx(np.degrees(np.arctan(0.06)), abs=0.5)


def test_two_looks_that_differ_are_not_believed(monkeypatch):
    picture = photographed(DIGITS[3], times=14, corner=(100, 160))
    wanted = prepare(picture).box
    again = page.locate_again

    def elsewhere(grey, known):
        located = again(grey, known)
        left, top, right, bottom = located.segment.box
        return replace(located, segment=replace(located.segment, box=(left, top, right, (top + bottom) // 2)))

    monkeypatch.setattr(page, "locate_again", elsewhere)
    prepared = prepare(picture)
    assert prepared.finding is Finding.DIGIT
    assert np.abs(np.subtract(prepared.box, wanted)).max() <= 2 * TIMES


def test_paper_is_bare_without_shadows_and_other_ink():
    shade, box = np.zeros((60, 80), np.float32), (30, 20, 45, 40)
    shade[20:40, 30:45] = 0.8
    assert is_bare_around(shade, [box], 0.8)
    shaded = shade.copy()
    shaded[:, 60:63] = 0.2  # what the edge of a shadow leaves
    assert not is_bare_around(shaded, [box], 0.8)
    assert not is_bare_around(shade, [], 0.8)
    assert not is_bare_around(shade / 4, [box], 0.2)  # it may be such an edge itself


def test_on_a_small_page_a_shadow_is_followed():
    for digit in DIGITS[1:10]:
        plain = photographed(digit, width=200, height=180, times=3, corner=(50, 60))
        rows, columns = np.mgrid[: plain.shape[0], : plain.shape[1]]
        shadow = 1 - 0.55 / (1 + np.exp(-(columns + 0.4 * rows - 120) / 2.0))
        one, other = (
            prepare(grey).picture.astype(int) for grey in (plain, (plain * shadow).astype(np.uint8))
        )
        assert np.abs(one - other).sum() <= 0.15 * (one.sum() + other.sum())
