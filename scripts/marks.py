"""Measure how many marks that are no digit are answered surely: `python scripts/marks.py --data DIR`.

results/marks.json is written. The script draws each mark in matplotlib's fonts, alone and in the middle of
four digits, and reads it as `lenet-edge classify` and `lenet-edge read` do. What those checks cost is
measured on held-out training digits: how many that are read rightly, with a probability above the threshold,
are unsure.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from converters.base.errors import exit_status, expect
from converters.base.files import check_writable, write_json
from converters.base.options import command_parser
from lenet_edge.digits.mnist import HELD_OUT, Digits, held_out_digits
from lenet_edge.packaged.thresholds import digit_threshold, string_threshold
from lenet_edge.picture.files import Picture
from lenet_edge.picture.line.finding import find_line
from lenet_edge.reading.digit_answer import Answer, answer_picture
from lenet_edge.reading.string_answer import FoundLine, StringAnswer, answer_line
from lenet_edge.runtime.classifier import Classifier
from lenet_edge.runtime.string_reader import StringReader

ROOT = Path(__file__).resolve().parent.parent
MARKS = {
    **{"slash": "/", "colon": ":", "euro": "€", "dollar": "$", "plus": "+", "tick": "✓"},
    **{
        "left parenthesis": "(",
        "right parenthesis": ")",
        "percent": "%",
        "hash": "#",
        "times": "×",
        "equals": "=",
    },
}
FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSerif", "DejaVuSansMono")
SCALE = 4
"""Pixels of a page for one of MNIST's."""
LENGTH = 4
"""Digits in a line."""


def glyph(mark: str, font: str) -> NDArray[np.uint8]:
    """Return a mark of `font` with digits as high as MNIST's on the page, 0 for ink to 255 for paper."""
    path = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{font}.ttf")
    image = Image.new("L", (28 * SCALE, 28 * SCALE), 255)
    middle = image.width / 2
    # A font's digits are some 0.73 of its size.
    drawn = ImageFont.truetype(str(path), round(20 * SCALE / 0.73))
    ImageDraw.Draw(image).text((middle, 24 * SCALE), mark, fill=0, font=drawn, anchor="ms")
    return np.asarray(image)


def handwritten(digit: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a digit of MNIST's on the page."""
    return 255 - np.kron(digit, np.ones((SCALE, SCALE), np.uint8))


def page(*cells: NDArray[np.uint8]) -> Picture:
    """Return a page with `cells` side by side."""
    return Picture("a page", None, np.pad(np.concatenate(cells, axis=1), 40, constant_values=255))


@dataclass(frozen=True)
class Readers:
    """What reads digits and lines, each with the probability `below` which an answer is unsure."""

    classifier: Classifier
    digit_below: float
    reader: StringReader
    line_below: float

    def digit(self, cell: NDArray[np.uint8]) -> Answer:
        """Return the answer for a page with one cell."""
        return answer_picture(page(cell), self.classifier, threshold=self.digit_below)

    def line(self, cells: Sequence[NDArray[np.uint8]]) -> StringAnswer:
        """Return the answer for a page with a line of cells."""
        picture = page(*cells)
        return answer_line(
            FoundLine(picture, find_line(picture.grey)), self.reader, threshold=self.line_below
        )


def lines(digits: Digits, count: int) -> Iterator[tuple[str, list[NDArray[np.uint8]]]]:
    """Yield the text and the drawn digits of each of `count` lines."""
    for start in range(0, LENGTH * count, LENGTH):
        own = slice(start, start + LENGTH)
        yield "".join(map(str, digits.labels[own])), [handwritten(digit) for digit in digits.images[own]]


def doubted(pairs: Iterator[tuple[bool, bool]]) -> dict[str, int]:
    """Return how many answers are right and probable enough, and how many of these are unsure."""
    kept = [sure for good, sure in pairs if good]
    return {"right_and_probable": len(kept), "unsure": sum(not sure for sure in kept)}


def alone(digits: Digits, readers: Readers) -> Iterator[tuple[bool, bool]]:
    """Yield for each digit whether it is read rightly and probable enough, and whether the answer is sure."""
    for image, label in zip(digits.images, digits.labels, strict=True):
        one = readers.digit(handwritten(image))
        yield one.digit == label and (one.probability or 0) >= readers.digit_below, one.sure


def in_lines(digits: Digits, readers: Readers) -> Iterator[tuple[bool, bool]]:
    """Yield for each line of the digits the same as `alone`."""
    for text, cells in lines(digits, len(digits.labels) // LENGTH):
        one = readers.line(cells)
        yield one.text == text and (one.probability or 0) >= readers.line_below, one.sure


def taken_surely(mark: str, digits: Digits, readers: Readers) -> dict[str, int]:
    """Return in how many of the fonts a mark is surely read as a digit: alone, and between digits."""
    drawn = [glyph(mark, font) for font in FONTS]
    single = sum(readers.digit(cell).sure for cell in drawn)
    between = 0
    for cell, (text, cells) in zip(drawn, lines(digits, len(drawn)), strict=True):
        one = readers.line([*cells[: LENGTH // 2], cell, *cells[LENGTH // 2 :]])
        between += one.sure and one.text != text
    return {"fonts": len(drawn), "sure_alone": single, "sure_in_a_line": between}


def measured(digits: Digits) -> dict[str, Any]:
    """Return all figures."""
    with Classifier() as classifier, StringReader() as reader:
        readers = Readers(
            classifier, digit_threshold(classifier.sha256), reader, string_threshold(reader.sha256)
        )
        return {
            "digits": doubted(alone(digits, readers)),
            "lines": doubted(in_lines(digits, readers)),
            "marks": {name: taken_surely(mark, digits, readers) for name, mark in MARKS.items()},
        }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and write the report."""
    parser = command_parser(name="marks.py", description=__doc__)
    parser.add_argument("--data", metavar="DIR", help="folder with MNIST's training files")
    parser.add_argument("--count", type=int, default=HELD_OUT, help="held-out digits (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "marks.json", metavar="FILE")
    options = parser.parse_args(argv)
    least = LENGTH * len(FONTS)
    expect(least <= options.count <= HELD_OUT, f"--count of {least} to {HELD_OUT}", options.count)
    check_writable(options.out)
    digits = held_out_digits(data=options.data)
    report = {
        "command": shlex.join(["python", "scripts/marks.py", *(sys.argv[1:] if argv is None else argv)]),
        **measured(Digits(digits.images[: options.count], digits.labels[: options.count])),
    }
    write_json(options.out, report)
    for name, facts in report.items():
        print(name, facts)
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="marks.py"))
