"""Edit the flatbuffer of a .tflite file: add constants, tensors and operators, drop what nothing uses."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

import flatbuffers
import numpy as np
from numpy.typing import NDArray

from converters.base.errors import expect
from converters.base.untyped import SchemaObject
from converters.file.manifest import operator_name, parse
from converters.file.schema import schema

_LEFT_OUT = -1
"""The index of an input that an operator is not given."""

_ALIGNMENT = 16
"""Bytes that a constant begins at a multiple of, as the schema asks: kernels load from there directly."""

_CONTROL_DEPENDENCIES = b"model_control_dependencies"

_TYPES: dict[np.dtype[np.generic], int] = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.float16): schema.TensorType.FLOAT16,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int64): schema.TensorType.INT64,
    np.dtype(np.int8): schema.TensorType.INT8,
}


class Rewriting:
    """A .tflite file `content` while it is edited; `operators` are those of the new file, in their order.

    Everything in the file that goes by a number (of a tensor, a buffer or an operator's code) is renumbered
    when the file is packed. Raises InputError for a file in which that cannot be done: a number of nothing,
    constants behind the tables, an order of operators beside the graph.
    """

    def __init__(self, content: bytes) -> None:
        self.model = parse(content)
        self.graph = self.model.subgraphs[0]
        self.operators: list[SchemaObject] = []
        self._check_numbers()

    def constant(self, values: NDArray[np.generic], *, name: str, quantization: SchemaObject = None) -> int:
        """Add a constant tensor and return its index."""
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        index = self.tensor(values.shape, _TYPES[values.dtype], name=name, quantization=quantization)
        self.graph.tensors[index].buffer = len(self.model.buffers) - 1
        return index

    def tensor(
        self, shape: tuple[int, ...], kind: int, *, name: str, quantization: SchemaObject = None
    ) -> int:
        """Add a computed tensor and return its index; `kind` is one of the schema's TensorType."""
        tensor = schema.TensorT()
        tensor.shape = np.array(shape, np.int32)
        tensor.type, tensor.name, tensor.quantization = kind, name.encode(), quantization
        tensor.buffer = 0  # the empty one
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def operator(
        self,
        name: str,
        *,
        version: int,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options: SchemaObject = None,
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
        return (self.graph.tensors[index].name or b"").decode()

    def shorten_names(self) -> None:
        """Name each tensor by its layer and operation; the converter strings many whole paths together."""
        kept = {int(index) for index in (*self.graph.inputs, *self.graph.outputs)}
        taken = {self.graph.tensors[index].name for index in kept}
        for index, tensor in enumerate(self.graph.tensors):
            if index not in kept:
                tensor.name = _free(_short(tensor.name or b""), taken)
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

    def _check_numbers(self) -> None:
        """Raise InputError for numbers that `packed` cannot follow."""
        count = len(self.model.subgraphs)
        expect(count == 1, "a .tflite file without loops", f"{count} graphs")
        names = [entry.name for entry in self.model.metadata or []]
        expect(_CONTROL_DEPENDENCIES not in names, "a .tflite file without control dependencies", "some")
        behind = any(buffer.offset or buffer.size for buffer in self.model.buffers)
        expect(not behind, "constants within the tables of the .tflite file", "some behind them")
        buffers = [entry.buffer for entry in (*self.graph.tensors, *(self.model.metadata or []))]
        _expect_within(len(self.model.buffers), [*buffers, *_numbers(self.model.metadataBuffer)])
        _expect_within(len(self.graph.tensors), self._tensors_named())
        ends = {*_numbers(self.graph.inputs), *_numbers(self.graph.outputs)}
        named = all(end.tensorIndex in ends for end in self._signature_ends())
        expect(named, "signatures of the graph's inputs and outputs", "others")

    def _tensors_named(self) -> list[int]:
        """Return the numbers of the tensors that the graph and its operators name."""
        named = [*_numbers(self.graph.inputs), *_numbers(self.graph.outputs)]
        for operator in self.graph.operators:
            for numbers in (operator.inputs, operator.outputs, operator.intermediates):
                named += [number for number in _numbers(numbers) if number != _LEFT_OUT]
        return named

    def _signature_ends(self) -> list[SchemaObject]:
        """Return the inputs and outputs of all signatures."""
        signatures = self.model.signatureDefs or []
        return [end for one in signatures for end in (*(one.inputs or []), *(one.outputs or []))]

    def _drop_codes(self) -> None:
        used = sorted({operator.opcodeIndex for operator in self.graph.operators})
        self.model.operatorCodes = [self.model.operatorCodes[index] for index in used]
        for operator in self.graph.operators:
            operator.opcodeIndex = used.index(operator.opcodeIndex)

    def _drop_tensors(self) -> None:
        graph = self.graph
        kept = self._tensors_named()
        new = _renumbered(kept) | {_LEFT_OUT: _LEFT_OUT}
        graph.tensors = [graph.tensors[number] for number in sorted(set(kept))]
        for owner in (graph, *graph.operators):
            owner.inputs, owner.outputs = _mapped(owner.inputs, new), _mapped(owner.outputs, new)
        for operator in graph.operators:
            if operator.intermediates is not None:
                operator.intermediates = _mapped(operator.intermediates, new)
        for end in self._signature_ends():
            end.tensorIndex = new[int(end.tensorIndex)]

    def _drop_buffers(self) -> None:
        owners = [*self.graph.tensors, *(self.model.metadata or [])]
        kept = [0, *(owner.buffer for owner in owners), *_numbers(self.model.metadataBuffer)]
        new = _renumbered(kept)
        self.model.buffers = [self.model.buffers[number] for number in sorted(set(kept))]
        for owner in owners:
            owner.buffer = new[owner.buffer]
        if self.model.metadataBuffer is not None:
            self.model.metadataBuffer = _mapped(self.model.metadataBuffer, new)


def _expect_within(count: int, numbers: Iterable[int]) -> None:
    expect(all(0 <= number < count for number in numbers), "a .tflite file", "a damaged one")


def _numbers(vector: NDArray[np.integer] | Sequence[int] | None) -> list[int]:
    """Return a vector of the schema as a list; it is None where the file leaves it out."""
    return [] if vector is None else [int(number) for number in vector]


def _renumbered(kept: Iterable[int]) -> dict[int, int]:
    """Return the new number of each that is kept."""
    return {old: new for new, old in enumerate(sorted(set(kept)))}


def _mapped(numbers: NDArray[np.integer] | Sequence[int] | None, new: dict[int, int]) -> NDArray[np.int32]:
    return np.array([new[number] for number in _numbers(numbers)], np.int32)


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


def _needed(operators: list[SchemaObject], outputs: Iterable[int]) -> list[SchemaObject]:
    """Return the operators that `outputs` depend on, in their order."""
    wanted, needed = {int(index) for index in outputs}, []
    for operator in reversed(operators):
        if wanted & {int(index) for index in operator.outputs}:
            needed.append(operator)
            wanted |= {int(index) for index in operator.inputs}
    return needed[::-1]


def _aligned(buffer: SchemaObject) -> SchemaObject:
    """Return `buffer` as one that packs its data at a multiple of 16 bytes, which the schema's does not."""
    aligned = schema.BufferT()
    aligned.Pack = functools.partial(_pack_aligned, buffer.data)
    return aligned


def _pack_aligned(stored: NDArray[np.uint8] | None, builder: flatbuffers.Builder) -> int:
    """Write a buffer of the bytes `stored`; return where it is."""
    data = b"" if stored is None else np.asarray(stored, np.uint8).tobytes()
    if data:
        builder.StartVector(1, len(data), _ALIGNMENT)
        builder.head -= len(data)
        builder.Bytes[builder.head : builder.head + len(data)] = data
        vector = builder.EndVector()
    schema.BufferStart(builder)
    if data:
        schema.BufferAddData(builder, vector)
    return schema.BufferEnd(builder)
