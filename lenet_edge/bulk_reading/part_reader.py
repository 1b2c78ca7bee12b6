"""Read a part of an archive and write its answers: the work of one process, whoever starts it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lenet_edge.bulk_reading.answers import Answer, Answers
from lenet_edge.bulk_reading.digit_reader import UNREADABLE, DigitReader, Reading
from lenet_edge.bulk_reading.pictures import pictures_of
from lenet_edge.bulk_reading.sources import Part, opened


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many pictures were answered, and how many of them could not be read; `files`: how many it took."""

    pictures: int = 0
    unreadable: int = 0
    files: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            pictures=self.pictures + other.pictures,
            unreadable=self.unreadable + other.unreadable,
            files=self.files + other.files,
        )


class PartReader:
    """Reads parts of the archive `source` with a `DigitReader` of `options`, and writes to the folder `out`.

    A part is written whole or not at all, so one that is read again after a process died replaces nothing and
    doubles nothing. `column`: that of Parquet shards that holds the files.
    """

    def __init__(self, *, source: str, out: str, column: str, options: dict[str, Any]) -> None:
        self._system, _ = opened(source)
        self._answers = Answers(*opened(out))
        self._column = column
        self._reader = DigitReader(**options)

    def read(self, part: Part) -> Counts:
        """Read a part, write its answers, and return their counts."""
        answers = list(self._read(part))
        self._answers.write(part, answers)
        unreadable = sum(answer.reading.finding == UNREADABLE for answer in answers)
        return Counts(pictures=len(answers), unreadable=unreadable, files=len(part.paths))

    def _read(self, part: Part) -> Iterator[Answer]:
        for stored in pictures_of(part, self._system, column=self._column):
            if stored.content is None:
                yield Answer(stored.path, Reading(finding=UNREADABLE, reason=stored.reason))
                continue
            for reading in self._reader.readings(stored.content, stored.path):
                yield Answer(stored.path, reading)
