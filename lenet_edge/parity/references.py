"""The exact models that files are held against: Keras scores, and the float32 graph of the same function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from converters.errors import InputError
from converters.folding import fold
from converters.graph import Graph, read_graph
from converters.layouts import layout_between
from converters.lowering import lower
from converters.tflite import to_tflite
from lenet_edge.packaged import fine_tuned_model, plain_model, released_model
from lenet_edge.training import outputs_of


@dataclass(frozen=True, eq=False)
class Reference:
    """A Keras model's `scores` (n, 10) and the float32 file that it converts to: `content`, its `graph`."""

    scores: np.ndarray
    content: bytes
    graph: Graph

    def laid_out_as(self, graph: Graph) -> Graph:
        """Return the float32 graph in the layout of `graph`; as it is where that is no layout of it."""
        try:
            return read_graph(lower(self.content, layout=layout_between(self.graph, graph)))
        except InputError:
            return self.graph


@dataclass(frozen=True, eq=False)
class References:
    """Those of one net: `original` as printed, `folded`, and `fine_tuned` for int8 (None for stock_lenet5).

    `folded` and `fine_tuned` have graphs of their own weights, in float32.
    """

    original: Reference
    folded: Reference
    fine_tuned: Reference | None

    def of(self, name: str) -> Reference:
        """Return the exact model of the file `name`: the fine-tuned one for a name with "_qat"."""
        return self.fine_tuned if "_qat" in name and self.fine_tuned else self.folded


def references(net: str, pictures: np.ndarray) -> References:
    """Return the references of `net` on uint8 `pictures` (n, 32, 32)."""
    original = released_model(net)
    folded = fold(original)
    plain = _file(folded)
    fine_tuned = None
    if net == "lenet5":
        quantised = fine_tuned_model()
        fine_tuned = Reference(outputs_of(quantised, pictures), *_file(plain_model(quantised)))
    return References(
        original=Reference(outputs_of(original, pictures), *plain),
        folded=Reference(outputs_of(folded, pictures), *plain),
        fine_tuned=fine_tuned,
    )


def _file(model: Any) -> tuple[bytes, Graph]:
    content = to_tflite(model, precision="float32").content
    return content, read_graph(content)
