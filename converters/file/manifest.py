"""Describe what a .tflite file holds, for its entry in a manifest."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TypeAlias

from converters.base.errors import InputError, expect
from converters.base.untyped import Json, SchemaObject
from converters.file.schema import schema

_OPERATORS = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
_TYPES = {value: name.lower() for name, value in vars(schema.TensorType).items() if not name.startswith("_")}


Entry: TypeAlias = dict[str, Json]
"""A file's entry in a manifest: its facts, ready for JSON."""


def describe(content: bytes) -> Entry:
    """Return the facts of a .tflite file, ready for JSON.

    `bytes`, `sha256`; `operators`: name, version and count of each; `inputs` and `outputs`: name, shape,
    type, and for quantised ones scale and zero point (real = scale * (stored - zero point)). Raises
    InputError when `content` is no .tflite file.
    """
    model = parse(content)
    graph = model.subgraphs[0]
    return {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "operators": _operators(model),
        "inputs": [_tensor(graph.tensors[index]) for index in graph.inputs],
        "outputs": [_tensor(graph.tensors[index]) for index in graph.outputs],
    }


def parse(content: bytes) -> SchemaObject:
    """Return the schema's ModelT of a .tflite file; raises InputError when it is none."""
    expect(len(content) > 8 and content[4:8] == b"TFL3", "a .tflite file", "bytes without its mark TFL3")
    try:
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    except (
        Exception
    ) as error:  # the generated reader trusts its input: anything can come out of a damaged file
        raise InputError("expected a .tflite file, got a damaged one") from error
    expect(model.subgraphs, "a .tflite file with a graph", "none")
    return model


def graph_count(content: bytes) -> int:
    """Return how many graphs the sound .tflite file `content` has: more than one where it has loops."""
    return int(schema.Model.GetRootAs(content).SubgraphsLength())


def operator_name(code: SchemaObject) -> str:
    """Return the name of an operator code: "CONV_2D", or the custom operator's own."""
    # The old field stops at 127; files of newer converters have the rest in the new one.
    builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
    name = _OPERATORS.get(builtin, f"UNKNOWN_{builtin}")
    return f"CUSTOM {code.customCode.decode()}" if name == "CUSTOM" and code.customCode else name


def _operators(model: SchemaObject) -> list[dict[str, Json]]:
    codes = model.operatorCodes
    uses = Counter(operator.opcodeIndex for graph in model.subgraphs for operator in graph.operators)
    facts = [
        {"name": operator_name(codes[index]), "version": codes[index].version, "count": count}
        for index, count in uses.items()
    ]
    return sorted(facts, key=lambda fact: (fact["name"], fact["version"]))


def _tensor(tensor: SchemaObject) -> dict[str, Json]:
    facts = {
        "name": (tensor.name or b"").decode(),
        "shape": [] if tensor.shape is None else [int(side) for side in tensor.shape],
        "type": _TYPES[tensor.type],
    }
    quantization = tensor.quantization
    if quantization is not None and quantization.scale is not None:
        facts["scale"] = float(quantization.scale[0])
        facts["zero_point"] = int(quantization.zeroPoint[0])
    return facts
