"""Estimate the ink on a page: how much light each point absorbs compared with the bare paper around it.

Shadows, vignettes and the colour of the paper change slowly, or along edges between two stretches of paper;
strokes are narrow, with paper on both sides. So a grey-scale closing, which fills everything dark that is
narrower than a window, estimates the paper under the strokes; the difference is the density of the ink.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.opencv import cv2
from lenet_edge.picture.reduction import reduced

Array = NDArray[np.float32]
Grey = NDArray[np.uint8]
Fine = NDArray[np.uint16]
"""Light in `_PARTS` of a grey level."""

_PAPER_SIDE = 160  # pixels: the paper is estimated at this size
WIDEST_STROKE = 0.36
"""The widest stroke to look for, as a share of the picture's shorter side."""
_PARTS = 256  # of a grey level: in the dark, whole levels are too rough
_SKEWED_SIDE = 64  # pixels: whether the ink is bright is judged at this size
_LOGARITHMS = np.log(np.arange(1, 257, dtype=np.float32))
"""Of one more than each grey level."""


@dataclass(frozen=True)
class Ink:
    """The optical density -ln(light / paper light) of a picture, (h, w).

    `inverted`: the ink was the brighter part, as in MNIST. `flat`: the paper has no shades.
    """

    density: Array
    inverted: bool
    flat: bool = False

    @cached_property
    def noise(self) -> float:
        """The standard deviation of the density on bare paper."""
        return 0.0 if self.flat else deviation(self.density)


def find_ink(grey: Grey, *, inverted: bool, window: float = WIDEST_STROKE) -> Ink:
    """Return the ink of a `grey` picture (h, w), 0 black to 255 white, dark or, if `inverted`, bright.

    Strokes are thinner than `window`, a share of the picture's shorter side.
    """
    light = np.invert(grey) if inverted else grey
    factor = _factor(grey, _PAPER_SIDE)
    fine: Fine = light.astype(np.uint16) * np.uint16(_PARTS)
    small = reduced(fine, factor)
    seen, paper = (
        np.log(one * np.float32(1 / _PARTS) + 1)
        for one in (small, _closing(small, max(3, int(min(small.shape) * window))))
    )
    paper -= _bare_level(paper - seen)
    size = paper.shape[1] * factor, paper.shape[0] * factor
    large = np.asarray(cv2.resize(paper, size, interpolation=cv2.INTER_LINEAR), np.float32)
    return Ink(large[: grey.shape[0], : grey.shape[1]] - _logarithms(light), inverted)


def _logarithms(light: Grey) -> Array:
    """Return the logarithm of one more than each of `light` (h, w): 0 has one too."""
    return np.asarray(cv2.LUT(light, _LOGARITHMS), np.float32)


