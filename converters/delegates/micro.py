"""Audit for TensorFlow Lite Micro: which types each reference kernel computes; versions do not matter.

Source: tensorflow/lite/micro/kernels of tflite-micro, conv.cc afbf908a, depthwise_conv.cc e7884567,
fully_connected.cc 26a153e7 with fully_connected_common.cc 0eec4fa5, quantize_common.cc 0c32bc83,
dequantize_common.cc 4c07d02c. Every pair of types below but those with int4, and those that are not there,
were tried with the package tflite-micro 0.dev20261023182759, which also names the operators.
SOFTMAX of int8 to int16 wants one certain zero point and is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from converters.delegates.operator_rules import (
    Check,
    Rule,
    Rules,
    Verdict,
    expects,
    first_input,
    input_at,
    input_type,
    listed,
)
from converters.delegates.operator_rules import verdicts as verdicts_by
from converters.file.graph import Graph, Node

_COMMON = ("float32", "int8", "int16")


def verdicts(graph: Graph) -> list[Verdict]:
    """Return a verdict on each node of `graph`."""
    return verdicts_by(graph, RULES)


def _pairs(
    role: str,
    pick: Callable[[Node], str],
    allowed: Mapping[str, Sequence[str]],
    *,
    source_of: Callable[[Node], str] = lambda node: first_input(node).type,
) -> Check:
    """Return the check on two types; `allowed`: for each type of the input, those of what `pick` returns."""

    def problem(node: Node, _: int) -> str:
        source = source_of(node)
        if pick(node) in allowed.get(source, ()):
            return ""
        hybrid = role == "weights" and source == "float32" and pick(node) != "no"
        end = " (hybrid, dynamic range)" if hybrid else ""
        return f"{source} input with {pick(node)} {role} of {node.name}{end} has no kernel"

    words = "; ".join(f"{source} with {listed(others)} {role}" for source, others in allowed.items())
    return Check(words, problem)


def _type_at(place: int) -> Callable[[Node], str]:
    def type_of(node: Node) -> str:
        tensor = input_at(node, place)
        return tensor.type if tensor is not None else "no"

    return type_of


_weights = _type_at(1)


def _output(node: Node) -> str:
    return node.outputs[0].type


def _same(types: Sequence[str]) -> Rule:
    return Rule(None, (input_type({0: types}),))


_CONVOLUTION = Rule(
    None,
    (_pairs("weights", _weights, {"float32": ("float32",), "int8": ("int8", "int4"), "int16": ("int8",)}),),
)
_ARITHMETIC = _same((*_COMMON, "int32"))


def _constant(words: str) -> Check:
    def met(node: Node) -> bool:
        tensor = input_at(node, 1)
        return tensor is not None and tensor.constant is not None

    return expects(words, met, lambda _: "one that is computed or left out")


_UNWRITTEN = """
ABS ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE BATCH_MATMUL BATCH_TO_SPACE_ND BROADCAST_ARGS BROADCAST_TO CALL_ONCE
CAST CEIL COS CUMSUM DEPTH_TO_SPACE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FILL
FLOOR FLOOR_DIV FLOOR_MOD GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION L2_POOL_2D LESS
LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOG_SOFTMAX MAXIMUM MINIMUM MIRROR_PAD NEG NOT_EQUAL PACK
PADV2 READ_VARIABLE REDUCE_ALL REDUCE_MAX REDUCE_MIN REVERSE_V2 ROUND RSQRT SELECT_V2 SHAPE SIN SLICE
SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE STRIDED_SLICE SUM SVDF
UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK VAR_HANDLE WHILE ZEROS_LIKE
"""

RULES = Rules(
    {
        "ADD": _ARITHMETIC,
        "AVERAGE_POOL_2D": _same(_COMMON),
        "CONCATENATION": _same((*_COMMON, "int32", "int64", "bool")),
        "CONV_2D": _CONVOLUTION,
        "DEPTHWISE_CONV_2D": _CONVOLUTION,
        "DEQUANTIZE": Rule(
            None,
            (_pairs("output", _output, dict.fromkeys(("int8", "int16", "uint8"), ("float32",))),),
        ),
        "FULLY_CONNECTED": _CONVOLUTION,
        "GATHER": Rule(
            None,
            (
                input_type({0: ("float32", "int8")}),
                _pairs("indices", _type_at(1), dict.fromkeys(("float32", "int8"), ("int32",))),
            ),
        ),
        "LEAKY_RELU": _same(_COMMON),
        "LOGISTIC": _same(_COMMON),
        "MAX_POOL_2D": _same(_COMMON),
        "MEAN": _same(_COMMON),
        "MUL": _ARITHMETIC,
        "PAD": Rule(None, (input_type({0: (*_COMMON, "int32")}), _constant("constant paddings"))),
        "PRELU": _same(("float32", "int8")),
        "QUANTIZE": Rule(
            None,
            (
                _pairs(
                    "output",
                    _output,
                    {
                        "float32": ("int8", "int16"),
                        "int8": ("int8", "uint8", "int16", "int32"),
                        "uint8": ("int8",),
                        "int16": ("int8", "int16", "int32"),
                        "int32": ("int8", "int16"),
                    },
                ),
            ),
        ),
        "RELU": _same(_COMMON),
        "RELU6": _same(_COMMON),
        "RESHAPE": _same(()),
        "RESIZE_BILINEAR": Rule(None, (input_type({0: ("float32", "int8")}), _constant("a constant size"))),
        "RESIZE_NEAREST_NEIGHBOR": Rule(None, (input_type({0: _COMMON}), _constant("a constant size"))),
        "SOFTMAX": Rule(
            None,
            (
                _pairs(
                    "output",
                    _output,
                    {"float32": ("float32",), "int8": ("int8",), "int16": ("int16",)},
                ),
            ),
        ),
        "SQUEEZE": _same(()),
        "SUB": _ARITHMETIC,
        "TANH": _same(_COMMON),
        "TRANSPOSE": Rule(None, (input_type({0: _COMMON}), _constant("a constant permutation"))),
        "TRANSPOSE_CONV": Rule(
            None,
            (
                _pairs(
                    "weights",
                    _weights,
                    {"float32": ("float32",), "int8": ("int8",), "int16": ("int8",)},
                    source_of=_type_at(2),  # the first input is the shape of the output
                ),
            ),
        ),
    },
    unwritten=frozenset(_UNWRITTEN.split()),
)
"""By operator: the types that its reference kernel computes."""
