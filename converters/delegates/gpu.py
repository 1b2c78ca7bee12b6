"""Audit for TensorFlow Lite's GPU delegate, with quantised models allowed, as they are by default.

Operators and parameters: CheckGpuDelegateCompatibility of tensorflow/lite/tools/versioning/
gpu_compatibility.cc, TensorFlow 03a5e4e1. Versions, and the types and ranks of tensors: the parsers'
IsSupported and GetOpsToReplace of tflite/delegates/gpu/common/model_builder.cc, LiteRT e3b6183f.

An int8 model runs as float: constants are turned into float32 when it is loaded, and what is computed is
float with a QUANTIZE and DEQUANTIZE in one step where the file rounds, so its answers are near, not equal.
"""

from __future__ import annotations

from math import prod

from converters.delegates import float16
from converters.delegates.operator_rules import (
    Check,
    Rule,
    Rules,
    Verdict,
    constant_inputs,
    expects,
    first_input,
    input_at,
    listed,
    problem,
    run_time_inputs,
)
from converters.file.graph import Graph, Node, Tensor

_TYPES = ("float32", "float16", "int8", "uint8")
_ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH")


def verdicts(graph: Graph) -> list[Verdict]:
    """Return a verdict on each node of `graph`."""
    return float16.verdicts(graph, lambda node: problem(node, RULES))


def _counts(*, run_time: tuple[int, ...], constant: tuple[int, ...] = (), outputs: int = 1) -> Check:
    """Return the check on how many inputs of each kind there are; no `constant`: any number of them."""
    words = f"{listed([*map(str, run_time)])} computed {'input' if run_time == (1,) else 'inputs'}"
    words += f", {listed([*map(str, constant)])} constant" if constant else ""

    def counts(node: Node) -> tuple[int, int, int]:
        return len(run_time_inputs(node)), len(constant_inputs(node)), len(node.outputs)

    def met(node: Node) -> bool:
        computed, constants, output_count = counts(node)
        return computed in run_time and (not constant or constants in constant) and output_count == outputs

    return expects(
        f"{words} and {outputs} output",
        met,
        lambda node: "{} computed, {} constant, outputs: {}".format(*counts(node)),
    )


def _numbers(words: str, *names: str) -> Check:
    """Return the check that the options `names` are above 0."""

    def values(node: Node) -> list[int]:
        return [int(node.options.get(name, 0)) for name in names]

    return expects(f"{words} above 0", lambda node: min(values(node)) > 0, values)


_ACTIVATION = expects(
    f"a fused activation of {listed(_ACTIVATIONS)}",
    lambda node: node.options.get("fusedActivationFunction", "NONE") in _ACTIVATIONS,
    lambda node: node.options["fusedActivationFunction"],
)
_TWO_INPUTS = expects(
    "two inputs", lambda node: len(node.inputs) == len(_shapes(node)) == 2, lambda node: len(_shapes(node))
)
_WEIGHTS = expects("weights", lambda node: input_at(node, 1) is not None, lambda _: "none")
_STRIDES = _numbers("strides", "strideW", "strideH")
_DILATIONS = _numbers("dilations", "dilationWFactor", "dilationHFactor")
_WINDOW = _numbers("sides of the window", "filterWidth", "filterHeight")
_ONE_COMPUTED = _counts(run_time=(1,))
_CONVOLVED = _counts(run_time=(0, 1, 2))
_ELEMENTWISE = Rule(2, (_counts(run_time=(1,), constant=(0,)),))
_POOLING = Rule(2, (_ONE_COMPUTED, _WINDOW, _STRIDES, _ACTIVATION))


def _shapes(node: Node) -> list[tuple[int, ...]]:
    return [tensor.shape for tensor in node.inputs[:2] if tensor is not None]


def _broadcasts(node: Node) -> bool:
    """Whether the delegate spreads the smaller input over the larger one, when their ranks differ."""
    short, long = sorted(_shapes(node), key=len)
    if len(short) < 2 or len(short) == len(long):
        return True
    if len(long) != 4:
        return False
    return (
        (len(short) == 3 and long[0] == 1)
        or (short == (1, 1) and long[0] == 1)
        or (len(short) == 2 and short == (long[0], long[3]))
    )


def _one_covers_the_other(node: Node) -> bool:
    left, right = _shapes(node)
    if len(left) != len(right):
        return True
    pairs = list(zip(left, right, strict=True))
    return not (any(a < b for a, b in pairs) and any(b < a for a, b in pairs))


_BROADCAST = expects("shapes that it can broadcast", _broadcasts, _shapes)
_COVER = expects(
    "one input at least as large as the other in every dimension", _one_covers_the_other, _shapes
)


def _depthwise_problem(node: Node) -> str:
    """Return what is wrong with the shapes of a depthwise convolution, "" if nothing is."""
    source, kernel, made = first_input(node).shape, _shape(input_at(node, 1)), node.outputs[0].shape
    if not len(source) == len(kernel) == len(made) == 4:
        return "ranks other than 4"
    multiplier = node.options.get("depthMultiplier", 0)
    bias = input_at(node, 2)
    if source[0] != made[0]:
        return "another batch in the output"
    if kernel[3] != made[3] or made[3] != source[3] * multiplier:
        return "channels that do not multiply"
    if bias is not None and prod(bias.shape) != made[3]:
        return "a bias of another size"
    return "a depth multiplier with more than one channel" if multiplier != 1 and source[3] != 1 else ""


def _shape(tensor: Tensor | None) -> tuple[int, ...]:
    return () if tensor is None else tensor.shape


