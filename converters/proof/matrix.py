"""Measure the cells of a proof: each file in each runtime, against its model and its own tolerance."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import Numbers, percent
from converters.base.errors import InputError
from converters.file.graph import Graph, read_graph
from converters.file.soundness import unchecked
from converters.proof.cell import Cell, Figures
from converters.proof.differences import difference_of, more_errors
from converters.proof.ends import Ends, ends_of
from converters.proof.exact_arithmetic import steps_of
from converters.proof.exact_files import ExactFiles
from converters.proof.imported import Imported
from converters.proof.layer_profile import decibels
from converters.proof.layers import ProvenLayer, few, noise_of, proven_layers, too_noisy
from converters.proof.mcnemar import mcnemar
from converters.proof.model_answers import ModelAnswers
from converters.proof.runs import failure_of
from converters.proof.scoring import Scoring
from converters.proof.tolerance import Tolerance
from converters.proof.weights import Weights, compare_weights
from converters.runtimes.columns import Column, Output, Result, run_column

UNIT = "sample"


@dataclass(frozen=True, kw_only=True, eq=False)
class ProvenFile:
    """A row: a .tflite file, its graph, its ends in the model, its constants beside the model's.

    `unchecked`: what goes beyond the check that native code can be given the file, "" for nothing.
    """

    name: str
    content: bytes
    graph: Graph
    ends: Ends
    weights: Weights
    unchecked: str = ""

    @property
    def sha256(self) -> str:
        """The checksum of the file, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """Return the file as a report stores it."""
        return {
            "bytes": len(self.content),
            "sha256": self.sha256,
            "findings": list(self.weights.findings),
            "uncompared": self.weights.uncompared,
            "unchecked": self.unchecked,
        }


def file_of(
    name: str, content: bytes, answers: ModelAnswers, exact: ExactFiles, names: Mapping[str, str]
) -> ProvenFile:
    """Return the file `name`, compared with the `exact` files of the model that gave `answers`.

    `names`: the model's layers. Raises InputError, with the file's name, for one that is damaged or of other
    shapes than the model.
    """
    beyond = unchecked(content, name=name)
    try:
        graph = read_graph(content, loops=True)
        ends = ends_of(content, graph, answers)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    files = tuple(one.arranged_as(ends, answers) for one in exact.files)
    weights = compare_weights(graph, replace(exact, files=files), names)
    return ProvenFile(name=name, content=content, graph=graph, ends=ends, weights=weights, unchecked=beyond)


