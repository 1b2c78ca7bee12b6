"""Lines that lean are set upright."""

from __future__ import annotations

import numpy as np
import pytest

from lenet_edge.digits.mnist import calibration_digits
from lenet_edge.digits.string_fields.fields import INK
from lenet_edge.digits.string_fields.handwriting import AS_IN_MNIST, Writing
from lenet_edge.digits.string_fields.strings import string_fields
from lenet_edge.picture.line.finding import find_line
from lenet_edge.picture.line.slant import room_for, slant_of, upright_map
from lenet_edge.runtime.string_reader import StringReader


def _fields(lean: float, count: int = 20):
    writing = Writing(**{**vars(AS_IN_MNIST), "lean": lean})
    return string_fields(calibration_digits(), count, seed=4, length=6, writing=writing)


@pytest.mark.parametrize("lean", [0.3, 0.5, 0.7])
def test_the_slant_is_what_the_writing_leans(lean):
    """MNIST's digits lean by some 0.1 themselves, each by its own slant; six tell the line's to 0.15."""
    slants = [slant_of(picture) for picture in _fields(lean).pictures]
    assert np.mean(slants) == pytest.approx(lean, abs=0.15)


def test_writing_that_leans_to_the_left_is_told_from_upright_writing():
    """It is rare, so less of its slant is believed."""
    assert np.mean([slant_of(picture) for picture in _fields(-0.7).pictures]) < -0.2


def test_upright_writing_is_left_as_it_is():
    slants = [slant_of(picture) for picture in _fields(-0.15).pictures]  # MNIST's own lean taken away
    assert np.mean([slant == 0 for slant in slants]) >= 0.7
    assert slant_of(np.zeros((32, 60), np.uint8)) == 0


def test_the_map_sets_upright_around_the_middle_row():
    matrix = upright_map(0.5, room_for(0.5))
    assert room_for(0.5) == 8
    assert matrix @ (8 + 20, 16, 1) == pytest.approx((20, 16))
    assert matrix @ (8 + 20, 0, 1) == pytest.approx((28, 0))  # what leans to the right is right of it, above


def _page(field: np.ndarray) -> np.ndarray:
    """Return the field as a page twice as large, dark on grey paper."""
    large = np.kron(field, np.ones((2, 2), np.uint8)).astype(float)
    return np.pad(230 - large * 0.8, 40, constant_values=230).astype(np.uint8)


@pytest.mark.parametrize("lean", [-0.8, 0.5])
def test_a_leaning_line_is_mapped_back_to_where_its_ink_is(lean):
    grey = _page(_fields(lean, 1).pictures[0])
    line = find_line(grey)
    assert line.to_image[0, 1] * lean < 0  # below, a line that leans to the right lies further to the left
    rows, columns = np.nonzero(line.picture > 200)
    x, y = np.floor(line.to_image @ np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))])).astype(int)
    assert (grey[y, x] < 150).mean() > 0.9
    used = np.flatnonzero((line.picture >= INK).any(axis=0))
    assert used[0] <= 7
    assert line.picture.shape[1] - 1 - used[-1] <= 7


def test_leaning_lines_are_read():
    """Left as they are, more than half of these are misread."""
    fields = _fields(0.6)
    with StringReader() as reader:
        right = [
            reader.read(find_line(_page(picture)).picture).text == text
            for picture, text in zip(fields.pictures, fields.texts(), strict=True)
        ]
    assert np.mean(right) >= 0.7
