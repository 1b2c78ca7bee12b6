"""Normalise a digit as MNIST does: a box of 20x20, the centre of mass in the middle of 28x28.

"The original black and white (bilevel) images were size normalized to fit in a 20x20 pixel box while
preserving their aspect ratio. The resulting images contain grey levels as result of the antialiasing
technique used by the normalization algorithm. [...] images were centered in a 28x28 image by computing the
center of mass of the pixels, and translating the image so as to position this point at the center"
(LeCun, Bottou, Bengio and Haffner 1998, page 10).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.geometry import BOX, FIELD, MNIST_SIDE
from lenet_edge.digits.opencv import cv2
from lenet_edge.picture.findings import box_of
from lenet_edge.picture.ink import Array, median
from lenet_edge.picture.pillow import Image
from lenet_edge.picture.strokes import distances, half_widths

THINNEST = 2.2
THICKEST = 4.0
"""The range of stroke widths, in pixels of the box: others are thickened or thinned."""

FINE = 4  # pixels of the outline for each pixel of the box
_ROOM = 10  # pixels of margin around the outline, for strokes that grow
_FAINTEST = 0.4  # of full ink: nothing fainter is a stroke
_TURN = 1.0  # degrees: a digit turned less is not rotated


def to_mnist_form(shade: Array, *, turn: float = 0.0) -> NDArray[np.uint8]:
    """Return a digit in MNIST's form, uint8 (28, 28).

    `shade` (h, w) is the share of each pixel that is inked, 0 for paper to about 1, cropped to the digit;
    `turn` is how far it is turned clockwise, in degrees.
    """
    if abs(turn) >= _TURN:
        shade = _turned_back(shade, turn)
    shade = _cropped(shade, 0.3)
    return centred(_fitted(_outline(shade)))


def _turned_back(shade: Array, turn: float) -> Array:
    """Return `shade` (h, w), turned clockwise by `turn` degrees, upright and with room for all of it."""
    height, width = shade.shape
    cos, sin = abs(np.cos(np.radians(turn))), abs(np.sin(np.radians(turn)))
    size = int(np.ceil(width * cos + height * sin)) + 4, int(np.ceil(width * sin + height * cos)) + 4
    middle = (width - 1) / 2, (height - 1) / 2
    matrix = np.asarray(cv2.getRotationMatrix2D(middle, turn, 1.0), np.float64)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return np.asarray(cv2.warpAffine(shade, matrix, size, flags=cv2.INTER_CUBIC), np.float32)


def centred(digit: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `digit`, at most 20x20, in a picture of 28x28 with its centre of mass in the middle.

    The middle in MNIST is the pixel [14, 14]: the centres of mass of its digits are 13.5 to 14.5.
    """
    picture = np.zeros((MNIST_SIDE, MNIST_SIDE), np.uint8)
    height, width = digit.shape
    total = max(int(digit.sum()), 1)
    row = float((digit.sum(axis=1) * np.arange(height)).sum() / total)
    column = float((digit.sum(axis=0) * np.arange(width)).sum() / total)
    top = min(max(int(np.floor(MNIST_SIDE / 2 - row + 0.5)), 0), MNIST_SIDE - height)
    left = min(max(int(np.floor(MNIST_SIDE / 2 - column + 0.5)), 0), MNIST_SIDE - width)
    picture[top : top + height, left : left + width] = digit
    return picture


def pad_to_field(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return MNIST's `picture`, uint8 (28, 28), in the middle of the field that the model takes, (32, 32)."""
    return np.pad(picture, (FIELD - MNIST_SIDE) // 2)


def _padded(ink: Array, room: int) -> Array:
    """Return `ink` (h, w) with `room` zeros around it: NumPy's padding takes ten times as long."""
    return np.asarray(cv2.copyMakeBorder(ink, room, room, room, room, cv2.BORDER_CONSTANT), np.float32)


def _cropped(ink: Array, above: float) -> Array:
    """Return `ink` cropped to the rows and columns with values `above` a limit, or uncropped without any."""
    left, top, right, bottom = box_of(ink > above)
    return ink[top:bottom, left:right] if right else ink


def _outline(shade: Array) -> Array:
    """Return the ink of each pixel, 0..1, `FINE` times as fine as the box, with stroke widths as in MNIST."""
    height, width = shade.shape
    scale = BOX * FINE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    fine = _padded(np.asarray(Image.fromarray(shade).resize(size, method)), _ROOM)
    inked = fine > stroke_edge(fine)
    inside, outside = distances(~inked), distances(inked)
    stroke = 2 * median(half_widths(inside)) / FINE
    left, top, right, bottom = box_of(inked)
    longer = max(right - left, bottom - top) / FINE
    wanted = np.clip(stroke * BOX / longer, THINNEST, THICKEST)
    # Afterwards all of it, the change included, is scaled to the box of 20.
    change = (wanted * longer / BOX - stroke) / (2 * (1 - wanted / BOX)) * FINE
    # Distances are between pixel centres and the edge is halfway between; it is one pixel soft.
    signed = np.where(inked, inside - 0.5, 0.5 - outside)
    return np.clip(signed + change + 0.5, 0, 1).astype(np.float32)


def stroke_edge(fine: Array) -> Array:
    """Return the shade at which strokes end, for each pixel: half the shade of the ink around it.

    A stroke thinner than the picture's pixels is fainter than full ink, and ends at half its own shade.
    """
    reach = 2 * FINE + 1
    around = cv2.dilate(fine, np.ones((reach, reach), np.uint8))
    return np.clip(around / 2, _FAINTEST, 0.5)


def _fitted(ink: Array) -> NDArray[np.uint8]:
    """Return `ink` (h, w), 0..1, scaled so that its longer side is 20, as uint8."""
    ink = _cropped(ink, 0.0)
    height, width = ink.shape
    scale = BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    fitted = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BILINEAR))
    return (np.clip(fitted, 0, 1) * 255 + 0.5).astype(np.uint8)
