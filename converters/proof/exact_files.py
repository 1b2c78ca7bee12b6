"""Make the float32 files of a model, folded and as it is: weights of other files are compared with theirs.

Each is compared with the model first: folding and conversion are not taken on trust.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from converters.base.errors import InputError
from converters.base.shapes import Shapes
from converters.base.untyped import KerasModel
from converters.file.graph import Graph, read_graph
from converters.file.layouts import layout_between
from converters.file.lowering import lower
from converters.file.signature import EndNames, ends_in_order, names_in_order
from converters.model.conversion import to_tflite
from converters.model.folding import fold
from converters.model.saved_model import SavedModel, saved_model_to_tflite
from converters.proof.ends import Ends, ends_of
from converters.proof.model_answers import ModelAnswers
from converters.runtimes.tensorflow_interpreter import every_tensor

Shape = tuple[int, ...]

_MOST_OFF = 1e-3
"""Of the range of the model's output; float32 rounds to 6e-8, and a model may have lost digits of that."""

_SAMPLES = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactFile:
    """A float32 file of a model: its bytes and its graph.

    `fault`: how far its outputs are from the model's, in a line; "" if they are the model's.
    """

    content: bytes
    graph: Graph
    fault: str = ""

    def arranged_as(self, ends: Ends, answers: ModelAnswers) -> ExactFile:
        """Return the file with its inputs and outputs in the order of `ends`: another tool's may differ."""
        own, names = ends_of(self.content, self.graph, answers), names_in_order(self.content)
        if own == ends:
            return self
        inputs = dict(zip(own.inputs, names.inputs, strict=True))
        outputs = dict(zip(own.outputs, names.outputs, strict=True))
        order = EndNames(
            inputs=tuple(inputs[name] for name in ends.inputs),
            outputs=tuple(outputs[name] for name in ends.outputs),
        )
        content = ends_in_order(self.content, order)
        return replace(self, content=content, graph=read_graph(content))

    def laid_out_as(self, graph: Graph) -> ExactFile:
        """Return the file in the layout of `graph`; unchanged if that layout does not fit."""
        try:
            content = lower(self.content, layout=layout_between(self.graph, graph))
        except InputError:
            return self
        return replace(self, content=content, graph=read_graph(content))


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactFiles:
    """The float32 files of one model; `missing` says why there is none, in a line, "" if there is one."""

    files: tuple[ExactFile, ...]
    missing: str = ""


def exact_file(content: bytes) -> ExactFile:
    """Return the float32 file `content` with its graph."""
    return ExactFile(content=content, graph=read_graph(content))


def exact_files(model: KerasModel | SavedModel, answers: ModelAnswers) -> ExactFiles:
    """Return the float32 files of `model`, which gave `answers`, for inputs of the answers' shapes.

    A file may have been made from the folded model or from the model as it is. Where the model cannot be
    converted, there is none, and `missing` has the reason.
    """
    shape = _open_shapes(model, answers)
    made = [float32_file(model, shape=shape)]
    if not isinstance(model, SavedModel):
        made.insert(0, float32_file(model, shape=shape, folded=True))
    different = {one.content: one for one in made if isinstance(one, ExactFile)}
    files = tuple(held_against(one, answers) for one in different.values())
    return ExactFiles(files=files, missing="" if files else str(made[-1]))


def float32_file(
    model: KerasModel | SavedModel, *, shape: Shapes | None = None, folded: bool = False
) -> ExactFile | str:
    """Return the float32 file of `model`, `folded` first or as it is; or why there is none, in a line."""
    try:
        if isinstance(model, SavedModel):
            return exact_file(saved_model_to_tflite(model, precision="float32", shape=shape).content)
        return exact_file(
            to_tflite(fold(model) if folded else model, precision="float32", shape=shape).content
        )
    except InputError as error:
        return f"the model has no float32 file to compare with: {error}"


def _open_shapes(model: KerasModel | SavedModel, answers: ModelAnswers) -> dict[str, Shape] | None:
    """Return the answers' shapes of the inputs that `model` leaves sides of open; None if there is none."""
    pairs = zip(answers.inputs.items(), model.inputs, strict=True)
    shapes = {name: array.shape[1:] for (name, array), tensor in pairs if None in tuple(tensor.shape[1:])}
    return shapes or None


def held_against(file: ExactFile, answers: ModelAnswers) -> ExactFile:
    """Return `file` with its fault, found by comparing it with `answers`, the model's, on a few samples."""
    ends = ends_of(file.content, file.graph, answers)
    inputs = [answers.inputs[name][:_SAMPLES] for name in ends.inputs]
    values = every_tensor(file.content, file.graph, inputs)
    for tensor, name in zip(file.graph.outputs, ends.outputs, strict=True):
        model = answers.outputs[name][:_SAMPLES]
        largest = float(np.abs(values[tensor.index].reshape(model.shape) - model).max())
        share = largest / (float(np.ptp(answers.outputs[name])) or 1.0)
        if not share <= _MOST_OFF:
            return replace(file, fault=f"a float32 file of this model is off by {100 * share:.2g} %")
    return file
