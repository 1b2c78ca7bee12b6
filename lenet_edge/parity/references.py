"""The exact models that files are compared with: their scores in Keras and their float32 graphs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.model.conversion import to_tflite
from converters.model.folding import fold
from converters.model.unrounded import unrounded
from converters.proof.exact_files import ExactFile, exact_file
from lenet_edge.digits.geometry import FIELD
from lenet_edge.packaged.models import fine_tuned_model, released_model
from lenet_edge.packaged.names import FINE_TUNED
from lenet_edge.paper.answers import answers_of, as_input, is_wide


@dataclass(frozen=True, eq=False)
class Reference:
    """A Keras model's `scores` (n, classes), a row per answer, and its float32 file.

    That of a wide model is for a single 32x32 window.
    """

    scores: NDArray[np.float32]
    file: ExactFile


@dataclass(frozen=True, eq=False)
class References:
    """The exact models of one net: `original`, `folded`, and `fine_tuned` for int8 (not of stock_lenet5).

    `folded` and `fine_tuned` have graphs of their own weights, in float32; `original` has that of `folded`.
    """

    original: Reference
    folded: Reference
    fine_tuned: Reference | None

    def of(self, name: str) -> Reference:
        """Return the exact model of the file `name`: the fine-tuned one if the name has "_qat"."""
        return self.fine_tuned if "_qat" in name and self.fine_tuned else self.folded


def references(net: str, pictures: NDArray[np.uint8]) -> References:
    """Return the references of `net` on uint8 `pictures` (n, 32, 32), of lenet5_wide (n, 32, width)."""
    original = released_model(net)
    inputs = as_input(original, pictures)
    folded = fold(original)
    folded_file = _float32_file(folded)
    fine_tuned = None
    if net in FINE_TUNED:
        quantised = fine_tuned_model(net)
        fine_tuned = Reference(answers_of(quantised, inputs), _float32_file(unrounded(quantised)))
    return References(
        original=Reference(answers_of(original, inputs), folded_file),
        folded=Reference(answers_of(folded, inputs), folded_file),
        fine_tuned=fine_tuned,
    )


def _float32_file(model: Any) -> ExactFile:
    shape = (FIELD, FIELD, 1) if is_wide(model) else None
    return exact_file(to_tflite(model, precision="float32", shape=shape).content)
