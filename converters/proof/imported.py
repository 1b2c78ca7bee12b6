"""Read and check answers from an app or another machine: `answers` in a report as in docs/benchmark.md.

Every field that is used is checked, and every value. TensorFlow is not needed.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from converters.base.errors import InputError, expect
from converters.base.json_fields import check_fields
from converters.base.words import printable
from converters.runtimes.columns import Column, Result

if TYPE_CHECKING:  # it needs the schema, which golden pictures do not need
    from converters.file.graph import Graph

SAMPLES = "samples"
"""What answers of somebody's own model are to: the first n samples of the data."""

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
        "auto": "default delegate",
        "xnnpack": "XNNPACK",
        "gpu": "GPU",
        "nnapi": "NNAPI",
    },
}


@dataclass(frozen=True, kw_only=True)
class Form:
    """What answers must be: to one of `inputs`, `most` or fewer; `values` numbers for each, or by file.

    `inputs`: what "pictures" may say; a title names those of `named`, which are not the usual ones.
    `unit`: what one input is called, in the plural.
    """

    inputs: tuple[str, ...]
    most: int
    values: Mapping[str, int] | int
    named: tuple[str, ...] = ()
    unit: str = "pictures"


_NOT_A_DELEGATE = ("none", "auto")
_TOO_LARGE = 1e9  # for a scale, and for a time in seconds


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers of one file in one configuration.

    `place`: their place in the report, for messages; `file`: the name of the .tflite file, whose hash was
    `sha256`. `result` has the values (n, k) as the file stores them. `asked`: the requested delegate;
    `reason`: why it did not run, "" if it did; `pictures`: what the answers are to.
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
        """The facts for a cell: what ran, and on which pictures."""
        return {**self.result.facts, "asked": self.asked, "reason": self.reason, "pictures": self.pictures}

    def first(self, count: int) -> Result:
        """Return the result on the first `count` pictures, or on all if there are fewer."""
        outputs = self.result.outputs[:count]
        seconds = self.result.seconds * len(outputs) / len(self.result.outputs)
        return dataclasses.replace(self.result, outputs=outputs, seconds=seconds)

    def check_output(self, *, type: str, scale: float, zero_point: int) -> None:
        """Raise InputError unless the scores have the type, scale and zero point of the file's output."""
        result = self.result
        for name, got, wanted in (
            ("type", result.outputs.dtype.name, type),
            ("scale", np.float32(result.scale), np.float32(scale)),
            ("zero_point", result.zero_point, zero_point),
        ):
            expect(got == wanted, f"{self.place}.{name} to be the file's, {wanted}", got)


@dataclass(frozen=True, eq=False)
class Imported:
    """A column: `answers` by file, all with the same runtime, requested delegate, threads and pictures.

    `about`: the report and the machine that they come from.
    """

    column: Column
    pictures: str
    answers: Mapping[str, Answers]
    about: Mapping[str, Any]

    @property
    def count(self) -> int:
        """The number of inputs, the most over all files."""
        return max(len(answers.result.outputs) for answers in self.answers.values())

    def as_json(self) -> dict[str, Any]:
        """Return the column as the report stores it."""
        return {"title": self.column.title, "absent": "", "imported": dict(self.about)}


def read_imports(
    paths: Sequence[Path],
    hashes: Mapping[str, str],
    form: Form,
    *,
    read: Callable[[Path], Mapping[str, Any]] | None = None,
) -> list[Imported]:
    """Return the columns of all reports at `paths`; `hashes`: the sha256 of each compared file.

    `read` reads and checks a report as far as `form` does not; by default it is JSON with a date, a machine
    and the models' hashes. Raises InputError, naming the field, if a report is damaged or has no answers,
    answers of another file, or duplicates.
    """
    imports: list[Imported] = []
    for path in paths:
        for imported in _columns(path, (read or _read)(path), hashes, form):
            imports.append(_with_unique_name(imported, [other.column for other in imports]))
    return imports


