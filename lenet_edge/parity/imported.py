"""Answers that an app or another machine gave: the key `answers` of a report as docs/benchmark.md has it.

Every field that is used is checked, the scores one by one. TensorFlow is not needed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from converters.base.errors import expect
from converters.runtimes.columns import Column, Result
from lenet_edge.benchmarking.report import check_fields, read_report
from lenet_edge.reading.terminal import printable

GOLDEN, TEST_DIGITS = "golden", "test digits"
"""The pictures that may have been read: golden.json's, or the first n of the test digits."""

MOST_DIGITS = 10_000

_NUMBER = (int, float)
_ANSWER = {
    **dict.fromkeys(("model", "runtime", "version", "asked", "delegate", "reason", "pictures", "type"), str),
    **dict.fromkeys(("taken", "nodes", "threads", "zero_point"), int),
    **dict.fromkeys(("seconds", "scale"), _NUMBER),
    "scores": list,
}
_LIMITS: dict[str, tuple[float, float]] = {
    "float32": (-float(np.finfo(np.float32).max), float(np.finfo(np.float32).max)),
    "uint8": (0, 255),
    "int8": (-128, 127),
}
_TITLES = {
    "runtime": {"tflite": "TensorFlow Lite", "litert": "LiteRT", "tensorflow": "TensorFlow"},
    "asked": {
        "none": "no delegate",
        "auto": "as it comes",
        "xnnpack": "XNNPACK",
        "gpu": "GPU",
        "nnapi": "NNAPI",
    },
}
_UNASKED = ("none", "auto")
_FAR = 1e9  # what no scale and no time in seconds reaches


@dataclass(frozen=True, eq=False)
class Answers:
    """What one file answered there, in one way.

    `place`: where they stand, for messages; `file`: the .tflite file's name, which had `sha256`. `result` has
    the scores (n, 10) as the file stores them. `asked`: the delegate that was asked for; `reason`: why it did
    not run, "" if it did; `pictures`: GOLDEN or TEST_DIGITS.
    """

    place: str
    file: str
    sha256: str
    asked: str
    reason: str
    pictures: str
    result: Result

    @property
    def facts(self) -> dict[str, Any]:
        """What a cell tells of how they came about."""
        ran = {
            name: getattr(self.result, name)
            for name in ("runtime", "delegate", "taken", "nodes", "seconds", "arena_bytes")
        }
        return {**ran, "asked": self.asked, "reason": self.reason, "pictures": self.pictures}

    def first(self, count: int) -> Result:
        """Return the result on the first `count` pictures, or on as many as there are."""
        outputs = self.result.outputs[:count]
        seconds = self.result.seconds * len(outputs) / len(self.result.outputs)
        return dataclasses.replace(self.result, outputs=outputs, seconds=seconds)

    def check_output(self, *, type: str, scale: float, zero_point: int) -> None:
        """Raise InputError unless scores are stored as the file's output, of these, stores them."""
        result = self.result
        for name, got, wanted in (
            ("type", result.outputs.dtype.name, type),
            ("scale", np.float32(result.scale), np.float32(scale)),
            ("zero_point", result.zero_point, zero_point),
        ):
            expect(got == wanted, f"{self.place}.{name} to be the file's, {wanted}", got)


@dataclass(frozen=True, eq=False)
class Imported:
    """A column: `answers` by file, all of one runtime, delegate asked for, threads and pictures.

    `about`: which report it is from, and which machine that was.
    """

    column: Column
    pictures: str
    answers: Mapping[str, Answers]
    about: Mapping[str, Any]

    @property
    def digits(self) -> int:
        """How many test digits were read, the most of all files."""
        counts = [len(answers.result.outputs) for answers in self.answers.values()]
        return max(counts) if self.pictures == TEST_DIGITS else 0

    def as_json(self) -> dict[str, Any]:
        """Return the column as the report has it."""
        return {"title": self.column.title, "absent": "", "imported": dict(self.about)}


def read_imports(paths: Sequence[Path], hashes: Mapping[str, str]) -> list[Imported]:
    """Return the columns of all reports at `paths`; `hashes`: the sha256 of each file that is compared.

    Raises InputError, naming the field, for a report that is none or damaged, has no answers, or has some of
    another file or twice of the same.
    """
    found: list[Imported] = []
    for path in paths:
        for imported in _columns(path, hashes):
            found.append(_apart(imported, [each.column for each in found]))
    return found


def most_digits(imports: Sequence[Imported]) -> int:
    """Return how many test digits the answers of `imports` are of, at most; 0 when all are of golden ones."""
    return max((imported.digits for imported in imports), default=0)


def _columns(path: Path, hashes: Mapping[str, str]) -> list[Imported]:
    report, wanted = read_report(path), f"{path} to be a report with answers"
    check_fields(report, {"answers": list}, "", wanted)
    expect(report["answers"], wanted, "answers = []")
    _check_machine(report, wanted)
    groups: dict[tuple[str, str, int, str], dict[str, Answers]] = {}
    for number, answer in enumerate(report["answers"]):
        place = f"answers[{number}]"
        _check_answer(answer, report["models"], place, wanted)
        found = _answers(answer, report["models"], f"{path}: {place}")
        _check_file(found, hashes, path)
        key = (answer["runtime"], answer["asked"], answer["threads"], answer["pictures"])
        group = groups.setdefault(key, {})
        expect(found.file not in group, wanted, f"{place} of a model that was asked alike before")
        group[found.file] = found
    return [_imported(path, report, key, answers) for key, answers in groups.items()]


