"""Read batches of pictures, as Ray, Spark and process pools hand them out: columns in, columns out."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import InputError, expect
from lenet_edge.packaged.thresholds import digit_threshold, string_threshold
from lenet_edge.picture.files import Picture, read_images
from lenet_edge.picture.line.finding import find_line
from lenet_edge.reading.digit_answer import answer_picture
from lenet_edge.reading.string_answer import FoundLine, answer_line
from lenet_edge.runtime.classifier import DEFAULT_MODEL, Classifier
from lenet_edge.runtime.string_reader import DEFAULT_MODEL as DEFAULT_LINE_MODEL
from lenet_edge.runtime.string_reader import StringReader

Batch: TypeAlias = Mapping[str, Sequence[Any] | NDArray[Any]]
"""Columns of equal length, by name."""

UNREADABLE = "unreadable"
"""The finding of a picture that could not be decoded."""

_PICTURE = "bytes"
_NAME = "path"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A row: what was read on one picture.

    `index` counts the pictures of an IDX file, -1 for others. `finding`: "digit", "line", "blank", "crowded",
    "lines" or "unreadable", with the `reason` if nothing was read. `digits`: what was read, as text.
    `probability` 0..1, NaN without digits; `sure`: it reaches the threshold. `boxes`: for each digit the four
    corners of its ink, in pixels of the picture: column and row, clockwise from the upper left.
    """

    index: int = -1
    finding: str
    digits: str = ""
    probability: float = float("nan")
    sure: bool = False
    boxes: Sequence[Sequence[float]] = ()
    reason: str = ""


class _Reader(Protocol):
    """Reads the pictures of a file."""

    def __call__(self, content: bytes, name: str) -> Iterator[Reading]: ...


class DigitReader:
    """A callable for `map_batches`: a column of picture files in, columns of answers out.

    The batch has a column "bytes": whole files, as `lenet-edge classify` takes them. Its other columns are
    kept; "path", if there is one, names a picture in reasons. The answer has a row for each picture, in the
    same order, with the fields of `Reading`; an IDX file has many. A picture that cannot be read is a row
    with its reason, never an error.

    `line`: read a line of digits, as `lenet-edge read`. `model` and `runtime` as for `Classifier`.
    `threshold`: the probability from which an answer is sure; by default the packaged one. The interpreter
    opens with the first batch, once in each process: the object itself can be sent to others. Raises
    InputError with the first batch: no column "bytes", or a model or runtime that is not there.
    """

    def __init__(
        self,
        *,
        line: bool = False,
        model: str | None = None,
        runtime: str = "auto",
        threshold: float | None = None,
    ) -> None:
        expect(threshold is None or 0 <= threshold <= 1, "a threshold of 0 to 1", threshold)
        self.options: dict[str, Any] = {
            "line": line,
            "model": model,
            "runtime": runtime,
            "threshold": threshold,
        }
        self._reader: _Reader | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the interpreter behind: it belongs to its process."""
        return {"options": self.options, "_reader": None}

    def __call__(self, batch: Batch) -> dict[str, NDArray[Any]]:
        """Return the answers to a batch, a column for each field."""
        expect(_PICTURE in batch, f"a column {_PICTURE!r}", ", ".join(batch) or "no column")
        kept = {name: column for name, column in batch.items() if name != _PICTURE}
        names = [str(name) for name in kept.get(_NAME, range(len(batch[_PICTURE])))]
        rows, sources = [], []
        for number, (content, name) in enumerate(zip(batch[_PICTURE], names, strict=True)):
            for reading in self.readings(content, name):
                rows.append(asdict(reading))
                sources.append(number)
        columns = {name: _column([column[number] for number in sources]) for name, column in kept.items()}
        fields = Reading.__dataclass_fields__
        return columns | {name: _column([row[name] for row in rows], name) for name in fields}

    def open(self) -> _Reader:
        """Return the reader of this process, opened at the first call; InputError as for a batch."""
        if self._reader is None:
            self._reader = _reader(**self.options)
        return self._reader

    def readings(self, content: bytes, name: str) -> Iterator[Reading]:
        """Yield the answers to the pictures of a file; `name` is used in reasons."""
        reader = self.open()
        try:
            yield from reader(bytes(content), name)
        except InputError as error:
            yield Reading(finding=UNREADABLE, reason=str(error))


def _column(values: Sequence[Any], name: str = "") -> NDArray[Any]:
    """Return a column; boxes, of which each row has its own number, as objects."""
    if name != "boxes":
        return np.array(values) if len(values) else np.array(values, object)
    column = np.empty(len(values), object)
    for number, value in enumerate(values):
        column[number] = value
    return column


def _reader(*, line: bool, model: str | None, runtime: str, threshold: float | None) -> _Reader:
    if line:
        reader = StringReader(model=model or DEFAULT_LINE_MODEL, runtime=runtime)
        least = string_threshold(reader.sha256) if threshold is None else threshold
        return functools.partial(_lines, reader, least)
    classifier = Classifier(model=model or DEFAULT_MODEL, runtime=runtime)
    least = digit_threshold(classifier.sha256) if threshold is None else threshold
    return functools.partial(_digits, classifier, least)


def _digits(classifier: Classifier, threshold: float, content: bytes, name: str) -> Iterator[Reading]:
    for picture in read_images(io.BytesIO(content), name=name):
        answer = answer_picture(picture, classifier, threshold=threshold)
        found, box = answer.prepared, answer.prepared.box
        if answer.digit is None or answer.probability is None or box is None:
            yield Reading(index=_index(picture), finding=found.finding.value, reason=found.reason)
            continue
        left, top, right, bottom = (float(side * picture.factor) for side in box)
        yield Reading(
            index=_index(picture),
            finding=found.finding.value,
            digits=str(answer.digit),
            probability=answer.probability,
            sure=answer.sure,
            boxes=[[left, top, right, top, right, bottom, left, bottom]],
        )


def _lines(reader: StringReader, threshold: float, content: bytes, name: str) -> Iterator[Reading]:
    for picture in read_images(io.BytesIO(content), name=name, line=True):
        found = FoundLine(picture, find_line(picture.grey))
        answer = answer_line(found, reader, threshold=threshold)
        if answer.text is None or answer.probability is None:
            yield Reading(index=_index(picture), finding=found.line.finding.value, reason=found.line.reason)
            continue
        yield Reading(
            index=_index(picture),
            finding=found.line.finding.value,
            digits=answer.text,
            probability=answer.probability,
            sure=answer.sure,
            boxes=[[float(side) for side in box.corners.ravel()] for box in answer.boxes],
        )


def _index(picture: Picture) -> int:
    return -1 if picture.index is None else picture.index
