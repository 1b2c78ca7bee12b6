"""Audits: each rule on a model that keeps it and on one that breaks it, and the released files."""

from __future__ import annotations

import importlib.resources
import importlib.util
import re
import runpy
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import flatbuffers
import numpy as np
import pytest

from converters.base.errors import InputError
from converters.delegates import (
    DELEGATES,
    analyser_verdict,
    audit,
    audit_table,
    gpu,
    micro,
    nnapi,
    taken,
    tflite_runtime,
)
from converters.file.graph import read_graph
from converters.file.schema import schema

ROOT = Path(__file__).resolve().parents[3]
RULES = {"nnapi": nnapi.RULES, "gpu": gpu.RULES, "micro": micro.RULES}

# --- models of one operator: none of them has to run


@dataclass(frozen=True)
class T:
    """A tensor; one of 8 or 16 bits has one scale unless others are given."""

    name: str
    shape: tuple[int, ...] = (1, 4, 4, 2)
    type: str = "float32"
    constant: bool = False
    scales: tuple[float, ...] | None = None
    zero_point: int = 0

    def packed(self, buffers):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = self.name, list(self.shape), 0
        tensor.type = getattr(schema.TensorType, self.type.upper())
        if self.constant:
            buffers.append(schema.BufferT())
            bits = np.ones(self.shape, self.type if self.type != "float32" else "float32")
            buffers[-1].data = np.frombuffer(bits.tobytes(), np.uint8)
            tensor.buffer = len(buffers) - 1
        scales = (0.5,) if self.scales is None and self.type in ("int8", "uint8", "int16") else self.scales
        if scales:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = list(scales)
            tensor.quantization.zeroPoint = [self.zero_point] * len(scales)
        return tensor


@dataclass(frozen=True)
class Op:
    """An operator; its options are named as in the schema."""

    name: str
    inputs: tuple[T | None, ...]
    outputs: tuple[T, ...]
    options: dict = field(default_factory=dict)
    version: int = 1


OPTIONS = {
    "ADD": "Add", "AVERAGE_POOL_2D": "Pool2D", "CONCATENATION": "Concatenation", "CONV_2D": "Conv2D",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2D", "FULLY_CONNECTED": "FullyConnected", "MAX_POOL_2D": "Pool2D",
    "MUL": "Mul", "RESHAPE": "Reshape", "RESIZE_BILINEAR": "ResizeBilinear", "SOFTMAX": "Softmax",
    "SQUEEZE": "Squeeze", "SUB": "Sub", "TRANSPOSE_CONV": "TransposeConv",
}  # fmt: skip


def tflite(*operators):
    """Return the bytes of a .tflite file whose tensors are told apart by their names."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.buffers, model.subgraphs = 3, [schema.BufferT()], [graph]
    every = [tensor for one in operators for tensor in (*one.inputs, *one.outputs) if tensor]
    places = {name: place for place, name in enumerate(dict.fromkeys(tensor.name for tensor in every))}
    named = {tensor.name: tensor for tensor in reversed(every)}
    graph.tensors = [named[name].packed(model.buffers) for name in places]
    made = {tensor.name for one in operators for tensor in one.outputs}
    read = {tensor.name for one in operators for tensor in one.inputs if tensor}
    graph.inputs = [places[name] for name in places if name not in made and not named[name].constant]
    graph.outputs = [places[name] for name in places if name in made - read]
    model.operatorCodes = [code(one.name, one.version) for one in operators]
    graph.operators = [operator(one, number, places) for number, one in enumerate(operators)]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def code(name, version):
    made = schema.OperatorCodeT()
    if name.startswith("CUSTOM "):
        made.customCode, name = name.removeprefix("CUSTOM "), "CUSTOM"
    made.builtinCode = getattr(schema.BuiltinOperator, name)
    made.deprecatedBuiltinCode, made.version = min(made.builtinCode, 127), version
    return made


def operator(one, number, places):
    made = schema.OperatorT()
    made.opcodeIndex = number
    made.inputs = [places[tensor.name] if tensor else -1 for tensor in one.inputs]
    made.outputs = [places[tensor.name] for tensor in one.outputs]
    if one.name in OPTIONS:
        name = f"{OPTIONS[one.name]}Options"
        made.builtinOptionsType = getattr(schema.BuiltinOptions, name)
        made.builtinOptions = getattr(schema, f"{name}T")()
        for option, value in one.options.items():
            setattr(made.builtinOptions, option, value)
    return made


X, Y, Z = T("x"), T("y"), T("z")
STEPS = {"strideW": 1, "strideH": 1, "dilationWFactor": 1, "dilationHFactor": 1}
POOL = {"strideW": 1, "strideH": 1, "filterWidth": 2, "filterHeight": 2}
RELU, SIGN_BIT = schema.ActivationFunctionType.RELU, schema.ActivationFunctionType.SIGN_BIT
AXES = T("axes", (2,), "int32", constant=True)
PADDINGS = T("paddings", (4, 2), "int32", constant=True)
FLAT = T("x", (1, 8))

GOOD = {
    one.name: one
    for one in (
        Op("ADD", (X, Z), (Y,)),
        Op("AVERAGE_POOL_2D", (X,), (Y,), POOL),
        Op("CONCATENATION", (X, Z), (Y,)),
        Op("CONV_2D", (X, T("w", (3, 1, 1, 2), constant=True), T("b", (3,), constant=True)), (Y,), STEPS),
        Op(
            "DEPTHWISE_CONV_2D",
            (X, T("w", (1, 1, 1, 2), constant=True), T("b", (2,), constant=True)),
            (Y,),
            {**STEPS, "depthMultiplier": 1},
        ),
        Op("DEQUANTIZE", (replace(X, type="uint8"),), (Y,)),
        Op("FULLY_CONNECTED", (FLAT, T("w", (3, 8), constant=True), None), (T("y", (1, 3)),)),
        Op("GATHER", (X, AXES), (T("y", (2, 4, 4, 2)),)),
        Op("LEAKY_RELU", (X,), (Y,)),
        Op("LOGISTIC", (X,), (Y,)),
        Op("MAX_POOL_2D", (X,), (Y,), POOL),
        Op("MEAN", (X, AXES), (T("y", (1, 2)),)),
        Op("MUL", (X, Z), (Y,)),
        Op("PAD", (X, PADDINGS), (Y,)),
        Op("PADV2", (X, PADDINGS), (Y,)),
        Op("PRELU", (X, T("slopes", (1, 1, 2), constant=True)), (Y,)),
        Op("QUANTIZE", (replace(X, type="int8"),), (replace(Y, type="uint8"),)),
        Op("RELU", (X,), (Y,)),
        Op("RELU6", (X,), (Y,)),
        Op("RESHAPE", (X, AXES), (T("y", (1, 32)),)),
        Op("RESIZE_BILINEAR", (X, AXES), (T("y", (1, 8, 8, 2)),)),
        Op("RESIZE_NEAREST_NEIGHBOR", (X, AXES), (T("y", (1, 8, 8, 2)),)),
        Op("SOFTMAX", (FLAT,), (T("y", (1, 8)),), {"beta": 1.0}),
        Op("SQUEEZE", (X,), (T("y", (4, 4, 2)),), {"squeezeDims": [0]}),
        Op("SUB", (X, Z), (Y,)),
        Op("TANH", (X,), (Y,)),
        Op("TRANSPOSE", (X, AXES), (Y,)),
        Op(
            "TRANSPOSE_CONV",
            (T("size", (4,), "int32", constant=True), T("w", (3, 1, 1, 2), constant=True), X),
            (T("y", (1, 4, 4, 3)),),
            {"strideW": 1, "strideH": 1},
        ),
    )
}
"""A float32 model of each operator that every delegate with a rule for it takes."""


def changed(name, changes=None, *, version=1, **options):
    """Return GOOD's operator with other tensors: by place, "y" the output, None leaving an input away."""
    good = GOOD[name]
    inputs = list(good.inputs)
    for place, change in (changes or {}).items():
        if place == "y":
            continue
        inputs += [T(f"more{number}") for number in range(len(inputs), place + 1)]
        base = inputs[place] or T(f"more{place}")
        inputs[place] = None if change is None else replace(base, **change)
    while inputs and inputs[-1] is None and len(inputs) - 1 in (changes or {}):
        inputs.pop()
    outputs = tuple(replace(one, **(changes or {}).get("y", {})) for one in good.outputs)
    return Op(name, tuple(inputs), outputs, {**good.options, **options}, version)


