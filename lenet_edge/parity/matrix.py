"""Measure the cells of the parity matrix: each file in each runtime, against its tolerance."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from converters.base.arrays import percent, shape_text
from converters.base.errors import InputError, expect
from converters.file.graph import Graph, read_graph
from converters.file.resizing import resized
from converters.proof.cell import KERAS
from converters.proof.differences import difference_of, more_errors
from converters.proof.exact_arithmetic import check_operators
from converters.proof.graph_comparison import compare_graphs
from converters.proof.mcnemar import mcnemar
from converters.proof.runs import failure_of
from converters.proof.tolerance import Tolerance
from converters.runtimes.columns import Column, Result, run_column
from lenet_edge.digits import geometry
from lenet_edge.digits.geometry import FIELD, middle
from lenet_edge.digits.mnist import Digits, pad
from lenet_edge.digits.scoring import error_of
from lenet_edge.digits.side_by_side import side_by_side
from lenet_edge.packaged.names import WIDE
from lenet_edge.paper.answers import rows_of
from lenet_edge.parity.cell import SCORE_STEP, Cell
from lenet_edge.parity.imported import Imported
from lenet_edge.parity.references import Reference, References

_ENDS = {
    "lenet5": "1x32x32x1 to 1x10",
    "stock_lenet5": "1x28x28x1 to 1x10",
    WIDE: f"1x32x{geometry.OWN_WIDTH}x1 to 1x1x{geometry.windows(geometry.OWN_WIDTH)}x{geometry.CLASSES}",
}
_WINDOW = (1, FIELD, FIELD, 1)


@dataclass(frozen=True, eq=False)
class File:
    """A row of the matrix, a .tflite file; `findings`: where its weights differ from those of `exact`.

    `graph` is the file's graph, for a wide file that of a single window; `exact_graph` is that of `exact`, in
    float32 and in this file's layout.
    """

    name: str
    content: bytes
    graph: Graph
    exact: Reference
    exact_graph: Graph
    findings: list[str]

    @property
    def sha256(self) -> str:
        """The SHA-256 hash of the file's bytes."""
        return hashlib.sha256(self.content).hexdigest()

    def content_for(self, shape: Sequence[int]) -> bytes:
        """Return the file's bytes for inputs of `shape`, rewritten if the file has another shape."""
        own = read_graph(self.content).inputs[0].shape
        return self.content if own == tuple(shape) else resized(self.content, shape=shape)


def read_file(name: str, content: bytes, *, net: str) -> Graph:
    """Return the graph of the .tflite file `name` of `net`, checked; for a wide file, that of one window.

    Raises InputError if `content` is not a .tflite file, has other input or output shapes, or an operator
    that converters.proof.exact_arithmetic lacks.
    """
    wanted = _ENDS[net]
    try:
        graph = read_graph(content)
        ends = (
            ", ".join(shape_text(t.shape) for t in end) or "nothing" for end in (graph.inputs, graph.outputs)
        )
        got = " to ".join(ends)
        expect(got == wanted, f"a file from {wanted}", got)
        check_operators(graph)
        if net == WIDE:
            graph = read_graph(resized(content, shape=_WINDOW))
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    return graph


def file_of(name: str, content: bytes, graph: Graph, references: References) -> File:
    """Return the file `name`, its `graph` compared with that of its exact model."""
    exact = references.of(name)
    exact_graph = exact.file.laid_out_as(graph).graph
    findings = [str(finding) for finding in compare_graphs(graph, exact_graph)]
    return File(name, content, graph, exact, exact_graph, findings)


def pictures_of(digits: Digits, *, width: int | None) -> tuple[NDArray[np.uint8], NDArray[np.integer[Any]]]:
    """Return uint8 pictures (n, 32, width) of `digits` and the labels (n, T) of their windows, -1 for none.

    `width` None: one digit per picture, 32 wide, with one window.
    """
    if width is None:
        return pad(digits.images), digits.labels[:, None]
    return side_by_side(digits, width=width)


