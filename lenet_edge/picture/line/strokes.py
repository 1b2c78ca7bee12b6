"""Redraw a line of digits as in MNIST: full ink on empty paper, MNIST's stroke widths, soft edges.

`lenet_edge.picture.mnist_form` does this for one digit in its box; here it is done for a line of any width,
in parts.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lenet_edge.digits.geometry import FIELD
from lenet_edge.picture.ink import Array
from lenet_edge.picture.mnist_form import FINE, THICKEST, THINNEST, stroke_edge
from lenet_edge.picture.strokes import near_distances, skeleton

_PART = 256  # columns that are drawn at once
_MARGIN = 6  # columns of overlap: nothing further away changes a stroke
_REACH = 16  # fine pixels: edges move less than this
_WIDEST_STROKE = 6.5  # pixels of the picture: with wider strokes, the marks are dots
_SAMPLES = 6  # parts in which the stroke width is measured: one pen wrote the line


def draw_line(shade: Array, to_shade: NDArray[np.float64], width: int) -> NDArray[np.uint8]:
    """Redraw the strokes in `shade` (h, w), 0 for paper to 1 for ink, as a picture, uint8 (32, `width`).

    `to_shade` (2, 3) maps points of the picture, (column, row) from its corner, into `shade`. The picture is
    empty if there are no strokes, only dots.
    """
    source = Image.fromarray(shade)
    starts = range(0, width, _PART)
    stroke = _stroke_width(
        _stroke_mask(source, to_shade, start) for start in starts[:: -(-len(starts) // _SAMPLES)]
    )
    picture = np.empty((FIELD, len(starts) * _PART), np.uint8)
    if stroke is None or stroke > _WIDEST_STROKE:
        return np.zeros((FIELD, width), np.uint8)
    wider = (np.clip(stroke, THINNEST, THICKEST) - stroke) / 2
    for start in starts:
        inked = _stroke_mask(source, to_shade, start)
        picture[:, start : start + _PART] = _redraw(inked, float(wider) * FINE)[:, _MARGIN:-_MARGIN]
    return picture[:, :width]


def _stroke_mask(source: Image.Image, to_shade: NDArray[np.float64], start: int) -> NDArray[np.bool_]:
    """Return the strokes' mask, `FINE` times as fine as the picture, from column `start` - `_MARGIN` on."""
    across, down, origin = to_shade.T
    origin = origin + across * (start - _MARGIN)
    coefficients = np.stack([across / FINE, down / FINE, origin], axis=1)
    fine = source.transform(
        ((_PART + 2 * _MARGIN) * FINE, FIELD * FINE),
        Image.Transform.AFFINE,
        data=tuple(coefficients.ravel()),
        resample=Image.Resampling.BICUBIC,
    )
    shade = np.asarray(fine)
    return shade > stroke_edge(shade)


def _stroke_width(parts: Iterator[NDArray[np.bool_]]) -> float | None:
    """Return the median width of strokes in pixels of the picture; None if there are none."""
    halves = [near_distances(~inked, reach=_REACH)[skeleton(inked)] for inked in parts]
    along = np.concatenate(halves)
    return 2 * min(float(np.median(along)), _REACH) / FINE if len(along) else None


def _redraw(inked: NDArray[np.bool_], wider: float) -> NDArray[np.uint8]:
    """Return strokes widened by `wider` fine pixels on each side, at the picture's size."""
    inside, outside = near_distances(~inked, reach=_REACH), near_distances(inked, reach=_REACH)
    # Distances are between pixel centres and the edge is halfway between; it is one pixel soft.
    signed = np.where(inked, np.minimum(inside, _REACH) - 0.5, 0.5 - np.minimum(outside, _REACH))
    cover = np.clip(signed + wider + 0.5, 0, 1).astype(np.float32)
    size = inked.shape[1] // FINE, FIELD
    small = np.asarray(Image.fromarray(cover).resize(size, Image.Resampling.BILINEAR))
    return (np.clip(small, 0, 1) * 255 + 0.5).astype(np.uint8)