def q(kind, scale=0.5, **more):
    return {"type": kind, "scales": (scale,), **more}


INT8, INT16, INT32, INT64 = q("int8"), q("int16"), {"type": "int32"}, {"type": "int64"}
ALL_INT8 = {0: INT8, 1: INT8, 2: INT32, "y": INT8}
PER_CHANNEL = {**ALL_INT8, 1: {"type": "int8", "scales": (0.5, 0.5, 0.5)}}
WIDE = {0: q("uint8", 1.0), 1: q("uint8", 1.0), 2: INT32, "y": q("uint8", 1.0)}
NARROW = {**WIDE, "y": q("uint8", 2.0)}
BOTH = {0: INT32, 1: INT32, "y": INT32}
COMPUTED, CONSTANT = {"constant": False}, {"constant": True}
FIVE = {"shape": (1, 1, 4, 4, 2)}

# A model and the first API level that takes it, the reason at the one before.
NNAPI_LATER = [
    (changed("ADD", BOTH), 30, "int32 input 'x'"),
    (changed("MUL", BOTH), 30, "int32 input 'x'"),
    (changed("MUL", version=3), 29, "versions above 2"),
    (changed("AVERAGE_POOL_2D", {0: INT8}, filterWidth=16, filterHeight=17), 29, "more than 256 values"),
    (
        changed("CONCATENATION", {0: q("uint8", 1.0), 1: q("uint8", 2.0)}),
        29,
        "uint8 inputs of different scales",
    ),
    (changed("CONV_2D", {1: INT8}, version=5), 29, "quantised weights with a float32 input"),
    (changed("CONV_2D", PER_CHANNEL, version=3), 29, "per-channel weights"),
    (changed("CONV_2D", ALL_INT8, version=3), 29, "int8 input 'x'"),
    (changed("CONV_2D", WIDE), 29, "scales of input and weights that multiply to the output's or more"),
    (changed("CONV_2D", dilationHFactor=2), 29, "dilations"),
    (changed("DEPTHWISE_CONV_2D", ALL_INT8), 29, "int8 input 'x'"),
    (changed("DEPTHWISE_CONV_2D", WIDE), 29, "multiply to the output's or more"),
    (changed("DEPTHWISE_CONV_2D", dilationWFactor=2), 29, "dilations"),
    (changed("DEQUANTIZE", {0: INT8}), 29, "int8 input 'x'"),
    (changed("DEQUANTIZE", {0: {**INT8, "zero_point": 3}}), 30, "zero point is not 0"),
    (changed("FULLY_CONNECTED", {1: INT8}, version=3), 29, "quantised weights with a float32 input"),
    (changed("FULLY_CONNECTED", {0: INT8, 1: INT8, "y": INT8}), 29, "int8 input 'x'"),
    (changed("FULLY_CONNECTED", WIDE), 29, "multiply to the output's or more"),
    (changed("FULLY_CONNECTED", keepNumDims=True), 30, "keep_num_dims)"),
    (changed("MEAN", {0: INT8, "y": INT8}), 29, "int8 input 'x'"),
    *((changed(name, {0: INT8}), 29, "int8 input 'x'") for name in ("PAD", "PADV2")),
    *((changed(name, {2: {"shape": ()}}), 29, "padding values") for name in ("PAD", "PADV2")),
    (changed("QUANTIZE", {0: q("uint8"), "y": INT8}), 30, "int8 output 'y'"),
    (changed("RESIZE_BILINEAR", {0: INT8}), 29, "int8 input 'x'"),
    (changed("RESIZE_BILINEAR", {"y": {"shape": (1, 8, 6, 2)}}), 29, "outputs that are not square"),
    (changed("RESIZE_BILINEAR", alignCorners=True), 30, "aligned corners"),
    (changed("RESIZE_BILINEAR", halfPixelCenters=True), 30, "half-pixel centres"),
    (changed("SOFTMAX", {0: {"shape": (1, 4, 2)}}), 29, "inputs of rank 1 or 3"),
    (changed("SQUEEZE", squeezeDims=[]), 29, "(empty squeeze_dims)"),
    (changed("SUB", {0: INT8, 1: INT8}), 29, "int8 input 'x'"),
    (changed("SUB", BOTH), 30, "int32 input 'x'"),
    (changed("TANH", {0: INT8}, version=2), 29, "int8 input 'x'"),
]