class Matrix:
    """Measures cells on `digits`; `scores` keeps the scores by (row, column), a row per window.

    `width`: of a wide net's pictures, with as many digits side by side as fit; row names have it. Windows are
    independent, so each is compared with the ideal kernel's answer to its 32x32 pixels.
    """

    def __init__(self, digits: Digits, references: References, *, width: int | None = None) -> None:
        pictures, labels = pictures_of(digits, width=width)
        self.labels, self.width = labels.reshape(-1), width
        self.digits_per_picture = int((labels[:1] >= 0).sum())
        self.inputs = pictures[..., None].astype(np.float32)
        self.references = references
        self.scores: dict[tuple[str, str], NDArray[np.float64]] = {}
        self._tolerances: dict[str, Tolerance] = {}

    def keras_cells(self, files: Sequence[File]) -> Iterator[Cell]:
        """Yield the cells of the Keras models: original, folded, fine-tuned.

        The first two are compared with the ideal float32 graph of the folded weights, the fine-tuned one with
        the ideal kernel of its own file, if that is among `files`.
        """
        exact = self._tolerance("folded", self.references.folded.file.graph)
        yield self._cell(row_of("original", self.width), KERAS, self.references.original.scores, exact)
        yield self._cell(row_of("folded", self.width), KERAS, self.references.folded.scores, exact)
        qat = next((file for file in files if file.exact is self.references.fine_tuned), None)
        if qat is not None:
            ideal = self._tolerance(qat.name, qat.graph)
            yield self._cell(row_of("fine-tuned", self.width), KERAS, qat.exact.scores, ideal)

    def inputs_of(self, graph: Graph) -> NDArray[np.float32]:
        """Return the inputs of the runtimes: (n, 32, width, 1), or the middle (n, 28, 28, 1)."""
        return self.inputs if self.width else middle(self.inputs, side=graph.inputs[0].shape[1])

    def windows_of(self, graph: Graph) -> NDArray[np.float32 | np.uint8]:
        """Return the input for each answer: the windows (m, 32, 32, 1) of wide pictures, or `inputs_of`."""
        return self._windows if self.width else self.inputs_of(graph)

    @functools.cached_property
    def _windows(self) -> NDArray[np.uint8]:
        """The windows of wide pictures, in uint8 to save memory."""
        views = sliding_window_view(self.inputs.astype(np.uint8), FIELD, axis=2)[:, :, :: geometry.STEP]
        return views.transpose(0, 2, 1, 4, 3).reshape(-1, FIELD, FIELD, 1)

    def cells(
        self,
        column: Column,
        files: Sequence[File],
        *,
        digits: int,
        progress: Callable[[str], object] | None = None,
    ) -> Iterator[Cell]:
        """Yield the cells of `column` on the first `digits` digits, rounded up to whole pictures.

        An interpreter resizes a wide file; other runtimes get a rewritten file.
        """
        count = -(-digits // self.digits_per_picture)
        inputs = {file.name: self.inputs_of(file.graph)[:count] for file in files}
        contents = {
            file.name: file.content
            if column.kind == "interpreter"
            else file.content_for((1, *inputs[file.name].shape[1:]))
            for file in files
        }
        results = run_column(column, contents, inputs, progress=progress)
        for file in files:
            cell = self._file_cell(file, column, results[file.name])
            rewritten = contents[file.name] != file.content
            yield replace(cell, facts={**cell.facts, "rewritten": True}) if rewritten else cell

    def imported_cells(self, imported: Imported, files: Sequence[File]) -> Iterator[Cell]:
        """Yield the cells of an imported column of test digits, cut to the digits of this matrix."""
        for file in files:
            answers = imported.answers.get(file.name)
            if answers is not None:
                cell = self._file_cell(file, imported.column, answers.first(len(self.labels)))
                yield replace(cell, facts={**answers.facts, **cell.facts})

    def _file_cell(self, file: File, column: Column, result: Result) -> Cell:
        facts = result.facts
        failure = failure_of(result, column, file.content)
        if failure is not None:
            return Cell(file.name, column.name, why=failure.why, refused=failure.refused, facts=facts)
        tolerance = self._tolerance(file.name, file.graph)
        cell = self._cell(file.name, column.name, rows_of(result.values).astype(np.float64), tolerance)
        if file.findings:
            why = "; ".join(filter(None, [f"the file: {file.findings[0]}", cell.why]))
            return replace(cell, why=why, facts=facts)
        return replace(cell, facts=facts)

    def _tolerance(self, name: str, graph: Graph) -> Tolerance:
        """Return the tolerance of `graph` on all digits, computed once."""
        if name not in self._tolerances:
            self._tolerances[name] = Tolerance(graph, self.windows_of(graph))
        return self._tolerances[name]

    def _cell(self, row: str, column: str, scores: NDArray[Any], tolerance: Tolerance) -> Cell:
        """Measure `scores` (n, classes) on the first n windows; count errors only in those with a digit."""
        count = len(scores)
        self.scores[row, column] = scores
        original, labels = self.references.original.scores[:count], self.labels[:count]
        read, original_read = scores.argmax(axis=1), original.argmax(axis=1)
        has_digit = labels >= 0
        test = mcnemar((original_read == labels)[has_digit], (read == labels)[has_digit])
        found = difference_of(scores, original, tolerance, step=SCORE_STEP)
        lost = test.only_first - test.only_second
        reasons = (
            found.reason(step=SCORE_STEP, unit=self._unit),
            more_errors(test.p, lost, than="the original"),
        )
        return Cell(
            row=row,
            column=column,
            digits=int(has_digit.sum()),
            error=error_of(read, labels),
            agreement=percent(read == original_read),
            largest=found.largest / SCORE_STEP,
            allowed=found.allowed / SCORE_STEP,
            used=found.used,
            same=found.same,
            only_original_right=test.only_first,
            only_this_right=test.only_second,
            p=test.p,
            why="; ".join(filter(None, reasons)),
        )

    @property
    def _unit(self) -> str:
        return "window" if self.width else "digit"


def row_of(name: str, width: int | None) -> str:
    """Return the name of a row: `name` or, for a wide net, the name without .tflite and the width."""
    return name if width is None else f"{name.removesuffix('.tflite')} at {width}"
