"""Convert real values to what a .tflite tensor stores, and back, with NumPy alone.

real = scale * (stored - zero point). A `detail` is an entry of an interpreter's get_input_details() or
get_output_details(); a scale of 0 means that the tensor is not quantised.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import Numbers
from converters.runtimes.interpreter_types import Quantization, TensorDetail


def quantize(values: Numbers, detail: TensorDetail) -> Numbers:
    """Return `values` as the tensor of `detail` stores them: round(value / scale) + zero point, clipped."""
    scale, zero_point = detail["quantization"]
    if not scale:
        return values.astype(detail["dtype"])
    limits = np.iinfo(np.dtype(detail["dtype"]).name)
    return np.clip(np.rint(values / scale) + zero_point, limits.min, limits.max).astype(detail["dtype"])


def dequantize(stored: Numbers, detail: Quantization) -> NDArray[np.float32]:
    """Return the real values, float32, that the tensor of `detail` stores as `stored`."""
    scale, zero_point = detail["quantization"]
    if not scale:
        return stored.astype(np.float32)
    return ((stored.astype(np.float32) - zero_point) * scale).astype(np.float32)
