"""Redraw a line of digits as in MNIST: full ink on empty paper, MNIST's stroke widths, soft edges.

`lenet_edge.picture.mnist_form` does this for one digit in its box; here it is done for a line of any width,
in parts.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.geometry import FIELD
from lenet_edge.digits.opencv import cv2
from lenet_edge.picture.ink import Array, median
from lenet_edge.picture.line.strip import between_middles
from lenet_edge.picture.mnist_form import FINE, THICKEST, THINNEST, stroke_edge
from lenet_edge.picture.pillow import Image
from lenet_edge.picture.strokes import distances, half_widths

_PART = 256  # columns that are drawn at once
_MARGIN = 6  # columns of overlap: nothing further away changes a stroke
_WIDEST_STROKE = 6.5  # pixels of the picture: with wider strokes, the marks are dots
_SAMPLES = 6  # parts in which the stroke width is measured: one pen wrote the line


def draw_line(shade: Array, to_shade: NDArray[np.float64], width: int) -> NDArray[np.uint8]:
    """Redraw the strokes in `shade` (h, w), 0 for paper to 1 for ink, as a picture, uint8 (32, `width`).

    `to_shade` (2, 3) maps points of the picture, (column, row) from its corner, into `shade`. The picture is
    empty if there are no strokes, only dots.
    """
    parts = [slice(start, min(start + _PART, width)) for start in range(0, width, _PART)]
    sampled = {number: _depths(shade, to_shade, parts[number]) for number in _sample(len(parts))}
    stroke = _stroke_width(sampled.values())
    picture = np.zeros((FIELD, width), np.uint8)
    if stroke is None or stroke > _WIDEST_STROKE:
        return picture
    wider = (np.clip(stroke, THINNEST, THICKEST) - stroke) / 2
    for number, part in enumerate(parts):
        inside = sampled.get(number)
        if inside is None:
            inside = _depths(shade, to_shade, part)
        picture[:, part] = _redraw(inside, float(wider) * FINE)[:, _MARGIN:-_MARGIN]
    return picture


def sampled(shade: Array, to_shade: NDArray[np.float64], width: int) -> NDArray[np.uint8]:
    """Return `shade` as it is, as a picture, uint8 (32, `width`); arguments as `draw_line`."""
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    ink = cv2.warpAffine(shade, between_middles(to_shade), (width, FIELD), flags=how)
    return (np.clip(ink, 0, 1) * 255).astype(np.uint8)


def _sample(parts: int) -> range:
    """Return the numbers of the parts in which the stroke width is measured."""
    return range(0, parts, -(-parts // _SAMPLES))


def _depths(shade: Array, to_shade: NDArray[np.float64], part: slice) -> Array:
    """Return how far inside a stroke each pixel is, 0 on paper, in a `part` of the picture's columns.

    The pixels are `FINE` times as fine as the picture's. They begin `_MARGIN` columns before the part and end
    as many behind it.
    """
    across, down, origin = to_shade.T
    # The middle of a fine pixel is half of it from its corner, and so in the shade.
    corner = origin + across * (part.start - _MARGIN) + (across + down) / FINE / 2 - 0.5
    fine = cv2.warpAffine(
        shade,
        np.stack([across / FINE, down / FINE, corner], axis=1),
        ((part.stop - part.start + 2 * _MARGIN) * FINE, FIELD * FINE),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
    ink = np.asarray(fine, np.float32)
    return distances(ink <= stroke_edge(ink), rough=True)


def _stroke_width(parts: Iterable[Array]) -> float | None:
    """Return the median width of strokes in pixels of the picture; None if there are none."""
    along = np.concatenate([half_widths(inside) for inside in parts])
    return 2 * median(along) / FINE if len(along) else None


def _redraw(inside: Array, wider: float) -> NDArray[np.uint8]:
    """Return strokes widened by `wider` fine pixels on each side, at the picture's size."""
    # Distances are between pixel centres and the edge is halfway between; it is one pixel soft.
    outside = distances(inside > 0, rough=True)
    signed = inside - outside + (inside == 0)
    cover = np.clip(255 * (signed + wider) + 0.5, 0, 255).astype(np.uint8)
    size = inside.shape[1] // FINE, FIELD
    return np.asarray(Image.fromarray(cover).resize(size, Image.Resampling.BILINEAR))
