"""Draw scans of amounts as the wide net learns them, each above the line found on it, for docs/strings.md."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from drawing_command import draw_to_file
from numpy.typing import NDArray
from PIL import Image

from converters.base.errors import exit_status
from lenet_edge.digits.geometry import FIELD
from lenet_edge.digits.mnist import Digits
from lenet_edge.digits.string_fields.handwriting import CLEAN_CHEQUES
from lenet_edge.digits.string_fields.strings import string_fields
from lenet_edge.on_paper.amounts import scanned
from lenet_edge.picture.line.finding import find_line

NAME = "draw_scans.py"
_CELL = (300, 104)
_GAP = 4


def contact_sheet(digits: Digits, *, seed: int, rows: int = 8, across: int = 4) -> Image.Image:
    """Return a sheet of scans, each with its line below it, black on white."""
    width, height = _CELL
    shape = (rows * (height + FIELD + _GAP), across * (width + _GAP))
    sheet = np.full(shape, 255, np.uint8)
    for row in range(rows):
        fields = string_fields(
            digits,
            across,
            seed=(seed, row),
            spacing=("touching", "normal")[row % 2],
            length=3 + row % 4,
            writing=CLEAN_CHEQUES,
        )
        for column, field in enumerate(fields.pictures):
            scan = scanned(field, seed=(seed, row, column)).grey
            corner = row * (height + FIELD + _GAP), column * (width + _GAP)
            _put(sheet, scan, corner, _CELL)
            _put(sheet, 255 - find_line(scan).picture, (corner[0] + height, corner[1]), (width, FIELD))
    return Image.fromarray(sheet)


def _put(
    sheet: NDArray[np.uint8], picture: NDArray[np.uint8], corner: tuple[int, int], size: tuple[int, int]
) -> None:
    """Copy what fits into `size` (width, height) to the `corner` (row, column) of the sheet."""
    part = picture[: size[1], : size[0]]
    sheet[corner[0] : corner[0] + part.shape[0], corner[1] : corner[1] + part.shape[1]] = part


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the sheet with the packaged calibration digits to a file."""
    return draw_to_file(contact_sheet, argv, name=NAME, description=__doc__, example="scans.png")


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
