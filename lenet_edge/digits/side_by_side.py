"""Pictures for the wide net: digits side by side, to check it on and to calibrate it with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits import geometry
from lenet_edge.digits.geometry import FIELD, OWN_WIDTH
from lenet_edge.digits.mnist import Digits, calibration_digits, pad

_PITCH = 6  # windows from one digit's middle to the next: 24 columns, a digit being some 14 wide
_MARGIN = 1  # windows before the first digit and behind the last, where there is room


def side_by_side(digits: Digits, *, width: int = OWN_WIDTH) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return pictures (m, 32, width) of as many digits each as fit, and what each window has in its middle.

    The latter (m, T) is a digit's label, or -1 where no digit's middle is. The last picture may hold fewer
    digits.
    """
    places = _places(geometry.windows(width))
    count = -(-len(digits.labels) // len(places))
    pictures = np.zeros((count, FIELD, width), np.uint8)
    labels = np.full((count, geometry.windows(width)), -1)
    for number, (image, label) in enumerate(zip(pad(digits.images), digits.labels, strict=True)):
        row, place = number // len(places), places[number % len(places)]
        window = pictures[row, :, geometry.STEP * place :][:, :FIELD]
        np.maximum(window, image, out=window)
        labels[row, place] = label
    return pictures, labels


def _places(windows: int) -> range:
    """Return the windows that have a digit in their middle."""
    margin = _MARGIN if windows > 2 * _MARGIN else 0
    return range(margin, windows - margin, _PITCH)


def calibration_fields() -> NDArray[np.uint8]:
    """Return the pictures (125, 32, 112) of calibration digits that the ranges of int8 are found from.

    Digits as MNIST has them do. On held-out fields, slanted and soiled, calibrated with these 99.7 % of the
    windows answer as the original's, with 250 fields of `string_fields` 99.5 % (dirt) or 99.6 % (none).
    """
    return side_by_side(calibration_digits())[0]
