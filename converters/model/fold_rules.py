"""Say how each class of layer folds: rules for stock Keras layers, and a register for other layers.

A rule for a stock layer goes by the layer's name, which both Kerases share.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from converters.base.kerases import keras_of
from converters.base.untyped import Activation, KerasLayer, TfTensor
from converters.layers.assembled import AssembledConv2D
from converters.layers.definition import definition_of
from converters.layers.squashing import squashing_of
from converters.model.fold_steps import Folding
from converters.model.fold_values import Linear, Number, Value, full_kernel

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


def _stock_rule(*names: str) -> Callable[[Rule], Rule]:
    """Register the rule of the layers that both Kerases have under `names`."""

    def register(rule: Rule) -> Rule:
        _stock_rules.update(dict.fromkeys(names, rule))
        return rule

    return register


def _operation_rule(*names: str) -> Callable[[Rule], Rule]:
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
        return _fold_assembled
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


def copied(layer: KerasLayer, name: str) -> KerasLayer:
    """Return an unbuilt copy of `layer` of that name; an operation of `keras.ops` has no state: itself."""
    if not isinstance(layer, keras_of(layer).layers.Layer):
        return layer
    return type(layer).from_config({**layer.get_config(), "name": name})


def _with_activation(value: Value, activation: Activation, folding: Folding) -> Value:
    """Give a linear step its activation: a scaled tanh becomes tanh, with its constants moved away."""
    form, layer = value.step.linear, value.step.layer
    assert form is not None  # its only callers have just made it
    squashing = squashing_of(activation)
    if squashing is not None:
        form.take_output(squashing.slope)
        form.open = False
        layer.activation = folding.keras.activations.tanh
        return value.scaled(squashing.amplitude)
    layer.activation = activation
    form.open = activation is folding.keras.activations.linear
    return value


@_stock_rule("Conv2D", "Dense")
def _fold_full(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    if getattr(layer, "groups", 1) != 1 or _channels_first(layer):
        return keep(layer, inputs, folding)
    form = full_kernel(
        layer.name, kernel=np.asarray(layer.kernel), bias=_array(layer.bias), padded=_pads(layer)
    )
    linear = folding.linear(folding.fresh(layer), inputs[0], form)
    return _with_activation(linear, layer.activation, folding)


@_stock_rule("DepthwiseConv2D")
def _fold_depthwise(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    if _channels_first(layer):
        return keep(layer, inputs, folding)
    multiplier = layer.depth_multiplier

    def scale(kernel: np.ndarray, *, by_input: Number = 1.0, by_output: Number = 1.0) -> np.ndarray:
        channels = kernel.shape[2]
        outputs = np.broadcast_to(by_output, channels * multiplier).reshape(channels, multiplier)
        return kernel * np.broadcast_to(by_input, channels)[:, None] * outputs

    def gain(kernel: np.ndarray, offset: Number) -> np.ndarray:
        return (kernel.sum(axis=(0, 1)) * np.broadcast_to(offset, kernel.shape[2])[:, None]).reshape(-1)

    name = "depthwise_kernel" if hasattr(layer, "depthwise_kernel") else "kernel"  # in Keras 2, in Keras 3
    form = Linear(
        layer.name,
        kernel=np.asarray(getattr(layer, name)),
        bias=_array(layer.bias),
        scale=scale,
        gain=gain,
        kernel_name=name,
        padded=_pads(layer),
    )
    linear = folding.linear(folding.fresh(layer), inputs[0], form)
    return _with_activation(linear, layer.activation, folding)


def _fold_assembled(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    depthwise = layer.operation == "depthwise_conv2d"

    def gain(weight: np.ndarray, offset: Number) -> np.ndarray:
        kernel = np.asarray(layer.assemble(weight.astype(np.float32)), np.float64)
        if depthwise:
            return kernel.sum(axis=(0, 1)).reshape(-1) * offset
        return (kernel * np.broadcast_to(offset, kernel.shape[2])[:, None]).sum(axis=(0, 1, 2))

    form = Linear(
        layer.name,
        kernel=np.asarray(getattr(layer, layer.kernel_weight)),
        bias=_array(layer.bias),
        scale=layer.scale,
        gain=gain,
        kernel_name=layer.kernel_weight,
    )
    linear = folding.linear(folding.fresh(layer), inputs[0], form)
    return _with_activation(linear, layer.activation, folding)


@_stock_rule("Rescaling")
def _fold_rescaling(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    folding.notes.append(f"{layer.name}: folded")
    return inputs[0].scaled(_number(layer.scale), _number(layer.offset))


@_stock_rule("Normalization")
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


@_stock_rule("BatchNormalization")
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


# RandomCrop is not among them: it crops the middle when nothing is trained.
@_stock_rule(
    *("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise", "ActivityRegularization"),
    *("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"),
    *("RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "RandomHeight", "RandomWidth"),
    *("RandomBrightness", "RandomContrast"),
)
def _fold_identity(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    if folding.call.output_types != folding.call.input_types:
        return keep(layer, inputs, folding)  # whole numbers become float in it
    folding.notes.append(f"{layer.name}: left out, it acts in training only")
    return inputs[0]


@_stock_rule("Activation")
def _fold_activation(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    squashing = squashing_of(layer.activation)
    if squashing is not None:
        return folding.squashed(layer, inputs[0], squashing)
    if layer.activation is folding.keras.activations.softmax:
        return _fold_softmax(layer, inputs, folding)
    return keep(layer, inputs, folding)


@_stock_rule("Softmax")
def _fold_softmax(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    value = inputs[0]
    if getattr(layer, "axis", -1) in (-1, len(folding.input_shape) - 1):
        value = replace(value, shifted=False)  # softmax(a + t) = softmax(a)
    return keep(layer, [value, *inputs[1:]], folding)


@_stock_rule("Flatten")
def _fold_flatten(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    value, sides = inputs[0], folding.input_shape[1:-1]
    if value.shifted and sides:
        # The values of a row have a number in common; each position has its own, and they end in one row.
        value = folding.exact(value, layer.name)
    if value.per_channel and (_channels_first(layer) or None in sides):
        # The result has one number for each of its values, and how many they are is not known.
        return keep(layer, inputs, folding)
    flat = folding.emit(folding.fresh(layer), [value])
    repeats = math.prod(side for side in sides if side is not None)
    factor, offset = (np.tile(one, repeats) if np.ndim(one) else one for one in (value.factor, value.offset))
    return replace(flat, factor=factor, offset=offset, shifted=value.shifted)


@_stock_rule("AveragePooling2D", "GlobalAveragePooling2D", "Cropping2D")
def _fold_channelwise(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    """Scaling and shifting each channel commutes with averaging and cropping."""
    if _channels_first(layer):
        return keep(layer, inputs, folding)
    return replace(inputs[0], step=folding.emit(folding.fresh(layer), inputs).step, index=0)


@_stock_rule("MaxPooling2D", "GlobalMaxPooling2D")
def _fold_max_pooling(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    if np.any(np.asarray(inputs[0].factor) < 0) or inputs[0].shifted:
        return keep(layer, inputs, folding)
    return _fold_channelwise(layer, inputs, folding)


@_stock_rule("Multiply")
def _fold_product(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    """Factors of what is multiplied are a factor of the product; an offset is not."""
    factors = [one.factor for one in inputs]
    if any(np.any(one.offset) or one.shifted for one in inputs) or not _fit(factors, folding):
        return keep(layer, inputs, folding)
    product = folding.emit(folding.fresh(layer), inputs)
    product.step.call = folding.call
    factor: Number = 1.0
    for one in factors:
        factor = factor * one
    return product.scaled(factor)


def _fit(factors: list[Number], folding: Folding) -> bool:
    """Return whether factors of the inputs are factors of the output's channels: not those of fewer."""
    channels = folding.call.output_shapes[0][-1]
    return all(np.ndim(factor) == 0 or np.size(factor) == channels for factor in factors)


@_operation_rule("Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Negative")
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


def _array(variable: TfTensor) -> np.ndarray | None:
    return None if variable is None else np.asarray(variable)


def _pads(layer: KerasLayer) -> bool:
    """Return whether a border of zeros is put around the layer's input; none is for a kernel of 1x1."""
    return getattr(layer, "padding", "valid") != "valid" and max(layer.kernel_size) > 1


def _channels_first(layer: KerasLayer) -> bool:
    return getattr(layer, "data_format", "channels_last") != "channels_last"


def _number(value: ArrayLike) -> Number:
    array = np.asarray(value, np.float64)
    return float(array.reshape(())) if array.size == 1 else array.reshape(-1)
