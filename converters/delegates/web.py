"""Audit for LiteRT.js, the runtime for browsers (WebAssembly or WebGPU), by the little that is known.

No table of its operators was found. That shapes may not be left open is documented
(https://ai.google.dev/edge/litert/web/get_started). What was seen to run in headless Chromium with
@litertjs/core 2.5.3 is one picture at a time: float32 in and out in WebAssembly and on WebGPU, uint8 in
WebAssembly alone (`make web-test`). An operator is "taken" here when nothing is known against it.
"""

from __future__ import annotations

from converters.delegates.operator_rules import Verdict, verdict
from converters.file.graph import Graph, Node, Tensor

CONDITIONS = (
    ("built-in operators, no custom ones", "measured"),
    ("inputs and outputs of the model in float32, or in uint8 without WebGPU", "measured"),
    ("inputs and outputs of the model for one picture at a time (first dimension 1)", "measured"),
    ("no dynamic dimension in them", "documented"),
)
"""What is required of a model, and how that is known."""


_ENDS = ("float32", "uint8")


def verdicts(graph: Graph) -> list[Verdict]:
    """Return a verdict on each node of `graph`; a fault of an input or output counts against its operator."""
    ends = {tensor.index for tensor in (*graph.inputs, *graph.outputs)}
    return [verdict(node, _problem(node, ends)) for node in graph.nodes]


def _problem(node: Node, ends: set[int]) -> str:
    if node.name.startswith(("CUSTOM", "UNKNOWN")):
        return f"{node.name} is no operator of TensorFlow Lite's own"
    at_ends = (tensor for tensor in (*node.inputs, *node.outputs) if tensor and tensor.index in ends)
    return next((reason for reason in map(_end_problem, at_ends) if reason), "")


def _end_problem(tensor: Tensor) -> str:
    if tensor.type not in _ENDS:
        return f"{tensor.type} '{tensor.name}': only {' and '.join(_ENDS)} were seen to go in and out"
    if any(side < 1 for side in tensor.shape):
        return f"'{tensor.name}' of shape {tensor.shape}: its dimensions must be known"
    if tensor.resizable:
        return f"'{tensor.name}' of shape {tensor.shape} may be resized: its dimensions must be fixed"
    if tensor.shape and tensor.shape[0] != 1:
        return f"'{tensor.name}' of shape {tensor.shape}: only one picture at a time was seen to run"
    return ""
