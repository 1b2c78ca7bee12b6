"""Name the precisions that a model is converted to."""

from __future__ import annotations

from typing import Literal, get_args

Precision = Literal["float32", "float16", "dynamic", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

Ends = Literal["uint8", "int8"]
"""The type of an int8 file's input and output: uint8 is the raw pixel, int8 saves two QUANTIZE operators."""
