"""Audit for NNAPI: what its delegate validates before it hands an operator to the phone's driver.

Source: NNAPIDelegateKernel::Validate of tensorflow/lite/delegates/nnapi/nnapi_delegate.cc, TensorFlow
acdcab50, with the delegate's default options. NNAPI 1.0 is API level 27, 1.1 is 28, 1.2 is 29, 1.3 is 30;
nothing that is looked at here changes after 30.
"""

from __future__ import annotations

from converters.delegates import float16
from converters.delegates.operator_rules import (
    Check,
    Rule,
    Rules,
    Verdict,
    expects,
    first_input,
    input_at,
    input_type,
    needs,
    output_type,
    problem,
)
from converters.file.graph import Graph, Node, Tensor

_FLOAT = ("float32",)
_QUANTIZED = ("uint8", "int8")
_FLOAT_OR_8 = ("float32", *_QUANTIZED)


def verdicts(graph: Graph, *, level: int) -> list[Verdict]:
    """Return a verdict on each node of `graph` at Android API level `level`."""
    return float16.verdicts(graph, lambda node: _problem(node, level))


def _problem(node: Node, level: int) -> str:
    # The delegate lets float16 that is computed through before it looks at anything else.
    if level >= 30 and node.name == "DEQUANTIZE" and node.inputs and _is_computed_float16(node):
        return ""
    return problem(node, RULES, level=level)


def _is_computed_float16(node: Node) -> bool:
    tensor = node.inputs[0]
    return tensor is not None and tensor.type == "float16" and tensor.constant is None


def _is_hybrid(node: Node) -> bool:
    weights = input_at(node, 1)
    return first_input(node).type == "float32" and weights is not None and weights.type in _QUANTIZED


def _is_per_channel(node: Node) -> bool:
    weights = input_at(node, 1)
    return weights is not None and weights.per_channel


def _is_dilated(node: Node) -> bool:
    return (node.options.get("dilationWFactor", 1), node.options.get("dilationHFactor", 1)) != (1, 1)


def _has_wide_product(node: Node) -> bool:
    """Whether the scales of input and weights multiply to the output's or more; float32 has none."""
    weights = input_at(node, 1)
    scales = [tensor.scales for tensor in (first_input(node), weights, node.outputs[0]) if tensor]
    if len(scales) < 3 or not all(scale.size for scale in scales):
        return False
    return bool(scales[0][0] * scales[1][0] >= scales[2][0])


def _activation(node: Node) -> str:
    return str(node.options.get("fusedActivationFunction", "NONE"))


def _window(node: Node) -> int:
    return int(node.options.get("filterWidth", 0) * node.options.get("filterHeight", 0))


def _constant_at(place: int, words: str) -> Check:
    def met(node: Node) -> bool:
        tensor = input_at(node, place)
        return tensor is not None and tensor.constant is not None

    return expects(words, met, lambda _: "one that is computed or left out")


_HYBRID = needs(29, "quantised weights with a float32 input", _is_hybrid)
_SCALES = needs(29, "scales of input and weights that multiply to the output's or more", _has_wide_product)
_DILATION = needs(29, "dilations", _is_dilated)
_NO_ACTIVATION = expects("no fused activation", lambda node: _activation(node) == "NONE", _activation)
_NO_INT32_ACTIVATION = expects(
    "no fused activation with int32",
    lambda node: first_input(node).type != "int32" or _activation(node) == "NONE",
    _activation,
)
_BIAS = expects("three inputs, a bias among them", lambda n: len(n.inputs) == 3, lambda n: len(n.inputs))
# What NNAPI's own CPU cannot do: from API level 29 on the delegate's default keeps off it.
_LARGE_WINDOW = needs(
    29,
    "quantised windows of more than 256 values",
    lambda node: first_input(node).type in _QUANTIZED and _window(node) > 256,
)
_VERSION_3 = needs(29, "versions above 2", lambda node: node.version > 2)
_NO_INT16_OUTPUT = expects(
    "an output that is not int16", lambda n: n.outputs[0].type != "int16", lambda n: n.outputs[0].type
)
# The delegate hands them on as TENSOR_QUANT8_SYMM_PER_CHANNEL, which NNAPI's FULLY_CONNECTED does not take.
_ONE_SCALE = expects(
    "one scale for all weights",
    lambda node: not _is_per_channel(node),
    lambda node: "one for each output",
)
_KEPT = needs(30, "kept dimensions (keep_num_dims)", lambda n: n.options.get("keepNumDims"))
_PER_CHANNEL = needs(29, "per-channel weights", _is_per_channel)
_ANY_LATER = input_type({27: ("float32", "uint8"), 29: ()})
_PLAIN = input_type({27: _FLOAT_OR_8})
_ARITHMETIC = input_type({27: _FLOAT_OR_8, 30: (*_FLOAT_OR_8, "int32")})
_RANK_4 = expects(
    "an input of rank 4 at most",
    lambda n: len(first_input(n).shape) <= 4,
    lambda n: len(first_input(n).shape),
)


