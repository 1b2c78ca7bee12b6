"""Write the answers of `read` as text or JSON."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from converters.base.words import printable
from lenet_edge.reading.output import Output
from lenet_edge.reading.string_answer import Box, StringAnswer, row_edges
from lenet_edge.reading.terminal import draw_text

_FAINTEST = 64  # grey levels: rows of fainter pixels above and below are left out


class StringResults:
    """Writes answers to `output` as text, or as one JSON object a line (`as_json`).

    `draw` adds a drawing of each line to text, with the digits below their ink.
    """

    def __init__(self, output: Output, *, as_json: bool = False, draw: bool = False) -> None:
        self._output, self._json, self._draw = output, as_json, draw

    def write(self, answer: StringAnswer) -> None:
        """Write one answer; raises OSError, with the name of the output, if that fails."""
        if self._json:
            self._output.write_answer(json.dumps(json_facts(answer)))
            return
        encoding = self._output.encoding
        self._output.write_answer(_text_line(answer, encoding))
        if self._draw and answer.text is not None:
            columns = shutil.get_terminal_size().columns
            self._output.write_answer(draw_answer(answer, columns=columns, encoding=encoding))


def json_facts(answer: StringAnswer) -> dict[str, object]:
    """Return the JSON object of an answer; without a line, `finding` and `reason` say why."""
    picture, line = answer.found.picture, answer.found.line
    facts: dict[str, object] = {"file": picture.name}
    if picture.index is not None:
        facts["index"] = picture.index
    facts["digits"] = answer.text
    facts["probability"] = None if answer.probability is None else round(answer.probability, 6)
    facts["sure"] = answer.sure
    facts["boxes"] = [_box_facts(box) for box in answer.boxes]
    facts["finding"] = line.finding.value
    if line.reason:
        facts["reason"] = line.reason
    return facts


def draw_answer(answer: StringAnswer, *, columns: int, encoding: str | None) -> str:
    """Return the line as the net sees it, in rows of at most `columns` characters, with the digits below."""
    picture = answer.found.line.picture
    inked = np.flatnonzero((picture > _FAINTEST).any(axis=1))
    if len(inked):  # no empty rows above and below; two rows of pixels are one of text
        picture = picture[inked[0] // 2 * 2 : inked[-1] // 2 * 2 + 2]
    rows = []
    for start, stop in pairwise(row_edges(answer.boxes, picture.shape[1], width=max(columns, 1))):
        rows.append(draw_text(picture[:, start:stop], encoding=encoding))
        rows += _captions(answer.boxes, start, stop)
    return "\n".join(rows)


def _box_facts(box: Box) -> dict[str, object]:
    """Return the upright box around a digit's corners, in pixels of the file's picture."""
    (left, top), (right, bottom) = box.corners.min(axis=0), box.corners.max(axis=0)
    return {
        "digit": box.digit,
        "probability": round(box.probability, 6),
        **_rounded(left=left, top=top, right=right, bottom=bottom),
    }


def _rounded(**edges: NDArray[np.float64]) -> dict[str, float]:
    return {name: round(float(edge), 1) for name, edge in edges.items()}


def _text_line(answer: StringAnswer, encoding: str | None) -> str:
    """Return an answer as a line of text."""
    picture, line = answer.found.picture, answer.found.line
    name = printable(picture.name, encoding)
    if picture.index is not None:
        name += f"[{picture.index}]"
    if answer.text is None or answer.probability is None:
        return f"{name}: {line.finding.value} ({line.reason})"
    unsure = "" if answer.sure else "  unsure"
    return f"{name}: {answer.text or 'no digits'}  {100 * answer.probability:.1f} %{unsure}"


def _captions(boxes: tuple[Box, ...], start: int, stop: int) -> list[str]:
    """Return a row of digits and a row of their percentages for the columns `start` to `stop`."""
    digits, percents = [" "] * (stop - start), [" "] * (stop - start)
    for box in boxes:
        middle = round((box.left + box.right) / 2 - 0.5)
        if not start <= middle < stop:
            continue
        _write_centred(digits, str(box.digit), middle - start)
        _write_centred(percents, f"{100 * box.probability:.0f} %", middle - start)
    return ["".join(digits).rstrip(), "".join(percents).rstrip()]


def _write_centred(row: list[str], text: str, middle: int) -> None:
    """Write `text` into `row`, centred on `middle` or as near as it fits."""
    first = min(max(middle - (len(text) - 1) // 2, 0), max(len(row) - len(text), 0))
    row[first : first + len(text)] = text
