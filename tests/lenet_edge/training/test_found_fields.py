"""Fields found on scans."""

from __future__ import annotations

import numpy as np

from lenet_edge.digits.mnist import calibration_digits
from lenet_edge.digits.string_fields.fields import INK
from lenet_edge.training.found_fields import found_fields

DIGITS = calibration_digits()


def test_the_fields_have_ink_where_their_digits_are():
    fields = found_fields(DIGITS, 60, seed=(1, 2), width=112)
    assert 45 <= len(fields.labels) <= 60  # on a few scans no line is found
    assert fields.pictures.shape[1:] == (32, 112)
    for picture, labels, centres in zip(*fields, strict=True):
        digits = labels >= 0
        assert np.isnan(centres[~digits]).all()
        assert ((centres[digits] >= 8) & (centres[digits] <= 103)).all()
        assert (np.diff(centres[digits]) > 0).all()
        for centre in centres[digits]:
            assert (picture[:, round(centre) - 5 : round(centre) + 6] >= INK).any()


def test_whole_lines_have_all_their_digits():
    fields = found_fields(DIGITS, 60, seed=(1, 2), width=200, whole=True)
    lengths = [len(text) for text in fields.texts()]
    assert min(lengths) >= 2
    edges = fields.pictures[:, :, [0, 1, 2, -3, -2, -1]]
    assert not (edges >= INK).any()


def test_the_same_seed_gives_the_same_fields():
    one, same, other = (found_fields(DIGITS, 20, seed=(5, seed), width=112) for seed in (1, 1, 2))
    assert np.array_equal(one.pictures, same.pictures)
    assert one.texts() != other.texts()
