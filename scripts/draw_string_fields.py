"""Draw some of the synthetic fields that the wide net is trained and measured on, for docs/strings.md."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from drawing_command import draw_to_file
from PIL import Image

from converters.base.errors import exit_status
from lenet_edge.digits.geometry import FIELD
from lenet_edge.digits.mnist import Digits
from lenet_edge.digits.string_fields.empty import EMPTIES, empty_fields
from lenet_edge.digits.string_fields.handwriting import AMOUNTS, AS_IN_MNIST, CHEQUES, Writing
from lenet_edge.digits.string_fields.layout import SPACINGS
from lenet_edge.digits.string_fields.strings import behind, string_fields

NAME = "draw_string_fields.py"


def specimen(digits: Digits, *, seed: int) -> Image.Image:
    """Return a picture with four fields of each kind, black on white, as docs/strings.md shows it."""
    width, across, gap = 160, 4, 6
    rows = [
        string_fields(digits, across, seed=(seed, place), spacing=spacing, width=width, writing=writing)
        for place, spacing in enumerate(SPACINGS)
        for writing in (AS_IN_MNIST, Writing(dirt=0.0), Writing())
    ]
    rows.append(
        behind(string_fields(digits, across, seed=(seed, 4), width=width, writing=AMOUNTS), seed=seed)
    )
    rows += [
        string_fields(digits, across, seed=(seed, place), spacing=spacing, width=width, writing=CHEQUES)
        for place, spacing in enumerate(("touching", "touching", "normal", "normal"), 20)
    ]
    rows += [
        empty_fields(across, seed=(seed, place), kind=kind, width=width)
        for place, kind in enumerate(EMPTIES, 5)
    ]
    sheet = np.full((len(rows) * (FIELD + gap) + gap, across * (width + gap) + gap), 60, np.uint8)
    for i, fields in enumerate(rows):
        for j, picture in enumerate(fields.pictures):
            row, column = gap + i * (FIELD + gap), gap + j * (width + gap)
            sheet[row : row + FIELD, column : column + width] = picture
    return Image.fromarray(255 - sheet)


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the specimen of the packaged calibration digits to a file."""
    return draw_to_file(specimen, argv, name=NAME, description=__doc__, example="fields.png")


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