# A model that no API level takes.
NNAPI_NEVER = [
    (changed("ADD", BOTH, fusedActivationFunction=RELU), "expected no fused activation with int32, got RELU"),
    (changed("ADD", {0: INT64, 1: INT64}), "int64 input 'x' of ADD is none of float32, uint8, int8 or int32"),
    (changed("MUL", BOTH, fusedActivationFunction=RELU), "expected no fused activation with int32, got RELU"),
    (changed("AVERAGE_POOL_2D", {0: INT16}), "int16 input 'x' of AVERAGE_POOL_2D is none of"),
    (changed("CONCATENATION", fusedActivationFunction=RELU), "expected no fused activation, got RELU"),
    (changed("CONCATENATION", {0: FIVE}), "expected an input of rank 4 at most, got 5"),
    (changed("CONCATENATION", {0: INT32}), "int32 input 'x' of CONCATENATION is none of float16, float32"),
    (changed("CONV_2D", {2: None}), "expected three inputs, a bias among them, got 2"),
    (changed("FULLY_CONNECTED", {"y": INT16}), "expected an output that is not int16, got int16"),
    (
        changed("FULLY_CONNECTED", PER_CHANNEL, version=4),
        "expected one scale for all weights, got one for each output",
    ),
    (changed("LOGISTIC", {0: INT16}), "int16 input 'x' of LOGISTIC is none of float32, uint8 or int8"),
    (changed("MAX_POOL_2D", {0: INT16}), "int16 input 'x' of MAX_POOL_2D is none of float32, uint8 or int8"),
    (changed("MEAN", {"y": {"shape": ()}}), "expected an output that is not a scalar, got a scalar"),
    *((changed(name, {0: {"shape": (1, 0, 4, 2)}}), "an input with values") for name in ("PAD", "PADV2")),
    *((changed(name, {1: None}), "expected two inputs or more, got 1") for name in ("PAD", "PADV2")),
    (changed("QUANTIZE", {0: INT32}), "int32 input 'x' of QUANTIZE is none of float32, uint8 or int8"),
    (changed("QUANTIZE", {"y": {"scales": ()}}), "expected scales above 0, got none"),
    (changed("RELU", {0: INT16}), "int16 input 'x' of RELU is none of float32, uint8 or int8"),
    (changed("RELU6", {0: INT16}), "int16 input 'x' of RELU6 is none of float32, uint8 or int8"),
    (changed("RESHAPE", {0: INT32}), "int32 input 'x' of RESHAPE is none of float32, uint8 or int8"),
    (changed("RESHAPE", {1: COMPUTED}), "expected a constant new shape, not a scalar's"),
    (changed("RESHAPE", {1: None}, newShape=[0]), "expected a constant new shape, not a scalar's"),
    (changed("RESIZE_BILINEAR", {0: {"shape": (4, 4, 2)}}), "expected an input of rank 4, got (4, 4, 2)"),
    (changed("RESIZE_BILINEAR", {1: COMPUTED}), "expected a constant size, got one that is"),
    (changed("SOFTMAX", {0: INT16}), "int16 input 'x' of SOFTMAX is none of float32, uint8 or int8"),
    (changed("SOFTMAX", {0: INT8, "y": INT16}), "int16 output 'y'"),
    (changed("SOFTMAX", {0: FIVE}), "expected an input of rank 4 at most, got 5"),
    (changed("SUB", BOTH, fusedActivationFunction=RELU), "expected no fused activation with int32, got RELU"),
    (changed("SUB", {1: FIVE}), "expected inputs of rank 4 at most, got [4, 5]"),
    (changed("TRANSPOSE", {1: COMPUTED}), "expected a constant permutation, got one that is computed"),
]

