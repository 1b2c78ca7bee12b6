"""Name the precisions that a model is converted to."""

from __future__ import annotations

from typing import Literal, get_args

Precision = Literal["float32", "float16", "dynamic", "int8", "int16"]
ALL_PRECISIONS: tuple[Precision, ...] = get_args(Precision)

PRECISIONS: tuple[Precision, ...] = ("float32", "float16", "dynamic", "int8")
"""Those that a model is converted to unless a person asks for others: every runtime has kernels for them."""

CALIBRATED: tuple[Precision, ...] = ("int8", "int16")
"""Those that need real inputs, from which the ranges of activations are found."""

Ends = Literal["uint8", "int8", "int16", "float32"]
"""The type of a quantised file's inputs and outputs."""

ENDS: dict[Precision, tuple[Ends, ...]] = {"int8": ("uint8", "int8"), "int16": ("int16", "float32")}
"""The ends that a precision can have, the usual first: uint8 is the raw pixel, int8 saves two QUANTIZE."""
