"""Convert a model to each precision, every file compared with the model on the same inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from converters.base.errors import expect
from converters.base.precisions import Precision
from converters.base.shapes import Shapes
from converters.base.untyped import KerasModel
from converters.file.manifest import Entry
from converters.model.calibration_samples import Calibration, Range, checked_inputs
from converters.model.conversion import Converted, check_fine_tuned, to_tflite
from converters.model.graph import input_names
from converters.model.input_shapes import file_shapes
from converters.model.keep_float import check_layer_names
from converters.model.saved_model import SavedModel, saved_model_to_tflite
from converters.model.unrounded import unrounded
from converters.proof.cell import Cell
from converters.proof.file_prover import FileProver
from converters.proof.model_answers import ModelAnswers, answers_of
from converters.runtimes.columns import Output
from converters.runtimes.tensorflow_interpreter import outputs_of


@dataclass(frozen=True, kw_only=True, eq=False)
class CheckedFile:
    """A .tflite file's bytes and manifest entry.

    `difference`: the largest one between an output of the file and the model's; None: not compared. `cell`:
    the file's proof in TensorFlow's interpreter, None where it was not proven.
    """

    precision: Precision
    content: bytes
    entry: Entry
    difference: float | None = None
    cell: Cell | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Wishes:
    """The `precisions` to convert to, and options of `to_tflite`: `shape` and, for int8, the others."""

    precisions: Sequence[Precision]
    shape: Shapes | None = None
    keep_float: Sequence[str] = ()
    per_channel_dense: bool = False


def reference_of(
    model: KerasModel | SavedModel, samples: Calibration, *, input_range: Range | None = None
) -> ModelAnswers:
    """Return what files of `model` are compared with: its answers to real inputs, `samples` (n, ...).

    Those of a fine-tuned model are the answers of the exact model that has its weights (`unrounded`).
    Raises InputError as `checked_inputs` does, for inputs that cannot be the model's.
    """
    return answers_of(unrounded(model), checked_inputs(samples, model, input_range=input_range), least=1)


def check_wishes(model: KerasModel | SavedModel, wishes: Wishes) -> None:
    """Raise InputError unless files of `model` can be of that shape and precision, and keep those layers."""
    own = {
        name: tuple(tensor.shape[1:]) for name, tensor in zip(input_names(model), model.inputs, strict=True)
    }
    file_shapes(wishes.shape, own)
    if not isinstance(model, SavedModel):
        for precision in wishes.precisions:
            check_fine_tuned(model, precision)
    if wishes.keep_float:
        expect(not isinstance(model, SavedModel), "a Keras model for layers kept in float32", "a SavedModel")
        check_layer_names(model, wishes.keep_float)


def checked_files(
    model: KerasModel | SavedModel,
    *,
    wishes: Wishes,
    reference: ModelAnswers | None,
    prover: FileProver | None = None,
) -> Iterator[CheckedFile]:
    """Yield the .tflite file of `model` in each precision, compared with `reference` if there is one.

    int8 takes its ranges from the reference's inputs. `prover`, one of that reference, proves each file.
    Raises InputError as `check_wishes` and `to_tflite` do.
    """
    check_wishes(model, wishes)
    for precision in wishes.precisions:
        content, entry = _converted(model, precision, wishes, reference)
        file = CheckedFile(precision=precision, content=content, entry=entry)
        if reference is not None:
            outputs = outputs_of(content, list(reference.inputs.values()))
            cell = None if prover is None else prover.cell(precision, content, outputs)
            file = replace(file, difference=_difference(outputs, reference), cell=cell)
        yield file


def _converted(
    model: KerasModel | SavedModel, precision: Precision, wishes: Wishes, reference: ModelAnswers | None
) -> Converted:
    samples = None if reference is None else reference.inputs
    int8 = precision == "int8"
    dense = int8 and wishes.per_channel_dense
    if isinstance(model, SavedModel):
        return saved_model_to_tflite(
            model, precision=precision, calibration=samples, shape=wishes.shape, per_channel_dense=dense
        )
    return to_tflite(
        model,
        precision=precision,
        calibration=samples,
        shape=wishes.shape,
        keep_float=wishes.keep_float if int8 else (),
        per_channel_dense=dense,
    )


def _difference(outputs: Sequence[Output], reference: ModelAnswers) -> float:
    """Return the largest difference between an output of a file and the model's."""
    pairs = zip(outputs, reference.outputs.values(), strict=True)
    return max(float(np.abs(output.values - wanted).max()) for output, wanted in pairs)
