"""The released weights as Keras models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from converters.base.errors import expect
from converters.base.kerases import KERAS_2, import_keras
from lenet_edge.digits.mnist import PIXELS, calibration_digits, pad
from lenet_edge.packaged.files import released_folder
from lenet_edge.packaged.names import ALL_NAMES, FINE_TUNED, WIDE


def released_model(name: str, *, weights: Path | None = None, keras: ModuleType | None = None) -> Any:
    """Return model `name` with the released weights, or those of the file `weights`; it outputs scores.

    In: (batch, 32, 32, 1) for "lenet5", (batch, 28, 28, 1) for "stock_lenet5", pixels 0..255. Out:
    (batch, 10), ten scores of sum 1. "lenet5_wide": (batch, height, width, 1) to (batch, rows, columns, 11),
    eleven scores per window. `keras`: the package `keras` or `tf_keras` to build it in; by default the one
    that `tf.keras` is. Raises InputError on an unknown name or the weights of another model.
    """
    from lenet_edge.packaged.weights import load_weights
    from lenet_edge.paper.model import lenet5, stock_lenet5, with_probabilities

    expect(name in ALL_NAMES, f"one of {', '.join(ALL_NAMES)}", name)
    build: dict[str, Callable[[], Any]] = {
        "lenet5": lambda: lenet5(keras=keras),
        "stock_lenet5": lambda: stock_lenet5(keras=keras),
        WIDE: lambda: lenet5(wide=True, empty=True, keras=keras),
    }
    model = build[name]()
    scale = load_weights(model, weights or released_folder() / f"{name}.npz")
    return with_probabilities(model, scale=scale)


def fine_tuned_model(name: str = "lenet5", *, weights: Path | None = None) -> Any:
    """Return model `name`, fine-tuned for int8, with the released weights or those of the file `weights`.

    It rounds like int8. A model of Keras 2, as tensorflow-model-optimization makes no other. `name`: "lenet5"
    or "lenet5_wide"; in and out as for `released_model`. Raises InputError on another name or another model's
    weights.
    """
    from converters.model.folding import fold
    from converters.model.quantize_aware import quantize_aware
    from lenet_edge.packaged.weights import load_quantised
    from lenet_edge.paper.answers import as_input

    expect(name in FINE_TUNED, f"one of {', '.join(FINE_TUNED)}", name)
    folded = fold(released_model(name, keras=import_keras(KERAS_2)))
    # One digit is enough, and fast: the ranges that it gives are replaced.
    calibration = as_input(folded, pad(calibration_digits().images[:1]))
    model = quantize_aware(folded, calibration=calibration, input_range=PIXELS)
    load_quantised(model, weights or released_folder() / f"{name}_qat.npz")
    return model