def _check_machine(report: Mapping[str, Any], wanted: str) -> None:
    machine = report["machine"]
    check_fields(machine, {"board": (str, type(None))} if "board" in machine else {}, "machine", wanted)
    for key in ("system", "architecture", "processor", "board"):
        _want(_is_line(machine.get(key) or ""), f"machine.{key}", machine.get(key), wanted)
    _want(_is_line(report["date"]), "date", report["date"], wanted)


def _check_answer(answer: Any, models: Mapping[str, Any], place: str, wanted: str) -> None:
    """Raise InputError unless `answer` has every field, each of them possible."""
    check_fields(answer, _ANSWER, place, wanted)
    for key in ("model", "runtime", "version", "asked", "delegate", "reason"):
        _want(_is_line(answer[key]), f"{place}.{key}", answer[key], wanted)
    taken, delegate = answer["taken"], answer["delegate"]
    right = {
        "model": answer["model"] in models,
        "runtime": bool(answer["runtime"]),
        "asked": bool(answer["asked"]),
        # A delegate that takes nothing does not run.
        "taken": 0 <= taken <= answer["nodes"] and bool(taken) == bool(delegate),
        "reason": bool(answer["reason"] or delegate or answer["asked"] in _UNASKED),
        "threads": answer["threads"] >= 1,
        "seconds": 0 <= answer["seconds"] < _FAR,
        "pictures": answer["pictures"] in (GOLDEN, TEST_DIGITS),
        "type": answer["type"] in _LIMITS,
    }
    for key, fits in right.items():
        _want(fits, f"{place}.{key}", answer[key], wanted)
    _check_output(answer, place, wanted)


def _check_output(answer: Mapping[str, Any], place: str, wanted: str) -> None:
    """Raise InputError unless the scores, their scale and zero point are possible for their type."""
    (low, high), scale, zero_point = _LIMITS[answer["type"]], answer["scale"], answer["zero_point"]
    if answer["type"] == "float32":
        right = {"scale": scale == 0, "zero_point": zero_point == 0}
    else:
        right = {"scale": 0 < scale < _FAR, "zero_point": low <= zero_point <= high}
    kinds = _NUMBER if answer["type"] == "float32" else (int,)
    for key, fits in right.items():
        _want(fits, f"{place}.{key}", answer[key], wanted)
    count = len(answer["scores"])
    expect(1 <= count <= MOST_DIGITS, wanted, f"{place}.scores of {count} pictures, not 1 to {MOST_DIGITS}")
    for number, row in enumerate(answer["scores"]):
        ten = isinstance(row, list) and len(row) == 10
        expect(ten, wanted, f"{place}.scores[{number}] that is no list of ten numbers")
        # NaN is in no range.
        wrong = [value for value in row if not (type(value) in kinds and low <= value <= high)]
        expect(not wrong, wanted, f"{place}.scores[{number}] with {ascii(wrong[:1])[1:40]}")


def _check_file(answers: Answers, hashes: Mapping[str, str], path: Path) -> None:
    known = answers.file in hashes
    expect(known, f"{answers.place}.model to be one of {', '.join(hashes)}", answers.file)
    wanted = hashes[answers.file]
    got = ascii(answers.sha256)[1:-1][:80]
    expect(answers.sha256 == wanted, f"{answers.file} of sha256 {wanted} in {path}", got)


def _want(fits: object, place: str, value: object, wanted: str) -> None:
    expect(fits, wanted, f"{place} = {ascii(value)[:40]}")


def _is_line(text: str) -> bool:
    """Return whether a terminal shows `text` as one line."""
    return text.isprintable()


def _answers(answer: Mapping[str, Any], models: Mapping[str, Any], place: str) -> Answers:
    runtime = _TITLES["runtime"].get(answer["runtime"], answer["runtime"])
    result = Result(
        np.array(answer["scores"], answer["type"]),
        scale=float(answer["scale"]),
        runtime=f"{runtime} {answer['version']}".strip(),
        **{key: answer[key] for key in ("zero_point", "delegate", "taken", "nodes", "seconds")},
    )
    return Answers(
        place=place,
        file=f"{answer['model'].removesuffix('.tflite')}.tflite",
        sha256=models[answer["model"]]["sha256"],
        result=result,
        **{key: answer[key] for key in ("asked", "reason", "pictures")},
    )


def _imported(
    path: Path, report: Mapping[str, Any], key: tuple[str, str, int, str], answers: Mapping[str, Answers]
) -> Imported:
    runtime, asked, threads, pictures = key
    machine = {name: report["machine"].get(name) for name in ("board", "system", "architecture", "processor")}
    how = [_TITLES["runtime"].get(runtime, runtime), _TITLES["asked"].get(asked, asked)]
    how += [f"{threads} threads"] * (threads > 1) + ["golden pictures"] * (pictures == GOLDEN)
    file = printable(path.name, "utf-8")
    title = f"{', '.join(how)} ({machine['board'] or machine['system'] or file})"
    name = ":".join([file, runtime, asked, str(threads), pictures.split()[0]])
    about = {"file": file, "date": report["date"], "machine": machine, "pictures": pictures}
    return Imported(Column(name, title, "", "", threads=threads), pictures, answers, about)


def source(about: Mapping[str, Any]) -> str:
    """Return which pictures a column's answers are of, and from which report, in words."""
    pictures = "golden pictures" if about["pictures"] == GOLDEN else about["pictures"]
    return f"{pictures}, from {about['file']}"


def _apart(imported: Imported, others: Sequence[Column]) -> Imported:
    """Return a column whose name and title no other has: two boards may write reports of one name."""
    number, column = 2, imported.column
    while any(other.name == column.name or other.title == column.title for other in others):
        column = dataclasses.replace(
            column, name=f"{imported.column.name}:{number}", title=f"{imported.column.title}, {number}"
        )
        number += 1
    return dataclasses.replace(imported, column=column)
