"""Keep named layers in float32 within an int8 file: find their operators, and check the result."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from converters.base.errors import InputError, expect
from converters.base.untyped import KerasModel
from converters.file.graph import CONVERSIONS, Graph, Node, read_graph
from converters.file.signature import end_names
from converters.model.graph import graph_of
from converters.model.tracing import plain_name


def check_layer_names(model: KerasModel, names: Sequence[str]) -> None:
    """Raise InputError, with the nearest name there is, unless all `names` are those of layers of `model`."""
    known = {call.name for call in graph_of(model).calls if not call.is_input}
    for name in names:
        nearest = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0)
        near = f" (the nearest is {nearest[0]})" if nearest else ""
        expect(name in known, f"layers of {model.name} to keep in float32{near}", name)


class FloatLayers:
    """Layers of `model`, by their `names`, that are to stay in float32.

    `outputs`: what a file calls the model's outputs, in the model's order. Raises InputError as
    `check_layer_names`.
    """

    def __init__(self, model: KerasModel, names: Sequence[str], *, outputs: Sequence[str]) -> None:
        graph = graph_of(model)
        self._names = tuple(dict.fromkeys(names))
        self._known = {plain_name(call.name): call.name for call in graph.calls if not call.is_input}
        check_layer_names(model, self._names)
        makers = {wire: call.name for call in graph.calls for wire in call.outputs}
        self._makers = {name: makers[wire] for name, wire in zip(outputs, graph.outputs, strict=True)}

    def tensors(self, content: bytes) -> list[str]:
        """Return the names of what the layers compute in the float32 file `content`.

        Raises InputError for a layer that has no operator there: it does nothing when the file runs, or is
        part of another layer's operator.
        """
        found = dict(self._operators(content))
        there = set().union(*found.values())
        gone = [name for name in self._names if name not in there]
        expect(
            not gone,
            "layers with an operator in the file to keep in float32",
            f"{', '.join(gone)}, which the converter dropped or merged into another layer's",
        )
        return [
            tensor.name
            for node, layers in found.items()
            if layers & set(self._names)
            for tensor in node.outputs
        ]

    def check(self, content: bytes) -> None:
        """Raise InputError unless the layers' operators compute in float32 in the int8 file `content`."""
        for node, layers in self._operators(content):
            kept = sorted(layers & set(self._names))
            quantised = any(tensor.type in ("int8", "uint8", "int16") for tensor in node.outputs)
            if kept and quantised and node.name not in CONVERSIONS:
                raise InputError(
                    f"expected layers that can stay in float32, got {', '.join(kept)}: the converter leaves "
                    f"{node.name} in int8 (one that only moves values loses nothing there)"
                )

    def _operators(self, content: bytes) -> Iterator[tuple[Node, set[str]]]:
        """Yield the operators of a file, each with the layers that are computed in it."""
        graph = read_graph(content)
        ends = self._ends(content, graph)
        for node in graph.nodes:
            paths = [path for tensor in node.outputs for path in tensor.name.split(";")]
            names = {self._layer(path) for path in paths}
            names |= {ends.get(tensor.index, "") for tensor in node.outputs}
            yield node, names - {""}

    def _ends(self, content: bytes, graph: Graph) -> dict[int, str]:
        """Return the layers that compute a file's outputs, by tensor: no path names the layer there."""
        names = end_names(content)
        ends = {tensor.index: self._makers[names[tensor.index]] for tensor in graph.outputs}
        for node in reversed(graph.nodes):
            if node.name in CONVERSIONS and node.outputs[0].index in ends and node.inputs[0] is not None:
                ends[node.inputs[0].index] = ends[node.outputs[0].index]
        return ends

    def _layer(self, path: str) -> str:
        """Return the layer of a tensor that the converter calls MODEL/MODEL/LAYER/OPERATION, "" for none."""
        places = [part for part in path.split("/")[:-1] if part in self._known]
        return self._known[places[-1]] if places else ""
