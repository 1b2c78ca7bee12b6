"""Define the arithmetic of each operator of a .tflite file on real values, float64.

Every function takes the operator and its inputs, those that are computed with all samples (n, ...) at once,
and returns its output, or a list of its outputs, before they are stored in the file's steps. Whole numbers
that are no values (a shape, axes) come as NumPy arrays.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf
from converters.base.errors import expect
from converters.base.untyped import TfTensor
from converters.file.graph import Node

Operation = Callable[[Node, list[TfTensor]], TfTensor]
Division = Callable[[Node, list[TfTensor]], list[TfTensor]]


def activated(node: Node, value: TfTensor) -> TfTensor:
    """Return `value` behind the activation that is fused into `node`; InputError for one not known here."""
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


# --- sums of products


def _strides(node: Node) -> tuple[int, int]:
    return node.options["strideH"], node.options["strideW"]


def _dilations(node: Node) -> tuple[int, int]:
    return node.options["dilationHFactor"], node.options["dilationWFactor"]


def _with_bias(value: TfTensor, arguments: list[TfTensor]) -> TfTensor:
    return value + arguments[2] if len(arguments) > 2 and arguments[2] is not None else value


def _conv(node: Node, arguments: list[TfTensor]) -> TfTensor:
    """The kernel is (outputs, height, width, inputs of a group)."""
    source, kernel = arguments[0], tf.transpose(arguments[1], (1, 2, 3, 0))
    groups = source.shape[-1] // kernel.shape[2]
    parts = [(source, kernel)]
    if groups > 1:
        parts = list(zip(tf.split(source, groups, -1), tf.split(kernel, groups, -1), strict=True))
    options = {"padding": node.options["padding"], "dilations": _dilations(node)}
    sums = [tf.nn.conv2d(part, taps, _strides(node), **options) for part, taps in parts]
    return _with_bias(sums[0] if groups == 1 else tf.concat(sums, -1), arguments)


def _depthwise(node: Node, arguments: list[TfTensor]) -> TfTensor:
    """The kernel is (1, height, width, channels * multiplier)."""
    source, (_, rows, columns, outputs) = arguments[0], arguments[1].shape
    channels = source.shape[-1]
    kernel = tf.reshape(arguments[1], (rows, columns, channels, outputs // channels))
    strides, dilations = _strides(node), _dilations(node)
    if strides[0] == strides[1] and (strides == (1, 1) or dilations == (1, 1)):
        sums = tf.nn.depthwise_conv2d(
            source, kernel, [1, *strides, 1], node.options["padding"], dilations=dilations
        )
        return _with_bias(sums, arguments)
    # TensorFlow has no kernel for the others.
    taps = _windows(source, (rows, columns), strides, node.options["padding"], dilations=dilations)
    sums = tf.einsum("nyxtc,tcm->nyxcm", taps, tf.reshape(kernel, (rows * columns, channels, -1)))
    return _with_bias(tf.reshape(sums, (-1, *sums.shape[1:3], outputs)), arguments)


def _dense(node: Node, arguments: list[TfTensor]) -> TfTensor:
    """The kernel is (outputs, inputs)."""
    kernel = arguments[1]
    flat = arguments[0] if node.options["keepNumDims"] else tf.reshape(arguments[0], (-1, kernel.shape[1]))
    return _with_bias(tf.linalg.matmul(flat, kernel, transpose_b=True), arguments)


def _transposed_conv(node: Node, arguments: list[TfTensor]) -> TfTensor:
    """The inputs are the output's shape, a kernel (outputs, height, width, inputs), the picture, a bias."""
    _, kernel, source = arguments[:3]
    shape = (tf.shape(source)[0], *node.outputs[0].shape[1:])
    turned = tf.transpose(kernel, (1, 2, 0, 3))
    sums = tf.nn.conv2d_transpose(source, turned, shape, _strides(node), node.options["padding"])
    return _with_bias(tf.ensure_shape(sums, (None, *shape[1:])), arguments[1:])


def _matrices(node: Node, arguments: list[TfTensor]) -> TfTensor:
    one, other = arguments
    apart = all(t is not None and (t.constant is not None or len(t.shape) > 2) for t in node.inputs)
    expect(apart, "matrices of one sample each", str(node))
    return tf.linalg.matmul(one, other, adjoint_a=node.options["adjX"], adjoint_b=node.options["adjY"])


# --- windows of a picture


def _windows(
    source: TfTensor,
    size: tuple[int, int],
    strides: tuple[int, int],
    padding: str,
    *,
    dilations: tuple[int, int] = (1, 1),
    outside: float = 0.0,
) -> TfTensor:
    """Return what each place of a window sees, (n, height, width, places, channels); `outside`: the padding.

    TensorFlow does not pool float64 with every function, and float32 would round.
    """
    if padding == "SAME":
        sides = zip(source.shape[1:3], size, strides, dilations, strict=True)
        pads = [_same_padding(*side) for side in sides]
        source = tf.pad(source, [(0, 0), *pads, (0, 0)], constant_values=tf.constant(outside, tf.float64))
    patches = tf.image.extract_patches(source, [1, *size, 1], [1, *strides, 1], [1, *dilations, 1], "VALID")
    return tf.reshape(patches, (-1, *patches.shape[1:3], size[0] * size[1], source.shape[-1]))


