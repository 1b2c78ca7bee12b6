"""Draw amounts as on scanned bank cheques: a thin grey pen on a printed guilloche, cut out narrowly.

The strokes of a field of `lenet_edge.digits.string_fields` are redrawn at the scan's resolution with a pen's
width. Behind them stands print that is nearly as dark: waves, crossed waves, rosettes and ruled lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import expect
from lenet_edge.digits.geometry import FIELD
from lenet_edge.digits.opencv import cv2
from lenet_edge.digits.string_fields.fields import INK, Fields
from lenet_edge.picture.line.strip import between_middles
from lenet_edge.picture.strokes import distances, half_widths

Array = NDArray[np.float32]

_FINE = 4  # pixels of the redrawn strokes for each pixel of the field


@dataclass(frozen=True)
class Scan:
    """A scanned amount: `grey`, uint8 (h, w), and `to_scan` (2, 3), from the field's points to the scan's."""

    grey: NDArray[np.uint8]
    to_scan: NDArray[np.float64]


def scanned(field: NDArray[np.uint8], *, seed: int | Sequence[int]) -> Scan:
    """Return a scan of a clean `field`, uint8 (32, w), 255 for ink; the same seed gives the same pixels.

    Raises InputError for another shape or a field without ink.
    """
    expect(
        isinstance(field, np.ndarray) and field.ndim == 2 and len(field) == FIELD and field.dtype == np.uint8,
        f"a field of uint8 ({FIELD}, w)",
        f"{getattr(field, 'dtype', type(field).__name__)} {getattr(field, 'shape', '')}".strip(),
    )
    expect((field >= INK).any(), "a field with ink", "none")
    rng = np.random.default_rng(seed)
    scale = float(rng.uniform(1.2, 3.2))
    box = _cut(rng, field)
    turn = np.radians(rng.normal(0, 1.2))
    to_scan = _map(box, scale, turn)
    width, height = round((box[2] - box[0]) * scale), round((box[3] - box[1]) * scale)
    ink = _ink(rng, field, to_scan, scale, (width, height))
    darkness = float(rng.uniform(0.25, 0.9))
    paper = _paper(rng, height, width, scale, darkest=darkness * rng.uniform(0.2, 0.9))
    grey = paper * (1 - ink * darkness)
    blurred = cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(0.35, 0.5 + 0.2 * scale)))
    noise = rng.normal(0, rng.uniform(0.5, 5), paper.shape).astype(np.float32)
    scan = np.clip(np.asarray(blurred) + noise + 0.5, 0, 255).astype(np.uint8)
    return Scan(_jpeg(scan, int(rng.integers(50, 96))), to_scan)


def scans(fields: Fields, *, seed: Sequence[int]) -> list[Scan]:
    """Return a scan of each of `fields`."""
    return [scanned(picture, seed=(*seed, place)) for place, picture in enumerate(fields.pictures)]


def _cut(rng: np.random.Generator, field: NDArray[np.uint8]) -> tuple[float, float, float, float]:
    """Return the box that is cut out, in the field's points: left, top, right, bottom; ink may touch it."""
    ink = field >= INK
    columns, rows = np.flatnonzero(ink.any(axis=0)), np.flatnonzero(ink.any(axis=1))
    left = columns[0] - (0 if rng.random() < 0.3 else rng.uniform(0, 14))
    right = columns[-1] + 1 + rng.uniform(0, 20)
    return (
        float(left),
        float(rows[0] - rng.uniform(0, 8)),
        float(right),
        float(rows[-1] + 1 + rng.uniform(0, 8)),
    )


def _map(box: tuple[float, float, float, float], scale: float, turn: float) -> NDArray[np.float64]:
    """Return the map from the field to a scan of `box`, turned clockwise by `turn` radians."""
    middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.column_stack([matrix, scale * (middle - (box[0], box[1])) - matrix @ middle])


def _ink(
    rng: np.random.Generator,
    field: NDArray[np.uint8],
    to_scan: NDArray[np.float64],
    scale: float,
    size: tuple[int, int],
) -> Array:
    """Return the share of each pixel that is inked, (h, w), 0..1."""
    fine = cv2.resize(field, None, fx=_FINE, fy=_FINE, interpolation=cv2.INTER_CUBIC)
    mask = np.asarray(fine) > 110
    inside, outside = distances(~mask), distances(mask)
    usual = float(np.median(half_widths(inside)))
    pen = max(rng.uniform(0.9, 2.6), 1.3 / scale) * _FINE / 2  # never thinner than 1.3 pixels of the scan
    middle = (inside > 0) & (inside == cv2.dilate(inside, np.ones((3, 3), np.uint8)))
    depth = np.maximum(np.where(mask, inside - 0.5, 0.5 - outside) + (pen - usual), pen - distances(middle))
    cover = np.clip(cv2.GaussianBlur(depth.astype(np.float32), (0, 0), 1.2) / _FINE * scale + 0.5, 0, 1)
    half = (1 - 1 / _FINE) / 2  # between the middles of a pixel and of a fine one
    to_fine = np.array([[1 / _FINE, 0, -half], [0, 1 / _FINE, -half]])
    turned = between_middles(to_scan)
    matrix = np.column_stack([turned[:, :2] @ to_fine[:, :2], turned[:, :2] @ to_fine[:, 2] + turned[:, 2]])
    placed = cv2.warpAffine(cover, matrix, size, flags=cv2.INTER_AREA if scale < 2 else cv2.INTER_LINEAR)
    pressure = 1 + rng.uniform(0, 0.25) * _smooth_noise(rng, size[::-1], 6 * scale)
    return np.clip(np.asarray(placed) * pressure, 0, 1).astype(np.float32)


