"""The ten 7x12 bitmaps that the paper's output units compare with F6 (page 10, figure 3)."""

from __future__ import annotations

import numpy as np

HEIGHT, WIDTH = 12, 7

# Digits 0 to 4 above, 5 to 9 below. '#' is +1, '.' is -1.
BITMAPS = """
.#####.  ...##..  .#####.  #######  .#####.
.......  ..###..  .......  .....##  .......
..###..  .####..  .#####.  ....##.  .......
.##.##.  ...##..  ##...##  ...##..  .##..##
##...##  ...##..  #....##  ..####.  .##..##
##...##  ...##..  ....##.  .....##  ###..##
##...##  ...##..  ..###..  .....##  ##...##
##...##  ...##..  .##....  .....##  ##...##
.##.##.  ...##..  ##.....  ##...##  ##..###
..###..  .######  #######  .#####.  .######
.......  .......  .......  .......  .....##
.......  .......  .......  .......  .....##

.#####.  ..####.  #######  .#####.  .#####.
.......  .##....  .....##  ##...##  ##..###
#######  ##.....  .....##  ##...##  ##...##
##.....  ##.....  ....##.  ##...##  ##...##
##.....  ######.  ...##..  .#####.  ##..###
.####..  ###..##  ...##..  ##...##  .######
..####.  ##...##  ..##...  ##...##  .....##
.....##  ##...##  ..##...  ##...##  .....##
##...##  ###..##  ..##...  ##...##  ....##.
.#####.  .#####.  ..##...  .#####.  .####..
.......  .......  .......  .......  .......
.......  .......  .......  .......  .......
"""


def digit_codes() -> np.ndarray:
    """Return the codes of the digits 0 to 9: float32 (10, 84), each value +1 or -1, row by row."""
    halves = BITMAPS.strip().split("\n\n")
    digits = [
        column for half in halves for column in zip(*(row.split() for row in half.splitlines()), strict=True)
    ]
    codes = [[1.0 if mark == "#" else -1.0 for mark in "".join(rows)] for rows in digits]
    return np.array(codes, dtype=np.float32)


def codes_with_empty() -> np.ndarray:
    """Return the codes of the digits and, as the eleventh, of "no character here": float32 (11, 84).

    The eleventh is the blank bitmap, every pixel -1: a space in the stylised characters of the paper's codes.
    It is fixed like the others and adds no trainable weight.
    """
    return np.concatenate([digit_codes(), -np.ones((1, HEIGHT * WIDTH), np.float32)])
