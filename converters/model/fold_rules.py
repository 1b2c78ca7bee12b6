"""Say how each class of layer folds: rules for stock Keras layers, and a register for other layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from converters.base.environment import keras
from converters.base.untyped import Activation, KerasLayer, TfTensor
from converters.model.assembled import AssembledConv2D
from converters.model.fold_steps import Folding
from converters.model.fold_values import Linear, Number, Value, full_kernel


class Squashing(NamedTuple):
    """An activation that is `amplitude * tanh(slope * a)`."""

    amplitude: float
    slope: float


Rule = Callable[[KerasLayer, list[Value], Folding], Value]
_rules: dict[type, Rule] = {}
_squashings: dict[Activation, Squashing] = {}


def fold_rule(*classes: type) -> Callable[[Rule], Rule]:
    """Register `rule(layer, inputs, folding) -> Value` as the way to fold the layers of `classes`."""

    def register(rule: Rule) -> Rule:
        _rules.update(dict.fromkeys(classes, rule))
        return rule

    return register


def register_squashing(function: Activation, *, amplitude: float, slope: float) -> None:
    """Register that the activation `function(a)` is `amplitude * tanh(slope * a)`."""
    _squashings[function] = Squashing(amplitude, slope)


def rule_of(layer: KerasLayer) -> Rule:
    """Return the rule of the class of `layer`; `keep` where there is none."""
    if isinstance(layer, AssembledConv2D):
        return _fold_assembled
    # A subclass may compute something else than its parent: only the class itself counts.
    return _rules.get(type(layer), keep)


def keep(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    """Keep `layer` as it is, over exact inputs: the rule of every layer without one."""
    exact = [folding.exact(value, layer.name) for value in inputs]
    value = folding.emit(type(layer).from_config(layer.get_config()), exact)
    value.step.weights = [variable.numpy() for variable in layer.weights]
    value.step.node = folding.node
    return value


def fold_squashing(layer: KerasLayer, inputs: list[Value], folding: Folding, squashing: Squashing) -> Value:
    """Fold a layer that computes `amplitude * tanh(slope * a)`: the slope before it, the amplitude after."""
    exact = folding.exact(inputs[0].scaled(squashing.slope), layer.name)
    tanh = folding.emit(keras.layers.Activation("tanh", name=layer.name), [exact])
    return tanh.scaled(squashing.amplitude)


def _with_activation(value: Value, activation: Activation) -> Value:
    """Give a linear step its activation: a scaled tanh becomes tanh, with its constants moved away."""
    form, layer = value.step.linear, value.step.layer
    assert form is not None  # its only callers have just made it
    squashing = _squashings.get(activation)
    if squashing is not None:
        form.take_output(squashing.slope)
        form.open = False
        layer.activation = keras.activations.tanh
        return value.scaled(squashing.amplitude)
    layer.activation = activation
    form.open = activation is keras.activations.linear
    return value


def _fresh(layer: KerasLayer, **changes: object) -> KerasLayer:
    """Return a new, unbuilt instance of `layer`, with a bias if it can have one."""
    config = {**layer.get_config(), **changes}
    if "use_bias" in config and hasattr(layer, "bias"):
        config["use_bias"] = True  # folding may need one
    return type(layer).from_config(config)


@fold_rule(keras.layers.Conv2D, keras.layers.Dense)
def _fold_full(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    if getattr(layer, "groups", 1) != 1 or _channels_first(layer):
        return keep(layer, inputs, folding)
    padded = getattr(layer, "padding", "valid") != "valid"
    form = full_kernel(layer.name, kernel=layer.kernel.numpy(), bias=_array(layer.bias), padded=padded)
    return _with_activation(folding.linear(_fresh(layer), inputs[0], form), layer.activation)


@fold_rule(keras.layers.DepthwiseConv2D)
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

    form = Linear(
        layer.name,
        kernel=layer.depthwise_kernel.numpy(),
        bias=_array(layer.bias),
        scale=scale,
        gain=gain,
        kernel_name="depthwise_kernel",
        padded=layer.padding != "valid",
    )
    return _with_activation(folding.linear(_fresh(layer), inputs[0], form), layer.activation)


def _fold_assembled(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    depthwise = layer.operation == "depthwise_conv2d"

    def gain(weight: np.ndarray, offset: Number) -> np.ndarray:
        kernel = np.asarray(layer.assemble(weight.astype(np.float32)), np.float64)
        if depthwise:
            return kernel.sum(axis=(0, 1)).reshape(-1) * offset
        return (kernel * np.broadcast_to(offset, kernel.shape[2])[:, None]).sum(axis=(0, 1, 2))

    form = Linear(
        layer.name,
        kernel=getattr(layer, layer.kernel_weight).numpy(),
        bias=_array(layer.bias),
        scale=layer.scale,
        gain=gain,
        kernel_name=layer.kernel_weight,
    )
    return _with_activation(folding.linear(_fresh(layer), inputs[0], form), layer.activation)


@fold_rule(keras.layers.Rescaling)
def _fold_rescaling(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    folding.notes.append(f"{layer.name}: folded")
    return inputs[0].scaled(_number(layer.scale), _number(layer.offset))


@fold_rule(keras.layers.Normalization)
def _fold_normalization(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    rank = len(folding.input_shape)
    if {axis % rank for axis in layer.axis} not in (set(), {rank - 1}):
        return keep(layer, inputs, folding)
    deviation = np.maximum(np.sqrt(np.asarray(layer.variance, np.float64)), keras.backend.epsilon())
    mean = np.asarray(layer.mean, np.float64)
    factor, offset = (deviation, mean) if layer.invert else (1 / deviation, -mean / deviation)
    folding.notes.append(f"{layer.name}: folded")
    return inputs[0].scaled(_number(factor), _number(offset))


@fold_rule(keras.layers.BatchNormalization)
def _fold_batch_normalization(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    rank = len(folding.input_shape)
    if [axis % rank for axis in layer.axis] != [rank - 1]:
        return keep(layer, inputs, folding)
    mean, variance = (v.numpy().astype(np.float64) for v in (layer.moving_mean, layer.moving_variance))
    factor = 1 / np.sqrt(variance + layer.epsilon)
    if layer.scale:
        factor = factor * layer.gamma.numpy()
    offset = -mean * factor + (layer.beta.numpy() if layer.center else 0.0)
    folding.notes.append(f"{layer.name}: folded")
    return inputs[0].scaled(factor, offset)


# RandomCrop is not among them: it crops the middle when nothing is trained.
_TRAINING_ONLY = (
    *(keras.layers.Dropout, keras.layers.AlphaDropout, keras.layers.GaussianDropout),
    *(keras.layers.SpatialDropout1D, keras.layers.SpatialDropout2D, keras.layers.SpatialDropout3D),
    *(keras.layers.GaussianNoise, keras.layers.ActivityRegularization),
    *(keras.layers.RandomFlip, keras.layers.RandomRotation, keras.layers.RandomTranslation),
    *(keras.layers.RandomZoom, keras.layers.RandomHeight, keras.layers.RandomWidth),
    *(keras.layers.RandomBrightness, keras.layers.RandomContrast),
)


@fold_rule(*_TRAINING_ONLY)
def _fold_identity(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    if folding.node.outputs.dtype != folding.node.keras_inputs[0].dtype:
        return keep(layer, inputs, folding)  # whole numbers become float in it
    folding.notes.append(f"{layer.name}: left out, it acts in training only")
    return inputs[0]


@fold_rule(keras.layers.Activation)
def _fold_activation(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    squashing = _squashings.get(layer.activation)
    if squashing is not None:
        return fold_squashing(layer, inputs, folding, squashing)
    if layer.activation is keras.activations.softmax:
        return _fold_softmax(layer, inputs, folding)
    return keep(layer, inputs, folding)


@fold_rule(keras.layers.Softmax)
def _fold_softmax(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    value = inputs[0]
    if getattr(layer, "axis", -1) in (-1, len(folding.input_shape) - 1):
        value = replace(value, shifted=False)  # softmax(a + t) = softmax(a)
    return keep(layer, [value], folding)


@fold_rule(keras.layers.Flatten)
def _fold_flatten(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    value, sides = inputs[0], folding.input_shape[1:-1]
    if value.shifted and sides:
        # The values of a row have a number in common; each position has its own, and they end in one row.
        value = folding.exact(value, layer.name)
    if value.per_channel and (_channels_first(layer) or None in sides):
        # The result has one number for each of its values, and how many they are is not known.
        return keep(layer, inputs, folding)
    flat = folding.emit(_fresh(layer), [value])
    repeats = math.prod(side for side in sides if side is not None)
    factor, offset = (np.tile(one, repeats) if np.ndim(one) else one for one in (value.factor, value.offset))
    return replace(flat, factor=factor, offset=offset, shifted=value.shifted)


@fold_rule(
    keras.layers.AveragePooling2D,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.Cropping2D,
)
def _fold_channelwise(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    """Scaling and shifting each channel commutes with averaging and cropping."""
    if _channels_first(layer):
        return keep(layer, inputs, folding)
    return replace(inputs[0], step=folding.emit(_fresh(layer), inputs).step)


@fold_rule(keras.layers.MaxPooling2D, keras.layers.GlobalMaxPooling2D)
def _fold_max_pooling(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    if np.any(np.asarray(inputs[0].factor) < 0) or inputs[0].shifted:
        return keep(layer, inputs, folding)
    return _fold_channelwise(layer, inputs, folding)


def _array(variable: TfTensor) -> np.ndarray | None:
    return None if variable is None else variable.numpy()


def _channels_first(layer: KerasLayer) -> bool:
    return getattr(layer, "data_format", "channels_last") != "channels_last"


def _number(value: ArrayLike) -> Number:
    array = np.asarray(value, np.float64)
    return float(array) if array.size == 1 else array.reshape(-1)
