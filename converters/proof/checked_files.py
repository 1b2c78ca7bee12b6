"""Convert a model to each precision, every file compared with the model on the same inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import Numbers
from converters.base.errors import expect
from converters.base.precisions import Precision
from converters.base.shapes import Shapes
from converters.base.untyped import KerasModel
from converters.file.manifest import Entry
from converters.model.calibration_samples import Calibration, Range, checked_inputs
from converters.model.conversion import Converted, to_tflite
from converters.model.graph import input_names
from converters.model.input_shapes import file_shapes
from converters.model.keep_float import check_layer_names
from converters.model.saved_model import SavedModel, saved_model_to_tflite
from converters.proof.cell import Cell
from converters.proof.file_prover import FileProver
from converters.proof.model_answers import answers_of
from converters.runtimes.tensorflow_interpreter import run_in_order


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """What files of a model are compared with: real `inputs` (n, ...), and the model's `outputs` for them.

    Both by their names in the model, in its order.
    """

    inputs: Mapping[str, Numbers]
    outputs: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True, eq=False)
class CheckedFile:
    """A .tflite file's bytes and manifest entry.

    `difference`: the largest one between an output of the file and the model's; None: not compared. `cell`:
    the file's proof in TensorFlow's interpreter, None where it was not proven.
    """

    precision: Precision
    content: bytes
    entry: Entry
    difference: float | None
    cell: Cell | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Wishes:
    """What files are to be: `precisions`, and as for `to_tflite` their `shape` and, in int8, `keep_float`."""

    precisions: Sequence[Precision]
    shape: Shapes | None = None
    keep_float: Sequence[str] = ()


def reference_of(
    model: KerasModel | SavedModel, samples: Calibration, *, input_range: Range | None = None
) -> Reference:
    """Return the reference of `model`: its outputs in float32 for `samples` (n, ...), its real inputs.

    Raises InputError as `checked_inputs` does, for inputs that cannot be the model's.
    """
    answers = answers_of(model, checked_inputs(samples, model, input_range=input_range), least=1)
    return Reference(inputs=answers.inputs, outputs=answers.outputs)


def check_wishes(model: KerasModel | SavedModel, wishes: Wishes) -> None:
    """Raise InputError unless files of `model` can be of that shape and keep those layers."""
    own = {
        name: tuple(tensor.shape[1:]) for name, tensor in zip(input_names(model), model.inputs, strict=True)
    }
    file_shapes(wishes.shape, own)
    if wishes.keep_float:
        expect(not isinstance(model, SavedModel), "a Keras model for layers kept in float32", "a SavedModel")
        check_layer_names(model, wishes.keep_float)


def checked_files(
    model: KerasModel | SavedModel,
    *,
    wishes: Wishes,
    reference: Reference | None,
    prover: FileProver | None = None,
) -> Iterator[CheckedFile]:
    """Yield the .tflite file of `model` in each precision, compared with `reference` if there is one.

    int8 takes its ranges from the reference's inputs. `prover`, if given, proves each file. Raises InputError
    as `check_wishes` and `to_tflite` do.
    """
    check_wishes(model, wishes)
    for precision in wishes.precisions:
        content, entry = _converted(model, precision, wishes, reference)
        yield CheckedFile(
            precision=precision,
            content=content,
            entry=entry,
            difference=None if reference is None else _difference(content, reference),
            cell=None if prover is None else prover.cell(precision, content),
        )


def _converted(
    model: KerasModel | SavedModel, precision: Precision, wishes: Wishes, reference: Reference | None
) -> Converted:
    samples = None if reference is None else reference.inputs
    if isinstance(model, SavedModel):
        return saved_model_to_tflite(model, precision=precision, calibration=samples, shape=wishes.shape)
    keep_float = wishes.keep_float if precision == "int8" else ()
    return to_tflite(
        model, precision=precision, calibration=samples, shape=wishes.shape, keep_float=keep_float
    )


def _difference(content: bytes, reference: Reference) -> float:
    """Return the largest difference between an output of the file `content` and the model's."""
    outputs = run_in_order(content, list(reference.inputs.values()))
    pairs = zip(outputs, reference.outputs.values(), strict=True)
    return max(float(np.abs(output - wanted).max()) for output, wanted in pairs)
