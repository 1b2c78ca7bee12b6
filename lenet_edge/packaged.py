"""The released weights as Keras models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from converters.errors import expect
from lenet_edge.runtime import released_folder

NAMES = ("lenet5", "stock_lenet5")


def released_model(name: str, *, weights: Path | None = None) -> Any:
    """Return model `name` with the released weights, or those of the file `weights`, scores at its end.

    In: (batch, 32, 32, 1) for "lenet5", (batch, 28, 28, 1) for "stock_lenet5", pixels 0..255. Out:
    (batch, 10), ten scores of sum 1. Raises InputError on another name or the weights of another model.
    """
    from lenet_edge.model import lenet5, stock_lenet5, with_probabilities
    from lenet_edge.weights import load_weights

    expect(name in NAMES, f"one of {', '.join(NAMES)}", name)
    model = {"lenet5": lenet5, "stock_lenet5": stock_lenet5}[name]()
    scale = load_weights(model, weights or released_folder() / f"{name}.npz")
    return with_probabilities(model, scale=scale)
