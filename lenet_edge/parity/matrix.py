"""The parity matrix: a cell for each file in each runtime, with its tolerance and its verdict."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from converters.arithmetic import check_operators
from converters.audit import audit, taken
from converters.columns import Column, Result, absence, run_column
from converters.comparison import compare_graphs
from converters.errors import InputError, expect
from converters.graph import Graph, read_graph
from converters.tolerance import Tolerance
from lenet_edge.convert import percent
from lenet_edge.field import middle
from lenet_edge.mnist import Digits, pad
from lenet_edge.parity.cell import SCORE_STEP, Cell
from lenet_edge.parity.imported import Imported
from lenet_edge.parity.mcnemar import mcnemar
from lenet_edge.parity.references import Reference, References

SIGNIFICANCE = 0.01
"""A cell that errs more than the original is out when McNemar's p is below this."""

KERAS = "keras"

_SIDES = {"lenet5": 32, "stock_lenet5": 28}


@dataclass(frozen=True, eq=False)
class File:
    """A .tflite file of the matrix: `findings` are what makes it another function than `exact`.

    `exact_graph` is that one's, in float32 and in this file's layout.
    """

    name: str
    content: bytes
    graph: Graph
    exact: Reference
    exact_graph: Graph
    findings: list[str]

    @property
    def sha256(self) -> str:
        """The hash of its bytes."""
        return hashlib.sha256(self.content).hexdigest()


def read_file(name: str, content: bytes, *, net: str) -> Graph:
    """Return the graph of the .tflite file `name` of `net`, fit to be measured.

    Raises InputError when `content` is no .tflite file, takes or gives another shape, or has an operator
    that converters.arithmetic lacks.
    """
    side = _SIDES[net]
    wanted = f"1x{side}x{side}x1 to 1x10"
    try:
        graph = read_graph(content)
        ends = (", ".join(_by(t.shape) for t in end) or "nothing" for end in (graph.inputs, graph.outputs))
        got = " to ".join(ends)
        expect(got == wanted, f"a file from {wanted}", got)
        check_operators(graph)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    return graph


def file_of(name: str, content: bytes, graph: Graph, references: References) -> File:
    """Return the file `name`, its `graph` held against that of its exact model.

    int8 and dynamic files promise a scale for each channel of a convolution.
    """
    exact = references.of(name)
    exact_graph = exact.laid_out_as(graph)
    findings = [str(finding) for finding in compare_graphs(graph, exact_graph)]
    return File(name, content, graph, exact, exact_graph, findings)


