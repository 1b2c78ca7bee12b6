"""Check the tensors of a .tflite file: types, shapes, constants' bytes and quantisation must agree."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import shape_text
from converters.base.words import counted
from converters.file.flatbuffer import Record, require
from converters.file.soundness.beyond import require_within
from converters.file.soundness.tables import BITS, TYPES

MAX_RANK = 4
"""Native kernels for pictures take up to four dimensions; some abort the process on more."""

MAX_BYTES = 1 << 28
"""256 MiB: a digit reader takes less than one, and a machine of 512 MiB is to survive any file."""

# Less than the least normal float32 is 0 to a processor that flushes what is less.
_LEAST_SCALE = 2**-126
# Kernels multiply two scales, and one by 2^20, in float32: SUB ends the process if that is not finite.
_LARGEST_SCALE = 2**50
_ZERO_POINTS = {"uint8": (0, 255), "int8": (-128, 127), "int16": (-32768, 32767)}


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of the file. `type` is one of `TYPES`, `data` a constant's bytes, None when it is computed.

    real = scale * (stored - zero point): `scales` and `zero_points` are as long as each other, empty when it
    is not quantised, with one entry for the whole tensor or one for each index of `axis`. A side of `open`
    is known only while the file runs. `values`: what it holds, where that is known beforehand.
    """

    index: int
    type: str
    shape: tuple[int, ...]
    open: tuple[bool, ...]
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int
    data: memoryview | None
    values: NDArray[np.int32] | None = None

    def __str__(self) -> str:
        return f"tensor {self.index}"

    @property
    def text(self) -> str:
        """Its shape and type in words."""
        return f"{shape_text(self.shape)} {self.type}"

    @property
    def bytes(self) -> int:
        """The memory that it takes."""
        return (math.prod(self.shape) * BITS[self.type] + 7) // 8

    @property
    def channels(self) -> bool:
        """Whether it has several scales, one a channel."""
        return len(self.scales) > 1


def checked_tensor(index: int, record: Record, buffers: tuple[Record, ...]) -> Tensor:
    """Return the tensor of the schema's `record`; raises Damaged when its fields do not agree."""
    place = f"tensor {index}"
    require_within(record.type in TYPES, f"{place}: type {record.type}, which lenet-edge has no check for")
    _check_shape(record, place)
    _check_kind(record, place)
    require(record.buffer < len(buffers), f"{place}: buffer {record.buffer} of {len(buffers)}")
    quantization = record.quantization or Record(scale=(), zero_point=(), quantized_dimension=0, details=None)
    data = buffers[record.buffer].data
    tensor = Tensor(
        index=index,
        type=TYPES[record.type],
        shape=record.shape,
        open=tuple(side == -1 for side in record.shape_signature) or (False,) * len(record.shape),
        scales=quantization.scale,
        zero_points=quantization.zero_point,
        axis=quantization.quantized_dimension,
        data=data if len(data) else None,
        values=None,
    )
    _check_bytes(tensor)
    _check_quantization(tensor, quantization)
    return tensor


def _check_shape(record: Record, place: str) -> None:
    shape, signature = record.shape, record.shape_signature
    require_within(len(shape) <= MAX_RANK, f"{place}: {len(shape)} dimensions, more than {MAX_RANK}")
    require(all(side > 0 for side in shape), f"{place}: a shape of {shape_text(shape)}")
    same = not signature or len(signature) == len(shape)
    require(same, f"{place}: {len(shape)} dimensions that are to be {len(signature)}")
    fits = all(stated in (-1, side) for stated, side in zip(signature, shape, strict=False))
    require(fits, f"{place}: a shape of {shape_text(shape)} that is to be {shape_text(signature)}")


def _check_kind(record: Record, place: str) -> None:
    require_within(not record.is_variable, f"{place}: a variable, which lenet-edge has no check for")
    require_within(record.sparsity is None, f"{place}: a sparse one, which lenet-edge has no check for")
    require_within(
        not record.variant_tensors, f"{place}: a list of tensors, which lenet-edge has no check for"
    )
    require(not record.external_buffer, f"{place}: a constant outside of the file")


def _check_bytes(tensor: Tensor) -> None:
    require_within(tensor.bytes <= MAX_BYTES, f"{tensor}: {tensor.text} values, more than {MAX_BYTES} bytes")
    if tensor.data is not None:
        right = len(tensor.data) == tensor.bytes
        require(right, f"{tensor}: {len(tensor.data)} bytes for {tensor.text} values")


def _check_quantization(tensor: Tensor, quantization: Record) -> None:
    scales, points = tensor.scales, tensor.zero_points
    require_within(quantization.details is None, f"{tensor}: a quantisation that lenet-edge has no check for")
    require(
        len(points) == len(scales),
        f"{tensor}: {counted(len(scales), 'scale')} and {counted(len(points), 'zero point')}",
    )
    if not scales:
        return
    sides = tensor.shape or (1,)
    require(0 <= tensor.axis < len(sides), f"{tensor}: scales for dimension {tensor.axis} of {len(sides)}")
    counts = (1, sides[tensor.axis])
    require(len(scales) in counts, f"{tensor}: {counted(len(scales), 'scale')} for a side of {counts[1]}")
    wrong = [scale for scale in scales if not _LEAST_SCALE <= scale <= _LARGEST_SCALE]
    require(not wrong, f"{tensor}: a scale of {str(wrong[:1])[1:-1]}")
    low, high = _ZERO_POINTS.get(tensor.type, (0, 0))
    outside = [point for point in points if not low <= point <= high]
    require(not outside, f"{tensor}: a zero point of {str(outside[:1])[1:-1]} for {tensor.type}")


def constant_values(tensor: Tensor) -> NDArray[np.int32] | None:
    """Return the values of a tensor of int32, which operators take shapes and axes from, if known."""
    if tensor.data is None or tensor.type != "int32":
        return tensor.values
    return np.frombuffer(tensor.data, "<i4").reshape(tensor.shape)
