"""Define what an operator's rule is given, and the checks that many rules share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import shape_text
from converters.base.words import counted
from converters.file.flatbuffer import Damaged, Record, require
from converters.file.soundness.tensors import MAX_RANK, Tensor, constant_values

ACTIVATIONS = {0: "NONE", 1: "RELU", 2: "RELU_N1_TO_1", 3: "RELU6"}
"""The activations that kernels compute as they write, by their number."""

QUANTIZED = ("int8", "uint8", "int16")
"""The types of computed tensors that have a scale."""

MOVED = ("float32", *QUANTIZED, "int32", "int64")
"""The types that operators may have which only move what they are given."""

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Output:
    """An operator's output: its `shape`, and its `values` where they are known before the file runs.

    Where an operator has several outputs, each is like this one but for its shape, if `shapes` has one for
    each. `work`: multiplications or comparisons; `scratch`: bytes that kernels use meanwhile.
    """

    shape: Shape
    work: int = 0
    scratch: int = 0
    values: NDArray[np.int32] | None = None
    shapes: tuple[Shape, ...] = ()

    def shape_at(self, number: int) -> Shape:
        """Return the shape of the output of this number."""
        return self.shapes[number] if self.shapes else self.shape


@dataclass(frozen=True, eq=False)
class Node:
    """An operator with its tensors; their shapes are those that the operators before it compute.

    An input that is left out is None; `options` has the fields of the operator's options in the schema.
    """

    index: int
    name: str
    options: Record
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]

    @property
    def output(self) -> Tensor:
        """The only output, or the first of several."""
        return self.outputs[0]

    def input(self, number: int) -> Tensor:
        """Return an input that must be there."""
        tensor = self.inputs[number] if number < len(self.inputs) else None
        if tensor is None:
            raise Damaged(f"no input {number}")
        return tensor

    def optional(self, number: int) -> Tensor | None:
        """Return an input that may be left out."""
        return self.inputs[number] if number < len(self.inputs) else None

    def integers(self, number: int, what: str, *, rank: int = 1, most: int = 2 * MAX_RANK) -> list[int]:
        """Return the values of an input of int32 that must be known: `most` at most, in `rank` dimensions.

        Many kernels read int32 whatever the type; int64 would be read in halves.
        """
        tensor = self.input(number)
        values = constant_values(tensor)
        require(tensor.type == "int32", f"{what} of type {tensor.type}")
        require(len(tensor.shape) <= rank, f"{what} of shape {tensor.text}")
        if values is None:
            raise Damaged(f"{what} that nothing tells before the file runs")
        require(values.size <= most, f"{what} of {tensor.text}")
        return [int(value) for value in values.ravel()]


def require_type(tensor: Tensor, types: tuple[str, ...]) -> None:
    """Raise Damaged unless `tensor` is of one of `types` and has what quantisation these need.

    int8, uint8 and int16 need one scale; int16's zero point is 0. Others must not be quantised.
    """
    require(tensor.type in types, f"{tensor} of type {tensor.type}")
    if tensor.type in QUANTIZED:
        require(
            len(tensor.scales) == 1, f"{tensor} of {tensor.type} with {counted(len(tensor.scales), 'scale')}"
        )
        require(tensor.type != "int16" or tensor.zero_points == (0,), f"{tensor} of int16 with a zero point")
    else:
        require(not tensor.scales, f"{tensor} of {tensor.type} with a scale")


def require_equal_types(*tensors: Tensor) -> None:
    """Raise Damaged unless all of `tensors` have the type of the first."""
    for tensor in tensors[1:]:
        require(tensor.type == tensors[0].type, f"{tensors[0].type} and {tensor.type} together")


def require_equal_steps(*tensors: Tensor) -> None:
    """Raise Damaged unless all of `tensors` have the type, scales and zero points of the first."""
    require_equal_types(*tensors)
    first = tensors[0]
    for tensor in tensors[1:]:
        same = tensor.scales == first.scales and tensor.zero_points == first.zero_points
        require(same, f"{first} and {tensor} with different scales or zero points")


def require_step(tensor: Tensor, scale: float, zero_point: int) -> None:
    """Raise Damaged unless a quantised `tensor` has this one scale and zero point."""
    if tensor.type in QUANTIZED:
        right = tensor.scales == (scale,) and tensor.zero_points == (zero_point,)
        require(right, f"a scale other than 1/{1 / scale:g} or a zero point other than {zero_point}")


def require_ratio(ratio: float, *, below: float) -> None:
    """Raise Damaged unless `ratio`, a quotient of scales by which kernels multiply, is one that they take.

    From `below` on they refuse the file or end the process. Most kernels take any ratio, and are not asked
    about here: the converter gives a tensor that was 0 in all calibration data a scale of 2^-27.
    """
    require(0 < ratio < below, f"scales whose ratio is {ratio:g}, not between 0 and {below:g}")


def require_activation(options: Record) -> None:
    """Raise Damaged unless the fused activation is one that kernels know."""
    number = options.activation
    require(number in ACTIVATIONS, f"a fused activation of number {number}, which kernels do not know")


def axis_of(axis: int, rank: int) -> int:
    """Return `axis`, which may count from the end, as counted from the start."""
    require(-rank <= axis < rank, f"axis {axis} of {rank} dimensions")
    return axis % rank


def broadcast(one: Shape, other: Shape) -> Shape:
    """Return the shape of what is computed of two tensors of these shapes, element by element."""
    try:
        return np.broadcast_shapes(one, other)
    except ValueError:
        raise Damaged(f"{shape_text(one)} and {shape_text(other)} together") from None
