"""Draw answers as in the paper's figures 25 to 28: the picture, each window's best digit, the answer."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lenet_edge.digits.geometry import EMPTY, FIELD, STEP
from lenet_edge.reading.drawing_files import DrawingFiles
from lenet_edge.reading.string_answer import Box, StringAnswer, row_edges

_WIDTH, _HEIGHT, _MARGIN = 960, 540, 24  # pixels: the largest picture panel, and the margin around everything
_AROUND = 1.5  # line heights: the margin of page shown around the line
_LARGEST = 4.0  # the largest magnification of the page
_PIXEL = (4, 10)  # smallest and largest magnification of the net's picture
_WINDOWS, _DIGITS, _TITLE, _GAP = 30, 66, 64, 14  # pixels: heights of the parts below, and the gap between
_SMALLEST_LETTER, _LARGEST_LETTER = 9, 30  # pixels: the digits over the page, if they fit
_FAINTEST = 0.02  # probability: a less probable digit is drawn as a dot
_INK, _GREY, _RULE, _PAPER = "#1a1a1a", "#8a8a8a", "#d0d0d0", "white"
_SURE, _UNSURE = "#0b5cad", "#b8420a"


Score = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Gives the scores (T, 11) of a line's picture (32, w), like `StringReader.scores`."""


class Drawings:
    """Writes the drawing of each answer to `files`; `score` gives the scores of a line's windows."""

    def __init__(self, files: DrawingFiles, *, score: Score) -> None:
        self._files, self._score = files, score

    def add(self, answer: StringAnswer) -> None:
        """Draw one answer and write it; errors as `DrawingFiles.write`."""
        picture = answer.found.line.picture
        stream = io.BytesIO()
        draw_page(answer, self._score(picture) if picture.size else None).save(stream, "PNG", optimize=True)
        self._files.write(answer.found.picture, stream.getvalue())