# A model and the API level that takes it: the right side of conditions broken above.
NNAPI_TAKES = [
    *((changed(name, NARROW), 27) for name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")),
    (changed("AVERAGE_POOL_2D", {0: INT8}, filterWidth=16, filterHeight=16), 27),
    (changed("AVERAGE_POOL_2D", filterWidth=16, filterHeight=17), 27),
    (changed("CONCATENATION", {0: {"type": "float16"}}), 27),
    (changed("CONCATENATION", {0: q("uint8"), 1: q("uint8")}), 27),
    (changed("ADD", fusedActivationFunction=RELU), 27),
    (changed("FULLY_CONNECTED", {2: {"shape": (3,)}}), 27),
    (changed("MUL", version=2), 27),
    (changed("RESHAPE", {1: None}, newShape=[1, 32]), 27),
    (changed("SOFTMAX", {0: INT8, "y": INT8}, version=2), 27),
    (changed("QUANTIZE", {0: {"type": "float32"}}), 29),
]

POOLINGS = [
    case
    for name in ("AVERAGE_POOL_2D", "MAX_POOL_2D")
    for case in (
        (changed(name, {0: CONSTANT}), f"{name}: expected 1 computed input and 1 output, got 0 computed"),
        (changed(name, filterHeight=0), f"{name}: expected sides of the window above 0, got [2, 0]"),
        (changed(name, strideW=0), f"{name}: expected strides above 0, got [0, 1]"),
        (
            changed(name, fusedActivationFunction=SIGN_BIT),
            f"{name}: expected a fused activation of NONE, RELU",
        ),
    )
]
CONVOLUTIONS = [
    case
    for name in ("CONV_2D", "DEPTHWISE_CONV_2D")
    for case in (
        (changed(name, {1: COMPUTED, 2: COMPUTED}), f"{name}: expected 0, 1 or 2 computed inputs"),
        (changed(name, {2: None, 1: None}), f"{name}: expected weights, got none"),
        (changed(name, strideH=0), f"{name}: expected strides above 0, got [1, 0]"),
        (changed(name, dilationWFactor=0), f"{name}: expected dilations above 0, got [0, 1]"),
        (
            changed(name, fusedActivationFunction=SIGN_BIT),
            f"{name}: expected a fused activation of NONE, RELU",
        ),
    )
]
WEIGHTS = schema.FullyConnectedOptionsWeightsFormat

# A model and the reason why the GPU delegate leaves it.
GPU = [
    *POOLINGS,
    *CONVOLUTIONS,
    (changed("ADD", {1: None}), "expected two inputs, got 1"),
    (changed("ADD", {1: {"shape": (4, 2)}}), "expected shapes that it can broadcast"),
    (changed("ADD", {0: INT64, 1: INT64}), "int64 tensor 'x' of ADD"),
    (changed("ADD", {0: FIVE, 1: FIVE}), "rank 5 of tensor 'x' of ADD: the delegate goes to 4"),
    (changed("DEPTHWISE_CONV_2D", {0: {"shape": (4, 4, 2)}}), "ranks other than 4"),
    (changed("DEPTHWISE_CONV_2D", {"y": {"shape": (2, 4, 4, 2)}}), "got another batch in the output"),
    (changed("DEPTHWISE_CONV_2D", depthMultiplier=2), "got channels that do not multiply"),
    (changed("DEPTHWISE_CONV_2D", {2: {"shape": (3,)}}), "got a bias of another size"),
    (
        changed(
            "DEPTHWISE_CONV_2D",
            {1: {"shape": (1, 1, 1, 4)}, 2: {"shape": (4,)}, "y": {"shape": (1, 4, 4, 4)}},
            depthMultiplier=2,
        ),
        "got a depth multiplier with more than one channel",
    ),
    (replace(GOOD["DEQUANTIZE"], outputs=(Y, Z)), "expected 0 or 1 computed inputs and 1 output"),
    (
        changed("FULLY_CONNECTED", weightsFormat=WEIGHTS.SHUFFLED4x16INT8),
        "expected weights in the default format",
    ),
    (
        changed("FULLY_CONNECTED", {1: COMPUTED, 2: {"shape": (3,)}}),
        "expected at most two computed inputs, got 3",
    ),
    (changed("FULLY_CONNECTED", {0: CONSTANT}), "expected a computed first input, got a constant"),
    (
        changed("FULLY_CONNECTED", {0: {"shape": (1, 1, 8)}}, keepNumDims=True),
        "dimensions are kept (keep_num_dims), got 2",
    ),
    (changed("LOGISTIC", {0: CONSTANT}), "expected 1 computed input, 0 constant and 1 output, got 0"),
    (changed("TANH", {0: CONSTANT}), "expected 1 computed input, 0 constant and 1 output, got 0"),
    (changed("MEAN", {1: COMPUTED}), "expected 1 computed input, 1 constant and 1 output, got 2 computed"),
    (changed("MEAN", {1: INT64}), "expected int32 axes, got int64"),
    (changed("MUL", {1: None}), "expected two inputs, got 1"),
    (
        changed("MUL", {0: {"shape": (1, 1, 4, 2)}, 1: {"shape": (1, 4, 1, 2)}}),
        "expected one input at least as large as the other in every dimension",
    ),
    (
        changed("MUL", {0: {"shape": (2, 3, 4)}, 1: {"shape": (3, 4)}}),
        "expected shapes that it can broadcast",
    ),
    (changed("MUL", fusedActivationFunction=SIGN_BIT), "expected a fused activation of NONE, RELU"),
    (changed("PAD", {0: CONSTANT}), "expected 1 computed input and 1 output, got 0 computed"),
    (changed("PAD", {1: {"shape": (2, 2)}}), "expected paddings of shape (4, 2) or (3, 2), got (2, 2)"),
    (changed("QUANTIZE", {0: CONSTANT}), "expected 1 computed input and 1 output, got 0 computed"),
    (changed("RESHAPE", {0: CONSTANT}), "expected 1 computed input and 1 output, got 0 computed"),
    (changed("RESIZE_BILINEAR", {0: CONSTANT}), "expected 1 computed input and 1 output, got 0"),
    (
        changed("RESIZE_BILINEAR", alignCorners=True, halfPixelCenters=True),
        "half-pixel centres, not both, got both",
    ),
    (changed("SOFTMAX", beta=2.0), "expected a beta of 1, got 2.0"),
    (changed("SUB", {1: None}), "expected two inputs, got 1"),
    (changed("SUB", {0: CONSTANT, 1: CONSTANT}), "expected 1 or 2 computed inputs and 1 output, got 0"),
    (changed("SUB", fusedActivationFunction=SIGN_BIT), "expected a fused activation of NONE, RELU"),
    (changed("TRANSPOSE", {0: CONSTANT}), "expected 1 computed input and 1 output, got 0 computed"),
]

GPU_TAKES = [
    # Quantised models are run as float: per-channel weights, and those of dynamic range.
    changed("CONV_2D", PER_CHANNEL, version=3),
    changed("FULLY_CONNECTED", {1: INT8}, version=9),
    *(changed("ADD", {1: {"shape": small}}) for small in ((4, 4, 2), (1, 1), (1, 2), (2,))),
    changed("MUL", {1: {"shape": (1, 1, 1, 2)}}),
    changed("CONV_2D", {1: COMPUTED}),
    changed("DEQUANTIZE", {0: CONSTANT}),
    changed(
        "DEPTHWISE_CONV_2D",
        {0: {"shape": (1, 4, 4, 1)}, 1: {"shape": (1, 1, 1, 2)}},
        depthMultiplier=2,
    ),
    changed("FULLY_CONNECTED", keepNumDims=True),
    changed("PAD", {1: {"shape": (3, 2)}}),
    changed("RESIZE_BILINEAR", alignCorners=True),
    changed("RESIZE_BILINEAR", halfPixelCenters=True),
    changed("SUB", {1: CONSTANT}),
    changed("TRANSPOSE", {0: {"type": "float16"}}),
]

ONE_TYPE = (
    "AVERAGE_POOL_2D",
    "LEAKY_RELU",
    "LOGISTIC",
    "MAX_POOL_2D",
    "MEAN",
    "RELU",
    "RELU6",
    "TANH",
    "TRANSPOSE",
)
MIXED = "(hybrid, dynamic range) has no kernel"

# A model and the reason why TensorFlow Lite Micro has no kernel for it.
MICRO = [
    *(
        (changed(name, {0: q("uint8")}), f"uint8 input 'x' of {name} is none of float32, int8 or int16")
        for name in ONE_TYPE
    ),
    *(
        (changed(name, {0: INT64}), f"int64 input 'x' of {name} is none of float32, int8, int16 or int32")
        for name in ("ADD", "MUL", "SUB", "PAD")
    ),
    *(
        (changed(name, {1: INT8}), f"float32 input with int8 weights of {name} {MIXED}")
        for name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    ),
    (
        changed("CONV_2D", {0: q("uint8"), 1: q("uint8")}),
        "uint8 input with uint8 weights of CONV_2D has no kernel",
    ),
    (changed("CONV_2D", {2: None, 1: None}), "float32 input with no weights of CONV_2D has no kernel"),
    (
        changed("CONCATENATION", {0: q("uint8")}),
        "uint8 input 'x' of CONCATENATION is none of float32, int8, int16, int32",
    ),
    (
        changed("DEQUANTIZE", {0: {"type": "float16"}}),
        "float16 input with float32 output of DEQUANTIZE has no kernel",
    ),
    (changed("PAD", {1: COMPUTED}), "PAD: expected constant paddings, got one that is computed or left out"),
    (
        changed("QUANTIZE", {0: q("uint8"), "y": q("uint8")}),
        "uint8 input with uint8 output of QUANTIZE has no kernel",
    ),
    (
        changed("QUANTIZE", {0: {"type": "float32"}}),
        "float32 input with uint8 output of QUANTIZE has no kernel",
    ),
    (changed("RESIZE_BILINEAR", {0: INT16}), "int16 input 'x' of RESIZE_BILINEAR is none of float32 or int8"),
    (
        changed("RESIZE_BILINEAR", {1: COMPUTED}),
        "RESIZE_BILINEAR: expected a constant size, got one that is computed",
    ),
    (changed("GATHER", {0: INT16}), "int16 input 'x' of GATHER is none of float32 or int8"),
    (changed("GATHER", {1: INT64}), "float32 input with int64 indices of GATHER has no kernel"),
    (changed("PRELU", {0: INT16}), "int16 input 'x' of PRELU is none of float32 or int8"),
    (
        changed("RESIZE_NEAREST_NEIGHBOR", {0: q("uint8")}),
        "uint8 input 'x' of RESIZE_NEAREST_NEIGHBOR is none of float32, int8 or int16",
    ),
    (
        changed("RESIZE_NEAREST_NEIGHBOR", {1: COMPUTED}),
        "RESIZE_NEAREST_NEIGHBOR: expected a constant size, got one that is computed",
    ),
    (
        changed("TRANSPOSE_CONV", {2: q("uint8"), 1: q("uint8")}),
        "uint8 input with uint8 weights of TRANSPOSE_CONV has no kernel",
    ),
    (changed("TRANSPOSE_CONV", {1: INT8}), f"float32 input with int8 weights of TRANSPOSE_CONV {MIXED}"),
    (changed("SOFTMAX", {0: INT8}), "int8 input with float32 output of SOFTMAX has no kernel"),
    (
        changed("TRANSPOSE", {1: COMPUTED}),
        "TRANSPOSE: expected a constant permutation, got one that is computed",
    ),
]

MICRO_TAKES = [
    changed("QUANTIZE", {0: q("uint8"), "y": INT8}),
    changed("QUANTIZE", {0: INT8, "y": q("uint8")}),
    changed("FULLY_CONNECTED", {0: INT8, 1: {"type": "int8", "scales": (0.5,) * 3}, "y": INT8}, version=12),
    changed("CONV_2D", PER_CHANNEL, version=99),
    changed("RESHAPE", {0: INT64}),
    changed("SQUEEZE", {0: q("uint8")}),
    changed("TRANSPOSE_CONV", {1: INT8, 2: INT16, "y": INT16}),
    changed("GATHER", {0: INT8, "y": INT8}),
    changed("PRELU", {0: INT8, 1: INT8, "y": INT8}),
]


def only(one, delegate, api_level=None):
    """Return the one verdict on a model of one operator."""
    (verdict,) = audit(tflite(one), delegate=delegate, api_level=api_level)
    assert (verdict.index, verdict.name, verdict.version) == (0, one.name, one.version)
    assert verdict.taken == (verdict.reason == "")
    return verdict


def level_of(delegate):
    return 35 if delegate == "nnapi" else None


# --- each rule kept and broken


@pytest.mark.parametrize(("delegate", "name"), [(d, name) for d in RULES for name in RULES[d].operators])
def test_the_newest_version_that_a_delegate_knows_is_taken_and_the_next_is_not(delegate, name):
    newest = RULES[delegate].operators[name].newest
    assert only(replace(GOOD[name], version=newest or 99), delegate, level_of(delegate)).reason == ""
    if newest is not None:
        reason = only(replace(GOOD[name], version=newest + 1), delegate, level_of(delegate)).reason
        known = f"1 to {newest}" if newest > 1 else "1"
        assert reason == f"{name} version {newest + 1}: the delegate knows {known}"


def test_what_a_delegate_knows_is_as_its_source_has_it():
    # From the source, not from the tables: a slip in one of them is seen here.
    expected = {
        "nnapi": {
            "CONV_2D": 5,
            "DEPTHWISE_CONV_2D": 3,
            "FULLY_CONNECTED": 5,
            "TANH": 2,
            "SOFTMAX": 2,
            "SUB": 3,
            "RESHAPE": 1,
            "QUANTIZE": 2,
        },
        "gpu": {
            "CONV_2D": 6,
            "DEPTHWISE_CONV_2D": 6,
            "FULLY_CONNECTED": 9,
            "TANH": 2,
            "SOFTMAX": 2,
            "MUL": 3,
            "RESHAPE": 1,
            "DEQUANTIZE": 3,
        },
    }
    for delegate, versions in expected.items():
        assert {name: RULES[delegate].operators[name].newest for name in versions} == versions


@pytest.mark.parametrize(
    ("name", "since"),
    [("MEAN", 28), ("PAD", 28), ("QUANTIZE", 29), ("SQUEEZE", 28), ("SUB", 28), ("TRANSPOSE", 28)],
)
def test_operators_that_came_with_a_later_nnapi(name, since):
    assert only(GOOD[name], "nnapi", since).taken
    assert only(GOOD[name], "nnapi", since - 1).reason == f"{name} needs API level {since}, got {since - 1}"


@pytest.mark.parametrize(("one", "since", "words"), NNAPI_LATER)
def test_nnapi_takes_it_from_an_api_level_on(one, since, words):
    reason = only(one, "nnapi", since - 1).reason
    assert words in reason
    assert re.search(rf" of {one.name} needs? API level {since}, got {since - 1}$", reason)
    assert only(one, "nnapi", since).reason == ""


@pytest.mark.parametrize(("one", "words"), NNAPI_NEVER)
def test_nnapi_never_takes(one, words):
    reason = only(one, "nnapi", 35).reason
    assert one.name in reason
    assert words in reason


@pytest.mark.parametrize(("one", "since"), NNAPI_TAKES)
def test_nnapi_takes(one, since):
    assert only(one, "nnapi", since).reason == ""


def test_nnapi_takes_computed_float16_whatever_its_version():
    half = changed("DEQUANTIZE", {0: {"type": "float16"}}, version=3)
    assert only(half, "nnapi", 29).reason == "DEQUANTIZE version 3: the delegate knows 1 to 2"
    assert only(half, "nnapi", 30).taken


@pytest.mark.parametrize(("one", "words"), GPU)
def test_the_gpu_delegate_leaves(one, words):
    reason = only(one, "gpu").reason
    assert one.name in reason
    assert words in reason


@pytest.mark.parametrize("one", GPU_TAKES)
def test_the_gpu_delegate_takes(one):
    assert only(one, "gpu").reason == ""


@pytest.mark.parametrize(("one", "words"), MICRO)
def test_micro_has_no_kernel(one, words):
    assert words in only(one, "micro").reason


@pytest.mark.parametrize("one", MICRO_TAKES)
def test_micro_has_a_kernel(one):
    assert only(one, "micro").reason == ""


def first_broken(node, rules, level):
    """Return the words of the condition that is the reason given."""
    checks = rules.operators[node.name].checks
    return next((check.words for check in checks if check.problem(node, level)), None)


@pytest.mark.parametrize("delegate", RULES)
def test_every_condition_is_broken_by_a_model_above(delegate):
    cases = [(one, 35) for one, _ in {"nnapi": NNAPI_NEVER, "gpu": GPU, "micro": MICRO}[delegate]]
    cases += [(one, since - 1) for one, since, _ in NNAPI_LATER] if delegate == "nnapi" else []
    nodes = [(read_graph(tflite(one)).nodes[0], level) for one, level in cases]
    broken = {(node.name, first_broken(node, RULES[delegate], level)) for node, level in nodes}
    unbroken = [
        f"{name}: {check.words}"
        for name, rule in RULES[delegate].operators.items()
        for check in rule.checks
        if (name, check.words) not in broken
    ]
    always = ["RESHAPE: input any", "SQUEEZE: input any"] if delegate == "micro" else []
    assert unbroken == always


@pytest.mark.parametrize(
    ("delegate", "unwritten", "unknown"),
    [("nnapi", "TOPK_V2", "ATAN2"), ("gpu", "CAST", "TOPK_V2"), ("micro", "CAST", "TOPK_V2")],
)
def test_operators_without_a_rule_are_not_taken(delegate, unwritten, unknown):
    level = level_of(delegate)
    verdict = only(Op(unwritten, (X,), (Y,)), delegate, level)
    assert verdict.reason == f"lenet-edge has no rule for {unwritten}, which the delegate has"
    assert verdict.answer == "unknown"
    assert taken([verdict]) == (0, 1)
    assert audit_table([verdict]).splitlines() == [
        f"  1 x {unwritten} version 1  unknown: {verdict.reason}",
        "0 of 1 taken, 1 unknown",
    ]
    assert only(Op(unknown, (X,), (Y,)), delegate, level).answer == "not taken"
    assert only(Op(unknown, (X,), (Y,)), delegate, level).reason == f"the delegate has no {unknown}"
    assert (
        only(Op("TANH", (), (Y,)), delegate, level).reason
        == "TANH without its first input or without an output"
    )


# --- float16 constants, the web, tflite-runtime, XNNPACK, the analyser


def float16_model(reader):
    half = T("half", (3, 1, 1, 2), "float16", constant=True)
    weights = replace(GOOD["CONV_2D"].inputs[1], constant=False)
    made = tuple(weights if tensor and tensor.name == "w" else tensor for tensor in reader.inputs)
    return tflite(Op("DEQUANTIZE", (half,), (weights,), version=3), replace(reader, inputs=made))


@pytest.mark.parametrize(("delegate", "level"), [("nnapi", 27), ("gpu", None)])
def test_a_float16_constant_goes_with_what_reads_it(delegate, level):
    good = audit(float16_model(GOOD["CONV_2D"]), delegate=delegate, api_level=level)
    assert [verdict.reason for verdict in good] == ["", ""]
    newer = audit(float16_model(replace(GOOD["CONV_2D"], version=9)), delegate=delegate, api_level=level)
    assert newer[0].reason == "the float16 constant is read by 1 CONV_2D, which is not taken"
    assert not newer[1].taken
    unread = audit(float16_model(GOOD["TANH"]), delegate=delegate, api_level=level)
    assert unread[0].reason == "a float16 constant that no operator reads"


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (GOOD["TANH"], ""),
        (changed("TANH", {0: {"type": "uint8"}, "y": {"type": "uint8"}}), ""),
        (changed("TANH", {0: INT8}), "int8 'x': only float32 and uint8 were seen to go in and out"),
        (changed("TANH", {"y": INT8}), "int8 'y': only float32 and uint8 were seen to go in and out"),
        (
            changed("TANH", {0: {"shape": (2, 4)}}),
            "'x' of shape (2, 4): only one picture at a time was seen to run",
        ),
        (changed("TANH", {0: {"shape": (1, -1)}}), "'x' of shape (1, -1): its dimensions must be known"),
        (Op("CUSTOM Mine", (X,), (Y,)), "CUSTOM Mine is no operator of TensorFlow Lite's own"),
    ],
)
def test_the_web(one, reason):
    assert only(one, "web").reason == reason


