"""Compare the constants of a file with its model's: each within half of its step, or the layer is named."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from converters.base.words import counted
from converters.file.graph import CONVERSIONS, Graph, Node
from converters.proof.exact_files import ExactFile, ExactFiles
from converters.proof.graph_comparison import Finding, compare_constants, compare_graphs, constants_behind
from converters.proof.layer_names import layer_of

Pair = tuple[Node, Node]
"""An operator of a file, and the one of the exact file that computes the same."""

_MOST_NAMED = 3
_CONSTANTS = ("kernel", "bias", "input")


@dataclass(frozen=True, kw_only=True, eq=False)
class Weights:
    """How the constants of a file compare with its model's.

    `exact`: the model's float32 file, in this file's layout; None if it has none. `pairs`: the operators
    that both have. `findings`: where the file is not the model's, a line for each constant or option, with
    the layer; `departing`: those layers' operators in the file. `uncompared`: why constants could not be
    compared, "" if all were.
    """

    exact: ExactFile | None = None
    pairs: tuple[Pair, ...] = ()
    findings: tuple[str, ...] = ()
    departing: Mapping[str, str]
    uncompared: str = ""


def compare_weights(graph: Graph, exact: ExactFiles, names: Mapping[str, str]) -> Weights:
    """Compare the constants of `graph` with those of the file in `exact` that fits best.

    `names`: the model's layers (`layer_names`). Where the operators of both are the same in the same order,
    a constant that is off by more than half of its step is a finding. Where they are not, constants are
    compared as far as operators can be matched, and nothing is a finding: the layers may have been merged in
    another way.
    """
    if not exact.files:
        return Weights(departing={}, uncompared=exact.missing)
    candidates = [_compared(graph, one.laid_out_as(graph), names) for one in exact.files]
    best = min(candidates, key=lambda one: (bool(one.uncompared), len(one.findings), -len(one.pairs)))
    fault = best.exact.fault if best.exact is not None and not best.uncompared else ""
    return replace(best, findings=(fault, *best.findings)) if fault else best


def _compared(graph: Graph, exact: ExactFile, names: Mapping[str, str]) -> Weights:
    pairs, alone = matched(graph, exact.graph)
    if alone:
        return Weights(
            exact=exact, pairs=pairs, departing={}, uncompared=_uncompared(graph, pairs, alone, names)
        )
    layers = {str(node): layer_of(node, names) or layer_of(other, names) for node, other in pairs}
    found = compare_graphs(graph, exact.graph, per_channel=False)
    return Weights(
        exact=exact,
        pairs=pairs,
        findings=tuple(_line(finding, layers) for finding in found),
        departing={finding.operator: f"{finding.part}: {finding.message}" for finding in reversed(found)},
    )


def matched(graph: Graph, exact: Graph) -> tuple[tuple[Pair, ...], tuple[Node, ...]]:
    """Return the operators of `graph` with those of `exact` that do the same, and those of either alone.

    An operator goes by its name and the shape of its output, and by its place among the others.
    """
    mine, theirs = ([node for node in one.nodes if node.name not in CONVERSIONS] for one in (graph, exact))
    kinds, others = ([(node.name, node.outputs[0].shape) for node in nodes] for nodes in (mine, theirs))
    pairs: list[Pair] = []
    alone: list[Node] = []
    matcher = difflib.SequenceMatcher(None, kinds, others, autojunk=False)
    for tag, start, end, other_start, other_end in matcher.get_opcodes():
        if tag == "equal":
            pairs += zip(mine[start:end], theirs[other_start:other_end], strict=True)
        else:
            alone += [*mine[start:end], *theirs[other_start:other_end]]
    return tuple(pairs), tuple(alone)


def _line(finding: Finding, layers: Mapping[str, str]) -> str:
    what = "weights" if finding.part.startswith(_CONSTANTS) else "operators"
    layer = layers.get(finding.operator)
    return f"not this model's {what}: {f'layer {layer}, ' if layer else ''}{finding}"


def _uncompared(graph: Graph, pairs: Sequence[Pair], alone: Sequence[Node], names: Mapping[str, str]) -> str:
    """Return what could not be compared, and which of the rest differs."""
    sources = constants_behind(graph)
    kinds = ", ".join(dict.fromkeys(node.name for node in alone))
    parts = [f"the operators of the file and of the model's float32 file differ in {kinds}"]
    differing = dict.fromkeys(
        layer_of(node, names) or str(node)
        for node, other in pairs
        if layer_of(node, names) == layer_of(other, names) and compare_constants(node, other, sources=sources)
    )
    if differing:
        shown = ", ".join(list(differing)[:_MOST_NAMED])
        rest = f" and {counted(len(differing) - _MOST_NAMED, 'other')}" * (len(differing) > _MOST_NAMED)
        parts.append(f"constants differ in {shown}{rest}")
    return "; ".join(parts)