def _read(path: Path) -> Mapping[str, Any]:
    wanted = f"{path} to be a report with answers"
    try:
        report = json.loads(path.read_text())
    except (ValueError, RecursionError) as error:
        raise InputError(f"expected {wanted}, got another or a damaged file") from error
    check_fields(report, {"date": str, "machine": dict, "models": dict}, "", wanted)
    check_fields(
        report["machine"], dict.fromkeys(("system", "architecture", "processor"), str), "machine", wanted
    )
    for name, model in report["models"].items():
        check_fields(model, {"sha256": str}, f"models.{name!a}", wanted)
    return report


def _columns(path: Path, report: Mapping[str, Any], hashes: Mapping[str, str], form: Form) -> list[Imported]:
    wanted = f"{path} to be a report with answers"
    check_fields(report, {"answers": list}, "", wanted)
    expect(report["answers"], wanted, "answers = []")
    _check_machine(report, wanted)
    groups: dict[tuple[str, str, int, str], dict[str, Answers]] = {}
    for number, answer in enumerate(report["answers"]):
        place = f"answers[{number}]"
        _check_answer(answer, report["models"], place, wanted, form)
        answers = _answers(answer, report["models"], f"{path}: {place}")
        _check_file(answers, hashes, path)
        key = (answer["runtime"], answer["asked"], answer["threads"], answer["pictures"])
        group = groups.setdefault(key, {})
        expect(answers.file not in group, wanted, f"{place}, a duplicate of earlier answers")
        group[answers.file] = answers
    return [_imported(path, report, key, answers, form) for key, answers in groups.items()]


def _check_machine(report: Mapping[str, Any], wanted: str) -> None:
    machine = report["machine"]
    check_fields(machine, {"board": (str, type(None))} if "board" in machine else {}, "machine", wanted)
    for key in ("system", "architecture", "processor", "board"):
        _expect_field(_is_line(machine.get(key) or ""), f"machine.{key}", machine.get(key), wanted)
    _expect_field(_is_line(report["date"]), "date", report["date"], wanted)


def _check_answer(answer: Any, models: Mapping[str, Any], place: str, wanted: str, form: Form) -> None:
    """Raise InputError unless `answer` has every field, each with a valid value."""
    check_fields(answer, _ANSWER, place, wanted)
    for key in ("model", "runtime", "version", "asked", "delegate", "reason"):
        _expect_field(_is_line(answer[key]), f"{place}.{key}", answer[key], wanted)
    taken, delegate = answer["taken"], answer["delegate"]
    valid = {
        "model": answer["model"] in models,
        "runtime": bool(answer["runtime"]),
        "asked": bool(answer["asked"]),
        # A delegate that takes nothing does not run.
        "taken": 0 <= taken <= answer["nodes"] and bool(taken) == bool(delegate),
        "reason": bool(answer["reason"] or delegate or answer["asked"] in _NOT_A_DELEGATE),
        "threads": answer["threads"] >= 1,
        "seconds": 0 <= answer["seconds"] < _TOO_LARGE,
        "pictures": answer["pictures"] in form.inputs,
        "type": answer["type"] in _LIMITS,
    }
    for key, is_valid in valid.items():
        _expect_field(is_valid, f"{place}.{key}", answer[key], wanted)
    _check_output(answer, place, wanted, form)


def _check_output(answer: Mapping[str, Any], place: str, wanted: str, form: Form) -> None:
    """Raise InputError unless the values, their scale and zero point are valid for their type."""
    (low, high), scale, zero_point = _LIMITS[answer["type"]], answer["scale"], answer["zero_point"]
    if answer["type"] == "float32":
        valid = {"scale": scale == 0, "zero_point": zero_point == 0}
    else:
        valid = {"scale": 0 < scale < _TOO_LARGE, "zero_point": low <= zero_point <= high}
    kinds = _NUMBER if answer["type"] == "float32" else (int,)
    for key, is_valid in valid.items():
        _expect_field(is_valid, f"{place}.{key}", answer[key], wanted)
    count = len(answer["scores"])
    expect(1 <= count <= form.most, wanted, f"{place}.scores of {count} {form.unit}, not 1 to {form.most}")
    values = form.values if isinstance(form.values, int) else form.values.get(_file_of(answer))
    for number, row in enumerate(answer["scores"]):
        right = isinstance(row, list) and values in (None, len(row))
        words = {10: "ten"}.get(values or 0, values)
        expect(right, wanted, f"{place}.scores[{number}] that is not a list of {words} numbers")
        # NaN fails every comparison.
        wrong = [value for value in row if not (type(value) in kinds and low <= value <= high)]
        expect(not wrong, wanted, f"{place}.scores[{number}] with {ascii(wrong[:1])[1:40]}")


