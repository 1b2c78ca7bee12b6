"""Read the line of digits on a picture: the digits, their probabilities and their boxes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenet_edge.picture.files import Picture, Source, read_images
from lenet_edge.picture.line.finding import Line, LineFinding, find_line
from lenet_edge.reading.digit_boxes import INKED, InkBox, ink_boxes
from lenet_edge.reading.line_marks import has_mark
from lenet_edge.runtime.string_decoder import ReadDigit
from lenet_edge.runtime.string_reader import StringReader


@dataclass(frozen=True)
class FoundLine:
    """A picture and the line found on it."""

    picture: Picture
    line: Line

    @property
    def index(self) -> int | None:
        """The picture's number in an IDX file, from 0; None for other files."""
        return self.picture.index


@dataclass(frozen=True)
class Box:
    """A digit, its `probability` 0..1, and the `corners` (4, 2) of the box around its ink.

    Corners are points (column, row) in pixels of the file's upright picture, clockwise from the upper left as
    the line runs; `left` and `right` are the box's columns in the line's picture.
    """

    digit: int
    probability: float
    corners: NDArray[np.float64]
    left: float
    right: float


@dataclass(frozen=True)
class StringAnswer:
    """The answer for one picture: `text`, "" for a line without digits, None if no line was found.

    `probability` is that of the text, 0..1, None without a text; `sure`: it reaches the threshold,
    and no digit resembles a mark.
    """

    found: FoundLine
    text: str | None
    probability: float | None
    sure: bool
    boxes: tuple[Box, ...]


def found_lines(source: Source, *, name: str | None = None) -> Iterator[FoundLine]:
    """Yield the pictures of `source` and the line on each; arguments and errors as `read_images`."""
    for picture in read_images(source, name=name, line=True):
        yield FoundLine(picture, find_line(picture.grey))


def answer_line(found: FoundLine, reader: StringReader, *, threshold: float) -> StringAnswer:
    """Read the digits of a line; the answer is `sure` from the probability `threshold` on.

    With what resembles a mark that is no digit, such as a slash or a plus, it is never sure.
    """
    if found.line.finding is not LineFinding.LINE:
        return StringAnswer(found, None, None, False, ())
    read = reader.read(found.line.picture)
    ink = ink_boxes(found.line.picture, read.digits)
    boxes = tuple(_box(found, digit, box) for digit, box in zip(read.digits, ink, strict=True))
    digits = [digit.digit for digit in read.digits]
    sure = read.probability >= threshold and not has_mark(found.line.picture, digits, ink)
    return StringAnswer(found, read.text, read.probability, sure, boxes)


def row_edges(boxes: tuple[Box, ...], columns: int, *, width: int) -> list[int]:
    """Return the columns where a line of `columns` breaks into rows of at most `width`, and both its ends.

    A row ends before a digit that does not fit.
    """
    edges = [0]
    while edges[-1] + width < columns:
        edge = edges[-1] + width
        before_digit = min([edge, *(int(box.left) for box in boxes if box.left < edge < box.right)])
        edges.append(before_digit if before_digit > edges[-1] else edge)
    return [*edges, columns]


def _box(found: FoundLine, digit: ReadDigit, box: InkBox) -> Box:
    left, top, right, bottom = box
    rows, columns = np.nonzero(
        found.line.picture[round(top) : round(bottom), round(left) : round(right)] > INKED
    )
    across, down = columns + round(left), rows + round(top)
    # A line that leans was set upright: its picture's boxes lean in the file, boxes around the ink do not.
    corners = [(across + x, down + y) for x in (0, 1) for y in (0, 1)]
    points = np.concatenate([np.stack(corner, axis=1) for corner in corners]).astype(np.float64)
    if not len(points):
        points = np.array([(x, y) for x in (left, right) for y in (top, bottom)], np.float64)
    turned = _along(found.line.to_image)
    along = (points @ found.line.to_image[:, :2].T + found.line.to_image[:, 2]) @ turned
    (low, high), (start, end) = zip(along.min(axis=0), along.max(axis=0), strict=True)
    upright = np.array([(low, start), (high, start), (high, end), (low, end)])
    return Box(digit.digit, digit.probability, upright @ turned.T * found.picture.factor, left, right)


def _along(to_image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the directions along and across a line, in the columns of a (2, 2)."""
    along = to_image[:, 0] / np.hypot(*to_image[:, 0])
    return np.array([[along[0], -along[1]], [along[1], along[0]]])
