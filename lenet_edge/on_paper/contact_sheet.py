"""Photographs of digits as files, and a sheet of them with what was read of each."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from converters.base.files import write_atomically
from lenet_edge.digits.mnist import Digits
from lenet_edge.on_paper.drawing import jpeg, photograph
from lenet_edge.picture.files import read_images
from lenet_edge.reading.digit_answer import Answer, answer_picture
from lenet_edge.runtime.classifier import Classifier

SHEET = "sheet.png"

_COLUMNS, _ROWS = 6, 4
_CELL, _CAPTION, _GAP = 180, 24, 8  # pixels


def write_samples(digits: Digits, classifier: Classifier, *, folder: Path, seed: int) -> None:
    """Photograph 24 of `digits`, chosen and drawn by `seed`; none is left out because it was misread.

    `folder` gets DIGIT-NUMBER.jpg files and `SHEET`, a PNG of all of them with what was read.
    """
    chosen = np.random.default_rng(seed).choice(len(digits.labels), _COLUMNS * _ROWS, replace=False)
    page = Image.new("RGB", (_COLUMNS * _CELL, _ROWS * (_CELL + _CAPTION)), "white")
    for place, number in enumerate(chosen):
        image, conditions = photograph(digits.images[number], seed=(seed, int(number)))
        content, label = jpeg(image, conditions.quality), int(digits.labels[number])
        write_atomically(folder / f"{label}-{place:02d}.jpg", content)
        (picture,) = read_images(io.BytesIO(content), name="a photograph")
        _paste(page, place, Image.open(io.BytesIO(content)), answer_picture(picture, classifier), label)
    stream = io.BytesIO()
    page.save(stream, "PNG", optimize=True)
    write_atomically(folder / SHEET, stream.getvalue())


def _paste(page: Image.Image, place: int, image: Image.Image, read: Answer, label: int) -> None:
    """Put one photograph on the page, what was read below it, in red with the truth if it is wrong."""
    left, top = place % _COLUMNS * _CELL, place // _COLUMNS * (_CELL + _CAPTION)
    image = ImageOps.contain(image, (_CELL - _GAP, _CELL - _GAP))
    page.paste(image, (left + (_CELL - image.width) // 2, top + (_CELL - image.height) // 2))
    if read.digit is None or read.probability is None:
        text = read.prepared.finding.value
    else:
        text = f"{read.digit}  {100 * read.probability:.0f} %"
    right = read.digit == label
    ImageDraw.Draw(page).text(
        (left + _CELL / 2, top + _CELL + _CAPTION / 2),
        text if right else f"{text}  (is {label})",
        fill="black" if right else "#c00000",
        font=ImageFont.load_default(15),
        anchor="mm",
    )
