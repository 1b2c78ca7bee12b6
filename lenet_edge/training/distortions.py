"""Random distortions of digits, reproducible from a seed.

"planar affine transformations: horizontal and vertical translations, scaling, squeezing (simultaneous
horizontal compression and vertical elongation, or the reverse), and horizontal shearing" (page 10);
also rotation, and the elastic fields of Simard, Steinkraus and Platt (ICDAR 2003).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf
from converters.base.errors import expect
from lenet_edge.digits.smoothing import smoothing

VERSION = 1
"""Increase it when `distort` changes its pictures for a seed and sizes: cached passes depend on it."""


@dataclass(frozen=True)
class Distortions:
    """The largest size of each distortion; each digit's is drawn uniformly between minus and plus that.

    Units: `translation` pixels; `scale`, `squeeze` and `shear` ratios; `rotation` radians; `elastic`
    pixels (standard deviation of the largest displacement field), over distances of
    `elastic_distance` pixels.
    """

    translation: float = 2.0
    scale: float = 0.12
    squeeze: float = 0.08
    shear: float = 0.18
    rotation: float = 0.17
    elastic: float = 1.1
    elastic_distance: float = 4.5

    def gentler(self, factor: float) -> Distortions:
        """Return the same distortions, their sizes multiplied by `factor` (0..1)."""
        expect(0 <= factor <= 1, "a factor of 0..1", factor)
        sizes = ("translation", "scale", "squeeze", "shear", "rotation", "elastic")
        return Distortions(**{size: factor * getattr(self, size) for size in sizes})


AFFINE = Distortions(rotation=0.0, elastic=0.0)
"""The paper's distortions, which it lists without their sizes."""


def _displacements(count: Any, size: int, seed: Any, sizes: Distortions) -> tuple[Any, Any]:
    """Return the smooth random fields (count, size, size) to add to columns and rows, in pixels."""
    smooth = smoothing(size, sizes.elastic_distance)
    noise = tf.random.stateless_normal((2, count, size, size), seed)
    fields = tf.matmul(tf.matmul(smooth, noise), smooth, transpose_b=True)
    strength = tf.random.stateless_uniform((count, 1, 1), seed + tf.constant((0, 1)), 0.0, sizes.elastic)
    return fields[0] * strength, fields[1] * strength


def _sources(count: Any, size: int, seed: Any, sizes: Distortions) -> tuple[Any, Any]:
    """Return the column and row (count, size, size) that each pixel takes its value from."""

    def draw(place: int, largest: float) -> Any:
        return tf.random.stateless_uniform(
            (count, 1, 1), seed + tf.constant((0, 2 + place)), -largest, largest
        )

    angle, shear = draw(0, sizes.rotation), draw(1, sizes.shear)
    zoom, squeeze = 1 + draw(2, sizes.scale), 1 + draw(3, sizes.squeeze)
    wide, high = zoom * squeeze, zoom / squeeze
    centre = (size - 1) / 2
    steps = tf.range(size, dtype=tf.float32) - centre
    x, y = steps[None, None, :], steps[None, :, None]
    cos, sin = tf.cos(angle), tf.sin(angle)
    columns = cos * wide * x + (shear - sin * high) * y + centre + draw(4, sizes.translation)
    rows = sin * wide * x + cos * high * y + centre + draw(5, sizes.translation)
    dx, dy = _displacements(count, size, seed, sizes)
    return columns + dx, rows + dy


def _sample(pictures: Any, columns: Any, rows: Any) -> Any:
    """Read `pictures` (n, size, size) at fractional places, bilinearly; clipped at the edge."""
    size = pictures.shape[-1]
    columns = tf.clip_by_value(columns, 0.0, size - 1.001)
    rows = tf.clip_by_value(rows, 0.0, size - 1.001)
    left, top = tf.floor(columns), tf.floor(rows)
    right_share, lower_share = columns - left, rows - top
    count = tf.shape(pictures)[0]
    start = tf.range(count)[:, None, None] * (size * size)
    corner = start + tf.cast(top, tf.int32) * size + tf.cast(left, tf.int32)
    flat = tf.reshape(pictures, (-1,))

    def at(offset: int) -> Any:
        return tf.gather(flat, corner + offset)

    upper = at(0) + right_share * (at(1) - at(0))
    lower = at(size) + right_share * (at(size + 1) - at(size))
    return upper + lower_share * (lower - upper)


@tf.function
def _distort(pictures: Any, seed: Any, sizes: Distortions) -> Any:
    columns, rows = _sources(tf.shape(pictures)[0], pictures.shape[-1], seed, sizes)
    return tf.cast(tf.round(_sample(tf.cast(pictures, tf.float32), columns, rows)), tf.uint8)


def distort(
    pictures: NDArray[np.uint8], *, seed: tuple[int, int], sizes: Distortions | None = None
) -> NDArray[np.uint8]:
    """Return distorted copies of `pictures`: uint8 (n, size, size) in, the same shape out.

    The same `seed` (two integers, the first below 2^31, the second up to 2,000) gives the same copies. Digits
    need a margin to move in: pad 28x28 pictures to 32x32 first. Raises InputError on another shape or type.
    """
    square = pictures.ndim == 3 and pictures.shape[1] == pictures.shape[2]
    expect(
        square and pictures.dtype == np.uint8,
        "uint8 pictures (n, size, size)",
        f"{pictures.dtype} {pictures.shape}",
    )
    batch = 2000  # limits the memory; another size would change what a seed gives
    parts = [
        _distort(
            tf.constant(pictures[i : i + batch]),
            tf.constant((seed[0], seed[1] * 1_000_003 + 16 * i)),
            sizes or Distortions(),
        )
        for i in range(0, len(pictures), batch)
    ]
    return np.concatenate([part.numpy() for part in parts]) if parts else pictures.copy()
