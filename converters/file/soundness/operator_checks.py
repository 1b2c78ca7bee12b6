"""List the rule of each operator; an operator without one is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from converters.file.soundness import elementwise, moving, windows
from converters.file.soundness.nodes import Node, Output

MANY = 64
"""The most inputs of an operator that takes any number of them, and outputs of one that has any number."""


@dataclass(frozen=True)
class Rule:
    """`function` checks a node and returns its output; it has `least` to `most` inputs, 1 to `most_outputs`.

    `options`: the table of its options, "" for none. One with fields must be there, or kernels see zeros,
    unless `optional`.
    """

    function: Callable[[Node], Output]
    options: str = ""
    least: int = 1
    most: int = 1
    optional: bool = False
    most_outputs: int = 1


# The schema lets a convolution be without a bias; depthwise kernels then end the process.
RULES = {
    "CONV_2D": Rule(windows.conv_2d, "Conv2DOptions", 3, 3),
    "DEPTHWISE_CONV_2D": Rule(windows.depthwise_conv_2d, "DepthwiseConv2DOptions", 3, 3),
    "TRANSPOSE_CONV": Rule(windows.transpose_conv, "TransposeConvOptions", 3, 4),
    "FULLY_CONNECTED": Rule(windows.fully_connected, "FullyConnectedOptions", 2, 3),
    "BATCH_MATMUL": Rule(windows.batch_matmul, "BatchMatMulOptions", 2, 2),
    "MAX_POOL_2D": Rule(windows.pool_2d, "Pool2DOptions"),
    "AVERAGE_POOL_2D": Rule(windows.pool_2d, "Pool2DOptions"),
    "RELU": Rule(elementwise.activation),
    "RELU6": Rule(elementwise.activation),
    "RELU_N1_TO_1": Rule(elementwise.activation),
    "ELU": Rule(elementwise.activation),
    "GELU": Rule(elementwise.activation, "GeluOptions"),
    "HARD_SWISH": Rule(elementwise.hard_swish, "HardSwishOptions"),
    "LEAKY_RELU": Rule(elementwise.leaky_relu, "LeakyReluOptions"),
    "PRELU": Rule(elementwise.prelu, "", 2, 2),
    "TANH": Rule(elementwise.tanh),
    "LOGISTIC": Rule(elementwise.logistic),
    "SOFTMAX": Rule(elementwise.softmax, "SoftmaxOptions"),
    "LOG_SOFTMAX": Rule(elementwise.real_function, "LogSoftmaxOptions"),
    "EXP": Rule(elementwise.signed_function, "ExpOptions"),
    "ABS": Rule(elementwise.signed_function, "AbsOptions"),
    "NEG": Rule(elementwise.real_function, "NegOptions"),
    "SQRT": Rule(elementwise.real_function),
    "RSQRT": Rule(elementwise.activation),
    "ADD": Rule(elementwise.sum_of_two, "AddOptions", 2, 2),
    "SUB": Rule(elementwise.sum_of_two, "SubOptions", 2, 2),
    "MUL": Rule(elementwise.product, "MulOptions", 2, 2),
    "DIV": Rule(elementwise.quotient, "DivOptions", 2, 2),
    "MAXIMUM": Rule(elementwise.larger_or_smaller, "MaximumMinimumOptions", 2, 2),
    "MINIMUM": Rule(elementwise.larger_or_smaller, "MaximumMinimumOptions", 2, 2),
    "SQUARED_DIFFERENCE": Rule(elementwise.squared_difference, "SquaredDifferenceOptions", 2, 2),
    "QUANTIZE": Rule(elementwise.quantize, "QuantizeOptions"),
    "DEQUANTIZE": Rule(elementwise.dequantize, "DequantizeOptions"),
    "CAST": Rule(elementwise.cast, "CastOptions", optional=True),
    "RESHAPE": Rule(moving.reshape, "ReshapeOptions", 1, 2, optional=True),
    "SQUEEZE": Rule(moving.squeeze, "SqueezeOptions"),
    "EXPAND_DIMS": Rule(moving.expand_dims, "ExpandDimsOptions", 2, 2),
    "TRANSPOSE": Rule(moving.transpose, "TransposeOptions", 2, 2),
    "PAD": Rule(moving.pad, "PadOptions", 2, 2),
    "PADV2": Rule(moving.pad, "PadV2Options", 3, 3),
    "MIRROR_PAD": Rule(moving.mirror_pad, "MirrorPadOptions", 2, 2),
    "CONCATENATION": Rule(moving.concatenation, "ConcatenationOptions", 1, MANY),
    "GATHER": Rule(moving.gather, "GatherOptions", 2, 2),
    "SPLIT": Rule(moving.split, "SplitOptions", 2, 2, most_outputs=MANY),
    "SPLIT_V": Rule(moving.split_v, "SplitVOptions", 3, 3, most_outputs=MANY),
    "UNPACK": Rule(moving.unpack, "UnpackOptions", most_outputs=MANY),
    "PACK": Rule(moving.pack, "PackOptions", 1, MANY),
    "SHAPE": Rule(moving.shape_of, "ShapeOptions"),
    "STRIDED_SLICE": Rule(moving.strided_slice, "StridedSliceOptions", 4, 4),
    "SPACE_TO_BATCH_ND": Rule(moving.space_to_batch_nd, "SpaceToBatchNDOptions", 3, 3),
    "BATCH_TO_SPACE_ND": Rule(moving.batch_to_space_nd, "BatchToSpaceNDOptions", 3, 3),
    "RESIZE_BILINEAR": Rule(moving.resize, "ResizeBilinearOptions", 2, 2),
    "RESIZE_NEAREST_NEIGHBOR": Rule(moving.resize, "ResizeNearestNeighborOptions", 2, 2),
    "MEAN": Rule(moving.reduced, "ReducerOptions", 2, 2),
    "SUM": Rule(moving.reduced, "ReducerOptions", 2, 2),
    "REDUCE_MAX": Rule(moving.largest_of, "ReducerOptions", 2, 2),
    "REDUCE_MIN": Rule(moving.largest_of, "ReducerOptions", 2, 2),
}
"""The rule of each operator that a digit reader uses, by its name in the schema."""
