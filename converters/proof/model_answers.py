"""Ask a model: real inputs, checked, and the model's own outputs for them, which files are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import Numbers, shape_fits, shape_of_many
from converters.base.errors import expect
from converters.base.untyped import KerasModel
from converters.model.float32 import in_float32
from converters.model.graph import flat, input_names, nested_inputs, output_names, type_name
from converters.model.saved_model import SavedModel
from converters.proof.samples import LEAST_SAMPLES, Data, checked_data, first_samples


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelAnswers:
    """A model's `outputs` (n, ...) for its `inputs` (n, ...), each by its name in the model, in its order.

    `shapes` are those that the model states for both, the batch not counted, None for an open side.
    """

    name: str
    inputs: Mapping[str, Numbers]
    outputs: Mapping[str, NDArray[np.float32]]
    shapes: Mapping[str, tuple[int | None, ...]]

    @property
    def count(self) -> int:
        """The number of samples."""
        return len(next(iter(self.inputs.values())))

    def first(self, count: int) -> ModelAnswers:
        """Return the answers to the first `count` samples."""
        inputs = first_samples(self.inputs, count)
        outputs = {name: array[:count] for name, array in self.outputs.items()}
        return replace(self, inputs=inputs, outputs=outputs)


def answers_of(model: KerasModel | SavedModel, data: Data, *, least: int = LEAST_SAMPLES) -> ModelAnswers:
    """Return the answers of `model`, computed in float32, to `data`.

    Raises InputError as `checked_data` does, and for samples that are not those of the model: of another
    shape, of other names where it has several inputs, not whole where it takes whole numbers.
    """
    names, tensors = input_names(model), model.inputs
    arrays = _by_name(checked_data(data, least=least), names)
    shapes = {name: tuple(tensor.shape)[1:] for name, tensor in zip(names, tensors, strict=True)}
    types = {name: np.dtype(type_name(tensor)) for name, tensor in zip(names, tensors, strict=True)}
    inputs = {name: _typed(arrays[name], name, shapes[name], types[name]) for name in names}
    outputs, output_shapes = _outputs_of(model, inputs)
    return ModelAnswers(name=model.name, inputs=inputs, outputs=outputs, shapes={**output_shapes, **shapes})


def _by_name(arrays: dict[str, Numbers], names: Sequence[str]) -> dict[str, Numbers]:
    """Return `arrays` by the names of the model's inputs; a single array needs no name of its own."""
    if len(names) == len(arrays) == 1:
        return {names[0]: next(iter(arrays.values()))}
    got = ", ".join(name or "one without a name" for name in arrays)
    plural = f"arrays named {', '.join(names)}, one for each input" if len(names) > 1 else "one array"
    expect(set(arrays) == set(names), f"{plural} of the model", got)
    return arrays


def _typed(array: Numbers, name: str, shape: tuple[int | None, ...], dtype: np.dtype[np.generic]) -> Numbers:
    fits = shape_fits(array.shape[1:], shape)
    expect(fits, f"samples of shape {shape_of_many(shape)} for the input {name}", array.shape)
    whole = dtype.kind == "f" or array.dtype.kind in "biu" or bool((array == np.rint(array)).all())
    expect(whole, f"whole numbers for the input {name}", "others")
    # A float of 64 bits is not what a file is given.
    return array.astype(np.float32 if dtype.kind == "f" else dtype)


def _outputs_of(
    model: KerasModel | SavedModel, inputs: Mapping[str, Numbers]
) -> tuple[dict[str, NDArray[np.float32]], dict[str, tuple[int | None, ...]]]:
    """Return the outputs for `inputs` and their shapes in the model."""
    given, names = list(inputs.values()), output_names(model)
    if isinstance(model, SavedModel):
        outputs = flat(model.predict(given))
        shapes = [output.shape for output in outputs]
    else:
        exact = in_float32(model)
        outputs = [
            np.asarray(one, np.float32) for one in flat(exact.predict(nested_inputs(exact, given), verbose=0))
        ]
        shapes = [tuple(tensor.shape) for tensor in flat(model.outputs)]
    named = dict(zip(names, outputs, strict=True))
    return named, {name: shape[1:] for name, shape in zip(names, shapes, strict=True)}
