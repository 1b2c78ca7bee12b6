"""Say for each kind of machine what a model is converted to, and which delegates must take it."""

from __future__ import annotations

from typing import NamedTuple

from converters.base.precisions import Ends, Precision


class Target(NamedTuple):
    """A kind of machine: its `precision`, an int8 file's type at both `ends`, `delegates` to audit, and why.

    `laid_out`: a layout other than the plain one was measured to be faster on these machines.
    """

    precision: Precision
    ends: Ends
    delegates: tuple[str, ...]
    why: str
    laid_out: bool = False


TARGETS = {
    "cpu": Target(
        "int8", "uint8", ("xnnpack", "tflite-runtime"), "a Raspberry Pi or a phone: raw pixels in", True
    ),
    "gpu": Target("float16", "uint8", ("gpu",), "GPUs compute in float; halves the weights that they load"),
    "nnapi": Target("int8", "int8", ("nnapi",), "whole from Android 10 on; a QUANTIZE would need Android 11"),
    "micro": Target("int8", "int8", ("micro",), "no QUANTIZE at the ends, and a C array to link"),
    "web": Target("float32", "uint8", ("web",), "LiteRT.js runs float32 on WebGPU too, picture by picture"),
}
"""The targets by name."""
