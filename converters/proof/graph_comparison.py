"""Compare the graph of a .tflite file with the exact one: operators, and constants within half a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from converters.base.arrays import shape_text
from converters.file.graph import CONVERSIONS, WITH_KERNEL, Graph, Node, Tensor

_OF_QUANTIZING = {"asymmetricQuantizeInputs", "quantizedBiasType", "weightsFormat"}

# Units in the last place: a kernel of float32 is the exact one, float16 is rounded once, and the float32
# products of folding and of a quantised constant's scale are rounded a few times.
_FLOAT32, _FLOAT16 = 2.0**-22, 2.0**-11
_SMALLEST_FLOAT16 = 2.0**-25


class Finding(NamedTuple):
    """A difference: the operator, which constant or option of it, and the message."""

    operator: str
    part: str
    message: str

    def __str__(self) -> str:
        return f"{self.operator}, {self.part}: {self.message}"


def compare_graphs(graph: Graph, exact: Graph, *, per_channel: bool = True) -> list[Finding]:
    """Return how `graph` differs from the float32 graph `exact` by more than its own rounding.

    The operators must be the same in the same order, with the same options; only QUANTIZE and DEQUANTIZE may
    come and go. Each real value of a kernel or bias may be off by half of its step: of a quantised constant
    the scale, of float16 2^-11 of itself, of float32 nothing but rounding. With `per_channel`, a quantised
    kernel of a convolution must have one scale an output channel.
    """
    mine, theirs = ([node for node in g.nodes if node.name not in CONVERSIONS] for g in (graph, exact))
    names, wanted = [node.name for node in mine], [node.name for node in theirs]
    if names != wanted:
        return [
            Finding("graph", "operators", f"expected {', '.join(wanted)}, got {', '.join(names) or 'none'}")
        ]
    sources = constants_behind(graph)
    findings = []
    for node, got, want in zip([*mine, "graph"], _wiring(graph, mine), _wiring(exact, theirs), strict=True):
        if got != want:
            findings.append(
                Finding(str(node), "inputs", f"expected those of {_places(want)}, got {_places(got)}")
            )
    for node, other in zip(mine, theirs, strict=True):
        findings += _compare_options(node, other)
        findings += compare_constants(node, other, sources=sources, per_channel=per_channel)
    return findings


def compare_constants(
    node: Node, other: Node, *, sources: Mapping[int, Tensor] | None = None, per_channel: bool = False
) -> list[Finding]:
    """Return how the constants of `node` differ from those of the exact `other` by more than rounding.

    `sources`: the constant behind each tensor that is one dequantised; `per_channel` as for `compare_graphs`.
    """
    if node.name in WITH_KERNEL:
        return _compare_kernel(node, other, sources or {}, per_channel=per_channel)
    return _compare_inputs(node, other, sources or {})


def _wiring(graph: Graph, nodes: list[Node]) -> list[list[int]]:
    """Return for each node, and the graph's outputs, which of `nodes` made what it reads; -1: the caller."""
    made = {tensor.index: -1 for tensor in graph.inputs}
    places = {node.index: place for place, node in enumerate(nodes)}
    for node in graph.nodes:
        source = node.inputs[0]
        behind = made.get(source.index) if source is not None else None
        place = places.get(node.index, behind)
        if place is not None:
            made.update((tensor.index, place) for tensor in node.outputs)
    reads = [*(node.inputs for node in nodes), graph.outputs]
    return [[made[t.index] for t in tensors if t is not None and t.index in made] for tensors in reads]


def _places(makers: list[int]) -> str:
    return ", ".join("the input" if place < 0 else f"operator {place}" for place in makers) or "none"


def _compare_options(node: Node, other: Node) -> list[Finding]:
    names = sorted((set(node.options) | set(other.options)) - _OF_QUANTIZING)
    return [
        Finding(str(node), name, f"expected {other.options.get(name)}, got {node.options.get(name)}")
        for name in names
        if str(node.options.get(name)) != str(other.options.get(name))
    ]


