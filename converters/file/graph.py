"""Read the graph of a .tflite file as plain data: nodes, tensors, constants; nothing of it is run.

Audits, parity and the C array read it instead of the flatbuffer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import InputError, expect
from converters.base.untyped import SchemaObject
from converters.file.manifest import operator_name, parse
from converters.file.schema import schema

_DTYPES: dict[int, type[np.generic]] = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.UINT8: np.uint8,
    schema.TensorType.INT64: np.int64,
    schema.TensorType.BOOL: np.bool_,
    schema.TensorType.INT16: np.int16,
    schema.TensorType.INT8: np.int8,
    schema.TensorType.FLOAT64: np.float64,
    schema.TensorType.UINT32: np.uint32,
}


WITH_KERNEL = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
"""The operators whose second input is a kernel and whose third, if any, a bias."""

CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")
"""The operators that bring a tensor from one type or scale to another and compute nothing."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of a .tflite file.

    `type` is its name in the schema, in small letters ("int8"); `scales` and `zero_points` are empty when it
    is not quantised, have one entry for the whole tensor or one for each index of `axis`:
    real = scale * (stored - zero point). `constant` holds what is stored, None when it is computed.
    `signature` is `shape` with -1 for each side that an interpreter may change: the file's shape_signature.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    type: str
    scales: np.ndarray
    zero_points: np.ndarray
    axis: int
    constant: np.ndarray | None

    @property
    def resizable(self) -> bool:
        """Whether a side may differ from that of `shape`."""
        return -1 in self.signature

    @property
    def per_channel(self) -> bool:
        """Whether each channel has a scale of its own."""
        return self.scales.size > 1

    def real(self) -> np.ndarray:
        """Return the constant's real values, float64."""
        expect(self.constant is not None, "a constant tensor", self.name)
        assert self.constant is not None
        stored = self.constant.astype(np.float64)
        if not self.scales.size:
            return stored
        shape = [1] * stored.ndim
        if self.per_channel:
            shape[self.axis] = -1
        return (stored - self.zero_points.reshape(shape or -1)) * self.scales.reshape(shape or -1)


@dataclass(frozen=True, eq=False)
class Node:
    """An operator of the graph: its name and version in the schema, options by the schema's names.

    An input that is left out (a bias, say) is None. Enumerations among the options are their names where
    they have one here: `padding` "SAME" or "VALID", `fusedActivationFunction` "NONE", "RELU", ...
    """

    index: int
    name: str
    version: int
    options: dict[str, Any]
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]

    def __str__(self) -> str:
        return f"{self.index} {self.name}"


@dataclass(frozen=True)
class Graph:
    """A .tflite file's first subgraph, its nodes in the order in which they run."""

    nodes: tuple[Node, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    tensors: tuple[Tensor, ...] = field(repr=False)


def read_graph(content: bytes, *, loops: bool = False) -> Graph:
    """Return the graph of the .tflite file `content`.

    `loops`: of a file with loops, which are graphs of their own, return the one that calls them. Raises
    InputError when it is no .tflite file, a damaged one, or has more than one graph without `loops`.
    """
    model = parse(content)
    count = len(model.subgraphs)
    expect(count == 1 or (loops and count), "a .tflite file without loops", f"{count} graphs")
    try:
        return _graph(model)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise InputError("expected a .tflite file, got a damaged one") from error


def computed_nodes(graph: Graph) -> list[Node]:
    """Return the nodes whose output depends on the inputs: not those that unpack a constant."""
    found, reached = [], {tensor.index for tensor in graph.inputs}
    for node in graph.nodes:
        if any(tensor is not None and tensor.index in reached for tensor in node.inputs):
            reached.update(tensor.index for tensor in node.outputs)
            found.append(node)
    return found


def _graph(model: SchemaObject) -> Graph:
    graph = model.subgraphs[0]
    written = [*graph.inputs, *graph.outputs, *(i for one in graph.operators for i in one.outputs)]
    expect(all(i >= 0 for i in written), "a .tflite file", "a damaged one")
    tensors = tuple(_tensor(index, one, model.buffers) for index, one in enumerate(graph.tensors))
    nodes = tuple(
        _node(index, one, model.operatorCodes, tensors) for index, one in enumerate(graph.operators)
    )
    return Graph(
        nodes, tuple(tensors[i] for i in graph.inputs), tuple(tensors[i] for i in graph.outputs), tensors
    )


def _tensor(index: int, tensor: SchemaObject, buffers: Sequence[SchemaObject]) -> Tensor:
    quantization = tensor.quantization
    quantized = quantization is not None and quantization.scale is not None
    if quantized:
        expect(len(quantization.scale) == len(quantization.zeroPoint), "a .tflite file", "a damaged one")
    return Tensor(
        index=index,
        name=tensor.name.decode() if tensor.name else "",
        shape=_sides(tensor.shape),
        signature=_sides(tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature),
        type=_name_of(schema.TensorType, tensor.type).lower(),
        scales=np.array(quantization.scale if quantized else [], np.float64),
        zero_points=np.array(quantization.zeroPoint if quantized else [], np.int64),
        axis=quantization.quantizedDimension if quantized else 0,
        constant=_constant(tensor, buffers[tensor.buffer].data),
    )


def _sides(vector: NDArray[np.int32] | None) -> tuple[int, ...]:
    return () if vector is None else tuple(int(side) for side in vector)


def _constant(tensor: SchemaObject, data: NDArray[np.uint8] | None) -> np.ndarray | None:
    shape = tensor.shape if tensor.shape is not None else ()
    if data is not None and len(data) and tensor.type == schema.TensorType.INT4:
        pairs = np.asarray(data, np.uint8).view(np.int8)
        halves = np.stack([np.left_shift(pairs, 4) >> 4, pairs >> 4], axis=-1)
        return halves.ravel()[: int(np.prod(shape))].reshape(shape)
    if data is None or not len(data) or tensor.type not in _DTYPES:
        return None
    return np.frombuffer(np.asarray(data, np.uint8).tobytes(), _DTYPES[tensor.type]).reshape(shape)


def _node(
    index: int, operator: SchemaObject, codes: Sequence[SchemaObject], tensors: tuple[Tensor, ...]
) -> Node:
    code = codes[operator.opcodeIndex]
    # -1 stands for an input that was left out; any other negative number is damage.
    expect(all(i >= -1 for i in operator.inputs), "a .tflite file", "a damaged one")
    return Node(
        index=index,
        name=operator_name(code),
        version=code.version,
        options=_options(operator.builtinOptions),
        inputs=tuple(None if i == -1 else tensors[i] for i in operator.inputs),
        outputs=tuple(tensors[i] for i in operator.outputs),
    )


_ENUMERATIONS = {
    "padding": schema.Padding,
    "fusedActivationFunction": schema.ActivationFunctionType,
    "weightsFormat": schema.FullyConnectedOptionsWeightsFormat,
}


def _options(options: SchemaObject) -> dict[str, Any]:
    if options is None:
        return {}
    return {
        name: _name_of(_ENUMERATIONS[name], value) if name in _ENUMERATIONS else value
        for name, value in vars(options).items()
    }


def _name_of(enumeration: type, value: int) -> str:
    names = {number: name for name, number in vars(enumeration).items() if not name.startswith("_")}
    return names.get(value, f"UNKNOWN_{value}")
