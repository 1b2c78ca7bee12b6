"""Check the operators that compute each element by itself."""

from __future__ import annotations

import math

from converters.file.flatbuffer import require
from converters.file.soundness.nodes import (
    QUANTIZED,
    Node,
    Output,
    Shape,
    broadcast,
    require_activation,
    require_equal_steps,
    require_equal_types,
    require_ratio,
    require_step,
    require_type,
)
from converters.file.soundness.tensors import Tensor

_REAL = ("float32", *QUANTIZED)
_TANH = {"int8": (1 / 128, 0), "uint8": (1 / 128, 128), "int16": (1 / 32768, 0)}
_LOGISTIC = {"int8": (1 / 256, -128), "uint8": (1 / 256, 0), "int16": (1 / 32768, 0)}
# Kernels of ADD and SUB keep 20 bits of each input, of int16 15, and end the process unless what twice the
# larger scale is multiplied by behind them is less than 1.
_SUMS_BELOW = {"int8": 2**19, "uint8": 2**19, "int16": 2**14}
_CAST = ("float32", "int32", "int64", "bool")


def activation(node: Node) -> Output:
    """RELU and the like: another scale at most."""
    return Output(_one(node, _REAL).shape)


def hard_swish(node: Node) -> Output:
    """Kernels keep 7 bits of the input, and refuse the file unless what is multiplied then is less than 1."""
    source = _one(node, _REAL)
    if source.type in QUANTIZED:
        require_ratio(source.scales[0] / node.output.scales[0], below=2**7)
    return Output(source.shape)


def leaky_relu(node: Node) -> Output:
    """A slope for what is below 0."""
    alpha = node.options.alpha
    require(math.isfinite(alpha), f"a slope of {alpha:g}")
    source = _one(node, _REAL)
    if source.type in QUANTIZED:
        require(0 <= alpha <= 1, f"a slope of {alpha:g}, which kernels of {source.type} do not take")
    return activation(node)


def real_function(node: Node) -> Output:
    """A function that is checked for real values only."""
    return Output(_one(node, ("float32",)).shape)


def signed_function(node: Node) -> Output:
    """A function whose kernels take any real values but those of uint8."""
    return Output(_one(node, ("float32", "int8", "int16")).shape)


def tanh(node: Node) -> Output:
    """Outputs from -1 to 1 have a scale of their own."""
    source = _one(node, _REAL)
    require_step(node.output, *_TANH.get(source.type, (1.0, 0)))
    return Output(source.shape)


def logistic(node: Node) -> Output:
    """Outputs from 0 to 1 have a scale of their own."""
    source = _one(node, _REAL)
    require_step(node.output, *_LOGISTIC.get(source.type, (1.0, 0)))
    return Output(source.shape)


def softmax(node: Node) -> Output:
    """As logistic; kernels multiply by beta and the scale, which must leave something."""
    source, beta = _one(node, _REAL), node.options.beta
    require(source.shape, "a scalar")
    require(0 < beta < math.inf, f"a beta of {beta:g}")
    require_step(node.output, *_LOGISTIC.get(source.type, (1.0, 0)))
    if source.type in QUANTIZED:
        # Kernels hold beta x scale in 26 bits behind the point and abort when nothing is left.
        require(2**-26 < beta * source.scales[0] < 256, f"a scale of {source.scales[0]:g} with beta {beta:g}")
    return Output(source.shape)


def sum_of_two(node: Node) -> Output:
    """ADD and SUB: kernels bring both inputs to the larger of their scales, then to the output's."""
    require_activation(node.options)
    shape = _two(node)
    if node.output.type in QUANTIZED:
        largest = max(node.input(0).scales[0], node.input(1).scales[0])
        require_ratio(largest / node.output.scales[0], below=_SUMS_BELOW[node.output.type])
    return Output(shape)


def squared_difference(node: Node) -> Output:
    """As a sum, and squared; kernels keep 7 bits twice and end the process unless less than 1 is left."""
    one, other = node.input(0), node.input(1)
    shape = _two(node)
    if node.output.type in QUANTIZED:
        twice = 2 * max(one.scales[0], other.scales[0])
        require_ratio(twice**2 / (2**14 * node.output.scales[0]), below=1)
    return Output(shape)


def product(node: Node) -> Output:
    """MUL: the scales are multiplied."""
    require_activation(node.options)
    return Output(_two(node))


def quotient(node: Node) -> Output:
    """DIV, of real values only."""
    require_activation(node.options)
    require_type(node.output, ("float32",))
    return Output(_two(node))


def larger_or_smaller(node: Node) -> Output:
    """MAXIMUM and MINIMUM compare what is stored."""
    shape = _two(node)
    require_equal_steps(node.input(0), node.input(1), node.output)
    return Output(shape)


def prelu(node: Node) -> Output:
    """A slope for each element of the last dimensions."""
    source, slopes = _one(node, ("float32", "int8", "uint8")), node.input(1)
    require_equal_types(source, slopes)
    require_type(slopes, (source.type,))
    shape = broadcast(source.shape, slopes.shape)
    require(shape == source.shape, f"slopes of {slopes.text} for {source.text}")
    return Output(shape)


def quantize(node: Node) -> Output:
    """Real values, or such of another scale or type, to a scale."""
    source = node.input(0)
    require_type(source, _REAL)
    require_type(node.output, QUANTIZED)
    return Output(source.shape)


def dequantize(node: Node) -> Output:
    """A scale's values, or a constant of float16 or of several scales, to float32."""
    source = node.input(0)
    require(source.type in ("float16", *QUANTIZED), f"{source} of type {source.type}")
    require(source.data is not None or source.type != "float16", f"{source} of float16 that is computed")
    if source.channels:
        require(source.data is not None and source.type == "int8", f"{source} with several scales")
    else:
        require_type(source, (source.type,))
    require_type(node.output, ("float32",))
    return Output(source.shape)


def cast(node: Node) -> Output:
    """Values of one type to another, none of them with a scale."""
    require_type(node.input(0), _CAST)
    require_type(node.output, _CAST)
    return Output(node.input(0).shape)


def _one(node: Node, types: tuple[str, ...]) -> Tensor:
    source = node.input(0)
    require_type(source, types)
    require_type(node.output, types)
    require_equal_types(source, node.output)
    return source


def _two(node: Node) -> Shape:
    """Return the shape that two inputs of one type make."""
    one, other = node.input(0), node.input(1)
    for tensor in (one, other, node.output):
        require_type(tensor, _REAL)
    require_equal_types(one, other, node.output)
    return broadcast(one.shape, other.shape)