def flat_paper(grey: Grey) -> bool | None:
    """Distinguish drawn pictures, whose paper is uniformly black or white, from photographs and scans.

    Returns True for bright ink on black, False for dark ink on white, and None if the paper of `grey` (h, w)
    has shades. A drawn picture has few other greys; its paper is the more frequent of black and white, over
    the picture and along the edges together.
    """
    levels = _shares(grey)
    dark, bright = _black(levels), _white(levels)
    if dark + bright < 0.65:
        return None
    around = _shares(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
    on_black = dark + _black(around) > bright + _white(around)
    bare = float(levels[:4].sum() if on_black else levels[252:].sum())
    return on_black if bare > 0.2 else None


def _shares(grey: Grey) -> Array:
    """Return the share of pixels of each grey level, (256,)."""
    counts = cv2.calcHist([grey], [0], None, [256], [0, 256])
    return np.asarray(counts, np.float32).ravel() / grey.size


def _black(levels: Array) -> float:
    return float(levels[:51].sum())


def _white(levels: Array) -> float:
    return float(levels[205:].sum())


def flat_ink(grey: Grey, *, inverted: bool) -> Ink:
    """Return the ink of a drawn picture `grey` (h, w), on black paper if `inverted`, otherwise on white."""
    light = np.invert(grey) if inverted else grey
    return Ink(_LOGARITHMS[-1] - _logarithms(light), inverted, flat=True)


def brightness_of_ink(grey: Grey) -> float:
    """Return whether the ink is the bright part of `grey` (h, w), positive, or the dark part, negative.

    The size is the certainty. A picture mostly black or white decides it. In others, strokes are few and
    narrow, so their brightness gives the sign of the skewness about the local mean, over four stroke widths.
    """
    factor = _factor(grey, _SKEWED_SIDE)
    height, width = (length // factor for length in grey.shape)
    whole = grey[: height * factor, : width * factor].astype(np.float32)  # as rounding changes skewness
    small = np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    black, white = float((small <= 20).mean()), float((small >= 235).mean())
    if max(black, white) >= 0.35:
        return 10 * (black - white)
    total = 0.0
    for share in (0.06, 0.1, 0.15, 0.25):
        away = small - box_mean(small, max(1, int(min(small.shape) * share)))
        cubes = away * away * away  # NumPy's power takes twenty times as long
        total += float(cubes.sum() / max(np.abs(cubes).sum(), 1e-9))
    return total


def deviation(values: Array) -> float:
    """Return a robust standard deviation of `values` (h, w) around 0, from the median absolute value."""
    return 1.4826 * median(np.abs(_some(values)))


def _some(values: Array) -> Array:
    """Return some thousands of `values` (h, w), which are enough for a median."""
    step = -(-min(values.shape) // 50)
    return values[::step, ::step]


def median(values: Array) -> float:
    """Return the median of `values` of any shape, not empty and without NaN."""
    ordered = values.ravel()
    half = ordered.size // 2
    ordered = np.partition(ordered, half)
    lower = ordered[half] if ordered.size % 2 else ordered[:half].max()
    return float((lower + ordered[half]) / 2)


def _bare_level(density: Array) -> Array:
    """Return the local mean density of bare paper, which is not 0: a closing follows the noise's peaks."""
    level = median(_some(density))
    away = density - level
    bare = (np.abs(away) < 3 * deviation(away) + 0.01).astype(np.float32)
    radius = max(2, min(density.shape) // 16)
    weight = box_mean(bare, radius)
    mean = box_mean(bare * density, radius) / np.maximum(weight, 0.1)
    return np.where(weight > 0.1, mean, level).astype(np.float32)


def _factor(grey: Grey, side: int) -> int:
    """Return by how much to reduce `grey` (h, w) to about `side` pixels on the longer side; 1 if smaller."""
    return max(1, round(max(grey.shape) / side))


def _closing(grey: Fine, window: int) -> Fine:
    """Return the grey-scale closing of `grey` with a square of `window` pixels."""
    room = min(window, min(grey.shape) - 1)
    square, first, last = np.ones((window, window), np.uint8), (window - 1) // 2, window // 2
    # Where the square has no middle pixel, the second step leans to the other side.
    dilated = cv2.dilate(_extended(grey, room), square, anchor=(first, first))
    closed = np.asarray(cv2.erode(dilated, square, anchor=(last, last)), np.uint16)
    return closed[room : room + grey.shape[0], room : room + grey.shape[1]]


def _extended(grey: Fine, room: int) -> Fine:
    """Return `grey` extrapolated by `room` pixels on each side.

    A vignette or a shadow that darkens towards the edge darkens further, so it does not look like a stroke.
    """
    smooth = cv2.blur(grey, (3, 3), borderType=cv2.BORDER_REFLECT)
    # Mirrored in the last pixel, in brightness too: as far above it outside as it is below it inside.
    last = cv2.copyMakeBorder(smooth, room, room, room, room, cv2.BORDER_REPLICATE)
    mirrored = cv2.copyMakeBorder(smooth, room, room, room, room, cv2.BORDER_REFLECT_101)
    wide = np.clip(np.asarray(cv2.addWeighted(last, 2, mirrored, -1, 0), np.uint16), grey.min(), grey.max())
    wide[room : room + grey.shape[0], room : room + grey.shape[1]] = grey
    return wide


def box_mean(values: Array, radius: int) -> Array:
    """Return the mean of `values` (h, w) over squares of 2 * `radius` + 1 pixels, mirrored at the edges."""
    side = 2 * radius + 1
    return np.asarray(cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)
