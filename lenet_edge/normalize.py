"""MNIST's own recipe: a digit in a box of 20x20, its centre of mass in the middle of 28x28.

"The original black and white (bilevel) images were size normalized to fit in a 20x20 pixel box while
preserving their aspect ratio. The resulting images contain grey levels as result of the antialiasing
technique used by the normalization algorithm. [...] images were centered in a 28x28 image by computing the
center of mass of the pixels, and translating the image so as to position this point at the center"
(LeCun, Bottou, Bengio and Haffner 1998, page 10).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lenet_edge.ink import Array
from lenet_edge.strokes import distances, skeleton

BOX = 20
FIELD = 28
PICTURE = 32

_FINE = 4  # pixels of the outline to one of the box
_ROOM = 10  # pixels of the outline around it, for strokes that grow
THINNEST = 2.2
THICKEST = 4.0


def outline_of(shade: Array, mask: NDArray[np.bool_]) -> Array:
    """Return the strokes as the ink-covered share of each pixel, _FINE times as fine as the box of 20.

    `shade` (h, w) is 0 for paper to 1 for full ink, cropped to the digit; `mask` (h, w) says which
    pixels may be the digit's. Strokes thinner or thicker than those of MNIST are made as thick as its
    thinnest or as thin as its thickest.
    """
    height, width = shade.shape
    scale = BOX * _FINE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    shade = np.where(mask, shade, 0).astype(np.float32)
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    fine = np.pad(np.asarray(Image.fromarray(shade).resize(size, method)), _ROOM)
    inked = fine > 0.5
    if not inked.any():
        inked = fine >= fine.max()
    inside, outside = distances(~inked), distances(inked)
    stroke = 2 * float(np.median(inside[skeleton(inked)])) / _FINE
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    longer = (max(np.ptp(rows), np.ptp(columns)) + 1) / _FINE
    wanted = np.clip(stroke * BOX / longer, THINNEST, THICKEST)
    # The whole is scaled to the box of 20 afterwards, what is added included.
    change = (wanted * longer / BOX - stroke) / (2 * (1 - wanted / BOX)) * _FINE
    # One pixel of soft edge: half a pixel inwards and half outwards.
    return np.clip(np.where(inked, inside - 0.5, 0.5 - outside) + change + 0.5, 0, 1).astype(np.float32)


def fitted(ink: Array) -> NDArray[np.uint8]:
    """Return `ink` (h, w), 0..1, as MNIST would have it: uint8 (28, 28)."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape
    longer = max(height, width)
    if longer != BOX:
        size = max(1, round(width * BOX / longer)), max(1, round(height * BOX / longer))
        ink = np.asarray(Image.fromarray(ink).resize(size, RESAMPLE))
    return centred((np.clip(ink, 0, 1) * 255 + 0.5).astype(np.uint8))


RESAMPLE = Image.Resampling.BOX


def centred(digit: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `digit`, at most 20x20, in a field of 28x28 with its centre of mass in the middle.

    MNIST's middle is the pixel [14, 14]: the centres of mass of its digits are 13.5 to 14.5.
    """
    field = np.zeros((FIELD, FIELD), np.uint8)
    height, width = digit.shape
    total = max(int(digit.sum()), 1)
    row = float((digit.sum(axis=1) * np.arange(height)).sum() / total)
    column = float((digit.sum(axis=0) * np.arange(width)).sum() / total)
    top = min(max(int(np.floor(FIELD / 2 - row + 0.5)), 0), FIELD - height)
    left = min(max(int(np.floor(FIELD / 2 - column + 0.5)), 0), FIELD - width)
    field[top : top + height, left : left + width] = digit
    return field


def padded(field: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a `field` of 28x28 in the middle of the model's picture of 32x32."""
    return np.pad(field, (PICTURE - FIELD) // 2)
