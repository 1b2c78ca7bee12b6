"""Prove the files of a model: each in each runtime, against the model and its own tolerance; the report."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from converters.base.arrays import Numbers
from converters.base.environment import versions
from converters.base.errors import InputError, expect
from converters.base.machine import machine
from converters.base.untyped import KerasModel
from converters.model.saved_model import SavedModel
from converters.model.unrounded import unrounded
from converters.proof.cell import Cell, Verdict
from converters.proof.exact_files import exact_files
from converters.proof.imported import SAMPLES, Form, Imported, check_outputs, read_imports
from converters.proof.layer_names import layer_names
from converters.proof.layers import ProvenLayer
from converters.proof.matrix import Matrix, ProvenFile, file_of
from converters.proof.model_answers import LEAST_SAMPLES, Data, ModelAnswers, answers_of
from converters.proof.runs import absences, columns_json, is_slow
from converters.proof.scoring import Scoring, scoring_of
from converters.proof.terminal_lines import (
    PrintLines,
    absent_line,
    cell_lines,
    imported_notes,
    layer_lines,
    unchecked_line,
)
from converters.runtimes.columns import COLUMNS, Column

Labels = Numbers | Mapping[str, Numbers] | None
"""The correct answers (n, ...), for a model's only output or by the output's name; None if there are none."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Proof:
    """What was found: the `cells`, the `files`, and the runtimes that are `absent`, with the reasons.

    `net`: the model's name; `samples`: their number; `layers`: those of each file, None if they were not
    asked for; `imports`: the columns that were measured elsewhere.
    """

    net: str
    samples: int
    files: tuple[ProvenFile, ...]
    columns: tuple[Column, ...]
    absent: Mapping[str, str]
    cells: tuple[Cell, ...]
    layers: Mapping[str, Sequence[ProvenLayer]] | None = None
    imports: tuple[Imported, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of the cells: "out", "not derived", "within"; "refused" if no runtime took a file."""
        verdicts = {cell.verdict for cell in self.cells}
        order: tuple[Verdict, ...] = ("out", "not derived", "within")
        return next((one for one in order if one in verdicts), "refused")

    def as_json(self) -> dict[str, Any]:
        """Return the proof as the report stores it."""
        report: dict[str, Any] = {
            "versions": versions(),
            "machine": machine(),
            "net": self.net,
            "samples": self.samples,
            "files": {file.name: file.as_json() for file in self.files},
            "columns": columns_json(self.columns, self.absent, self.imports),
            "cells": [cell.as_json() for cell in self.cells],
            "verdict": self.verdict,
        }
        if self.layers is not None:
            layers = {name: [layer.as_json() for layer in found] for name, found in self.layers.items()}
            report["layers"] = layers
        return report


def prove(
    model: KerasModel | SavedModel,
    files: Mapping[str, bytes],
    data: Data,
    *,
    labels: Labels = None,
    columns: Sequence[str] | None = None,
    slow_samples: int | None = None,
    layers: bool = False,
    answers: Sequence[Path] = (),
    least: int = LEAST_SAMPLES,
    print_lines: PrintLines = lambda _: None,
) -> Proof:
    """Compare .tflite files, in every runtime, with the Keras model or SavedModel that they were made from.

    Files of a model that `fine_tune` or `quantize_aware` made are compared with the exact model that has its
    weights (`unrounded`).

    `files`: their bytes by name. `data`: real inputs (n, ...), or an array for each input by its name.
    `labels`: the correct answers, classes or values, for the error. `columns`: names of
    converters.runtimes.columns.COLUMNS, all if None; the slow ones (reference kernels, GPU, Micro) get only
    the first `slow_samples`. `layers`: also compare layer by layer. `answers`: reports from apps or other
    machines with answers to the first samples (docs/prove.md). `print_lines` is called with each part of the
    text as soon as it is known.

    A cell is within tolerance if the file has the model's weights, each within half of its step, and if every
    output is within the accumulated rounding of the file's own scales. Where that cannot be derived, the cell
    is "not derived", never "within". A file that goes beyond `check_sound` is named; every column runs in a
    process of its own. Raises InputError, before anything is measured: samples or labels that
    do not fit the model, fewer than `least` samples, a file that is damaged or of other shapes, an unknown
    column.
    """
    chosen = _columns(columns)
    model = unrounded(model)
    own = answers_of(model, data, least=least)
    scorings = scorings_of(own, labels)
    names = layer_names(model)
    exact = exact_files(model, own)
    proven = tuple(file_of(name, content, own, exact, names) for name, content in files.items())
    imports = _imports(answers, proven, most=own.count)
    matrix = Matrix(own, scorings, names)
    absent = absences(chosen)
    present = [column for column in chosen if column.name not in absent]
    few = min(slow_samples or own.count, own.count)
    for file in proven:
        if file.unchecked:
            print_lines(unchecked_line(file.name, file.unchecked))
    cells = list(_measured(matrix, proven, present, few=few, print_lines=print_lines))
    for imported in imports:
        found = list(matrix.imported_cells(imported, proven))
        notes = imported_notes(imported, [(cell.row, cell.facts) for cell in found])
        print_lines("\n".join([*cell_lines(imported.column.title, found), *notes]))
        cells += found
    for column in chosen:
        if column.name in absent:
            print_lines(absent_line(column.title, absent[column.name]))
    profiles = None
    if layers:
        profiles = {file.name: matrix.layers(file) for file in proven}
        for file in proven:
            print_lines("\n".join(layer_lines(file.name, profiles[file.name], file.weights.uncompared)))
    return Proof(
        net=own.name,
        samples=own.count,
        files=proven,
        columns=tuple(chosen),
        absent=absent,
        cells=tuple(cells),
        layers=profiles,
        imports=tuple(imports),
    )


def _imports(paths: Sequence[Path], files: Sequence[ProvenFile], *, most: int) -> list[Imported]:
    """Return the answers of the reports at `paths`, each checked against its file's output."""
    hashes = {file.name: file.sha256 for file in files}
    values = {file.name: math.prod(file.graph.outputs[0].shape[1:]) for file in files}
    imports = read_imports(paths, hashes, Form(inputs=(SAMPLES,), most=most, values=values, unit=SAMPLES))
    check_outputs(imports, {file.name: file.graph for file in files})
    return imports


def scorings_of(answers: ModelAnswers, labels: Labels) -> dict[str, Scoring]:
    """Return how each output of `answers` is judged; InputError for labels that are of none of them."""
    by_name = dict(labels) if isinstance(labels, Mapping) else {}
    if labels is not None and not isinstance(labels, Mapping):
        names = ", ".join(answers.outputs)
        expect(len(answers.outputs) == 1, f"labels by the names of the outputs, {names}", "one array")
        by_name = {next(iter(answers.outputs)): labels}
    if set(by_name) - set(answers.outputs) and len(by_name) == len(answers.outputs) == 1:
        by_name = dict(zip(answers.outputs, by_name.values(), strict=True))
    unknown = ", ".join(set(by_name) - set(answers.outputs))
    expect(not unknown, f"labels of {', '.join(answers.outputs)}", unknown)
    return {name: scoring_of(values, by_name.get(name)) for name, values in answers.outputs.items()}


def _columns(names: Sequence[str] | None) -> list[Column]:
    unknown = ", ".join(name for name in names or () if name not in COLUMNS)
    if unknown:
        raise InputError(f"expected columns of {', '.join(COLUMNS)}, got {unknown}")
    return [COLUMNS[name] for name in dict.fromkeys(COLUMNS if names is None else names)]


def _measured(
    matrix: Matrix,
    files: Sequence[ProvenFile],
    columns: Sequence[Column],
    *,
    few: int,
    print_lines: Callable[[str], object],
) -> Iterator[Cell]:
    """Yield the cells of each column, and print each column when it is done."""
    with tqdm(total=len(columns) * len(files), unit="cell", leave=False, disable=None) as bar:
        for column in columns:
            bar.set_description(column.title)
            samples = few if is_slow(column) else matrix.answers.count
            done = matrix.cells(column, files, samples=samples, progress=lambda _: bar.update())
            cells = list(done)
            bar.clear()
            print_lines("\n".join(cell_lines(column.title, cells)))
            yield from cells
