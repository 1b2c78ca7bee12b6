"""Draw pictures of digits as programs save them, from a seed: on grey, in a margin, transparent, coloured."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

_PAPER = (5, 60)  # grey levels of what is empty in MNIST
_ENLARGED = (1, 12)  # times
_MARGIN = (0.1, 0.6)  # of the panel's side
_LUMINANCE = np.array([0.299, 0.587, 0.114])  # of red, green and blue, as Pillow weighs them
_LEAST_APART = 100  # levels between two colours of one brightness


def _on_grey(digit: Pixels, generator: np.random.Generator) -> Image.Image:
    """Return the digit as MNIST has it, but on grey; either polarity."""
    raised = np.maximum(digit, generator.integers(*_PAPER)).astype(np.uint8)
    return Image.fromarray(raised if generator.random() < 0.5 else np.invert(raised))


def _panel(digit: Pixels, generator: np.random.Generator) -> Image.Image:
    """Return a panel in a margin of the other polarity, as a saved plot has."""
    panel = _enlarged(digit, generator)
    margin = round(float(generator.uniform(*_MARGIN)) * len(panel))
    picture = np.pad(panel, margin, constant_values=255)
    return Image.fromarray(picture if generator.random() < 0.5 else np.invert(picture))


def _in_alpha(digit: Pixels, generator: np.random.Generator) -> Image.Image:
    """Return ink of one colour whose shape is in the transparency alone."""
    pixels = np.empty((*digit.shape, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = generator.integers(0, 256), digit
    times = int(generator.integers(*_ENLARGED))
    return Image.fromarray(np.kron(pixels, np.ones((times, times, 1), np.uint8)))


def _equally_bright(digit: Pixels, generator: np.random.Generator) -> Image.Image:
    """Return ink and paper of two colours of the same luminance."""
    share = _enlarged(digit, generator)[..., None] / 255
    ink, paper = _colours(generator)
    return Image.fromarray((share * ink + (1 - share) * paper + 0.5).astype(np.uint8))


def _colours(generator: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two colours, well apart, of the same luminance to a level."""
    while True:
        one, other = generator.uniform(0, 255, (2, 3))
        other += _LUMINANCE @ one - _LUMINANCE @ other  # the same for each channel changes luminance alone
        if other.min() >= 0 and other.max() <= 255 and np.linalg.norm(one - other) >= _LEAST_APART:
            return one, other


def _enlarged(digit: Pixels, generator: np.random.Generator) -> Pixels:
    times = int(generator.integers(2, _ENLARGED[1]))
    return np.kron(digit, np.ones((times, times), np.uint8))


SAVED: dict[str, Callable[[Pixels, np.random.Generator], Image.Image]] = {
    "28x28 on grey": _on_grey,
    "a panel in its margin": _panel,
    "ink in alpha alone": _in_alpha,
    "ink as bright as paper": _equally_bright,
}
"""What draws each kind of picture from a digit, uint8 (28, 28), 0 for paper to 255 for ink."""


def saved_picture(digit: Pixels, kind: str, *, seed: tuple[int, ...]) -> bytes:
    """Return a `digit`, uint8 (28, 28), 0 for paper to 255 for ink, as a PNG file of a `kind` of `SAVED`."""
    stream = io.BytesIO()
    SAVED[kind](digit, np.random.default_rng(seed)).save(stream, "PNG")
    return stream.getvalue()