def _check_file(answers: Answers, hashes: Mapping[str, str], path: Path) -> None:
    known = answers.file in hashes
    expect(known, f"{answers.place}.model to be one of {', '.join(hashes)}", answers.file)
    wanted = hashes[answers.file]
    got = ascii(answers.sha256)[1:-1][:80]
    expect(answers.sha256 == wanted, f"{answers.file} of sha256 {wanted} in {path}", got)


def _expect_field(is_valid: object, place: str, value: object, wanted: str) -> None:
    expect(is_valid, wanted, f"{place} = {ascii(value)[:40]}")


def _is_line(text: str) -> bool:
    """Return whether a terminal can show `text` on one line."""
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
        file=_file_of(answer),
        sha256=models[answer["model"]]["sha256"],
        result=result,
        **{key: answer[key] for key in ("asked", "reason", "pictures")},
    )


def _file_of(answer: Mapping[str, Any]) -> str:
    return f"{answer['model'].removesuffix('.tflite')}.tflite"


def _imported(
    path: Path,
    report: Mapping[str, Any],
    key: tuple[str, str, int, str],
    answers: Mapping[str, Answers],
    form: Form,
) -> Imported:
    runtime, asked, threads, pictures = key
    machine = {name: report["machine"].get(name) for name in ("board", "system", "architecture", "processor")}
    how = [_TITLES["runtime"].get(runtime, runtime), _TITLES["asked"].get(asked, asked)]
    how += [f"{threads} threads"] * (threads > 1) + [_words(pictures)] * (pictures in form.named)
    file = printable(path.name, "utf-8")
    title = f"{', '.join(how)} ({machine['board'] or machine['system'] or file})"
    name = ":".join([file, runtime, asked, str(threads), pictures.split()[0]])
    about = {"file": file, "date": report["date"], "machine": machine, "pictures": pictures}
    return Imported(Column(name, title, "", "", threads=threads), pictures, answers, about)


def check_outputs(imports: Sequence[Imported], graphs: Mapping[str, Graph]) -> None:
    """Raise InputError unless all answers have the output type, scale and zero point of their files.

    `graphs`: those of the files, by name. A file has one output.
    """
    for answers in (answers for imported in imports for answers in imported.answers.values()):
        output, *others = graphs[answers.file].outputs
        expect(not others, "answers of a file with one output", f"{answers.file} with {len(others) + 1}")
        scale, zero_point = (
            values.item(0) if values.size else 0 for values in (output.scales, output.zero_points)
        )
        answers.check_output(type=output.type, scale=scale, zero_point=zero_point)


def source(about: Mapping[str, Any]) -> str:
    """Return the pictures and the report of a column's answers, in words."""
    return f"{_words(about['pictures'])}, from {about['file']}"


def _words(pictures: str) -> str:
    return f"{pictures} pictures" if pictures == "golden" else pictures


def _with_unique_name(imported: Imported, others: Sequence[Column]) -> Imported:
    """Return the column with a unique name and title: two boards may write reports with the same name."""
    number, column = 2, imported.column
    while any(other.name == column.name or other.title == column.title for other in others):
        column = dataclasses.replace(
            column, name=f"{imported.column.name}:{number}", title=f"{imported.column.title}, {number}"
        )
        number += 1
    return dataclasses.replace(imported, column=column)
