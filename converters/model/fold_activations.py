"""Fold the layers that are an activation: a scaled tanh; a softmax, which no common shift changes."""

from __future__ import annotations

from dataclasses import replace

from converters.base.untyped import KerasLayer
from converters.layers.squashing import squashing_of
from converters.model.fold_rules import keep, stock_rule
from converters.model.fold_steps import Folding
from converters.model.fold_values import Value


@stock_rule("Activation")
def _fold_activation(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    squashing = squashing_of(layer.activation)
    if squashing is not None:
        return folding.squashed(layer, inputs[0], squashing)
    if layer.activation is folding.keras.activations.softmax:
        return _fold_softmax(layer, inputs, folding)
    return keep(layer, inputs, folding)


@stock_rule("Softmax")
def _fold_softmax(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    value = inputs[0]
    if getattr(layer, "axis", -1) in (-1, len(folding.input_shape) - 1):
        value = replace(value, shifted=False)  # softmax(a + t) = softmax(a)
    return keep(layer, [value, *inputs[1:]], folding)
