"""Edit the flatbuffer of a .tflite file: add constants, tensors, operators, drop what nothing uses, pack."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from numpy.typing import NDArray

from converters.file.manifest import operator_name, parse
from converters.file.schema import schema

_ALIGNMENT = 16
"""Bytes that a constant begins at a multiple of, as the schema asks: kernels load from there directly."""

_TYPES: dict[Any, int] = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.float16): schema.TensorType.FLOAT16,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int8): schema.TensorType.INT8,
}


class Rewriting:
    """A .tflite file `content` while it is edited; `operators` are those of the new file, in their order."""

    def __init__(self, content: bytes) -> None:
        self.model = parse(content)
        self.graph = self.model.subgraphs[0]
        self.operators: list[Any] = []

    def constant(self, values: NDArray[Any], *, name: str, quantization: Any = None) -> int:
        """Add a constant tensor and return its index."""
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        index = self.tensor(values.shape, _TYPES[values.dtype], name=name, quantization=quantization)
        self.graph.tensors[index].buffer = len(self.model.buffers) - 1
        return index

    def tensor(self, shape: tuple[int, ...], kind: int, *, name: str, quantization: Any = None) -> int:
        """Add a computed tensor and return its index; `kind` is one of the schema's TensorType."""
        tensor = schema.TensorT()
        tensor.shape = np.array(shape, np.int32)
        tensor.type, tensor.name, tensor.quantization = kind, name.encode(), quantization
        tensor.buffer = 0  # the empty one
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def operator(
        self, name: str, *, version: int, inputs: list[int], outputs: list[int], options: Any = None
    ) -> None:
        """Append an operator: `name` and `version` as the schema has them, `options` a ...OptionsT of it."""
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(name, version)
        operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            operator.builtinOptions = options
        self.operators.append(operator)

    def _code(self, name: str, version: int) -> int:
        codes = self.model.operatorCodes
        for index, code in enumerate(codes):
            if operator_name(code) == name and code.version == version:
                return index
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), version
        codes.append(code)
        return len(codes) - 1

    def name_of(self, index: int) -> str:
        """Return the name of a tensor."""
        return self.graph.tensors[index].name.decode()

    def shorten_names(self) -> None:
        """Name each tensor by its layer and operation; the converter strings many whole paths together."""
        kept = {int(index) for index in (*self.graph.inputs, *self.graph.outputs)}
        taken = {self.graph.tensors[index].name for index in kept}
        for index, tensor in enumerate(self.graph.tensors):
            if index not in kept:
                tensor.name = _free(_short(tensor.name), taken)
                taken.add(tensor.name)

    def packed(self) -> bytes:
        """Return the new file, without what nothing in it uses."""
        self.graph.operators = _needed(self.operators, self.graph.outputs)
        self._drop_codes()
        self._drop_tensors()
        self._drop_buffers()
        builder = flatbuffers.Builder(1024)
        self.model.buffers = [_aligned(buffer) for buffer in self.model.buffers]
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _drop_codes(self) -> None:
        used = sorted({operator.opcodeIndex for operator in self.graph.operators})
        self.model.operatorCodes = [self.model.operatorCodes[index] for index in used]
        for operator in self.graph.operators:
            operator.opcodeIndex = used.index(operator.opcodeIndex)

    def _drop_tensors(self) -> None:
        graph = self.graph
        lists = [graph.inputs, graph.outputs, *(x for o in graph.operators for x in (o.inputs, o.outputs))]
        used = sorted({int(index) for one in lists for index in one if index >= 0})
        place = {old: new for new, old in enumerate(used)} | {-1: -1}
        graph.tensors = [graph.tensors[index] for index in used]
        for owner in (graph, *graph.operators):
            owner.inputs = np.array([place[int(index)] for index in owner.inputs], np.int32)
            owner.outputs = np.array([place[int(index)] for index in owner.outputs], np.int32)
        for signature in self.model.signatureDefs or []:
            for end in (*signature.inputs, *signature.outputs):
                end.tensorIndex = place[int(end.tensorIndex)]

    def _drop_buffers(self) -> None:
        owners = [*self.graph.tensors, *(self.model.metadata or [])]
        used = sorted({0, *(owner.buffer for owner in owners)})
        self.model.buffers = [self.model.buffers[index] for index in used]
        for owner in owners:
            owner.buffer = used.index(owner.buffer)


def _short(name: bytes) -> bytes:
    """Return "C1/BiasAdd" of "lenet5/lenet5/C1/BiasAdd;lenet5/lenet5/C1/Conv2D"."""
    return b"/".join(name.partition(b";")[0].split(b"/")[-2:])


def _free(name: bytes, taken: set[bytes]) -> bytes:
    """Return `name`, with a number if it is taken."""
    tried, number = name, 1
    while tried in taken:
        number += 1
        tried = b"%s_%d" % (name, number)
    return tried


def _needed(operators: list[Any], outputs: Any) -> list[Any]:
    """Return the operators that `outputs` depend on, in their order."""
    wanted, needed = {int(index) for index in outputs}, []
    for operator in reversed(operators):
        if wanted & {int(index) for index in operator.outputs}:
            needed.append(operator)
            wanted |= {int(index) for index in operator.inputs}
    return needed[::-1]


def _aligned(buffer: Any) -> Any:
    """Return `buffer` as one that packs its data at a multiple of 16 bytes, which the schema's does not."""
    aligned = _AlignedBuffer()
    aligned.data = buffer.data
    return aligned


# mypy cannot look into the schema, which is whichever package has it.
class _AlignedBuffer(schema.BufferT):  # type: ignore[misc, name-defined]
    def Pack(self, builder: Any) -> int:
        data = b"" if self.data is None else np.asarray(self.data, np.uint8).tobytes()
        if data:
            builder.StartVector(1, len(data), _ALIGNMENT)
            builder.head -= len(data)
            builder.Bytes[builder.head : builder.head + len(data)] = data
            vector = builder.EndVector()
        schema.BufferStart(builder)
        if data:
            schema.BufferAddData(builder, vector)
        return schema.BufferEnd(builder)
