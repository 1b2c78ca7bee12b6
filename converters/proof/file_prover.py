"""Prove a file when it is written, in TensorFlow's interpreter: is it the model, and where does it depart?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from converters.base.arrays import Numbers
from converters.base.errors import InputError
from converters.base.shapes import Shapes
from converters.base.untyped import KerasModel
from converters.file.graph import read_graph
from converters.model.conversion import to_tflite
from converters.model.saved_model import SavedModel, saved_model_to_tflite
from converters.proof.cell import Cell
from converters.proof.exact_files import ExactFile, ExactFiles, exact_file, held_against
from converters.proof.layer_names import layer_names
from converters.proof.layers import few
from converters.proof.matrix import Matrix, file_of
from converters.proof.model_answers import answers_of
from converters.proof.scoring import scoring_of
from converters.runtimes.columns import COLUMNS, Output, Result
from converters.runtimes.tensorflow_interpreter import run_every_stored

_MOST_SAMPLES = 100


class FileProver:
    """Proves files that were made of `folded`, which is to compute what `model` does, on some of `samples`.

    `samples`: real inputs (n, ...), one or more, by their names. As many of them are used as some seconds
    allow. `shape`: the files', for inputs with open sides.
    """

    def __init__(
        self,
        model: KerasModel | SavedModel,
        folded: KerasModel | SavedModel,
        samples: Mapping[str, Numbers],
        *,
        shape: Shapes | None = None,
    ) -> None:
        exact, arrays = _exact_file(folded, shape), list(samples.values())
        some = [one[:_MOST_SAMPLES] for one in arrays] if isinstance(exact, str) else few(exact.graph, arrays)
        self._answers = answers_of(model, dict(zip(samples, some, strict=True)), least=1)
        if isinstance(exact, str):
            self._exact = ExactFiles(files=(), missing=exact)
        else:
            self._exact = ExactFiles(files=(held_against(exact, self._answers),))
        self._names = layer_names(folded)
        scorings = {name: scoring_of(values) for name, values in self._answers.outputs.items()}
        self._matrix = Matrix(self._answers, scorings, self._names)

    def cell(self, name: str, content: bytes) -> Cell:
        """Return the cell of the file `content`; its reason names the layer where an out file departs."""
        inputs = list(self._answers.inputs.values())
        try:
            graph = read_graph(content)
        except InputError as error:  # loops are graphs within the graph
            return Cell(row=name, column="tf.lite", samples=len(inputs[0]), underived=str(error))
        first, *others = (
            Output(stored, *_scale(tensor.scales, tensor.zero_points))
            for stored, tensor in zip(run_every_stored(content, inputs), graph.outputs, strict=True)
        )
        result = Result(first.stored, scale=first.scale, zero_point=first.zero_point, others=tuple(others))
        try:
            file = file_of(name, content, self._answers, self._exact, self._names)
        except InputError as error:
            return Cell(row=name, column="tf.lite", samples=len(inputs[0]), underived=str(error))
        cell = self._matrix.cell(file, COLUMNS["tf.lite"], result)
        if cell.verdict != "out" or file.weights.findings:
            return cell
        departure = self._matrix.departure(file)
        return replace(cell, why=f"{cell.why}; {departure}") if departure not in cell.why else cell


def _exact_file(folded: KerasModel | SavedModel, shape: Shapes | None) -> ExactFile | str:
    """Return the float32 file of `folded`, or why there is none."""
    convert = saved_model_to_tflite if isinstance(folded, SavedModel) else to_tflite
    try:
        return exact_file(convert(folded, precision="float32", shape=shape).content)
    except InputError as error:
        return f"the model has no float32 file to compare with: {error}"


def _scale(scales: Numbers, zero_points: Numbers) -> tuple[float, int]:
    return (float(scales[0]), int(zero_points[0])) if scales.size else (0.0, 0)