def _same_scales(node: Node) -> bool:
    kinds = {
        (*tensor.scales.tolist(), *tensor.zero_points.tolist())
        for tensor in node.inputs
        if tensor is not None
    }
    return first_input(node).type != "uint8" or len(kinds) == 1


def _new_shape(node: Node) -> list[int]:
    shape = node.options.get("newShape")
    return [] if shape is None or list(shape) == [0] else [int(side) for side in shape]


def _needs_shape(node: Node) -> bool:
    second = input_at(node, 1)
    if len(node.inputs) >= 2:
        return second is not None and second.constant is not None
    return bool(_new_shape(node))


def _ranks(node: Node) -> list[int]:
    return [len(tensor.shape) for tensor in node.inputs[:2] if tensor is not None]


def _has_scale(tensor: Tensor) -> bool:
    return tensor.type not in _QUANTIZED or bool(tensor.scales.size and tensor.scales[0] > 0)


_PAD = Rule(
    2,
    (
        input_type({28: _FLOAT, 29: _FLOAT_OR_8}),
        expects("an input with values", lambda n: 0 not in first_input(n).shape, lambda _: "none"),
        expects("two inputs or more", lambda n: len(n.inputs) >= 2, lambda n: len(n.inputs)),
        needs(29, "padding values", lambda n: len(n.inputs) == 3),
    ),
    since=28,
)

_UNWRITTEN = """
ABS ARG_MAX ARG_MIN BATCH_TO_SPACE_ND BIDIRECTIONAL_SEQUENCE_LSTM CAST DENSIFY DEPTH_TO_SPACE DIV ELU
EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FILL FLOOR GATHER GREATER GREATER_EQUAL HARD_SWISH
HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOCAL_RESPONSE_NORMALIZATION LOG
LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOG_SOFTMAX LSH_PROJECTION LSTM MAXIMUM MINIMUM NEG NOT_EQUAL PACK POW
PRELU REDUCE_ANY REDUCE_MAX REDUCE_MIN REDUCE_PROD RELU_N1_TO_1 RESIZE_NEAREST_NEIGHBOR RNN RSQRT SELECT
SIN SLICE SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARED_DIFFERENCE STRIDED_SLICE SUM SVDF
TILE TOPK_V2 TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM UNIDIRECTIONAL_SEQUENCE_RNN
"""

