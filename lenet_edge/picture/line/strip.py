"""The strip of paper that a line of digits stands on: cut out, level, its ink found in all detail."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lenet_edge.picture.ink import WIDEST, Array
from lenet_edge.picture.line.ink import NARROWEST, STROKE, Paper, ink_on
from lenet_edge.picture.line.layout import Layout

Places = NDArray[np.float64]
"""An affine map (2, 3) of places (column, row): `map @ (column, row, 1)`."""

_BODY = 40  # pixels: the height of digits in a strip, or less where the picture has less
_HALF = 1.3  # heights above the line's middle and below it
_PART = 8.0  # heights: the length of a part that is looked at at once
_ROOM = 0.5  # heights: what is seen around a part
_LEAST = 8  # pixels: a smaller corner of the picture holds nothing


@dataclass(frozen=True)
class Strip:
    """The `density` (h, w) of a line's ink, 0 beyond the picture; `to_image` maps places to the picture's."""

    density: Array
    to_image: Places


def strip_of(grey: NDArray[np.uint8], layout: Layout, *, factor: int, paper: Paper) -> Strip:
    """Return the strip of the line that `layout` has seen in `grey` (h, w), `factor` times as small."""
    body = layout.body * factor
    left, right, middle = (place * factor for place in layout.extent)
    size = max(body / _BODY, 1.0)  # pixels of the picture to one of the strip
    to_image = laid(layout.turn, size, left - body, middle - _HALF * body)
    height, width = round(2 * _HALF * body / size), round((right - left + 2 * body) / size)
    density = np.zeros((height, width), np.float32)
    edges = np.linspace(0, width, max(1, round(width * size / (_PART * body))) + 1).astype(int)
    for start, stop in pairwise(edges):
        part = Strip(density[:, start:stop], _moved(to_image, start))
        _look(grey, part, room=_ROOM * body / size, stroke=STROKE * body, paper=paper)
    return Strip(density, to_image)


def laid(turn: float, size: float, along: float, across: float) -> Places:
    """Return the map that turns clockwise by `turn` degrees and magnifies `size` times.

    The place (0, 0) goes to (`along`, `across`), measured in the turned directions.
    """
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    directions = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([directions * size, directions @ (along, across)])


def composed(outer: Places, inner: Places) -> Places:
    """Return the map that does what `inner` does and then what `outer` does."""
    return np.column_stack([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2] + outer[:, 2]])


def _moved(places: Places, column: int) -> Places:
    """Return the map of what begins at `column`."""
    return composed(places, np.array([[1.0, 0, column], [0, 1, 0]]))


def _look(grey: NDArray[np.uint8], part: Strip, *, room: float, stroke: float, paper: Paper) -> None:
    """Fill in the density of `part`, seen with `room` around; strokes are thinner than `stroke` of `grey`."""
    height, width = part.density.shape
    corners = [(x, y, 1) for x in (-room, width + room) for y in (-room, height + room)]
    places = part.to_image @ np.transpose(corners)
    low = np.maximum(np.floor(places.min(axis=1)).astype(int), 0)
    high = np.minimum(np.ceil(places.max(axis=1)).astype(int), grey.shape[::-1])
    if (high - low < _LEAST).any():
        return
    crop = grey[low[1] : high[1], low[0] : high[0]]
    factor = max(1, int(np.hypot(*part.to_image[:, 0])))
    small = np.asarray(Image.fromarray(crop).reduce(factor)).astype(np.float32)
    window = float(np.clip(stroke / min(crop.shape), NARROWEST, WIDEST))
    to_small = (part.to_image - np.array([[0, 0, low[0]], [0, 0, low[1]]])) / factor
    seen = Image.fromarray(ink_on(small, paper, window=window).density).transform(
        (width, height),
        Image.Transform.AFFINE,
        data=tuple(to_small.ravel()),
        resample=Image.Resampling.BICUBIC,
    )
    part.density[:] = np.asarray(seen)
