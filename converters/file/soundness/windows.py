"""Check the operators that have a kernel or a window: convolutions, dense layers, pools."""

from __future__ import annotations

import math

from converters.base.arrays import shape_text
from converters.base.words import counted
from converters.file.flatbuffer import Record, require
from converters.file.soundness.beyond import require_within
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
    require_type,
)
from converters.file.soundness.tensors import Tensor

MAX_STEP = 4096
"""No picture of a digit reader is as wide; kernels compute with strides, dilations and windows in 32 bits."""

_SAME, _VALID = 0, 1
_KERNELS = {
    "float32": ("float32", "int8"),
    "int8": ("int8", "int4"),
    "uint8": ("uint8",),
    "int16": ("int8",),
}
_BIASES = {"float32": ("float32",), "int8": ("int32",), "uint8": ("int32",), "int16": ("int32", "int64")}
_PRODUCTS_BELOW = 2**8  # of 8 bits: XNNPACK, which LiteRT computes them by, refuses the file from there on
_BIAS_TYPES = (0, 2, 4)  # unspecified, int32, int64


def conv_2d(node: Node) -> Output:
    """A kernel (count, height, width, depth) over a picture (n, height, width, channels)."""
    source, kernel = _picture(node.input(0)), node.input(1)
    require(len(kernel.shape) == 4, f"a kernel of {kernel.text}")
    count, height, width, depth = kernel.shape
    channels = source.shape[3]
    groups = channels // depth
    fits = channels % depth == 0 and count % groups == 0 and (groups == 1 or kernel.type == source.type)
    require(fits, f"a kernel of {kernel.text} for {channels} channels of {source.type}")
    _check_kernel(node, source, kernel, node.input(2), axis=0)
    require(node.options.quantized_bias_type in _BIAS_TYPES, "a bias of a type that kernels do not know")
    sides = _sides(source.shape, (height, width), node.options, dilated=True)
    shape = (source.shape[0], *sides, count)
    taps = height * width * depth
    return Output(shape, work=math.prod(shape) * taps, scratch=4 * math.prod(shape[:3]) * taps * groups)


def depthwise_conv_2d(node: Node) -> Output:
    """A kernel (1, height, width, channels x multiplier), each channel over one of the picture's."""
    source, kernel = _picture(node.input(0)), node.input(1)
    fits = len(kernel.shape) == 4 and kernel.shape[0] == 1 and kernel.shape[3] % source.shape[3] == 0
    require(fits, f"a kernel of {kernel.text} for {source.shape[3]} channels")
    multiplier = kernel.shape[3] // source.shape[3]
    stated = node.options.depth_multiplier
    require(stated == multiplier, f"a depth multiplier of {stated} with a kernel for {multiplier}")
    _check_kernel(node, source, kernel, node.input(2), axis=3)
    sides = _sides(source.shape, kernel.shape[1:3], node.options, dilated=True)
    shape = (source.shape[0], *sides, kernel.shape[3])
    return Output(shape, work=math.prod(shape) * kernel.shape[1] * kernel.shape[2])


def transpose_conv(node: Node) -> Output:
    """A convolution's reverse: the output's shape, a kernel (count, height, width, channels), a picture."""
    shape, kernel, source = tuple(node.integers(0, "an output shape")), node.input(1), _picture(node.input(2))
    fits = len(kernel.shape) == 4 and kernel.shape[3] == source.shape[3] and kernel.type != "int4"
    require(fits, f"a kernel of {kernel.text} for {source.shape[3]} channels")
    right = len(shape) == 4 and (shape[0], shape[3]) == (source.shape[0], kernel.shape[0]) and min(shape) > 0
    require(right, f"an output shape of {shape_text(shape)}")
    _check_kernel(node, source, kernel, node.optional(3), axis=0)
    require(node.options.quantized_bias_type in _BIAS_TYPES, "a bias of a type that kernels do not know")
    back = _sides(shape, kernel.shape[1:3], node.options, dilated=False)
    require(
        back == source.shape[1:3], f"an output shape of {shape_text(shape)} for a picture of {source.text}"
    )
    taps = math.prod(source.shape[:3]) * math.prod(kernel.shape[:3])
    return Output(shape, work=taps * kernel.shape[3], scratch=4 * taps)


def fully_connected(node: Node) -> Output:
    """A kernel (units, depth) over an input whose elements are rows of `depth`."""
    source, kernel, options = node.input(0), node.input(1), node.options
    require(len(kernel.shape) == 2, f"a kernel of {kernel.text}")
    units, depth = kernel.shape
    require_within(
        options.weights_format == 0, "a kernel that is shuffled, which lenet-edge has no check for"
    )
    require(options.quantized_bias_type in _BIAS_TYPES, "a bias of a type that kernels do not know")
    rows, rest = divmod(math.prod(source.shape), depth)
    whole = not options.keep_num_dims or source.shape[-1:] == (depth,)
    require(rest == 0 and whole, f"a kernel of {kernel.text} for {source.text}")
    _check_kernel(node, source, kernel, node.optional(2), axis=0)
    # tflite-runtime takes the second dimension for the last there, and reads behind the channels' scales.
    flat = source.type != "int16" or not options.keep_num_dims or len(source.shape) == 2
    require(flat, f"rows of int16 in {source.text}")
    shape = (*source.shape[:-1], units) if options.keep_num_dims else (rows, units)
    return Output(shape, work=rows * units * depth)


