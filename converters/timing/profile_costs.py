"""Count the multiplications and bytes of each node of a .tflite file, from its shapes alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from converters.base.errors import InputError
from converters.file.flatbuffer import Damaged, Record, read
from converters.file.soundness.tables import BITS, OPERATORS, TABLES, TYPES


@dataclass(frozen=True)
class Cost:
    """A node's work: `macs`, multiply-accumulates; `bytes`, of its inputs, constants and outputs."""

    index: int
    name: str
    macs: int
    bytes: int


def costs(content: bytes) -> list[Cost]:
    """Return the work of each node of the .tflite file `content`, in the order in which they run.

    Only convolutions and dense layers multiply and accumulate; the others count 0. Raises InputError for a
    damaged file.
    """
    try:
        model = read(content, TABLES, root="Model", identifier=b"TFL3")
    except Damaged as error:
        raise InputError(f"expected a sound .tflite file, got {error}") from None
    graph = model.subgraphs[0]
    return [
        _cost(index, operator, graph.tensors, model.operator_codes)
        for index, operator in enumerate(graph.operators)
    ]


def _cost(index: int, operator: Record, tensors: Sequence[Record], codes: Sequence[Record]) -> Cost:
    code = codes[operator.opcode_index]
    name = OPERATORS[max(code.builtin_code, code.deprecated_builtin_code)]
    inputs = [tensors[number] for number in operator.inputs if number >= 0]
    outputs = [tensors[number] for number in operator.outputs]
    return Cost(index, name, _macs(name, inputs, outputs), sum(map(_bytes, inputs + outputs)))


def _macs(name: str, inputs: list[Record], outputs: list[Record]) -> int:
    made = math.prod(outputs[0].shape)
    if name in ("CONV_2D", "FULLY_CONNECTED"):  # kernels (out, h, w, in) and (out, in)
        return made * math.prod(inputs[1].shape[1:])
    if name == "DEPTHWISE_CONV_2D":  # kernel (1, h, w, channels)
        return made * math.prod(inputs[1].shape[1:3])
    return 0


def _bytes(tensor: Record) -> int:
    return (math.prod(tensor.shape) * BITS.get(TYPES.get(tensor.type, ""), 32) + 7) // 8
