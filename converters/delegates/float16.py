"""Audit float16 constants, which NNAPI and the GPU delegate read without the DEQUANTIZE after them.

Source: FP16GraphPartitionHelper of tensorflow/lite/delegates/utils.cc, TensorFlow 0f563557.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from converters.delegates.operator_rules import Verdict, verdict
from converters.file.graph import Graph, Node, Tensor


def verdicts(graph: Graph, problem: Callable[[Node], str]) -> list[Verdict]:
    """Return a verdict on each node of `graph`, `problem(node)` being a delegate's reason against it.

    A DEQUANTIZE of a float16 constant goes with the operators that read it: they are looked at with the
    constant itself as their input, and it is taken when all of them are.
    """
    constants = {node.outputs[0].index: node.inputs[0] for node in graph.nodes if _is_float16_constant(node)}
    reasons = {
        node.index: problem(_reading(node, constants))
        for node in graph.nodes
        if not _is_float16_constant(node)
    }
    for node in graph.nodes:
        if node.index not in reasons:
            reasons[node.index] = _readers_problem(node, graph, reasons)
    return [verdict(node, reasons[node.index]) for node in graph.nodes]


def _is_float16_constant(node: Node) -> bool:
    tensor = node.inputs[0] if node.inputs else None
    return (
        node.name == "DEQUANTIZE"
        and tensor is not None
        and tensor.type == "float16"
        and tensor.constant is not None
        and len(node.outputs) == 1
    )


def _reading(node: Node, constants: dict[int, Tensor | None]) -> Node:
    inputs = tuple(constants.get(tensor.index, tensor) if tensor else None for tensor in node.inputs)
    return replace(node, inputs=inputs)


def _readers_problem(node: Node, graph: Graph, reasons: dict[int, str]) -> str:
    made = node.outputs[0].index
    readers = [one for one in graph.nodes if any(tensor and tensor.index == made for tensor in one.inputs)]
    if not readers:
        return "a float16 constant that no operator reads"
    left = [reader for reader in readers if reasons.get(reader.index)]
    return f"the float16 constant is read by {left[0]}, which is not taken" if left else ""