def batch_matmul(node: Node) -> Output:
    """Products of matrices (..., rows, depth) and (..., depth, columns), either of them stored turned."""
    one, other, output = node.input(0), node.input(1), node.output
    for tensor in (one, other, output):
        require_type(tensor, ("float32", "int8", "int16"))
        require(len(tensor.shape) >= 2, f"a matrix of {tensor.text}")
    require_equal_types(one, other, output)
    rows, depth = one.shape[-2:][:: -1 if node.options.adj_x else 1]
    height, columns = other.shape[-2:][:: -1 if node.options.adj_y else 1]
    require(depth == height, f"products of {one.text} and {other.text}")
    shape = (*broadcast(one.shape[:-2], other.shape[:-2]), rows, columns)
    return Output(shape, work=math.prod(shape) * depth, scratch=one.bytes + other.bytes)


def pool_2d(node: Node) -> Output:
    """The largest or the mean value of each window of a picture."""
    source = _picture(node.input(0))
    require_type(source, ("float32", *QUANTIZED))
    require_equal_steps(source, node.output)
    size = (node.options.filter_h, node.options.filter_w)
    require(all(1 <= side <= MAX_STEP for side in size), f"a window of {shape_text(size)}")
    shape = (source.shape[0], *_sides(source.shape, size, node.options, dilated=False), source.shape[3])
    return Output(shape, work=math.prod(shape) * math.prod(size))


def _picture(tensor: Tensor) -> Tensor:
    require(len(tensor.shape) == 4, f"a picture of {tensor.text}")
    return tensor


def _sides(source: Shape, size: Shape, options: Record, *, dilated: bool) -> Shape:
    """Return the height and width that windows of `size` make of a picture (n, height, width, ...)."""
    require_activation(options)
    require(options.padding in (_SAME, _VALID), f"a padding of number {options.padding}")
    steps = (options.stride_h, options.stride_w)
    spread = (options.dilation_h, options.dilation_w) if dilated else (1, 1)
    require(all(1 <= step <= MAX_STEP for step in steps), f"strides of {shape_text(steps)}")
    require(all(1 <= step <= MAX_STEP for step in spread), f"dilations of {shape_text(spread)}")
    reach = tuple((one - 1) * factor + 1 for one, factor in zip(size, spread, strict=True))
    room = source[1:3]
    if options.padding == _VALID:
        room = tuple(side - far + 1 for side, far in zip(room, reach, strict=True))
    require(min(room) > 0, f"windows of {shape_text(reach)} in a picture of {shape_text(source)}")
    return tuple(-(-side // step) for side, step in zip(room, steps, strict=True))


def _check_kernel(node: Node, source: Tensor, kernel: Tensor, bias: Tensor | None, *, axis: int) -> None:
    """Check types and scales of what goes into a product: a scale a channel along the kernel's `axis`."""
    require_activation(node.options)
    require_type(source, tuple(_KERNELS))
    require_type(node.output, tuple(_KERNELS))
    require_equal_types(source, node.output)
    require(kernel.type in _KERNELS[source.type], f"a kernel of {kernel.type} for {source.type}")
    if bias is not None:
        require(bias.type in _BIASES[source.type], f"a bias of {bias.type} for {source.type}")
        require(bias.shape == (kernel.shape[axis],), f"a bias of {bias.text} with a kernel of {kernel.text}")
    if kernel.type != "float32":
        _check_kernel_scales(kernel, axis)
    if source.type != "float32":
        _check_products(source, kernel, bias, node.output)


def _check_kernel_scales(kernel: Tensor, axis: int) -> None:
    require(kernel.data is not None, f"a kernel of {kernel.type} that is computed")
    require(kernel.scales, f"a kernel of {kernel.type} without a scale")
    require(not kernel.channels or kernel.axis == axis, f"a kernel with scales for dimension {kernel.axis}")
    symmetric = kernel.type == "uint8" or not any(kernel.zero_points)
    require(symmetric, f"a kernel of {kernel.type} with a zero point")
    require(kernel.type != "uint8" or not kernel.channels, "a kernel of uint8 with several scales")


def _check_products(source: Tensor, kernel: Tensor, bias: Tensor | None, output: Tensor) -> None:
    """Check that the scales of products, of the bias and of the output go together."""
    products = [source.scales[0] * scale for scale in kernel.scales]
    if source.type != "int16":
        require_ratio(max(products) / output.scales[0], below=_PRODUCTS_BELOW)
    if bias is None:
        return
    require(bias.data is not None, "a bias of integers that is computed")
    if source.type == "int16":
        return  # some of the converter's files have another scale there; kernels do not read it
    require(
        len(bias.scales) == len(products),
        f"a bias with {counted(len(bias.scales), 'scale')}, not {len(products)}",
    )
    for wanted, scale in zip(products, bias.scales, strict=True):
        # The converter multiplies in float32: seven digits. A thousandth more or less changes no score.
        require(math.isclose(wanted, scale, rel_tol=1e-3), f"a bias of scale {scale:g}, not {wanted:g}")
