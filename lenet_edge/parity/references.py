"""The exact models that files are held against: Keras scores, and the float32 graph of the same function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import InputError
from converters.file.graph import Graph, read_graph
from converters.file.layouts import layout_between
from converters.file.lowering import lower
from converters.model.conversion import to_tflite
from converters.model.folding import fold
from lenet_edge.digits.geometry import FIELD
from lenet_edge.packaged.models import fine_tuned_model, plain_model, released_model
from lenet_edge.paper.answers import answers_of, as_input, is_wide


@dataclass(frozen=True, eq=False)
class Reference:
    """A Keras model's `scores` (n, classes), an answer a row, and the float32 file that it converts to.

    `content`, its `graph`; those of a wide model are for a single 32x32 window.
    """

    scores: NDArray[np.float32]
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


def references(net: str, pictures: NDArray[np.uint8]) -> References:
    """Return the references of `net` on uint8 `pictures` (n, 32, 32), of lenet5_wide (n, 32, width)."""
    original = released_model(net)
    inputs = as_input(original, pictures).numpy()
    folded = fold(original)
    plain = _file(folded)
    fine_tuned = None
    if net == "lenet5":
        quantised = fine_tuned_model()
        fine_tuned = Reference(answers_of(quantised, inputs), *_file(plain_model(quantised)))
    return References(
        original=Reference(answers_of(original, inputs), *plain),
        folded=Reference(answers_of(folded, inputs), *plain),
        fine_tuned=fine_tuned,
    )


def _file(model: Any) -> tuple[bytes, Graph]:
    shape = (FIELD, FIELD, 1) if is_wide(model) else None
    content = to_tflite(model, precision="float32", shape=shape).content
    return content, read_graph(content)