def _paper(rng: np.random.Generator, height: int, width: int, scale: float, *, darkest: float) -> Array:
    """Return the printed paper, grey levels (h, w); the print absorbs up to a share `darkest` of light."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = x / scale, y / scale
    printed = np.zeros((height, width), np.float32)
    for chance, pattern in ((0.55, _waves), (0.3, _waves), (0.25, _rosette), (0.3, _rules)):
        if rng.random() < chance:
            printed = np.maximum(printed, pattern(rng, x, y) * rng.uniform(0.3, 1) * darkest)
    bright = rng.uniform(170, 250) * (1 + rng.uniform(-0.1, 0.1) * (x / max(float(x.max()), 1) - 0.5))
    spots = 1 + rng.uniform(0, 0.06) * _smooth_noise(rng, (height, width), 10 * scale)
    return np.clip(bright * spots * (1 - printed), 0, 255).astype(np.float32)


def _lines(turns: Array, pitch: float, width: float) -> Array:
    """Return lines at the whole numbers of `turns`, `pitch` and `width` in pixels of the field, 0..1."""
    away = np.abs(turns - np.round(turns)) * pitch
    return np.clip((width / 2 - away) * 2 + 0.5, 0, 1)


def _waves(rng: np.random.Generator, x: Array, y: Array) -> Array:
    """Draw parallel wavy lines whose waves are a sum of two sines."""
    pitch, angle = rng.uniform(2.0, 7.0), rng.uniform(-np.pi, np.pi)
    along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    for part in (1.0, 0.5):
        length = rng.uniform(8, 40) * part
        bend = rng.uniform(0, 3) * part * np.sin(2 * np.pi * along / length + rng.uniform(0, 6))
        across = across + bend * np.cos(2 * np.pi * across / rng.uniform(15, 80))
    return _lines(across / pitch, pitch, rng.uniform(0.4, 1.2))


def _rosette(rng: np.random.Generator, x: Array, y: Array) -> Array:
    """Draw the loops of a rosette around a point."""
    middle = rng.uniform(0, float(x.max()) + 1), rng.uniform(-10, float(y.max()) + 10)
    radius, angle = np.hypot(x - middle[0], y - middle[1]), np.arctan2(y - middle[1], x - middle[0])
    pitch, petals = rng.uniform(2.5, 8), int(rng.integers(5, 24))
    swing = rng.uniform(0.5, 6) * np.sin(petals * angle + rng.uniform(0, 6))
    loops = [_lines((radius + side * swing) / pitch, pitch, rng.uniform(0.4, 1.1)) for side in (1, -1)]
    near = (radius < rng.uniform(20, 120)).astype(np.float32)
    return np.maximum(loops[0], loops[1]) * near


def _rules(rng: np.random.Generator, x: Array, y: Array) -> Array:
    """Draw one or two level lines above, below or through the ends of the digits, perhaps an upright one."""
    lines = np.zeros_like(x)
    for _ in range(rng.integers(1, 3)):
        row = float(rng.choice([rng.uniform(0, 7), float(y.max()) - rng.uniform(0, 7)]))
        lines = np.maximum(lines, np.clip((rng.uniform(0.5, 1.6) / 2 - np.abs(y - row)) * 2 + 0.5, 0, 1))
    if rng.random() < 0.2:
        away = np.abs(x - rng.uniform(0, float(x.max())))
        lines = np.maximum(lines, np.clip((rng.uniform(0.5, 1.4) / 2 - away) * 2 + 0.5, 0, 1))
    return lines


def _smooth_noise(rng: np.random.Generator, shape: tuple[int, int], period: float) -> Array:
    """Return noise (h, w) of unit variance that varies over `period` pixels."""
    rough = rng.standard_normal((int(shape[0] / period) + 2, int(shape[1] / period) + 2), np.float32)
    return np.asarray(cv2.resize(rough, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def _jpeg(grey: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Return `grey` after a JPEG file of that `quality`."""
    _, stream = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(stream, cv2.IMREAD_GRAYSCALE), np.uint8)