RULES = Rules(
    {
        "ADD": Rule(2, (_ARITHMETIC, _NO_INT32_ACTIVATION)),
        "AVERAGE_POOL_2D": Rule(2, (_PLAIN, _LARGE_WINDOW)),
        "CONCATENATION": Rule(
            2,
            (
                _NO_ACTIVATION,
                _RANK_4,
                input_type({27: ("float16", *_FLOAT_OR_8)}),
                needs(29, "uint8 inputs of different scales", lambda node: not _same_scales(node)),
            ),
        ),
        "CONV_2D": Rule(5, (_HYBRID, _PER_CHANNEL, _ANY_LATER, _SCALES, _BIAS, _DILATION)),
        "DEPTHWISE_CONV_2D": Rule(3, (_ANY_LATER, _SCALES, _DILATION)),
        "DEQUANTIZE": Rule(
            2,
            (
                input_type({27: ("uint8",), 29: _QUANTIZED}),
                needs(
                    30,
                    "int8 inputs whose zero point is not 0",
                    lambda n: first_input(n).type == "int8" and first_input(n).zero_points.any(),
                ),
            ),
        ),
        "FULLY_CONNECTED": Rule(5, (_NO_INT16_OUTPUT, _ONE_SCALE, _HYBRID, _ANY_LATER, _SCALES, _KEPT)),
        "LOGISTIC": Rule(2, (_PLAIN,)),
        "MAX_POOL_2D": Rule(2, (_PLAIN,)),
        "MEAN": Rule(
            2,
            (
                input_type({28: _FLOAT, 29: _FLOAT_OR_8}),
                expects("an output that is not a scalar", lambda n: n.outputs[0].shape, lambda _: "a scalar"),
            ),
            since=28,
        ),
        "MUL": Rule(3, (_ARITHMETIC, _NO_INT32_ACTIVATION, _VERSION_3)),
        "PAD": _PAD,
        "PADV2": _PAD,
        "QUANTIZE": Rule(
            2,
            (
                input_type({29: _FLOAT_OR_8}),
                output_type({29: ("uint8",), 30: _QUANTIZED}),
                expects(
                    "scales above 0",
                    lambda n: _has_scale(first_input(n)) and _has_scale(n.outputs[0]),
                    lambda _: "none",
                ),
            ),
            since=29,
        ),
        "RELU": Rule(2, (_PLAIN,)),
        "RELU6": Rule(2, (_PLAIN,)),
        "RESHAPE": Rule(
            1,
            (_PLAIN, expects("a constant new shape, not a scalar's", _needs_shape, lambda _: "another")),
        ),
        "RESIZE_BILINEAR": Rule(
            3,
            (
                expects(
                    "an input of rank 4",
                    lambda n: len(first_input(n).shape) == 4,
                    lambda n: first_input(n).shape,
                ),
                input_type({27: _FLOAT, 29: _FLOAT_OR_8}),
                _constant_at(1, "a constant size"),
                needs(29, "outputs that are not square", lambda n: len(set(n.outputs[0].shape[1:3])) > 1),
                # The delegate compares with <= 29 here and nowhere else.
                needs(30, "aligned corners", lambda n: n.options.get("alignCorners")),
                needs(30, "half-pixel centres", lambda n: n.options.get("halfPixelCenters")),
            ),
        ),
        "SOFTMAX": Rule(
            2,
            (
                _PLAIN,
                output_type({27: _FLOAT_OR_8}),
                _RANK_4,
                needs(29, "inputs of rank 1 or 3", lambda n: len(first_input(n).shape) not in (2, 4)),
            ),
        ),
        "SQUEEZE": Rule(
            1,
            (
                needs(
                    29,
                    "dimensions that are not named (empty squeeze_dims)",
                    lambda n: n.options.get("squeezeDims") is None or not len(n.options["squeezeDims"]),
                ),
            ),
            since=28,
        ),
        "SUB": Rule(
            3,
            (
                input_type({28: _FLOAT, 29: _FLOAT_OR_8, 30: (*_FLOAT_OR_8, "int32")}),
                _NO_INT32_ACTIVATION,
                expects("inputs of rank 4 at most", lambda n: max(_ranks(n)) <= 4, _ranks),
            ),
            since=28,
        ),
        "TANH": Rule(2, (input_type({27: _FLOAT, 29: _FLOAT_OR_8}),)),
        "TRANSPOSE": Rule(2, (_constant_at(1, "a constant permutation"),), since=28),
    },
    unwritten=frozenset(_UNWRITTEN.split()),
)
"""By operator: the newest version, the first API level, and the conditions."""
