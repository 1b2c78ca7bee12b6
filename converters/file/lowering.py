"""Lay a .tflite file out for a processor's matrix kernels ("lower" it): the same function, rewritten.

Each convolution, and each pooling that averages in float32, can be computed several positions at a time (see
converters.file.phases). The rewrite moves the file's own stored weights, scales and zero points and adds
zeros, so int8 sums are the same integers and float32 ones the same terms. It needs neither the Keras model
nor calibration and works on any file, fine-tuned ones included. Where a file leaves its height or width open,
so does the result. A layout that does not fit is refused, with the operator's name.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import Numbers, shape_text
from converters.base.errors import InputError, expect
from converters.base.untyped import SchemaObject
from converters.file.graph import Graph, Node, Tensor, read_graph
from converters.file.layouts import Layout, Step, windowed
from converters.file.phases import PLAIN, Axis, Phases, Window, common_padding, spread, window
from converters.file.resizing import shapes_at
from converters.file.rewriting import Rewriting
from converters.file.same_padding import with_padding_written_out
from converters.file.schema import schema

ELEMENTWISE = (
    "TANH",
    "LOGISTIC",
    "RELU",
    "RELU6",
    "RELU_N1_TO_1",
    "ELU",
    "HARD_SWISH",
    "QUANTIZE",
    "DEQUANTIZE",
)
"""Operators of one input that do to each value the same, whatever its shape."""

_SPATIAL, _SIDES = (1, 2), "HW"
_TYPES = ("float32", "float16", "int8")
_DENSE = "CONV_2D"
_POOL = "AVERAGE_POOL_2D"


def lower(content: bytes, *, layout: Layout) -> bytes:
    """Return the .tflite file `content` laid out by `layout`; the function and the two ends are the same.

    Raises InputError: no .tflite file, a layout for another number of operators, a step that does not fit its
    operator (sizes that the phases do not divide, another padding, weights that are computed), or, where the
    file leaves its height or width open, a layout that needs a RESHAPE or changes the result at another size.
    """
    graph = read_graph(content)
    nodes = windowed(graph)
    expect(len(layout) == len(nodes), f"a layout of {len(nodes)} steps", len(layout))
    steps = {node.index: step for node, step in zip(nodes, layout, strict=True) if step is not None}
    result = _Lowering(content, graph).run(steps)
    for axis in _open_axes(graph) if steps else ():
        _check_at_other_sizes(graph, read_graph(result), steps.values(), axis=axis)
    return result


@dataclass(frozen=True)
class _Weights:
    """What a windowed operator sums with: `kernel` (outputs, height, width, inputs) as stored, and `bias`.

    `scales` are an int8 kernel's, one an output, empty for others; `bias_scales` its bias's. `dequantised`: a
    DEQUANTIZE stands between what is stored, float16, and the operator.
    """

    kernel: Numbers
    bias: Numbers | None
    scales: NDArray[np.float64]
    bias_scales: NDArray[np.float64]
    dequantized: bool


class _Lowering:
    """One run of `lower`: the nodes of `graph` in order, each tensor in the phases that its maker gave it."""

    def __init__(self, content: bytes, graph: Graph) -> None:
        self._new, self._graph = Rewriting(content), graph
        self._new.shorten_names()
        self._phases: dict[int, Phases] = {}
        self._reshaped: dict[tuple[int, Phases], int] = {}
        self._makers = {tensor.index: node for node in graph.nodes for tensor in node.outputs}

    def run(self, steps: dict[int, Step]) -> bytes:
        for node, operator in zip(self._graph.nodes, self._new.graph.operators, strict=True):
            if node.index in steps:
                self._lay_out(node, steps[node.index])
            else:
                self._keep(node, operator)
        for tensor in self._graph.outputs:
            expect(
                self._phases_of(tensor).positions == 1,
                "a result in no phases",
                f"{tensor.name} in {self._phases_of(tensor)}",
            )
        return with_padding_written_out(self._new.packed())

    def _phases_of(self, tensor: Tensor) -> Phases:
        return self._phases.get(tensor.index, PLAIN)

    def _keep(self, node: Node, operator: SchemaObject) -> None:
        """Keep an operator that has no step; in phases if it does not depend on the shape."""
        source = node.inputs[0] if node.inputs else None
        if source is not None and node.name in ELEMENTWISE and source.constant is None:
            self._set_phases(node.outputs[0], self._phases_of(source))
        elif source is not None and node.name == "RESHAPE":
            in_order = self._phases_of(source).in_order(source.shape)
            expect(in_order, f"values in order before {node}", f"phases of {self._phases_of(source)}")
        else:
            operator.inputs = np.array(
                [-1 if tensor is None else self._in_phases(tensor, PLAIN, node) for tensor in node.inputs],
                np.int32,
            )
        self._new.operators.append(operator)

    def _set_phases(self, tensor: Tensor, phases: Phases) -> None:
        """Record that `tensor` is computed in `phases`."""
        if phases.positions > 1:
            self._phases[tensor.index] = phases
            stored = self._new.graph.tensors[tensor.index]
            stored.shape = np.array(phases.shape(tensor.shape), np.int32)
            stored.shapeSignature = _signature(phases.shape(tensor.shape), tensor)

    def _in_phases(self, tensor: Tensor, phases: Phases, reader: Node) -> int:
        """Return the index of `tensor` in `phases`, reshaped for `reader` if it is computed in others."""
        made = self._phases_of(tensor)
        if made == phases:
            return tensor.index
        if (tensor.index, phases) not in self._reshaped:
            free = (
                made.in_order(tensor.shape) and phases.divide(tensor.shape) and phases.in_order(tensor.shape)
            )
            expect(free, f"the input of {reader} in {made}, or both in order", f"{phases}")
            self._reshaped[tensor.index, phases] = self._reshape(tensor, phases.shape(tensor.shape))
        return self._reshaped[tensor.index, phases]

    def _reshape(self, tensor: Tensor, shape: tuple[int, ...]) -> int:
        stored = self._new.graph.tensors[tensor.index]
        name = f"{self._new.name_of(tensor.index)}/{shape_text(shape[1:])}"
        result = self._new.tensor(shape, stored.type, name=name, quantization=stored.quantization)
        wanted = self._new.constant(np.array(shape, np.int32), name=f"{name}/shape")
        options = schema.ReshapeOptionsT()
        options.newShape = np.array(shape, np.int32)
        self._new.operator(
            "RESHAPE", version=1, inputs=[tensor.index, wanted], outputs=[result], options=options
        )
        return result

    def _lay_out(self, node: Node, step: Step) -> None:
        """Put a CONV_2D from one form to the other in the place of a windowed operator."""
        source, result = node.inputs[0], node.outputs[0]
        assert source is not None
        weights = self._weights(node)
        rows, columns = _windows(node, source, result, weights.kernel.shape, step)
        kernel = spread(weights.kernel, rows, columns, step.source, step.result)
        count = step.result.positions
        inputs = [
            self._in_phases(source, step.source, node),
            self._constant(node, "kernel", kernel, np.tile(weights.scales, count), weights.dequantized),
        ]
        if weights.bias is not None:
            bias = np.tile(weights.bias, count)
            scales = np.tile(weights.bias_scales, count)
            inputs.append(self._constant(node, "bias", bias, scales, weights.dequantized))
        self._set_phases(result, step.result)
        self._new.operator(
            _DENSE,
            version=_version(self._graph, node, source),
            inputs=inputs,
            outputs=[result.index],
            options=_conv_options(node, rows, columns),
        )

    def _constant(
        self, node: Node, role: str, values: Numbers, scales: NDArray[np.float64], dequantized: bool
    ) -> int:
        name = f"{self._new.name_of(node.outputs[0].index)}/{role}"
        index = self._new.constant(values, name=name, quantization=_per_channel(scales))
        if not dequantized:
            return index
        real = self._new.tensor(values.shape, schema.TensorType.FLOAT32, name=f"{name}/float32")
        maker = self._makers[_required_input(node, 1).index]
        self._new.operator("DEQUANTIZE", version=maker.version, inputs=[index], outputs=[real])
        return real

    def _weights(self, node: Node) -> _Weights:
        source = _required_input(node, 0)
        if node.name == _POOL:
            return _averaging(node, source)
        kernel, dequantized = self._stored(node, _required_input(node, 1))
        bias = None
        if len(node.inputs) > 2 and node.inputs[2] is not None:
            bias, _ = self._stored(node, node.inputs[2])
        values = kernel.constant
        assert values is not None
        expect(kernel.type in _TYPES, f"weights of {node} of {', '.join(_TYPES)}", kernel.type)
        expect(not kernel.zero_points.any(), f"weights of {node} around zero", "weights with a zero point")
        hybrid = kernel.type == "int8" and source.type == "float32"
        if node.name != _DENSE or values.shape[3] != source.shape[3]:
            expect(not hybrid, f"{node} with weights of its input's kind", "int8 weights on float32")
            values = _as_full_kernel(node, values, source.shape[3])
        outputs = values.shape[0]
        return _Weights(
            kernel=values,
            bias=None if bias is None else bias.constant,
            scales=_for_each(outputs, kernel.scales),
            bias_scales=np.zeros(0) if bias is None else _for_each(outputs, bias.scales),
            dequantized=dequantized,
        )

    def _stored(self, node: Node, tensor: Tensor) -> tuple[Tensor, bool]:
        """Return the constant behind `tensor`, and whether a DEQUANTIZE stands between."""
        maker = self._makers.get(tensor.index)
        if maker is not None and maker.name == "DEQUANTIZE":
            stored = _required_input(maker, 0)
            expect(stored.constant is not None, f"constant weights of {node}", "computed ones")
            return stored, True
        expect(tensor.constant is not None, f"constant weights of {node}", "computed ones")
        return tensor, False


def _open_axes(graph: Graph) -> list[int]:
    """Return the axes of height (1) and width (2) that the file leaves open in its input."""
    return [axis for axis in _SPATIAL if any(t.signature[axis : axis + 1] == (-1,) for t in graph.inputs)]


def _signature(shape: tuple[int, ...], tensor: Tensor) -> NDArray[np.int32] | None:
    """Return the signature of `tensor` in phases, of `shape`: height and width as open as its own."""
    left_open = [axis for axis in _SPATIAL if tensor.signature[axis] == -1]
    if not left_open:
        return None
    return np.array([-1 if axis in left_open else side for axis, side in enumerate(shape)], np.int32)


def _check_at_other_sizes(before: Graph, after: Graph, steps: Collection[Step], *, axis: int) -> None:
    """Raise InputError unless what is in no phases has the same shape before and after, whatever the size.

    Values then are the same too: a window without padding lies where it did, counted from the start. The
    shapes repeat after as many rows or columns as all strides and phases together make.
    """
    alike = [
        (old.outputs[0], new.outputs[0])
        for old, new in zip(before.nodes, after.nodes, strict=False)
        if old.outputs[0].shape == new.outputs[0].shape
    ]
    strides = (node.options[f"stride{_SIDES[axis - 1]}"] for node in windowed(before))
    period = math.prod(strides) * math.prod(
        max(step.source[axis - 1], step.result[axis - 1]) for step in steps
    )
    own = before.inputs[0].shape
    for more in range(1, period + 1):
        size = (*own[:axis], own[axis] + more, *own[axis + 1 :])
        old_shapes, new_shapes = shapes_at(before, size), shapes_at(after, size)
        same = all(old_shapes[old.index] == new_shapes[new.index] for old, new in alike)
        expect(same, f"a layout for any size, {shape_text(size[1:])} too", "one for some")


def _for_each(outputs: int, scales: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a scale for each output, where one for all is stored too; none where none is."""
    return np.broadcast_to(scales, outputs) if scales.size else scales


