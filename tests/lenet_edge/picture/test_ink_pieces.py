"""Pieces of ink: what is all around another is a frame where one digit is looked for, and not on a line."""

from __future__ import annotations

import cv2
import numpy as np

from lenet_edge.picture.ink_pieces import find_pieces


def broken_ring():
    """Return a ring of four arcs around a stroke: the ink's density."""
    field = np.zeros((120, 120), np.uint8)
    for start in range(0, 360, 90):
        cv2.ellipse(field, (60, 60), (45, 45), 0, start, start + 68, 255, 4)
    cv2.line(field, (60, 40), (60, 80), 255, 6)
    return 2 * cv2.GaussianBlur(field.astype(np.float32) / 255, (0, 0), 0.7)


def test_what_is_all_around_one_digit_is_left_out_and_neighbours_on_a_line_are_not():
    ring = broken_ring()
    (digit,) = find_pieces(ring, flat=True, single=True).pieces
    assert (digit.left, digit.right) == (56, 65)
    assert len(find_pieces(ring, flat=True).pieces) == 5
