"""A sheet of photographs with what was read of each, and the photographs themselves as files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from converters.files import write_atomically
from lenet_edge.mnist import Digits
from lenet_edge.photographs import encoded, read

_COLUMNS, _ROWS = 8, 3
_CELL, _CAPTION = 130, 22


def write_samples(
    digits: Digits, classifier: Any, *, seed: int, samples: Path | None, sheet: Path | None
) -> None:
    """Photograph 24 of `digits`, chosen and drawn by `seed`; nothing is left out because it was misread.

    `samples`: a folder for the JPEG files, named LABEL-NUMBER.jpg. `sheet`: a PNG of all of them.
    """
    chosen = np.random.default_rng(seed).choice(len(digits.labels), _COLUMNS * _ROWS, replace=False)
    page = Image.new("RGB", (_COLUMNS * _CELL, _ROWS * (_CELL + _CAPTION)), "white")
    for place, number in enumerate(chosen):
        content, _ = encoded(digits.images[number], (seed, 1_000_000 + int(number)))
        label = int(digits.labels[number])
        if samples:
            write_atomically(samples / f"{label}-{place:02d}.jpg", content)
        answer = read(content, classifier)
        _paste(page, place, content, answer, label)
    if sheet:
        stream = io.BytesIO()
        page.save(stream, "PNG", optimize=True)
        write_atomically(sheet, stream.getvalue())


def _paste(page: Image.Image, place: int, content: bytes, answer: dict[str, Any], label: int) -> None:
    left, top = place % _COLUMNS * _CELL, place // _COLUMNS * (_CELL + _CAPTION)
    picture = ImageOps.contain(Image.open(io.BytesIO(content)).convert("RGB"), (_CELL - 6, _CELL - 6))
    page.paste(picture, (left + (_CELL - picture.width) // 2, top + (_CELL - picture.height) // 2))
    right = answer["digit"] == label
    text = (
        answer["finding"]
        if answer["digit"] is None
        else f"{answer['digit']}  {100 * answer['probability']:.0f} %"
    )
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(14)
    draw.text(
        (left + _CELL / 2, top + _CELL + _CAPTION / 2),
        text if right else f"{text}  (is {label})",
        fill="black" if right else "#c00000",
        font=font,
        anchor="mm",
    )