def _required_input(node: Node, number: int) -> Tensor:
    tensor = node.inputs[number]
    assert tensor is not None
    return tensor


def _as_full_kernel(node: Node, kernel: Numbers, inputs: int) -> Numbers:
    """Return the kernel of a depthwise or grouped operator as one of all inputs, zeros where it has none.

    `kernel` is (1, height, width, outputs) of a depthwise operator or pool, and (outputs, height, width,
    inputs / groups) of a grouped CONV_2D; what is returned is (outputs, height, width, inputs).
    """
    grouped = kernel if node.name == _DENSE else kernel.transpose(3, 1, 2, 0)
    outputs, height, width, depth = grouped.shape
    dense = np.zeros((outputs, height, width, inputs), kernel.dtype)
    for output in range(outputs):
        first = output * (inputs // depth) // outputs * depth
        dense[output, :, :, first : first + depth] = grouped[output]
    return dense


def _averaging(node: Node, source: Tensor) -> _Weights:
    """Return the weights of an average, in float32 alone: int8 ones round halves otherwise."""
    expect(source.type == "float32", f"{node} of float32 values", source.type)
    height, width = node.options["filterHeight"], node.options["filterWidth"]
    kernel = np.full((1, height, width, source.shape[3]), 1 / (height * width), np.float32)
    nothing = np.zeros(0)
    return _Weights(
        _as_full_kernel(node, kernel, source.shape[3]),
        np.zeros(source.shape[3], np.float32),
        nothing,
        nothing,
        False,
    )


def _windows(
    node: Node, source: Tensor, result: Tensor, kernel: tuple[int, ...], step: Step
) -> tuple[Window, Window]:
    """Return the new kernel's windows; InputError when the step does not fit."""
    options = node.options
    dilated = {options.get("dilationHFactor", 1), options.get("dilationWFactor", 1)} != {1}
    expect(not dilated, f"{node} without dilation", "a dilated one")
    same = options["padding"] == "SAME"
    expect(not (same and node.name == _POOL), f"{node} without padding", "SAME")
    axes = [
        _axis(source.shape[i], result.shape[i], kernel[i], options[f"stride{side}"], same)
        for i, side in ((1, "H"), (2, "W"))
    ]
    rows = window(axes[0], step.source.rows, step.result.rows)
    columns = window(axes[1], step.source.columns, step.result.columns)
    if rows is None or columns is None or common_padding(rows, columns) is None:
        fitting = f"{shape_text(source.shape[1:])} to {shape_text(result.shape[1:])}"
        raise InputError(f"expected a step that fits {node}, {fitting}, got {step}")
    phased = max(*step.source, *step.result) > 1
    at_any_size = not (phased and same and -1 in source.signature[1:3])
    expect(at_any_size, f"{node} without padding, as its size is open", "SAME")
    return rows, columns


def _axis(source: int, result: int, kernel: int, stride: int, same: bool) -> Axis:
    needed = max((result - 1) * stride + kernel - source, 0) if same else 0
    return Axis(source, result, kernel, stride, needed // 2)


def _version(graph: Graph, node: Node, source: Tensor) -> int:
    """Return the version of CONV_2D for the node's types: one the file has, or the first that knows them."""
    if node.name == _DENSE:
        return node.version
    return {"int8": 3, "int16": 4}.get(source.type, 1)


def _conv_options(node: Node, rows: Window, columns: Window) -> SchemaObject:
    options = schema.Conv2DOptionsT()
    options.padding = getattr(schema.Padding, common_padding(rows, columns) or "")
    options.strideH, options.strideW = rows.stride, columns.stride
    options.dilationHFactor = options.dilationWFactor = 1
    activation = node.options["fusedActivationFunction"]
    options.fusedActivationFunction = getattr(schema.ActivationFunctionType, activation)
    return options


def _per_channel(scales: NDArray[np.float64]) -> SchemaObject:
    """Return the schema's quantisation of a constant with these scales on its first axis; None without."""
    if not scales.size:
        return None
    quantization = schema.QuantizationParametersT()
    quantization.scale = scales.astype(np.float32)
    quantization.zeroPoint = np.zeros(len(scales), np.int64)
    quantization.quantizedDimension = 0
    return quantization
