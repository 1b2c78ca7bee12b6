"""Distances, skeletons and components, compared with their plain definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as npst
from PIL import Image, ImageDraw

from lenet_edge.picture.connected_components import find_components
from lenet_edge.picture.strokes import distances, half_widths, skeleton

masks = npst.arrays(bool, npst.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12))
no_deadline = settings(deadline=None)


@no_deadline
@given(masks)
def test_distances_are_to_the_nearest_set_pixel(mask):
    points = np.argwhere(mask)
    everywhere = np.stack(np.indices(mask.shape), axis=-1)[:, :, None, :]
    if len(points):
        wanted = np.sqrt(((everywhere - points) ** 2).sum(axis=-1).min(axis=-1))
    else:
        wanted = np.full(mask.shape, np.inf)
    # float32 squares of at most 12 are exact, and the root is rounded once.
    np.testing.assert_allclose(distances(mask), wanted, rtol=2**-23)


@no_deadline
@given(masks)
def test_rough_distances_are_within_two_percent(mask):
    np.testing.assert_allclose(distances(mask, rough=True), distances(mask), rtol=0.02)


@pytest.mark.parametrize("side", [180, 181, 182, 255, 256, 260])
def test_as_many_components_as_there_can_be_are_told_apart(side):
    dots = np.zeros((2 * side, 2 * side), bool)
    dots[::2, ::2] = True
    found = find_components(dots)
    np.testing.assert_array_equal(np.sort(found.labels[dots]), np.arange(1, side**2 + 1))
    assert (found.areas == 1).all()


def filled(mask: np.ndarray) -> np.ndarray:
    """Number components one at a time."""
    numbers = np.zeros(mask.shape, int)
    for start in map(tuple, np.argwhere(mask)):
        if numbers[start]:
            continue
        number, front = numbers.max() + 1, [start]
        numbers[start] = number
        while front:
            row, column = front.pop()
            around = np.s_[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
            for offset in np.argwhere(mask[around] & (numbers[around] == 0)):
                pixel = tuple(offset + (around[0].start, around[1].start))
                numbers[pixel] = number
                front.append(pixel)
    return numbers


@no_deadline
@given(masks)
def test_components_are_what_filling_gives(mask):
    found = find_components(mask)
    wanted = filled(mask)
    assert len(found.areas) == len(found.boxes) == wanted.max(initial=0)
    for number, ((left, top, right, bottom), area) in enumerate(
        zip(found.boxes, found.areas, strict=True), 1
    ):
        rows, columns = np.nonzero(found.labels == number)
        np.testing.assert_array_equal(found.labels == number, wanted == wanted[rows[0], columns[0]])
        assert (left, top, right, bottom) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert area == len(rows)


def count(mask: np.ndarray) -> int:
    return len(find_components(mask).areas)


@no_deadline
@given(masks)
def test_a_skeleton_is_within_its_shape_and_has_as_many_pieces(mask):
    lines = skeleton(mask)
    assert not (lines & ~mask).any()
    # The thinning may take away a square of 2x2 pixels whole (a known property of it), and nothing else.
    wide = np.kron(mask, np.ones((3, 3), bool))
    assert count(skeleton(wide)) == count(wide)


def test_a_thick_stroke_has_a_thin_middle():
    mask = np.zeros((30, 60), bool)
    mask[10:19, 5:55] = True
    lines = skeleton(mask)
    middle = lines[:, 15:45]
    assert (middle.sum(axis=0) == 1).all()
    assert set(np.argwhere(middle)[:, 0]) <= {13, 14, 15}  # rows 10..18 have their middle at 14


@pytest.mark.parametrize("width", [1, 2, 5, 8, 13])
@pytest.mark.parametrize("turn", [0, 20, 45])
def test_a_stroke_is_as_wide_as_it_was_drawn(width, turn):
    image = Image.new("L", (160, 160))
    end = 60 * np.array([np.cos(np.radians(turn)), np.sin(np.radians(turn))])
    ImageDraw.Draw(image).line([*(80 - end), *(80 + end)], fill=255, width=width)
    halves = half_widths(distances(np.asarray(image) == 0))
    # Distances are between the middles of pixels, so 0 to 1 more than the width; a turned edge has steps.
    assert 2 * np.median(halves) == pytest.approx(width + 0.5, abs=1.1)
    assert len(half_widths(distances(np.ones((9, 9), bool)))) == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
def test_the_smallest_masks(shape):
    assert count(np.ones(shape, bool)) == 1
    assert count(np.zeros(shape, bool)) == 0
    assert (distances(np.ones(shape, bool)) == 0).all()
