"""Compute the graph of a .tflite file in real arithmetic, which every runtime has to approximate.

Constants have the real values that the file's scales give them. Each computed tensor is clipped to
what its type can hold and, if asked, rounded to its steps: then the result is that of an
ideal int8 kernel, one that computes exactly and rounds once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from converters.base.environment import tf
from converters.base.errors import expect
from converters.base.untyped import TfTensor
from converters.file.graph import Graph, Node, Tensor

LIMITS = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}
"""The stored values that a quantised type can hold."""

Operation = Callable[[Node, list[TfTensor]], TfTensor]


def evaluate(
    graph: Graph, inputs: TfTensor, *, rounding: bool = True, shifts: Mapping[int, TfTensor] | None = None
) -> dict[int, TfTensor]:
    """Return every computed tensor's real values, float64 (n, ...), by tensor index, for `inputs` (n, ...).

    `rounding`: whether quantised tensors are rounded to their steps, or only clipped. `shifts`: what is
    added to a tensor (by index) after its rounding. Raises InputError for an operator whose arithmetic is
    not defined here.
    """
    check_operators(graph)
    (source,) = graph.inputs
    values = {source.index: _stored(source, tf.cast(inputs, tf.float64), rounding=rounding)}
    if shifts and source.index in shifts:
        values[source.index] += shifts[source.index]
    for node in graph.nodes:
        index = node.outputs[0].index
        result = compute(node, values, rounding=rounding)
        values[index] = result + shifts[index] if shifts and index in shifts else result
    return values


def check_operators(graph: Graph) -> None:
    """Raise InputError when `graph` has an operator whose arithmetic is not defined here."""
    for node in graph.nodes:
        known = node.name in _OPERATIONS and len(node.outputs) == 1
        expect(known, f"operators of {', '.join(_OPERATIONS)}", str(node))


def compute(node: Node, values: Mapping[int, TfTensor], *, rounding: bool) -> TfTensor:
    """Return the output, float64 (n, ...), of one operator, its computed inputs being `values` by index."""
    arguments = [None if t is None else _value(t, values) for t in node.inputs]
    result = _activated(node, _OPERATIONS[node.name](node, arguments))
    return _stored(node.outputs[0], result, rounding=rounding)


def ideal_outputs(graph: Graph, inputs: np.ndarray, *, rounding: bool = True, batch: int = 500) -> np.ndarray:
    """Return the output's real values (n, ...) for `inputs` (n, ...)."""
    (sink,) = graph.outputs
    run = tf.function(lambda x: evaluate(graph, x, rounding=rounding)[sink.index], autograph=False)
    parts = [run(inputs[i : i + batch]).numpy() for i in range(0, len(inputs), batch)]
    return np.concatenate(parts)


def steps_of(tensor: Tensor) -> float:
    """Return the size of a quantised tensor's step, its scale; 0 for a tensor of floating point."""
    return float(tensor.scales[0]) if tensor.scales.size and tensor.type in LIMITS else 0.0


def _value(tensor: Tensor, values: Mapping[int, TfTensor]) -> TfTensor:
    if tensor.constant is not None:
        return tf.constant(tensor.real()) if tensor.type != "int32" or tensor.scales.size else tensor.constant
    return values[tensor.index]


def _stored(tensor: Tensor, value: TfTensor, *, rounding: bool) -> TfTensor:
    """Return the real value that `tensor` stores for `value`."""
    step = steps_of(tensor)
    if not step:
        return value
    zero_point = float(tensor.zero_points[0])
    stored = tf.clip_by_value(value / step + zero_point, *map(float, LIMITS[tensor.type]))
    return ((_rounded(stored) if rounding else stored) - zero_point) * step


def _rounded(stored: TfTensor) -> TfTensor:
    """Round half away from zero, as the kernels do; averages of four integers have many halves."""
    return tf.sign(stored) * tf.floor(tf.abs(stored) + 0.5)


def _activated(node: Node, value: TfTensor) -> TfTensor:
    name = node.options.get("fusedActivationFunction", "NONE")
    expect(name in _FUSED, f"a fused activation of {', '.join(_FUSED)}", f"{name} in {node}")
    return _FUSED[name](value)