class Matrix:
    """Measures cells on `digits`; `scores` keeps what each model answered, by (row, column)."""

    def __init__(self, digits: Digits, references: References) -> None:
        self.labels = digits.labels
        self.inputs = pad(digits.images)[..., None].astype(np.float32)
        self.references = references
        self.scores: dict[tuple[str, str], np.ndarray] = {}
        self._tolerances: dict[str, Tolerance] = {}

    def keras_cells(self, files: Sequence[File]) -> Iterator[Cell]:
        """Yield the cells of the Keras models: original, folded, fine-tuned.

        The first two are held against the ideal float32 graph of the folded weights, the fine-tuned one
        against the ideal kernel of the file that it was converted to, if that is among `files`.
        """
        exact = self._tolerance("folded", self.references.folded.graph)
        yield self._cell("original", KERAS, self.references.original.scores, exact)
        yield self._cell("folded", KERAS, self.references.folded.scores, exact)
        qat = next((file for file in files if file.exact is self.references.fine_tuned), None)
        if qat is not None:
            ideal = self._tolerance(qat.name, qat.graph)
            yield self._cell("fine-tuned", KERAS, qat.exact.scores, ideal)

    def inputs_of(self, graph: Graph) -> np.ndarray:
        """Return the digits as `graph` takes them: (n, 32, 32, 1), or the middle (n, 28, 28, 1)."""
        return middle(self.inputs, side=graph.inputs[0].shape[1])

    def cells(
        self,
        column: Column,
        files: Sequence[File],
        *,
        digits: int,
        progress: Callable[[str], object] | None = None,
    ) -> Iterator[Cell]:
        """Yield the cells of `column`, over the first `digits` digits."""
        inputs = {file.name: self.inputs_of(file.graph)[:digits] for file in files}
        contents = {file.name: file.content for file in files}
        results = run_column(column, contents, inputs, progress=progress)
        for file in files:
            yield self._file_cell(file, column, results[file.name])

    def imported_cells(self, imported: Imported, files: Sequence[File]) -> Iterator[Cell]:
        """Yield the cells of a column of test digits that another machine answered, of our digits at most."""
        for file in files:
            answers = imported.answers.get(file.name)
            if answers is not None:
                cell = self._file_cell(file, imported.column, answers.first(len(self.labels)))
                yield replace(cell, facts={**answers.facts, **cell.facts})

    def _file_cell(self, file: File, column: Column, result: Result) -> Cell:
        facts = {
            name: getattr(result, name)
            for name in ("runtime", "delegate", "taken", "nodes", "seconds", "arena_bytes")
        }
        if result.failure:
            expected = refusal_expected(file.content, column)
            why = "" if expected else f"it should run, but: {result.failure}"
            return Cell(file.name, column.name, why=why, refused=result.failure, facts=facts)
        if column.library and not result.taken:
            why = f"{column.title} loads and takes none of its {result.nodes} operators"
            return Cell(file.name, column.name, why=why, facts=facts)
        broken = int((~np.isfinite(result.values)).sum())
        if broken:
            return Cell(file.name, column.name, why=f"{broken} scores are no numbers", facts=facts)
        tolerance = self._tolerance(file.name, file.graph)
        cell = self._cell(file.name, column.name, result.values.astype(np.float64), tolerance)
        if file.findings:
            why = "; ".join(filter(None, [f"the file: {file.findings[0]}", cell.why]))
            return replace(cell, why=why, facts=facts)
        return replace(cell, facts=facts)

    def _tolerance(self, name: str, graph: Graph) -> Tolerance:
        """Return the tolerance of `graph` on all digits, made once."""
        if name not in self._tolerances:
            self._tolerances[name] = Tolerance(graph, self.inputs_of(graph))
        return self._tolerances[name]

    def _cell(self, row: str, column: str, scores: np.ndarray, tolerance: Tolerance) -> Cell:
        """Measure `scores` (n, 10) on the first n digits."""
        count = len(scores)
        self.scores[row, column] = scores
        original, labels = self.references.original.scores[:count], self.labels[:count]
        read, original_read = scores.argmax(axis=1), original.argmax(axis=1)
        divided = mcnemar(original_read == labels, read == labels)
        difference = np.abs(scores - original)
        digit, score = np.unravel_index(int(difference.argmax()), difference.shape)
        limits = tolerance.limits(np.array([digit]))
        allowed = max(
            limits.high[0, score] - original[digit, score], original[digit, score] - limits.low[0, score]
        )
        deviation = np.abs(scores - tolerance.ideal[:count])
        outside = tolerance.outside(scores)
        return Cell(
            row=row,
            column=column,
            digits=count,
            error=percent(read != labels),
            agreement=percent(read == original_read),
            largest=float(difference.max()) / SCORE_STEP,
            allowed=float(allowed) / SCORE_STEP,
            used=tolerance.used(scores),
            same=percent((deviation < SCORE_STEP / 2).all(axis=1)) if tolerance.step else None,
            only_original_right=divided.only_first,
            only_this_right=divided.only_second,
            p=divided.p,
            why=_why(outside, divided.p, divided.only_first - divided.only_second),
        )


def _by(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _why(outside: np.ndarray, p: float, lost: int) -> str:
    """Return what puts a cell out."""
    reasons = []
    if (outside > 0).any():
        count, digit = int((outside > 0).any(axis=1).sum()), int(outside.max(axis=1).argmax())
        steps = outside.max() / SCORE_STEP
        reasons.append(f"{count} digits beyond their tolerance, digit {digit} by {steps:.3g} steps")
    if p < SIGNIFICANCE and lost > 0:
        reasons.append(f"{lost} more errors than the original's, p {p:.2g}")
    return "; ".join(reasons)


def refusal_expected(content: bytes, column: Column) -> bool:
    """Return whether the audit of the column's delegate says that it does not take the file whole."""
    rules = {"micro": "micro", "litert-gpu": "gpu", "tflite-runtime": "tflite-runtime"}
    if column.name not in rules:
        return False
    some, count = taken(audit(content, delegate=rules[column.name]))
    return some < count


def absent(columns: Sequence[Column]) -> Mapping[str, str]:
    """Return the columns that cannot run here, by name, each with the reason."""
    reasons = {column.name: absence(column) for column in columns}
    return {name: reason for name, reason in reasons.items() if reason}