def constants_behind(graph: Graph) -> dict[int, Tensor]:
    """Return the constant behind each tensor that is one dequantised (float16 weights)."""
    return {
        node.outputs[0].index: node.inputs[0]
        for node in graph.nodes
        if node.name == "DEQUANTIZE" and node.inputs[0] is not None and node.inputs[0].constant is not None
    }


def _compare_kernel(
    node: Node, other: Node, sources: Mapping[int, Tensor], *, per_channel: bool
) -> list[Finding]:
    findings = []
    for place, name in ((1, "kernel"), (2, "bias")):
        tensor, exact = (n.inputs[place] if place < len(n.inputs) else None for n in (node, other))
        if tensor is not None:
            tensor = sources.get(tensor.index, tensor)
        message = _compare_tensor(tensor, exact)
        if not message and name == "kernel" and per_channel and tensor is not None:
            message = _compare_scales(node, tensor)
        if message:
            findings.append(Finding(str(node), name, message))
    return findings


def _compare_inputs(node: Node, other: Node, sources: Mapping[int, Tensor]) -> list[Finding]:
    """Compare the constants of an operator without a kernel: a factor of MUL, a shape, an axis."""
    findings = []
    for place, (tensor, exact) in enumerate(zip(node.inputs, other.inputs, strict=False)):
        if exact is None or exact.constant is None or tensor is None:
            continue
        message = _compare_tensor(sources.get(tensor.index, tensor), exact)
        if message:
            findings.append(Finding(str(node), f"input {place}", message))
    return findings


def _compare_scales(node: Node, tensor: Tensor) -> str:
    channels = tensor.shape[3 if node.name == "DEPTHWISE_CONV_2D" else 0]
    if node.name == "FULLY_CONNECTED" or not tensor.scales.size or tensor.scales.size == channels:
        return ""
    return f"expected {channels} scales, one a channel, got {tensor.scales.size}"


def _compare_tensor(tensor: Tensor | None, exact: Tensor | None) -> str:
    """Return what is wrong with `tensor`, "" if nothing is; a constant that is missing is one of zeros."""
    known = tensor if exact is None else exact
    if known is None:
        return ""
    shape = known.shape
    mine, theirs = (np.zeros(shape) if t is None else _real(t) for t in (tensor, exact))
    if mine is None or theirs is None:
        return "expected a constant, got a computed tensor"
    if mine.size == theirs.size == 1:  # a scalar has a side of 1 once it is quantised
        mine = mine.reshape(theirs.shape)
    if mine.shape != theirs.shape:
        return f"expected shape {shape_text(theirs.shape)}, got {shape_text(mine.shape)}"
    allowed = np.zeros(shape) if tensor is None else _half_step(tensor, theirs)
    # The scales themselves are float32, and so is the product that the constant was rounded from.
    excess = np.abs(mine - theirs) - allowed * (1 + 1e-3) - _FLOAT32 * np.abs(theirs).max(initial=0.0)
    excess = np.where(np.isnan(excess), np.inf, excess)
    if (excess <= 0).all():
        return ""
    worst = np.unravel_index(int(np.argmax(excess)), shape)
    place = ", ".join(str(int(i)) for i in worst)
    return (
        f"{int((excess > 0).sum())} of {mine.size} are off, most at ({place}): expected "
        f"{theirs[worst]:.6g} within {np.broadcast_to(allowed, shape)[worst]:.2g}, got {mine[worst]:.6g}"
    )


def _real(tensor: Tensor) -> np.ndarray | None:
    return tensor.real() if tensor.constant is not None else None


def _half_step(tensor: Tensor, exact: np.ndarray) -> np.ndarray:
    if tensor.type == "float16":
        return _FLOAT16 * np.abs(exact) + _SMALLEST_FLOAT16
    if not tensor.scales.size:
        return np.zeros(exact.shape)
    sides = [1] * exact.ndim
    if sides:
        sides[tensor.axis] = tensor.scales.size
    return np.broadcast_to(tensor.scales.reshape(sides) / 2, exact.shape)
