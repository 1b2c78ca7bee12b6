"""Take the rounding out of a fine-tuned model: its int8 file is proven against what is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from converters.base.errors import expect
from converters.base.kerases import keras_of
from converters.base.untyped import KerasLayer, KerasModel, KerasVariable
from converters.model.float32 import float32_policy
from converters.model.making_anew import Weights, copied, remade

PREFIX = "quant_"
"""What tensorflow-model-optimization puts before the name of a layer that it makes round."""


def rounding_layers(model: KerasModel) -> Iterator[KerasLayer]:
    """Yield the layers of `model`, and of models within it, that each make the layer within them round."""
    for layer in model._flatten_layers() if hasattr(model, "_flatten_layers") else ():
        if _makes_round(layer):
            yield layer


def is_quantized(model: KerasModel) -> bool:
    """Return whether `model` comes from `quantize_aware`."""
    return any(True for _ in rounding_layers(model))


def check_unrounded(model: KerasModel) -> None:
    """Raise InputError for a model that comes from `quantize_aware`."""
    expect(not is_quantized(model), "a model that does not round yet", "one made by quantize_aware")


def unrounded(model: KerasModel) -> KerasModel:
    """Return the exact model with the weights of `model`, which `fine_tune` or `quantize_aware` made.

    It has the layers of `model` under their own names and rounds nothing: an int8 file of `model` is proven
    against it. Call `settle` first if you have trained `model` yourself. The result is a Keras 2 model, as
    `model` is; `model` is not changed. A model that does not round, or a SavedModel, is returned as it is.
    """
    if not is_quantized(model):
        return model
    # Slow to import: only a model that rounds needs it.
    from converters.model.quantize_configs import tfmot

    with tfmot.quantization.keras.quantize_scope(), float32_policy(keras_of(model)):
        return remade(model, _exact_layer, weights=_exact_weights)


def _makes_round(layer: KerasLayer) -> bool:
    return type(layer).__name__.startswith("QuantizeWrapper")


def _exact_layer(layer: KerasLayer, name: str) -> KerasLayer | None:
    """Return a new layer like the one that `layer` makes round; None for one that only rounds an input."""
    if type(layer).__name__ == "QuantizeLayer":
        return None
    if not _makes_round(layer):
        return copied(layer, name)
    exact = copied(layer.layer, layer.layer.name)
    if type(getattr(exact, "activation", None)).__name__ == "NoOpActivation":
        # The library's own for "linear, and not rounded"; nothing else can restore it.
        exact.activation = keras_of(layer).activations.linear
    return exact


def _exact_weights(layer: KerasLayer, exact: KerasLayer) -> Weights:
    """Return the arrays for the weights of `exact`, which is built, from `layer`, which makes it round.

    A layer that was made to round has lost the weights that are rounded: rounded ones stand in their place.
    The configuration says which these are, in the same order for both layers.
    """
    if not _makes_round(layer):
        return list(layer.get_weights())
    own = [weight for weight, _, _ in layer._weight_vars]
    new = [weight for weight, _ in layer.quantize_config.get_weights_and_quantizers(exact)]
    pairs = [*zip(new, own, strict=True)]
    pairs += zip(_without(exact.weights, new), _without(layer.layer.weights, own), strict=True)
    arrays = {id(weight): np.asarray(learnt) for weight, learnt in pairs}
    return [arrays[id(weight)] for weight in exact.weights]


def _without(weights: Sequence[KerasVariable], others: Sequence[KerasVariable]) -> list[KerasVariable]:
    known = {id(one) for one in others}
    return [weight for weight in weights if id(weight) not in known]
