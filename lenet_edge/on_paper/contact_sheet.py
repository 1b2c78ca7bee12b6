"""Write sample photographs of digits, and a contact sheet of them with the answers."""

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
    """Photograph 24 of `digits`, chosen and drawn from `seed`; misread ones are kept.

    Writes DIGIT-NUMBER.jpg files and `SHEET`, a PNG of all of them with the answers, to `folder`. Raises
    OSError if that fails.
    """
    chosen = np.random.default_rng(seed).choice(len(digits.labels), _COLUMNS * _ROWS, replace=False)
    page = Image.new("RGB", (_COLUMNS * _CELL, _ROWS * (_CELL + _CAPTION)), "white")
    for position, number in enumerate(chosen):
        image, conditions = photograph(digits.images[number], seed=(seed, int(number)))
        content, label = jpeg(image, conditions.quality), int(digits.labels[number])
        write_atomically(folder / f"{label}-{position:02d}.jpg", content)
        (picture,) = read_images(io.BytesIO(content), name="a photograph")
        _paste(page, position, Image.open(io.BytesIO(content)), answer_picture(picture, classifier), label)
    stream = io.BytesIO()
    page.save(stream, "PNG", optimize=True)
    write_atomically(folder / SHEET, stream.getvalue())


def _paste(page: Image.Image, position: int, image: Image.Image, answer: Answer, label: int) -> None:
    """Paste one photograph with its answer below, in red with the label if it is wrong."""
    left, top = position % _COLUMNS * _CELL, position // _COLUMNS * (_CELL + _CAPTION)
    image = ImageOps.contain(image, (_CELL - _GAP, _CELL - _GAP))
    page.paste(image, (left + (_CELL - image.width) // 2, top + (_CELL - image.height) // 2))
    if answer.digit is None or answer.probability is None:
        text = answer.prepared.finding.value
    else:
        text = f"{answer.digit}  {100 * answer.probability:.0f} %"
    right = answer.digit == label
    ImageDraw.Draw(page).text(
        (left + _CELL / 2, top + _CELL + _CAPTION / 2),
        text if right else f"{text}  (is {label})",
        fill="black" if right else "#c00000",
        font=ImageFont.load_default(15),
        anchor="mm",
    )
