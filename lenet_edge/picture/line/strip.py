"""Cut out the strip of paper with a line of digits, levelled, and find its ink at full resolution."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.opencv import cv2
from lenet_edge.picture.ink import WIDEST_STROKE, Array
from lenet_edge.picture.line.ink import NARROWEST_WINDOW, THICKEST_STROKE, Paper, find_line_ink
from lenet_edge.picture.line.layout import Layout
from lenet_edge.picture.reduction import reduced

AffineMap = NDArray[np.float64]
"""An affine map (2, 3) of points (column, row): `map @ (column, row, 1)`."""

LARGEST_BODY = 40
"""The largest height of digits in a strip, in pixels."""
_HALF = 1.3  # digit heights above and below the line's middle
_PART = 8.0  # digit heights: the length of a part that is processed at once
_ROOM = 0.5  # digit heights: the margin around a part
_REDUCED = 2.0  # pixels of the picture for each of the strip's: so many are averaged
_LEAST = 8  # pixels: a smaller part of the picture is left empty


@dataclass(frozen=True)
class Strip:
    """The `density` (h, w) of a line's ink, 0 outside the picture; `to_image` maps it to the picture."""

    density: Array
    to_image: AffineMap


def cut_strip(grey: NDArray[np.uint8], layout: Layout, *, factor: int, paper: Paper, density: Array) -> Strip:
    """Return the strip of the line of `layout`, which was found in `grey` (h, w) reduced by `factor`.

    `density`: of the reduced picture's ink. It is estimated again where the strip has another resolution.
    """
    body = layout.body * factor
    left, right, middle = (end * factor for end in layout.extent)
    size = max(body / LARGEST_BODY, 1.0)  # pixels of the picture for each pixel of the strip
    to_image = rotation_map(layout.turn, size, left - body, middle - _HALF * body)
    height, width = round(2 * _HALF * body / size), round((right - left + 2 * body) / size)
    if factor == 1 and size < _REDUCED:
        return Strip(_turned(density, to_image, (width, height)), to_image)
    own = np.zeros((height, width), np.float32)
    edges = np.linspace(0, width, max(1, round(width * size / (_PART * body))) + 1).astype(int)
    for start, stop in pairwise(edges):
        part = Strip(own[:, start:stop], starting_at(start, to_image))
        _fill_density(grey, part, room=_ROOM * body / size, stroke=THICKEST_STROKE * body, paper=paper)
    return Strip(own, to_image)


def rotation_map(turn: float, size: float, along: float, across: float) -> AffineMap:
    """Return the map that rotates clockwise by `turn` degrees and magnifies by `size`.

    It maps (0, 0) to (`along`, `across`), measured in the rotated directions.
    """
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    directions = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([directions * size, directions @ (along, across)])


def compose(outer: AffineMap, inner: AffineMap) -> AffineMap:
    """Return the map that applies `inner`, then `outer`."""
    return np.column_stack([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2] + outer[:, 2]])


def starting_at(column: int, to_image: AffineMap) -> AffineMap:
    """Return `to_image` for the part of a strip that begins at `column`."""
    return compose(to_image, np.array([[1.0, 0, column], [0, 1, 0]]))


def between_middles(to_source: AffineMap) -> AffineMap:
    """Return the map for OpenCV, which counts from the middle of the first pixel and not from its corner."""
    matrix = to_source.copy()
    matrix[:, 2] += to_source[:, :2] @ (0.5, 0.5) - 0.5
    return matrix


def _fill_density(grey: NDArray[np.uint8], part: Strip, *, room: float, stroke: float, paper: Paper) -> None:
    """Fill in the density of `part`, found with a margin `room`; strokes are thinner than `stroke` pixels."""
    height, width = part.density.shape
    corners = [(x, y, 1) for x in (-room, width + room) for y in (-room, height + room)]
    points = part.to_image @ np.transpose(corners)
    low = np.maximum(np.floor(points.min(axis=1)).astype(int), 0)
    high = np.minimum(np.ceil(points.max(axis=1)).astype(int), grey.shape[::-1])
    if (high - low < _LEAST).any():
        return
    crop = grey[low[1] : high[1], low[0] : high[0]]
    factor = max(1, int(np.hypot(*part.to_image[:, 0])))
    small = reduced(crop, factor)
    window = float(np.clip(stroke / min(crop.shape), NARROWEST_WINDOW, WIDEST_STROKE))
    to_small = (part.to_image - np.array([[0, 0, low[0]], [0, 0, low[1]]])) / factor
    ink = find_line_ink(small, paper, window=window)
    part.density[:] = _turned(ink.density, to_small, (width, height))


def _turned(density: Array, to_density: AffineMap, size: tuple[int, int]) -> Array:
    """Return what `to_density` maps to `density` (h, w), in a picture of `size` (width, height)."""
    how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(density, between_middles(to_density), size, flags=how), np.float32)
