"""Prove a file when it is written, in TensorFlow's interpreter: is it the model, and where does it depart?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from converters.base.errors import InputError
from converters.base.shapes import Shapes
from converters.base.untyped import KerasModel
from converters.model.saved_model import SavedModel
from converters.model.unrounded import unrounded
from converters.proof.cell import Cell
from converters.proof.exact_files import ExactFiles, float32_file, held_against
from converters.proof.layer_names import layer_names
from converters.proof.layers import few
from converters.proof.matrix import Matrix, file_of
from converters.proof.model_answers import ModelAnswers
from converters.proof.scoring import scoring_of
from converters.runtimes.columns import COLUMNS, Output, Result

_MOST_SAMPLES = 100


class FileProver:
    """Proves files made from `folded`, which must compute what the model of `reference` does.

    `folded` may also be a fine-tuned model. `reference`: the model's answers to at least one sample; as many
    are used as take a few seconds. `shape`: the files', for inputs with open sides.
    """

    def __init__(
        self,
        folded: KerasModel | SavedModel,
        reference: ModelAnswers,
        *,
        shape: Shapes | None = None,
    ) -> None:
        folded = unrounded(folded)
        exact = float32_file(folded, shape=shape)
        if isinstance(exact, str):
            self._answers = reference.first(_MOST_SAMPLES)
            self._exact = ExactFiles(files=(), missing=exact)
        else:
            some, *_ = few(exact.graph, list(reference.inputs.values()))
            self._answers = reference.first(len(some))
            self._exact = ExactFiles(files=(held_against(exact, self._answers),))
        self._names = layer_names(folded)
        scorings = {name: scoring_of(values) for name, values in self._answers.outputs.items()}
        self._matrix = Matrix(self._answers, scorings, self._names)

    def cell(self, name: str, content: bytes, outputs: Sequence[Output]) -> Cell:
        """Return the cell of the file `content`; its reason names the layer where an out file departs.

        `outputs`: what TensorFlow's interpreter gave for the reference's samples.
        """
        count = self._answers.count
        underived = Cell(row=name, column="tf.lite", samples=count)
        try:
            file = file_of(name, content, self._answers, self._exact, self._names)
        except InputError as error:
            return replace(underived, underived=str(error))
        result = Result.of([replace(one, stored=one.stored[:count]) for one in outputs])
        cell = self._matrix.cell(file, COLUMNS["tf.lite"], result)
        if cell.verdict != "out" or file.weights.findings:
            return cell
        departure = self._matrix.departure(file)
        return replace(cell, why=f"{cell.why}; {departure}") if departure not in cell.why else cell