def test_tflite_runtime_refuses_newer_versions():
    reason = "FULLY_CONNECTED version 12: the delegate knows 1 to 10"
    assert only(replace(GOOD["FULLY_CONNECTED"], version=12), "tflite-runtime").reason == reason
    assert only(replace(GOOD["FULLY_CONNECTED"], version=10), "tflite-runtime").taken
    assert only(Op("BROADCAST_TO", (X, AXES), (Y,)), "tflite-runtime").reason.endswith("knows 2 to 3")
    assert (
        only(Op("STABLEHLO_ADD", (X, Z), (Y,)), "tflite-runtime").reason
        == "the delegate has no STABLEHLO_ADD"
    )


ASK = """
import sys
from tflite_runtime.interpreter import Interpreter
for path in sys.argv[1:]:
    try:
        Interpreter(model_path=path)
        print(1)
    except ValueError:
        print(0)
"""


@pytest.mark.skipif(not importlib.util.find_spec("tflite_runtime"), reason="tflite-runtime is not installed")
def test_tflite_runtime_itself_says_the_same(tmp_path):
    wanted, paths = [], []
    for name, number in vars(schema.BuiltinOperator).items():
        if name.startswith("_") or not isinstance(number, int) or name in ("CUSTOM", "DELEGATE"):
            continue
        rule = tflite_runtime.RULES.operators.get(name)
        for version in (1, rule.newest if rule else 2, rule.newest + 1 if rule else 3):
            paths.append(tmp_path / f"{name}.{version}.tflite")
            paths[-1].write_bytes(codes_only(name, version))
            wanted.append("1" if rule and rule.oldest <= version <= rule.newest else "0")
    # A process of its own: TensorFlow's native library and this one's clash.
    done = subprocess.run([sys.executable, "-c", ASK, *map(str, paths)], capture_output=True, text=True)
    assert done.stdout.split() == wanted, done.stderr