def _same_padding(side: int, size: int, stride: int, dilation: int) -> tuple[int, int]:
    """Return the padding before and behind one side; the odd one goes behind."""
    wanted = max((-(-side // stride) - 1) * stride + dilation * (size - 1) + 1 - side, 0)
    return wanted // 2, wanted - wanted // 2


def _pooled(node: Node, source: TfTensor, *, outside: float = 0.0) -> TfTensor:
    size = node.options["filterHeight"], node.options["filterWidth"]
    return _windows(source, size, _strides(node), node.options["padding"], outside=outside)


def _average_pool(node: Node, arguments: list[TfTensor]) -> TfTensor:
    """What lies outside of the picture is not counted."""
    sums = tf.reduce_sum(_pooled(node, arguments[0]), axis=3)
    counts = tf.reduce_sum(_pooled(node, tf.ones_like(arguments[0])), axis=3)
    return sums / counts


def _max_pool(node: Node, arguments: list[TfTensor]) -> TfTensor:
    return tf.reduce_max(_pooled(node, arguments[0], outside=-np.inf), axis=3)


# --- sizes


def _resize_nearest(node: Node, arguments: list[TfTensor]) -> TfTensor:
    source, size = arguments
    for axis, side in zip((1, 2), size, strict=True):
        place = _source_places(node, source.shape[axis], int(side))
        rounded = np.floor(place + 0.5) if node.options["alignCorners"] else np.floor(place)
        source = tf.gather(source, np.clip(rounded, 0, source.shape[axis] - 1).astype(np.int64), axis=axis)
    return source


def _resize_bilinear(node: Node, arguments: list[TfTensor]) -> TfTensor:
    source, size = arguments
    down, across = (
        _between(_source_places(node, side, int(wanted)), side, centred=node.options["halfPixelCenters"])
        for side, wanted in zip(source.shape[1:3], size, strict=True)
    )
    return tf.einsum("yY,xX,nYXc->nyxc", down, across, source)


def _source_places(node: Node, side: int, wanted: int) -> NDArray[np.float32]:
    """Return where in the source each of `wanted` places of the result lies, as the kernels compute it."""
    corners = node.options["alignCorners"] and wanted > 1
    scale = (
        np.float32(side - 1) / np.float32(wanted - 1) if corners else np.float32(side) / np.float32(wanted)
    )
    centre = np.float32(0.5 if node.options["halfPixelCenters"] else 0)
    return (np.arange(wanted, dtype=np.float32) + centre) * scale


def _between(places: NDArray[np.float32], side: int, *, centred: bool) -> NDArray[np.float64]:
    """Return the weights (wanted, side) of linear interpolation at `places`."""
    places = np.clip(places - np.float32(0.5) * centred, 0, side - 1).astype(np.float64)
    return np.maximum(0.0, 1 - np.abs(places[:, None] - np.arange(side)))


# --- order and shape


def _reshape(node: Node, arguments: list[TfTensor]) -> TfTensor:
    return tf.reshape(arguments[0], (-1, *node.outputs[0].shape[1:]))


def _pad(node: Node, arguments: list[TfTensor]) -> TfTensor:
    expect(not arguments[1][0].any(), "no padding between samples", str(node))
    return tf.pad(arguments[0], arguments[1])


def _transpose(node: Node, arguments: list[TfTensor]) -> TfTensor:
    expect(arguments[1][0] == 0, "a transposition that leaves the samples in order", str(node))
    return tf.transpose(arguments[0], arguments[1])


def _concatenate(node: Node, arguments: list[TfTensor]) -> TfTensor:
    (axis,) = _axes(node, [node.options["axis"]])
    return tf.concat(arguments, axis)


def _tile(node: Node, arguments: list[TfTensor]) -> TfTensor:
    expect(arguments[1][0] == 1, "samples that are not repeated", str(node))
    return tf.tile(arguments[0], arguments[1])


def _pack(node: Node, arguments: list[TfTensor]) -> TfTensor:
    return tf.stack(arguments, _axis_within(node, node.options["axis"], len(node.outputs[0].shape)))


def _unpack(node: Node, arguments: list[TfTensor]) -> list[TfTensor]:
    (source,) = arguments
    axis = _axis_within(node, node.options["axis"], len(source.shape))
    return tf.unstack(source, node.options["num"], axis)


def _split(node: Node, arguments: list[TfTensor]) -> list[TfTensor]:
    axis, source = arguments
    axis = _axis_within(node, int(np.ravel(axis)[0]), len(source.shape))
    return tf.split(source, node.options["numSplits"], axis)


def _split_by_sizes(node: Node, arguments: list[TfTensor]) -> list[TfTensor]:
    source, sizes, axis = arguments
    return tf.split(source, sizes, _axis_within(node, int(np.ravel(axis)[0]), len(source.shape)))


def _axis_within(node: Node, axis: int, rank: int) -> int:
    """Return `axis` counted from the first; InputError when it is the samples'."""
    expect(axis % rank != 0, "an operator that keeps samples apart", str(node))
    return axis % rank


def _strided_slice(node: Node, arguments: list[TfTensor]) -> TfTensor:
    source, begin, end, strides = arguments
    options = node.options
    plain = strides[0] == 1 and not (
        options["ellipsisMask"] or options["newAxisMask"] or options["shrinkAxisMask"] & 1
    )
    expect(plain, "a slice that takes every sample and names every side", str(node))
    return tf.strided_slice(
        source,
        begin,
        end,
        strides,
        begin_mask=options["beginMask"] | 1,
        end_mask=options["endMask"] | 1,
        shrink_axis_mask=options["shrinkAxisMask"],
    )


def _axes(node: Node, axes: NDArray[np.int32] | list[int]) -> list[int]:
    """Return `axes` of the first input counted from 0; InputError when the samples' is one of them."""
    rank = len(node.inputs[0].shape) if node.inputs[0] is not None else 0
    return [_axis_within(node, int(axis), rank) for axis in np.ravel(axes)]


def _reduced(function: Callable[..., TfTensor]) -> Operation:
    def reduce(node: Node, arguments: list[TfTensor]) -> TfTensor:
        return function(arguments[0], axis=_axes(node, arguments[1]), keepdims=node.options["keepDims"])

    return reduce


# --- one value at a time


def _softmax(node: Node, arguments: list[TfTensor]) -> TfTensor:
    return tf.nn.softmax(node.options.get("beta", 1.0) * arguments[0])


def _same(node: Node, arguments: list[TfTensor]) -> TfTensor:
    return tf.cast(arguments[0], tf.float64)


def _elementwise(function: Callable[..., TfTensor]) -> Operation:
    return lambda node, arguments: function(*arguments)


OPERATIONS: dict[str, Operation] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "TRANSPOSE_CONV": _transposed_conv,
    "BATCH_MATMUL": _matrices,
    "AVERAGE_POOL_2D": _average_pool,
    "MAX_POOL_2D": _max_pool,
    "MEAN": _reduced(tf.reduce_mean),
    "SUM": _reduced(tf.reduce_sum),
    "REDUCE_MAX": _reduced(tf.reduce_max),
    "TANH": _elementwise(tf.tanh),
    "LOGISTIC": _elementwise(tf.sigmoid),
    "RELU": _elementwise(tf.nn.relu),
    "RELU6": _elementwise(tf.nn.relu6),
    "LEAKY_RELU": lambda node, arguments: tf.nn.leaky_relu(arguments[0], node.options["alpha"]),
    "PRELU": _elementwise(lambda x, slope: tf.where(x < 0, slope * x, x)),
    "ELU": _elementwise(tf.nn.elu),
    "GELU": lambda node, arguments: tf.nn.gelu(arguments[0], bool(node.options["approximate"])),
    "EXP": _elementwise(tf.exp),
    "ABS": _elementwise(tf.abs),
    "NEG": _elementwise(tf.negative),
    "SQUARE": _elementwise(tf.square),
    "RSQRT": _elementwise(tf.math.rsqrt),
    "SQUARED_DIFFERENCE": _elementwise(tf.math.squared_difference),
    "HARD_SWISH": _elementwise(lambda x: x * tf.nn.relu6(x + 3.0) / 6.0),
    "SOFTMAX": _softmax,
    "ADD": _elementwise(tf.add),
    "SUB": _elementwise(tf.subtract),
    "MUL": _elementwise(tf.multiply),
    "MAXIMUM": _elementwise(tf.maximum),
    "MINIMUM": _elementwise(tf.minimum),
    "CONCATENATION": _concatenate,
    "PAD": _pad,
    "RESIZE_NEAREST_NEIGHBOR": _resize_nearest,
    "RESIZE_BILINEAR": _resize_bilinear,
    "RESHAPE": _reshape,
    "SQUEEZE": _reshape,
    "EXPAND_DIMS": _reshape,
    "STRIDED_SLICE": _strided_slice,
    "TILE": _tile,
    "PACK": _pack,
    "TRANSPOSE": _transpose,
    "QUANTIZE": _same,
    "DEQUANTIZE": _same,
}
"""The operators of one output whose arithmetic is defined here, by their names in the schema."""

DIVISIONS: dict[str, Division] = {"SPLIT": _split, "SPLIT_V": _split_by_sizes, "UNPACK": _unpack}
"""Those of several outputs."""
