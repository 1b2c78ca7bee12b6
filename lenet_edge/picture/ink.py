"""Ink on paper: how much light each point takes away beside the bare paper around it.

Shadows, vignettes and the colour of the paper change slowly or along edges with paper on both sides; a
stroke is narrow and has paper on both sides. So the paper under the strokes is a grey-scale closing (every
dark thing narrower than a window filled up), and what is left is the density of the ink.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[np.float32]

_PAPER_SIDE = 160  # pixels: the paper is estimated at this size
WIDEST = 0.36
"""The widest stroke that is looked for, as a share of the picture's shorter side."""


@dataclass(frozen=True)
class Ink:
    """The optical density -ln(light / paper light) of a picture, (h, w), and its noise on bare paper.

    `inverted` says that the ink was the brighter part, as in MNIST.
    """

    density: Array
    noise: float
    inverted: bool


def find_ink(grey: Array, *, inverted: bool, window: float = WIDEST) -> Ink:
    """Return the ink of a `grey` picture (h, w), 0 black to 255 white, dark or, if `inverted`, bright.

    Strokes are thinner than `window`, a share of the picture's shorter side.
    """
    light = (255 - grey if inverted else grey) + 1
    small = _reduced(light, _PAPER_SIDE)
    paper = _closing(small, max(3, int(min(small.shape) * window)))
    paper *= np.exp(-_bare_level(np.log(paper / small)))
    size = light.shape[1], light.shape[0]
    density = np.log(np.asarray(Image.fromarray(paper).resize(size, Image.Resampling.BILINEAR)) / light)
    return Ink(density, deviation(density), inverted)


def flat_paper(grey: Array) -> bool | None:
    """Tell a drawn picture from a photographed or scanned one: its paper is black or white all over.

    Returns True for bright ink on black, False for dark ink on white, and None if `grey` (h, w) has shades
    of paper. In a drawn picture little is neither black nor white, and the paper is the one of which there is
    more, and more along the edges.
    """
    edges = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    black, white = (float((side(grey)).mean() + (side(edges)).mean()) for side in (_is_black, _is_white))
    if float((_is_black(grey) | _is_white(grey)).mean()) < 0.65:
        return None
    bare = float((grey <= 3 if black > white else grey >= 252).mean())
    return black > white if bare > 0.2 else None


def _is_black(grey: Array) -> NDArray[np.bool_]:
    return grey <= 50


def _is_white(grey: Array) -> NDArray[np.bool_]:
    return grey >= 205


def flat_ink(grey: Array, *, inverted: bool) -> Ink:
    """Return the ink of a drawn picture `grey` (h, w), its paper black if `inverted` and white else."""
    light = (255 - grey if inverted else grey) + 1
    return Ink(np.log(256 / light), 0.0, inverted)


def brightness_of_ink(grey: Array) -> float:
    """Return how sure it is that the ink is the bright part of `grey` (h, w): above 0 yes, below 0 no.

    A picture mostly black or mostly white says so itself. In any other the strokes are few and narrow, so
    they decide the skewness of what remains beside the local mean; four widths of stroke are tried.
    """
    small = _reduced(grey, 64)
    black, white = float((small <= 20).mean()), float((small >= 235).mean())
    if max(black, white) >= 0.35:
        return 10 * (black - white)
    total = 0.0
    for share in (0.06, 0.1, 0.15, 0.25):
        cubes = (small - box_mean(small, max(1, int(min(small.shape) * share)))) ** 3
        total += float(cubes.sum() / max(np.abs(cubes).sum(), 1e-9))
    return total


def deviation(values: Array) -> float:
    """Return the standard deviation of `values` (h, w) from 0, robustly: from the median of their sizes."""
    step = max(1, min(values.shape) // 100)  # some ten thousand values tell as much as all
    return 1.4826 * float(np.median(np.abs(values[::step, ::step])))


def _bare_level(density: Array) -> Array:
    """Return the local mean of the density of bare paper: the closing sits on the peaks of the noise."""
    level = float(np.median(density))
    bare = (np.abs(density - level) < 3 * deviation(density - level) + 0.01).astype(np.float32)
    radius = max(2, min(density.shape) // 16)
    weight = box_mean(bare, radius)
    mean = box_mean(bare * density, radius) / np.maximum(weight, 0.1)
    return np.where(weight > 0.1, mean, level).astype(np.float32)


def _reduced(grey: Array, side: int) -> Array:
    image = Image.fromarray(grey)
    factor = max(1, round(max(image.size) / side))
    return np.asarray(image.reduce(factor))


def _closing(grey: Array, window: int) -> Array:
    """Return the grey-scale closing of `grey` by a square of `window` pixels."""
    room = min(window, min(grey.shape) - 1)
    wide = _extended(grey, room)
    for _ in range(2):
        for axis in (0, 1):
            wide = running_maximum(wide, window, axis=axis)
        wide = -wide[::-1, ::-1]
    return np.maximum(wide[room : room + grey.shape[0], room : room + grey.shape[1]], grey)


def _extended(grey: Array, room: int) -> Array:
    """Return `grey` with `room` more pixels on each side, where the paper goes on as it came.

    A vignette or a shadow that darkens towards the edge goes on darkening: it is no stroke that ends there.
    """
    paper = box_mean(np.maximum(grey, 0), 1)
    wide = np.pad(paper, room, mode="reflect", reflect_type="odd")
    wide = np.clip(wide, grey.min(), grey.max())
    wide[room : room + grey.shape[0], room : room + grey.shape[1]] = grey
    return wide


def running_maximum(values: Array, window: int, *, axis: int) -> Array:
    """Return the maximum over the `window` pixels from each one on along `axis`, by doubling."""
    values = np.moveaxis(values.copy(), axis, 0)
    covered = 1
    while covered < min(window, len(values)):
        step = min(covered, window - covered)
        # A copy is needed: the same memory is read and written.
        np.maximum(values[:-step], values[step:].copy(), out=values[:-step])
        covered += step
    return np.moveaxis(values, 0, axis)


def box_mean(values: Array, radius: int) -> Array:
    """Return the mean of `values` (h, w) over squares of 2 * `radius` + 1 pixels, cut at the frame."""
    for axis in (0, 1):
        length = values.shape[axis]
        sums = np.concatenate(
            [
                np.zeros_like(np.take(values, [0], axis), dtype=np.float64),
                np.cumsum(values, axis, np.float64),
            ],
            axis,
        )
        low = np.maximum(np.arange(length) - radius, 0)
        high = np.minimum(np.arange(length) + radius + 1, length)
        shape = (-1, 1) if axis == 0 else (1, -1)
        total = np.take(sums, high, axis) - np.take(sums, low, axis)
        values = (total / (high - low).reshape(shape)).astype(np.float32)
    return values