class Matrix:
    """Measures the cells of files on the samples of `answers`.

    `scorings`: how each output is judged, by its name; `names`: the model's layers.
    """

    def __init__(
        self, answers: ModelAnswers, scorings: Mapping[str, Scoring], names: Mapping[str, str]
    ) -> None:
        self.answers, self.scorings, self.names = answers, scorings, names
        self._tolerances: dict[tuple[str, int], Tolerance | str] = {}
        self._noises: dict[tuple[str, int], Mapping[int, NDArray[np.float64]]] = {}
        self._layers: dict[str, list[ProvenLayer]] = {}

    def cells(
        self,
        column: Column,
        files: Sequence[ProvenFile],
        *,
        samples: int,
        progress: Callable[[str], object] | None = None,
    ) -> Iterator[Cell]:
        """Yield the cells of `column` on the first `samples` samples."""
        contents = {file.name: file.content for file in files}
        inputs = {file.name: [one[:samples] for one in self._inputs(file.ends)] for file in files}
        results = run_column(column, contents, inputs, progress=progress)
        for file in files:
            yield self.cell(file, column, results[file.name])

    def imported_cells(self, imported: Imported, files: Sequence[ProvenFile]) -> Iterator[Cell]:
        """Yield the cells of a column that was measured elsewhere, cut to the samples that are here."""
        for file in files:
            answers = imported.answers.get(file.name)
            if answers is not None:
                cell = self.cell(file, imported.column, answers.first(self.answers.count))
                yield replace(cell, facts={**answers.facts, **cell.facts})

    def cell(self, file: ProvenFile, column: Column, result: Result) -> Cell:
        """Return the cell of a `result` of `file` in `column`, on as many samples as it has."""
        cell = Cell(row=file.name, column=column.name, facts=result.facts)
        failure = failure_of(result, column, file.content, values="value")
        if failure is not None:
            return replace(cell, why=failure.why, refused=failure.refused)
        judged = [self._judged(file, place, output) for place, output in enumerate(result.every)]
        reasons = [f"the file: {file.weights.findings[0]}"] if file.weights.findings else []
        reasons += [why for _, why in judged if why]
        if not reasons and file.weights.uncompared:
            reasons += filter(None, [self._too_noisy(file, result)])
        return replace(
            cell,
            samples=len(result.outputs),
            outputs=tuple(figures for figures, _ in judged),
            why="; ".join(reasons),
            underived="" if reasons else self._underived(file),
        )

    def layers(self, file: ProvenFile) -> list[ProvenLayer]:
        """Return the layers of `file` that could be matched with the model's, on a few samples."""
        if file.name not in self._layers:
            inputs = few(file.graph, self._inputs(file.ends))
            self._layers[file.name] = proven_layers(
                file.content, file.graph, file.weights, self.names, inputs
            )
        return self._layers[file.name]

    def departure(self, file: ProvenFile) -> str:
        """Return the first layer where `file` departs from the model, with the reason; "" if none does."""
        found = next((layer for layer in self.layers(file) if layer.departs), None)
        return "" if found is None else f"layer {found.title}, {found.departs}"

    def _inputs(self, ends: Ends) -> list[Numbers]:
        return [self.answers.inputs[name] for name in ends.inputs]

    def _tolerance(self, file: ProvenFile, place: int) -> Tolerance | str:
        """Return the tolerance of an output, or why there is none; each is found once, on all samples."""
        key = (file.name, place)
        if key not in self._tolerances:
            try:
                self._tolerances[key] = Tolerance(file.graph, self._inputs(file.ends), output=place)
            except InputError as error:
                self._tolerances[key] = f"no rule for {str(error).rpartition(', got ')[2]}"
        return self._tolerances[key]

    def _underived(self, file: ProvenFile) -> str:
        """Return why no verdict on `file` can be derived, "" if it can."""
        found = [self._tolerance(file, place) for place in range(len(file.graph.outputs))]
        reasons = [*(one for one in found if isinstance(one, str)), file.weights.uncompared]
        return "; ".join(dict.fromkeys(filter(None, reasons)))

    def _too_noisy(self, file: ProvenFile, result: Result) -> str:
        """Return why a file whose constants could not be compared is not the model's, "" if it may be."""
        inputs = [one[: len(result.outputs)] for one in few(file.graph, self._inputs(file.ends))]
        count, noise = len(inputs[0]), self._noise(file, inputs)
        for tensor, name, output in zip(file.graph.outputs, file.ends.outputs, result.every, strict=True):
            model = self.answers.outputs[name][:count]
            why = too_noisy(output.values[:count].reshape(model.shape), model, noise.get(tensor.index))
            if why:
                return f"not this model's weights: {self.departure(file) or f'the output, {why}'}"
        return ""

    def _noise(self, file: ProvenFile, inputs: Sequence[NDArray[Any]]) -> Mapping[int, NDArray[np.float64]]:
        """Return the noise expected of the tensors of `file` on `inputs`, found once for so many samples."""
        key = (file.name, len(inputs[0]))
        if key not in self._noises:
            self._noises[key] = noise_of(file.graph, inputs)
        return self._noises[key]

    def _judged(self, file: ProvenFile, place: int, output: Output) -> tuple[Figures, str]:
        """Return the figures of an output, and why it is out, "" if it is not."""
        name = file.ends.outputs[place]
        values = output.values.astype(np.float64)
        count = len(values)
        model, scoring = self.answers.outputs[name][:count], self.scorings[name]
        values = values.reshape(model.shape)
        step = steps_of(file.graph.outputs[place]) or self._step(name)
        figures = Figures(
            name=name,
            step=step,
            largest=float(np.abs(values - model).max()) / step,
            mean=float(np.abs(values - model).mean()) / step,
            snr=decibels(model, values - model),
            error=scoring.error(values),
            agreement=_agreement(scoring, values, model),
        )
        reasons = []
        tolerance = self._tolerance(file, place)
        if isinstance(tolerance, Tolerance):
            flat, flat_model = (one.reshape(count, -1) for one in (values, model))
            found = difference_of(flat, flat_model, tolerance, step=step)
            allowed = found.allowed / step
            figures = replace(figures, allowed=allowed, used=found.used, same=found.same)
            reasons.append(found.reason(step=step, unit=UNIT))
        right, model_right = scoring.right(values), scoring.right(model)
        if right is not None and model_right is not None:
            test = mcnemar(model_right, right)
            figures = replace(figures, lost=test.only_first, won=test.only_second, p=test.p)
            reasons.append(more_errors(test.p, test.only_first - test.only_second, than="the model"))
        prefix = f"{name}: " if len(file.graph.outputs) > 1 else ""
        return figures, "; ".join(f"{prefix}{reason}" for reason in reasons if reason)

    def _step(self, name: str) -> float:
        """Return the step that 8 bits would give the range of an output of the model."""
        outputs = self.answers.outputs[name]
        return float(outputs.max() - outputs.min()) / 255 or 1.0


def _agreement(scoring: Scoring, values: NDArray[Any], model: NDArray[Any]) -> float | None:
    answers, wanted = scoring.answers(values), scoring.answers(model)
    if answers is None or wanted is None:
        return None
    return percent(answers == wanted)
