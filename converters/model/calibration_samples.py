"""Check calibration inputs: real inputs of a model, from which its ranges are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from converters.base.arrays import Numbers, shape_fits, shape_of_many
from converters.base.errors import InputError, expect
from converters.base.untyped import KerasModel, TfTensor
from converters.model.graph import input_names, type_name

if TYPE_CHECKING:
    from converters.model.saved_model import SavedModel

Range = tuple[float, float]

Calibration: TypeAlias = Numbers | Sequence[Numbers] | Mapping[str, Numbers]
"""Real inputs (n, ...): an array for a model's only input, or one for each, in their order or by name."""


def checked_inputs(
    calibration: Calibration | None, model: KerasModel | SavedModel, *, input_range: Range | None = None
) -> dict[str, Numbers]:
    """Return the arrays of `calibration` (n, ...) by input, in the model's order, each in its input's type.

    `input_range`: the range (low, high) of the model's only input, if it is known. Inputs that leave it, or
    stay within half of it, were scaled by mistake. Raises InputError for those, and for inputs that are
    missing, empty, constant, not finite, not numbers, of another shape, or not whole where the model takes
    whole numbers; of several, also for inputs without names, with other names or of different lengths.
    """
    if calibration is None:
        raise InputError("expected calibration inputs for int8, got none")
    names = input_names(model)
    arrays = _by_name(calibration, names)
    inputs = {
        name: _checked(arrays[name], tensor, "" if len(names) == 1 else f" for {name}")
        for name, tensor in zip(names, model.inputs, strict=True)
    }
    counts = sorted({len(array) for array in inputs.values()})
    got = " and ".join(map(str, counts))
    expect(len(counts) == 1, "the same number of calibration inputs for each input", got)
    if input_range is not None:
        expect(len(names) == 1, "a range for a model with one input", f"{len(names)} inputs")
        _check_range(next(iter(inputs.values())), input_range)
    return inputs


def _by_name(calibration: Calibration, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the arrays of `calibration` by the names of the model's inputs."""
    wanted = f"calibration inputs for {', '.join(names)}"
    if isinstance(calibration, Mapping):
        given = {name: np.asarray(array) for name, array in calibration.items()}
        if len(names) == 1:  # the only array of an .npz file may be called as it likes
            expect(len(given) == 1, "calibration inputs with one array", len(given))
            return dict(zip(names, given.values(), strict=True))
        expect(set(given) == set(names), f"{wanted}, by these names", ", ".join(given) or "none")
        return given
    if len(names) == 1:
        one = (
            calibration[0] if isinstance(calibration, list | tuple) and len(calibration) == 1 else calibration
        )
        return {names[0]: np.asarray(one)}
    expect(isinstance(calibration, list | tuple), f"{wanted}, by these names", "one array without a name")
    expect(len(calibration) == len(names), wanted, f"{len(calibration)} arrays")
    return {name: np.asarray(array) for name, array in zip(names, calibration, strict=True)}


def _checked(samples: np.ndarray, tensor: TfTensor, where: str) -> Numbers:
    """Return `samples` in the type of the model's input `tensor`; `where`: " for NAME" among several."""
    shape, kind = tuple(tensor.shape[1:]), np.dtype(type_name(tensor))
    fits = samples.ndim > 0 and shape_fits(samples.shape[1:], shape)
    expect(fits, f"calibration inputs{where} of shape {shape_of_many(shape)}", samples.shape)
    expect(len(samples), f"one calibration input{where} or more", "none")
    numbers = np.issubdtype(samples.dtype, np.number) or samples.dtype == kind
    expect(numbers, f"calibration inputs{where} that are numbers", samples.dtype)
    expect(np.isfinite(samples).all(), f"finite calibration inputs{where}", "NaN or infinity")
    typed = samples.astype(np.float32 if kind.kind == "f" else kind)
    if kind.kind in "iub":
        whole = np.array_equal(samples, typed)
        expect(whole, f"calibration inputs{where} that are whole numbers of {kind}", "others")
    # Beside other inputs, numbers of words or a mask may well be the same in each sample.
    if kind.kind == "f" or not where:
        constant = f"the constant {typed.flat[0]:g}"
        expect(typed.min() < typed.max(), f"calibration inputs{where} that differ", constant)
    return typed


def _check_range(samples: Numbers, input_range: Range) -> None:
    (low, high), (least, most) = input_range, (float(samples.min()), float(samples.max()))
    spans = low <= least and most <= high and most - least >= (high - low) / 2
    expect(spans, f"calibration inputs that span {low:g} to {high:g}", f"{least:g} to {most:g}")
