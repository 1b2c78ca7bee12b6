"""Fold the layers that only scale and shift: nothing is left of them but a factor and an offset."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from converters.base.untyped import KerasLayer
from converters.model.fold_rules import keep, operation_rule, stock_rule
from converters.model.fold_steps import Folding
from converters.model.fold_values import Number, Value


@stock_rule("Rescaling")
def _fold_rescaling(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    folding.notes.append(f"{layer.name}: folded")
    return inputs[0].scaled(_number(layer.scale), _number(layer.offset))


@stock_rule("Normalization")
def _fold_normalization(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    rank = len(folding.input_shape)
    if {axis % rank for axis in layer.axis} not in (set(), {rank - 1}):
        return keep(layer, inputs, folding)
    epsilon = folding.keras.backend.epsilon()
    deviation = np.maximum(np.sqrt(np.asarray(layer.variance, np.float64)), epsilon)
    mean = np.asarray(layer.mean, np.float64)
    factor, offset = (deviation, mean) if layer.invert else (1 / deviation, -mean / deviation)
    folding.notes.append(f"{layer.name}: folded")
    return inputs[0].scaled(_number(factor), _number(offset))


@stock_rule("BatchNormalization")
def _fold_batch_normalization(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    rank = len(folding.input_shape)
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    if [axis % rank for axis in axes] != [rank - 1]:
        return keep(layer, inputs, folding)
    mean, variance = (np.asarray(v, np.float64) for v in (layer.moving_mean, layer.moving_variance))
    factor = 1 / np.sqrt(variance + layer.epsilon)
    if layer.scale:
        factor = factor * np.asarray(layer.gamma)
    offset = -mean * factor + (np.asarray(layer.beta) if layer.center else 0.0)
    folding.notes.append(f"{layer.name}: folded")
    return inputs[0].scaled(factor, offset)


@operation_rule("Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Negative")
def _fold_arithmetic(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    """A tensor and a number (`pixels / 255 - 0.5`) are a scaling; two tensors are kept."""
    scaling = _scaling(type(layer).__name__, folding)
    if scaling is None or folding.call.output_types != folding.call.input_types:
        return keep(layer, inputs, folding)
    folding.notes.append(f"{layer.name}: folded")
    return inputs[0].scaled(*scaling)


def _scaling(operation: str, folding: Folding) -> tuple[float, float] | None:
    """Return factor and offset by which the call's operation scales its one tensor; None for another."""
    arguments, options = folding.call.arguments
    if operation == "Negative":
        return -1.0, 0.0
    if options or len(arguments) != 2 or len(folding.call.inputs) != 1:
        return None
    behind = hasattr(arguments[0], "shape") and not isinstance(arguments[0], np.generic)
    number = np.asarray(arguments[1] if behind else arguments[0])
    if number.size != 1 or number.ndim or number.dtype.kind not in "fiu":
        return None
    return _scaling_by(operation, float(number), behind=behind)


def _scaling_by(operation: str, number: float, *, behind: bool) -> tuple[float, float] | None:
    """Return factor and offset of `tensor operation number` or, not `behind`, `number operation tensor`."""
    if operation == "Add":
        return 1.0, number
    if operation == "Subtract":
        return (1.0, -number) if behind else (-1.0, number)
    if operation == "Multiply":
        return number, 0.0
    return (1 / number, 0.0) if behind and number else None


def _number(value: ArrayLike) -> Number:
    array = np.asarray(value, np.float64)
    return float(array.reshape(())) if array.size == 1 else array.reshape(-1)