def _has_int32_axes(node: Node) -> bool:
    axes = input_at(node, 1)
    return axes is not None and axes.constant is not None and axes.type == "int32"


def _keeps_rank(node: Node) -> bool:
    return not node.options.get("keepNumDims") or len(first_input(node).shape) == len(node.outputs[0].shape)


def _tensors_problem(node: Node, _: int) -> str:
    """Return which tensor has a type or rank that the delegate does not have."""
    for tensor in (*node.inputs, *node.outputs):
        if tensor is None:
            continue
        if len(tensor.shape) > 4:
            return (
                f"rank {len(tensor.shape)} of tensor '{tensor.name}' of {node.name}: the delegate goes to 4"
            )
        if tensor.constant is None and tensor.type not in _TYPES:
            return f"{tensor.type} tensor '{tensor.name}' of {node.name} is none of {listed(_TYPES)}"
    return ""


_ANY_TENSOR = Check(f"computed tensors {listed(_TYPES)}; every tensor of rank 4 at most", _tensors_problem)

_UNWRITTEN = """
ABS ADD_N BATCH_MATMUL CAST CEIL COS CUMSUM DENSIFY DEPTH_TO_SPACE DIV DYNAMIC_UPDATE_SLICE ELU
EMBEDDING_LOOKUP EQUAL EXP FLOOR FLOOR_DIV FLOOR_MOD GATHER GELU GREATER GREATER_EQUAL HARD_SWISH
LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND LSTM MAXIMUM MINIMUM MIRROR_PAD NEG NOT_EQUAL ONE_HOT PACK
PADV2 POW PRELU REDUCE_MAX REDUCE_MIN REDUCE_PROD RELU_N1_TO_1 RESIZE_NEAREST_NEIGHBOR RSQRT SELECT
SELECT_V2 SIGN SIN SLICE SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE STRIDED_SLICE SUM
TILE TRANSPOSE_CONV UNPACK
"""

RULES = Rules(
    {
        "ADD": Rule(2, (_TWO_INPUTS, _BROADCAST)),
        "AVERAGE_POOL_2D": _POOLING,
        "CONCATENATION": Rule(2),
        "CONV_2D": Rule(6, (_CONVOLVED, _WEIGHTS, _STRIDES, _DILATIONS, _ACTIVATION)),
        "DEPTHWISE_CONV_2D": Rule(
            6,
            (
                _CONVOLVED,
                _WEIGHTS,
                _STRIDES,
                _DILATIONS,
                _ACTIVATION,
                expects(
                    "shapes that fit a depthwise convolution, of one channel where it multiplies them",
                    lambda node: not _depthwise_problem(node),
                    _depthwise_problem,
                ),
            ),
        ),
        "DEQUANTIZE": Rule(3, (_counts(run_time=(0, 1)),)),
        "FULLY_CONNECTED": Rule(
            9,
            (
                expects(
                    "weights in the default format",
                    lambda node: node.options.get("weightsFormat", "DEFAULT") == "DEFAULT",
                    lambda node: node.options["weightsFormat"],
                ),
                expects(
                    "at most two computed inputs",
                    lambda node: len(run_time_inputs(node)) <= 2,
                    lambda node: len(run_time_inputs(node)),
                ),
                expects(
                    "a computed first input",
                    lambda n: first_input(n).constant is None,
                    lambda _: "a constant",
                ),
                expects(
                    "an output of the input's rank where dimensions are kept (keep_num_dims)",
                    _keeps_rank,
                    lambda node: len(node.outputs[0].shape),
                ),
            ),
        ),
        "LOGISTIC": _ELEMENTWISE,
        "MAX_POOL_2D": _POOLING,
        "MEAN": Rule(
            None,
            (
                _counts(run_time=(1,), constant=(1,)),
                expects(
                    "int32 axes", _has_int32_axes, lambda node: getattr(input_at(node, 1), "type", "none")
                ),
            ),
        ),
        "MUL": Rule(3, (_TWO_INPUTS, _COVER, _BROADCAST, _ACTIVATION)),
        "PAD": Rule(
            2,
            (
                _ONE_COMPUTED,
                expects(
                    "paddings of shape (4, 2) or (3, 2)",
                    lambda node: _shape(input_at(node, 1)) in ((4, 2), (3, 2)),
                    lambda node: _shape(input_at(node, 1)),
                ),
            ),
        ),
        "QUANTIZE": Rule(2, (_ONE_COMPUTED,)),
        "RELU": Rule(2),
        "RELU6": Rule(2),
        "RESHAPE": Rule(1, (_ONE_COMPUTED,)),
        "RESIZE_BILINEAR": Rule(
            3,
            (
                _ONE_COMPUTED,
                expects(
                    "aligned corners or half-pixel centres, not both",
                    lambda node: (
                        not (node.options.get("alignCorners") and node.options.get("halfPixelCenters"))
                    ),
                    lambda _: "both",
                ),
            ),
        ),
        "SOFTMAX": Rule(
            2,
            (expects("a beta of 1", lambda n: n.options.get("beta") == 1, lambda n: n.options.get("beta")),),
        ),
        "SUB": Rule(2, (_TWO_INPUTS, _counts(run_time=(1, 2)), _ACTIVATION)),
        "TANH": _ELEMENTWISE,
        "TRANSPOSE": Rule(4, (_ONE_COMPUTED,)),
    },
    every=(_ANY_TENSOR,),
    unwritten=frozenset(_UNWRITTEN.split()),
)
"""By operator: the newest version and the conditions; `every` holds for all of them."""
