"""Register how each class of layer folds, and find the rule of a layer.

A rule for a stock layer goes by the layer's name, which both Kerases share. The rules: `fold_linear`,
`fold_scalings`, `fold_passing`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from converters.base.kerases import keras_of
from converters.base.untyped import KerasLayer, TfTensor
from converters.layers.assembled import AssembledConv2D
from converters.layers.definition import definition_of
from converters.model.fold_steps import Folding
from converters.model.fold_values import Value
from converters.model.making_anew import copied

Rule = Callable[[KerasLayer, list[Value], Folding], Value]
_rules: dict[type, Rule] = {}
_stock_rules: dict[str, Rule] = {}
_operation_rules: dict[str, Rule] = {}


def fold_rule(*classes: type) -> Callable[[Rule], Rule]:
    """Register `rule(layer, inputs, folding) -> Value` as the way to fold the layers of `classes`.

    A class may be one of either Keras, or a definition, for both. A definition may instead have the rule as
    its method `fold(inputs, folding)`.
    """

    def register(rule: Rule) -> Rule:
        _rules.update(dict.fromkeys(classes, rule))
        return rule

    return register


def stock_rule(*names: str) -> Callable[[Rule], Rule]:
    """Register the rule of the layers that both Kerases have under `names`."""

    def register(rule: Rule) -> Rule:
        _stock_rules.update(dict.fromkeys(names, rule))
        return rule

    return register


def operation_rule(*names: str) -> Callable[[Rule], Rule]:
    """Register the rule of the operations of `keras.ops` whose classes are `names`."""

    def register(rule: Rule) -> Rule:
        _operation_rules.update(dict.fromkeys(names, rule))
        return rule

    return register


def rule_of(layer: KerasLayer) -> Rule:
    """Return the rule of the class of `layer`; `keep` where there is none."""
    # A subclass may compute something else than its parent: only the class itself counts.
    own = _rules.get(type(layer)) or _rules.get(definition_of(layer) or object)
    if own is not None:
        return own
    if isinstance(layer, AssembledConv2D):
        return _rules[AssembledConv2D]
    if definition_of(layer) is not None and hasattr(layer, "fold"):
        return lambda layer, inputs, folding: layer.fold(inputs, folding)
    name, keras = type(layer).__name__, keras_of(layer)
    if getattr(keras.layers, name, None) is type(layer):
        return _stock_rules.get(name, keep)
    if not isinstance(layer, keras.layers.Layer):
        return _operation_rules.get(name, keep)
    return keep


def keep(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    """Keep `layer` as it is, over exact inputs: the rule of every layer without one."""
    exact = [folding.exact(value, layer.name) for value in inputs]
    value = folding.emit(copied(layer, folding.call.name), exact)
    value.step.weights = [np.asarray(variable) for variable in getattr(layer, "weights", ())]
    value.step.call = folding.call
    return value


def array(variable: TfTensor) -> np.ndarray | None:
    """Return the value of a variable; None of None."""
    return None if variable is None else np.asarray(variable)


def channels_first(layer: KerasLayer) -> bool:
    """Return whether the channels of the layer's pictures come before their sides: no rule takes those."""
    return getattr(layer, "data_format", "channels_last") != "channels_last"
