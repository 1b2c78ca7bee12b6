"""Convert a model to each precision, every file compared with the model on the same inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.base.precisions import Precision
from converters.base.untyped import KerasModel
from converters.file.manifest import Entry
from converters.model.calibration_samples import Range, checked_samples
from converters.model.conversion import to_tflite
from converters.model.float32 import in_float32
from converters.model.saved_model import SavedModel, saved_model_to_tflite
from converters.proof.cell import Cell
from converters.proof.file_prover import FileProver
from converters.runtimes.tensorflow_interpreter import run


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """What files of a model are compared with: real `inputs` (n, ...), and the model's `outputs` for them."""

    inputs: NDArray[np.float32]
    outputs: NDArray[np.float32]


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


def reference_of(
    model: KerasModel | SavedModel, samples: NDArray[np.generic], *, input_range: Range | None = None
) -> Reference:
    """Return the reference of `model`: its outputs in float32 for `samples` (n, ...), its real inputs.

    Raises InputError as `checked_samples` does, for inputs that cannot be the model's.
    """
    inputs = checked_samples(samples, model, input_range=input_range)
    if isinstance(model, SavedModel):
        return Reference(inputs=inputs, outputs=model.predict(inputs))
    return Reference(inputs=inputs, outputs=in_float32(model).predict(inputs, verbose=0))


def checked_files(
    model: KerasModel | SavedModel,
    *,
    precisions: Sequence[Precision],
    reference: Reference | None,
    prover: FileProver | None = None,
) -> Iterator[CheckedFile]:
    """Yield the .tflite file of `model` in each of `precisions`, compared with `reference` if there is one.

    int8 takes its ranges from the reference's inputs. `prover`, if given, proves each file. Raises InputError
    as `to_tflite` does.
    """
    samples = None if reference is None else reference.inputs
    convert = saved_model_to_tflite if isinstance(model, SavedModel) else to_tflite
    for precision in precisions:
        content, entry = convert(model, precision=precision, calibration=samples)
        difference = None
        if reference is not None:
            difference = float(np.abs(run(content, reference.inputs) - reference.outputs).max())
        yield CheckedFile(
            precision=precision,
            content=content,
            entry=entry,
            difference=difference,
            cell=None if prover is None else prover.cell(precision, content),
        )
