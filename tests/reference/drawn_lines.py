"""Photographs of lines of digits, drawn: what `lenet_edge.on_paper` does for one digit, for several."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lenet_edge.picture.strokes import distances, skeleton

FINE = 6  # pixels of the redrawn outline per pixel of MNIST's
REACH = 12.0


@dataclass(frozen=True)
class Drawn:
    """A photograph, uint8 (h, w), with its digits' middles (n, 2), column and row, and boxes (n, 4).

    `body` is the usual height of a digit, in pixels.
    """

    grey: NDArray[np.uint8]
    middles: NDArray[np.float64]
    boxes: NDArray[np.float64]
    body: float


def draw_line(digits: NDArray[np.uint8], *, seed: Any, **fixed: Any) -> Drawn:
    """Photograph `digits` (n, 28, 28) in a row; what `fixed` does not name is drawn from `seed`.

    `body`: pixels of a digit's height. `slope`: degrees clockwise. `gap`: heights between two digits.
    `room`: heights of bare paper around. `stroke`: twentieths of the height. `ruling`: none, ruled or
    squared. `bright`: ink on dark paper. `dark`: share of light that ink takes away. `shadow`: that of the
    light that is lost from side to side. `noise`: grey levels.
    """
    rng = np.random.default_rng(seed)
    facts: dict[str, Any] = {
        "body": float(np.exp(rng.uniform(np.log(20), np.log(160)))),
        "slope": float(rng.uniform(-8, 8)),
        "gap": float(rng.uniform(0.1, 0.35)),
        "room": float(rng.uniform(0.8, 3)),
        "stroke": float(rng.uniform(0.9, 3.4)),
        "ruling": str(rng.choice(["none", "ruled", "squared"])),
        "bright": False,
        "dark": float(rng.uniform(0.4, 0.95)),
        "shadow": float(rng.uniform(0, 0.5)),
        "noise": float(rng.uniform(0, 5)),
    }
    facts |= fixed
    body = facts["body"]
    fine, boxes = _row(digits, facts["stroke"], facts["gap"])
    scale = body / (20 * FINE)
    turn = np.radians(facts["slope"])
    cos, sin = np.cos(turn), np.sin(turn)
    long, high = fine.shape[1] * scale, fine.shape[0] * scale
    width = round(long * cos + high * abs(sin) + 2 * facts["room"] * body)
    height = round(long * abs(sin) + high * cos + 2 * facts["room"] * body)
    centre = np.array([width / 2, height / 2])
    to_fine = np.array([[cos, sin], [-sin, cos]]) / scale
    start = np.array(fine.shape[::-1]) / 2 - to_fine @ centre
    field = Image.fromarray(fine).transform(
        (width, height),
        Image.Transform.AFFINE,
        data=tuple(np.column_stack([to_fine, start]).ravel()),
        resample=Image.Resampling.BICUBIC,
    )
    cover = np.clip((np.asarray(field) - REACH) * scale + 0.5, 0, 1)
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    light = 0.92 * (1 - facts["shadow"] * x / width) * _ruling(facts["ruling"], x, y, turn, body, rng)
    light = 0.1 + 0.85 * cover if facts["bright"] else light * (1 - facts["dark"] * cover)
    grey = light * 255 + rng.normal(0, facts["noise"], light.shape)
    middles = np.stack([boxes[:, [0, 2]].mean(axis=1), boxes[:, [1, 3]].mean(axis=1)], axis=1)
    back = np.linalg.inv(to_fine)
    corners = boxes[:, [[0, 1], [2, 1], [0, 3], [2, 3]]] - start  # (n, 4, 2)
    placed = corners @ back.T
    outer = np.concatenate([placed.min(axis=1), placed.max(axis=1)], axis=1)
    usual = float(np.median(boxes[:, 3] - boxes[:, 1])) * scale
    return Drawn(np.clip(grey, 0, 255).astype(np.uint8), (middles - start) @ back.T, outer, usual)


def encoded(grey: NDArray[np.uint8], kind: str = "JPEG", **options: Any) -> bytes:
    """Return `grey` as a file's bytes."""
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, kind, **options)
    return stream.getvalue()


def _row(
    digits: NDArray[np.uint8], stroke: float, gap: float
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the outline of the row, `REACH` at the edge of its strokes, and each digit's box in it."""
    outlines = [_outline(digit, stroke) for digit in digits]
    height = 28 * FINE
    widths = [box[2] - box[0] for _, box in outlines]
    room = 4 * FINE
    total = int(sum(widths) + (len(widths) - 1) * gap * 20 * FINE + 2 * room)
    row, boxes, left = np.zeros((height, total + 40 * FINE), np.float32), [], float(room)
    for outline, box in outlines:
        offset = int(left - box[0]), int(height / 2 - (box[1] + box[3]) / 2)
        _lay(row, outline, *offset)
        boxes.append([box[0] + offset[0], box[1] + offset[1], box[2] + offset[0], box[3] + offset[1]])
        left += box[2] - box[0] + gap * 20 * FINE
    return row[:, :total], np.array(boxes, float)


def _lay(row: NDArray[np.float32], piece: NDArray[np.float32], left: int, top: int) -> None:
    top_cut, left_cut = max(0, -top), max(0, -left)
    part = piece[top_cut : top_cut + len(row) - max(top, 0), left_cut:]
    place = row[max(top, 0) : max(top, 0) + part.shape[0], max(left, 0) : max(left, 0) + part.shape[1]]
    np.maximum(place, part[: place.shape[0], : place.shape[1]], out=place)


def _outline(digit: NDArray[np.uint8], stroke: float) -> tuple[NDArray[np.float32], list[int]]:
    field = Image.fromarray(np.pad(digit, 4).astype(np.float32))
    size = field.width * FINE
    mask = np.asarray(field.resize((size, size), Image.Resampling.BICUBIC)) > 0.5 * digit.max()
    inside, outside = distances(~mask), distances(mask)
    lines = skeleton(mask)
    radius = stroke * FINE / 2
    change = radius - float(np.median(inside[lines]))
    outline = np.maximum(inside - outside + change, radius - distances(lines))
    rows, columns = np.flatnonzero((outline > 0).any(axis=1)), np.flatnonzero((outline > 0).any(axis=0))
    return np.maximum(outline + REACH, 0), [int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])]


def _ruling(kind: str, x: Any, y: Any, turn: float, body: float, rng: np.random.Generator) -> Any:
    """Return the light that printed rules leave."""
    cos, sin = np.cos(turn), np.sin(turn)
    directions = {
        "none": (),
        "ruled": (y * cos - x * sin,),
        "squared": (y * cos - x * sin, x * cos + y * sin),
    }
    light = np.ones_like(x)
    spacing = body * (rng.uniform(0.3, 0.6) if kind == "squared" else rng.uniform(0.9, 1.5))
    for distance in directions[kind]:
        away = np.abs((distance / spacing + rng.uniform()) % 1 - 0.5) * spacing
        half = max(0.5, 0.01 * body)
        light = light * (1 - 0.25 * np.clip(half - away + 0.5, 0, 1))
    return light
