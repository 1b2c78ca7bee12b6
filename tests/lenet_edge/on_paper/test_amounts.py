"""Scans of amounts."""

from __future__ import annotations

import re

import numpy as np
import pytest

from converters.base.errors import InputError
from lenet_edge.digits.mnist import calibration_digits
from lenet_edge.digits.string_fields.fields import INK
from lenet_edge.digits.string_fields.handwriting import CLEAN_CHEQUES
from lenet_edge.digits.string_fields.strings import string_fields
from lenet_edge.on_paper.amounts import scanned

FIELDS = string_fields(calibration_digits(), 30, seed=3, length=4, writing=CLEAN_CHEQUES)


def test_the_same_seed_gives_the_same_scan_and_another_another():
    one, same, other = (scanned(FIELDS.pictures[0], seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.grey, same.grey)
    assert np.array_equal(one.to_scan, same.to_scan)
    assert one.grey.shape != other.grey.shape or not np.array_equal(one.grey, other.grey)


@pytest.mark.parametrize("number", range(10))
def test_the_ink_is_where_the_map_says(number):
    """The paper's print is less dark than the pen, so the ink's pixels are darker than the others."""
    scan = scanned(FIELDS.pictures[number], seed=number)
    rows, columns = np.nonzero(FIELDS.pictures[number] > 200)
    points = scan.to_scan @ np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))])
    x, y = np.floor(points).astype(int)
    inside = (x >= 0) & (y >= 0) & (x < scan.grey.shape[1]) & (y < scan.grey.shape[0])
    assert inside.mean() > 0.95
    assert scan.grey[y[inside], x[inside]].mean() < scan.grey.mean() - 8


def test_some_scans_are_cut_at_their_first_digit():
    """Three in ten."""
    at_the_edge = 0
    for number, field in enumerate(FIELDS.pictures):
        scan = scanned(field, seed=number)
        first = np.flatnonzero((field >= INK).any(axis=0))[0]
        at_the_edge += scan.to_scan[0] @ (first, 16, 1) < 1.5
    assert 3 <= at_the_edge <= 18


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (np.zeros((28, 100), np.uint8), "expected a field of uint8 (32, w), got uint8 (28, 100)"),
        (np.zeros((32, 100), np.float32), "expected a field of uint8 (32, w), got float32 (32, 100)"),
        (np.zeros((32, 100), np.uint8), "expected a field with ink, got none"),
    ],
)
def test_what_is_no_field_is_refused(field, expected):
    with pytest.raises(InputError, match=re.escape(expected)):
        scanned(field, seed=1)
