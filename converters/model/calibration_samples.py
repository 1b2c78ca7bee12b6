"""Check calibration inputs: real inputs of a model, from which its ranges are found."""

from __future__ import annotations

import numpy as np

from converters.base.arrays import shape_fits
from converters.base.errors import expect
from converters.base.untyped import KerasModel
from converters.model.graph import type_name

Range = tuple[float, float]


def checked_samples(
    calibration: np.ndarray | None, model: KerasModel, *, input_range: Range | None = None
) -> np.ndarray:
    """Return `calibration` as float32 (n, ...) if ranges of `model` can be found from it.

    `input_range`: the least and the most that the model's inputs can be, where they are known: inputs that
    leave it, or stay within half of it, were scaled by mistake. Raises InputError: that, or none, empty,
    constant, not finite, not numbers, of another shape, or not whole where the input is.
    """
    expect(calibration is not None, "calibration inputs for int8", "none")
    samples = np.asarray(calibration)
    shape = tuple(model.inputs[0].shape[1:])
    fits = samples.ndim > 0 and shape_fits(samples.shape[1:], shape)
    expect(fits, f"calibration inputs of shape (n, {str(shape)[1:-1]})", samples.shape)
    expect(len(samples), "one calibration input or more", "none")
    expect(np.issubdtype(samples.dtype, np.number), "calibration inputs that are numbers", samples.dtype)
    samples = samples.astype(np.float32)
    expect(np.isfinite(samples).all(), "finite calibration inputs", "NaN or infinity")
    kind = type_name(model.inputs[0])
    if np.issubdtype(kind, np.integer):
        whole = np.array_equal(samples, samples.astype(kind))
        expect(whole, f"calibration inputs that are whole numbers of {kind}", "others")
    expect(
        samples.min() < samples.max(), "calibration inputs that differ", f"the constant {samples.flat[0]:g}"
    )
    if input_range is not None:
        (low, high), (least, most) = input_range, (float(samples.min()), float(samples.max()))
        spans = low <= least and most <= high and most - least >= (high - low) / 2
        expect(spans, f"calibration inputs that span {low:g} to {high:g}", f"{least:g} to {most:g}")
    return samples