def codes_only(name, version):
    """Return a .tflite file with an operator code and no operator: the runtime looks codes up first."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [], [], [], []
    model.version, model.buffers, model.subgraphs = 3, [schema.BufferT()], [graph]
    model.operatorCodes = [code(name, version)]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_the_analyser_is_asked_and_not_believed():
    bad = tflite(
        Op("TOPK_V2", (X, T("k", (), "int32", constant=True)), (Y, T("places", (1, 4, 4, 2), "int32")))
    )
    compatible, text = analyser_verdict(bad)
    assert (
        compatible
    )  # TensorFlow 2.21; should it ever say no, its docstring and docs/delegates.md are to change
    assert "TOPK_V2" in text
    with pytest.raises(InputError, match="expected a .tflite file, got "):
        analyser_verdict(b"....TFL3" + b"\xff" * 64)


# --- the released files


def released(name):
    return (importlib.resources.files("lenet_edge") / "released" / f"{name}.tflite").read_bytes()


def counts(name, delegate, level=None):
    return taken(audit(released(name), delegate=delegate, api_level=level))


@pytest.mark.parametrize("net", ["lenet5", "stock_lenet5"])
def test_the_released_float_files_are_taken_whole(net):
    count = len(read_graph(released(f"{net}_float32")).nodes)
    for delegate in DELEGATES:
        levels = (27, 28, 29, 35) if delegate == "nnapi" else (None,)
        assert [counts(f"{net}_float32", delegate, level) for level in levels] == [(count, count)] * len(
            levels
        )
    count = len(read_graph(released(f"{net}_float16")).nodes)
    assert counts(f"{net}_float16", "gpu") == counts(f"{net}_float16", "nnapi", 27) == (count, count)


def test_the_released_int8_file():
    assert counts("lenet5_int8", "nnapi", 28) == (3, 18)  # RESHAPE and SOFTMAX
    at_28 = audit(released("lenet5_int8"), delegate="nnapi", api_level=28)
    assert at_28[2].reason == "per-channel weights of CONV_2D need API level 29, got 28"
    # The picture is uint8 and becomes int8: that came with API level 30.
    at_29 = audit(released("lenet5_int8"), delegate="nnapi", api_level=29)
    assert [verdict.index for verdict in at_29 if not verdict.taken] == [0]
    assert counts("lenet5_int8", "nnapi", 30) == (18, 18)
    assert counts("lenet5_int8", "gpu") == counts("lenet5_int8", "micro") == (18, 18)
    assert counts("lenet5_int8", "tflite-runtime") == (18, 18)
    assert counts("lenet5_int8", "web") == (18, 18)


def test_the_web_takes_no_file_whose_width_may_change():
    left = [verdict for verdict in audit(released("lenet5_wide_int8"), delegate="web") if not verdict.taken]
    assert [verdict.index for verdict in left] == [0, 15]
    assert "(1, 32, 112, 1) may be resized: its dimensions must be fixed" in left[0].reason


def test_what_xnnpack_leaves_of_the_released_int8_file_is_named():
    left = [verdict for verdict in audit(released("lenet5_int8"), delegate="xnnpack") if not verdict.taken]
    assert [(verdict.index, verdict.name) for verdict in left] == [
        (0, "QUANTIZE"),
        (16, "SOFTMAX"),
        (17, "QUANTIZE"),
    ]
    assert left[1].reason.startswith(
        "int8 to int8 SOFTMAX is left to TensorFlow Lite's own kernel by XNNPACK of"
    )


def test_micro_refuses_the_released_float16_and_dynamic_files():
    float16 = [
        verdict for verdict in audit(released("lenet5_float16"), delegate="micro") if not verdict.taken
    ]
    assert {verdict.reason for verdict in float16} == {
        "float16 input with float32 output of DEQUANTIZE has no kernel"
    }
    dynamic = [
        verdict for verdict in audit(released("lenet5_dynamic"), delegate="micro") if not verdict.taken
    ]
    assert {verdict.name for verdict in dynamic} == {"CONV_2D", "FULLY_CONNECTED"}
    assert all(verdict.reason.endswith(MIXED) for verdict in dynamic)


def test_the_released_dynamic_file():
    left = {
        v.reason for v in audit(released("lenet5_dynamic"), delegate="nnapi", api_level=35) if not v.taken
    }
    assert left == {"FULLY_CONNECTED version 9: the delegate knows 1 to 5"}
    assert counts("lenet5_dynamic", "gpu") == counts("lenet5_dynamic", "tflite-runtime") == (16, 16)


# --- calls, the table, the documentation


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"delegate": "coreml"}, "expected a delegate of nnapi, gpu, .*, web, got 'coreml'"),
        ({"delegate": "nnapi"}, "expected an API level of 27 to 35 for nnapi, got none"),
        ({"delegate": "nnapi", "api_level": 26}, "expected an API level of 27 to 35 for nnapi, got 26"),
        ({"delegate": "nnapi", "api_level": 36}, "expected an API level of 27 to 35 for nnapi, got 36"),
        ({"delegate": "gpu", "api_level": 29}, "expected no API level for gpu, got 29"),
    ],
)
def test_bad_questions_are_answered_in_one_line(arguments, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        audit(tflite(GOOD["TANH"]), **arguments)


@pytest.mark.parametrize("delegate", DELEGATES)
def test_what_is_no_tflite_file_is_refused(delegate):
    for content in (b"", b"TFL3", b"....TFL3" + b"\xff" * 64):
        with pytest.raises(InputError, match="expected a .tflite file.*, got "):
            audit(content, delegate=delegate, api_level=level_of(delegate))


def test_the_table_groups_what_differs_by_a_name_only():
    second = Op("TANH", (replace(Y, type="int8"),), (Z,))
    verdicts = audit(
        tflite(changed("TANH", {0: INT8, "y": INT8}), second, Op("RELU", (Z,), (T("end"),))),
        delegate="nnapi",
        api_level=28,
    )
    assert audit_table(verdicts).splitlines() == [
        "  2 x TANH version 1  not taken: int8 input of TANH needs API level 29, got 28",
        "  1 x RELU version 1  taken",
        "1 of 3 taken",
    ]
    assert taken(verdicts) == (1, 3)


def test_the_documentation_holds_the_rules():
    path = ROOT / "docs" / "delegates.md"
    filled = runpy.run_path(str(ROOT / "scripts" / "delegates.py"))["filled"]
    assert filled(path.read_text()) == path.read_text(), "docs/delegates.md differs: scripts/delegates.py"