def draw_page(answer: StringAnswer, scores: NDArray[np.float32] | None) -> Image.Image:
    """Return the drawing of one answer; `scores` (T, 11) are those of `StringReader.scores`."""
    colour = _SURE if answer.sure else _UNSURE
    parts = [_picture_panel(answer, colour)]
    if scores is not None:
        parts += _strips(answer, scores, colour)
    parts.append(_title(answer, colour))
    height = sum(part.height + _GAP for part in parts) - _GAP
    page = Image.new("RGB", (_WIDTH + 2 * _MARGIN, height + 2 * _MARGIN), _PAPER)
    top = _MARGIN
    for part in parts:
        page.paste(part, (_MARGIN + (_WIDTH - part.width) // 2, top))
        top += part.height + _GAP
    return page


def _picture_panel(answer: StringAnswer, colour: str) -> Image.Image:
    """Return the part of the picture around the line, with the digits' boxes drawn over it."""
    picture = answer.found.picture
    left, top, right, bottom = _shown_area(answer)
    scale = min(_WIDTH / (right - left), _HEIGHT / (bottom - top), _LARGEST)
    size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    grey = Image.fromarray(picture.grey[top:bottom, left:right])
    corners = [(box.corners / picture.factor - (left, top)) * scale for box in answer.boxes]
    wide = [float(np.hypot(*(one[1] - one[0]))) for one in corners]
    letter = min(1.1 * float(np.median(wide or [0])), _LARGEST_LETTER)
    written = letter >= _SMALLEST_LETTER
    head = max([0, *(int(letter + 6 - one[:2, 1].mean()) for one in corners if written)])
    panel = Image.new("RGB", (size[0], size[1] + head), _PAPER)
    panel.paste(grey.resize(size, Image.Resampling.LANCZOS), (0, head))
    pen = ImageDraw.Draw(panel)
    for box, one in zip(answer.boxes, corners, strict=True):
        pen.line([(x, y + head) for x, y in (*one, one[0])], fill=colour, width=2, joint="curve")
        if written:
            x, y = (one[0] + one[1]) / 2 + (0, head - 4)
            pen.text(
                (x, y),
                str(box.digit),
                fill=colour,
                font=_font(letter),
                anchor="mb",
                stroke_width=2,
                stroke_fill=_PAPER,
            )
    return panel


def _shown_area(answer: StringAnswer) -> tuple[int, int, int, int]:
    """Return the part of the picture to show, (left, top, right, bottom): around the line, or all of it."""
    line, grey = answer.found.line, answer.found.picture.grey
    height, width = grey.shape
    if not line.picture.size:
        return 0, 0, width, height
    columns = line.picture.shape[1]
    points = line.to_image @ np.array([(0, 0, 1), (columns, 0, 1), (columns, FIELD, 1), (0, FIELD, 1)]).T
    room = _AROUND * FIELD / 2 * float(np.hypot(*line.to_image[:, 1]))
    low = np.maximum(np.floor(points.min(axis=1) - room).astype(int), 0)
    high = np.minimum(np.ceil(points.max(axis=1) + room).astype(int), (width, height))
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _strips(answer: StringAnswer, scores: NDArray[np.float32], colour: str) -> list[Image.Image]:
    """Return rows of the line as the net sees it, each window's best digit, and the answer's digits."""
    columns = answer.found.line.picture.shape[1]
    pixel = int(np.clip(_WIDTH // columns, *_PIXEL))
    width = min(columns, _WIDTH // pixel)
    edges = row_edges(answer.boxes, columns, width=width)
    return [_strip(answer, scores, edge, width, pixel, colour) for edge in pairwise(edges)]


def _strip(
    answer: StringAnswer,
    scores: NDArray[np.float32],
    edge: tuple[int, int],
    width: int,
    pixel: int,
    colour: str,
) -> Image.Image:
    """Return the row of the columns from `edge[0]` to `edge[1]`; `width`: the columns of a full row."""
    start, stop = edge
    picture = Image.fromarray(np.invert(answer.found.line.picture[:, start:stop]))
    long, high = picture.width * pixel, FIELD * pixel
    strip = Image.new("RGB", (width * pixel + 2 * _MARGIN, high + _WINDOWS + _DIGITS), _PAPER)
    strip.paste(picture.resize((long, high), Image.Resampling.NEAREST), (_MARGIN, 0))
    pen = ImageDraw.Draw(strip)
    pen.rectangle([_MARGIN, 0, _MARGIN + long - 1, high - 1], outline=_RULE)
    origin = _MARGIN - start * pixel
    _draw_windows(pen, scores, edge, (origin, high + _WINDOWS / 2), pixel)
    for box in answer.boxes:
        if start <= (box.left + box.right) / 2 < stop:
            _draw_digit(pen, box, (origin, high + _WINDOWS), pixel, colour)
    return strip


def _draw_windows(
    pen: ImageDraw.ImageDraw,
    scores: NDArray[np.float32],
    edge: tuple[int, int],
    origin: tuple[float, float],
    pixel: int,
) -> None:
    """Write each window's best digit below its middle, darker if more probable, or a dot for none."""
    for number in range(-(-edge[0] // STEP), -(-edge[1] // STEP)):
        digit = int(np.delete(scores[number], EMPTY).argmax())
        probability = float(scores[number][digit])
        x, y = origin[0] + number * STEP * pixel, origin[1]
        if probability < _FAINTEST:
            pen.ellipse([x - 1, y - 1, x + 1, y + 1], fill=_RULE)
            continue
        shade = round(225 * (1 - probability))
        font = _font(min(STEP * pixel, _WINDOWS - 4) * (0.45 + 0.5 * probability))
        pen.text((x, y), str(digit), fill=(shade, shade, shade), font=font, anchor="mm")


def _draw_digit(
    pen: ImageDraw.ImageDraw, box: Box, origin: tuple[float, float], pixel: int, colour: str
) -> None:
    """Draw a bracket as wide as the digit, and below it the digit with its probability."""
    left, right, top = origin[0] + box.left * pixel, origin[0] + box.right * pixel, origin[1]
    pen.line([(left, top), (left, top + 4), (right, top + 4), (right, top)], fill=colour, width=2)
    middle = (left + right) / 2
    pen.text((middle, top + 27), str(box.digit), fill=colour, font=_font(32), anchor="mm")
    percent = f"{100 * box.probability:.0f} %"
    pen.text((middle, top + 54), percent, fill=_GREY, font=_font(14), anchor="mm")


def _title(answer: StringAnswer, colour: str) -> Image.Image:
    """Return the title: the answer in one line."""
    title = Image.new("RGB", (_WIDTH, _TITLE), _PAPER)
    pen = ImageDraw.Draw(title)
    pen.line([(0, 0), (_WIDTH, 0)], fill=_RULE)
    if answer.text is None or answer.probability is None:
        text, note = answer.found.line.reason, ""
    else:
        text = answer.text or "no digits"
        note = f"{100 * answer.probability:.1f} %" + ("" if answer.sure else ", unsure")
    font = _font(40 if answer.text else 26)
    room = _WIDTH - 200
    while len(text) > 1 and pen.textlength(text, font=font) > room:
        text = text[:-2].rstrip("…") + "…"
    pen.text((0, _TITLE / 2 + 4), text, fill=colour if answer.text else _INK, font=font, anchor="lm")
    pen.text((_WIDTH, _TITLE / 2 + 4), note, fill=_GREY, font=_font(24), anchor="rm")
    return title


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's built-in font, which before Pillow 10.1 has only one size."""
    try:
        return ImageFont.load_default(max(8.0, size))
    except TypeError:
        return ImageFont.load_default()
