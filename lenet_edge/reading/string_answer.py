"""What was read of a picture of a line of digits: the digits, how sure they are, and where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenet_edge.picture.files import Picture, Source, read_images
from lenet_edge.picture.line.finding import Line, LineFinding, find_line
from lenet_edge.reading.digit_boxes import InkBox, ink_boxes
from lenet_edge.runtime.string_decoder import ReadDigit
from lenet_edge.runtime.string_reader import StringReader


@dataclass(frozen=True)
class FoundLine:
    """A picture with the line that was found on it."""

    picture: Picture
    line: Line

    @property
    def index(self) -> int | None:
        """The picture's, in an IDX file."""
        return self.picture.index


@dataclass(frozen=True)
class Box:
    """A digit that was read, its `probability` 0..1, and the `corners` (4, 2) around its ink.

    Corners are places (column, row) in the file's picture, held upright, clockwise from the upper left one as
    the line runs; `left` is that corner's column in the line's own picture, and `right` the next one's.
    """

    digit: int
    probability: float
    corners: NDArray[np.float64]
    left: float
    right: float


@dataclass(frozen=True)
class StringAnswer:
    """What was read of one picture: `text`, "" where no digit stands, None where no line was found.

    `probability` is the text's, 0..1, None without one; `sure` that it reaches the threshold.
    """

    found: FoundLine
    text: str | None
    probability: float | None
    sure: bool
    boxes: tuple[Box, ...]


def found_lines(source: Source, *, name: str | None = None) -> Iterator[FoundLine]:
    """Yield the pictures of `source`, which is as `read_images` takes it, with the line on each."""
    for picture in read_images(source, name=name, line=True):
        yield FoundLine(picture, find_line(picture.grey))


def answer_line(found: FoundLine, reader: StringReader, *, threshold: float) -> StringAnswer:
    """Read the digits of a picture; below the probability `threshold` the answer is not sure."""
    if found.line.finding is not LineFinding.LINE:
        return StringAnswer(found, None, None, False, ())
    read = reader.read(found.line.picture)
    places = ink_boxes(found.line.picture, read.digits)
    boxes = tuple(_box(found, one, place) for one, place in zip(read.digits, places, strict=True))
    return StringAnswer(found, read.text, read.probability, read.probability >= threshold, boxes)


def row_edges(boxes: tuple[Box, ...], columns: int, *, width: int) -> list[int]:
    """Return where rows of at most `width` of a line's `columns` begin, and the last one's end.

    A row ends before a digit that it has no room for.
    """
    edges = [0]
    while edges[-1] + width < columns:
        edge = edges[-1] + width
        clear = min([edge, *(int(box.left) for box in boxes if box.left < edge < box.right)])
        edges.append(clear if clear > edges[-1] else edge)
    return [*edges, columns]


def _box(found: FoundLine, digit: ReadDigit, place: InkBox) -> Box:
    left, top, right, bottom = place
    corners = [(left, top, 1), (right, top, 1), (right, bottom, 1), (left, bottom, 1)]
    places = found.line.to_image @ np.transpose(corners) * found.picture.factor
    return Box(digit.digit, digit.probability, places.T, left, right)