_FUSED: dict[str, Callable[[TfTensor], TfTensor]] = {
    "NONE": lambda x: x,
    "RELU": tf.nn.relu,
    "RELU6": tf.nn.relu6,
    "RELU_N1_TO_1": lambda x: tf.clip_by_value(x, -1.0, 1.0),
    "TANH": tf.tanh,
}


def _strides(node: Node) -> list[int]:
    return [1, node.options["strideH"], node.options["strideW"], 1]


def _dilations(node: Node) -> tuple[int, int]:
    return node.options["dilationHFactor"], node.options["dilationWFactor"]


def _with_bias(value: TfTensor, arguments: list[TfTensor]) -> TfTensor:
    return value + arguments[2] if len(arguments) > 2 and arguments[2] is not None else value


def _conv(node: Node, arguments: list[TfTensor]) -> TfTensor:
    """The kernel is (outputs, height, width, inputs)."""
    kernel = tf.transpose(arguments[1], (1, 2, 3, 0))
    padding = node.options["padding"]
    sums = tf.nn.conv2d(arguments[0], kernel, _strides(node), padding, dilations=_dilations(node))
    return _with_bias(sums, arguments)


def _depthwise(node: Node, arguments: list[TfTensor]) -> TfTensor:
    """The kernel is (1, height, width, channels * multiplier)."""
    _, rows, columns, outputs = arguments[1].shape
    multiplier = node.options["depthMultiplier"]
    kernel = tf.reshape(arguments[1], (rows, columns, outputs // multiplier, multiplier))
    padding = node.options["padding"]
    sums = tf.nn.depthwise_conv2d(arguments[0], kernel, _strides(node), padding, dilations=_dilations(node))
    return _with_bias(sums, arguments)


def _dense(node: Node, arguments: list[TfTensor]) -> TfTensor:
    """The kernel is (outputs, inputs)."""
    kernel = arguments[1]
    flat = arguments[0] if node.options["keepNumDims"] else tf.reshape(arguments[0], (-1, kernel.shape[1]))
    return _with_bias(tf.linalg.matmul(flat, kernel, transpose_b=True), arguments)


def _pool(node: Node, arguments: list[TfTensor], function: Callable[..., TfTensor]) -> TfTensor:
    size = [1, node.options["filterHeight"], node.options["filterWidth"], 1]
    # TensorFlow does not pool float64 with every function, and float32 would round: patches are used.
    expect(node.options["padding"] == "VALID", "pooling without padding", str(node))
    patches = tf.image.extract_patches(arguments[0], size, _strides(node), [1, 1, 1, 1], "VALID")
    taps = size[1] * size[2]
    channels = arguments[0].shape[-1]
    return function(tf.reshape(patches, (-1, patches.shape[1], patches.shape[2], taps, channels)), axis=3)


def _reshape(node: Node, arguments: list[TfTensor]) -> TfTensor:
    return tf.reshape(arguments[0], (-1, *node.outputs[0].shape[1:]))


def _softmax(node: Node, arguments: list[TfTensor]) -> TfTensor:
    return tf.nn.softmax(node.options.get("beta", 1.0) * arguments[0])


def _same(node: Node, arguments: list[TfTensor]) -> TfTensor:
    return tf.cast(arguments[0], tf.float64)


_OPERATIONS: dict[str, Operation] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "AVERAGE_POOL_2D": lambda node, arguments: _pool(node, arguments, tf.reduce_mean),
    "MAX_POOL_2D": lambda node, arguments: _pool(node, arguments, tf.reduce_max),
    "TANH": lambda node, arguments: tf.tanh(arguments[0]),
    "LOGISTIC": lambda node, arguments: tf.sigmoid(arguments[0]),
    "RELU": lambda node, arguments: tf.nn.relu(arguments[0]),
    "SOFTMAX": _softmax,
    "ADD": lambda node, arguments: arguments[0] + arguments[1],
    "MUL": lambda node, arguments: arguments[0] * arguments[1],
    "RESHAPE": _reshape,
    "QUANTIZE": _same,
    "DEQUANTIZE": _same,
}
