"""Fold the layers with a kernel: they take in the scaling of their input, and often one of their output."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from converters.base.kerases import KERAS_3
from converters.base.untyped import Activation, KerasLayer
from converters.layers.assembled import AssembledConv2D
from converters.layers.squashing import squashing_of
from converters.model.fold_rules import array, channels_first, fold_rule, keep, stock_rule
from converters.model.fold_steps import Folding
from converters.model.fold_values import Linear, Number, Value, full_kernel
from converters.model.graph import free_name


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


@stock_rule("Conv1D", "Conv2D", "Conv3D", "Dense")
def _fold_full(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    if getattr(layer, "groups", 1) != 1 or channels_first(layer):
        return keep(layer, inputs, folding)
    form = full_kernel(
        layer.name, kernel=np.asarray(layer.kernel), bias=array(layer.bias), padded=_pads(layer)
    )
    linear = folding.linear(folding.fresh(layer), inputs[0], form)
    return _with_activation(linear, layer.activation, folding)


@stock_rule("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
def _fold_transposed(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    if getattr(layer, "groups", 1) != 1 or channels_first(layer):
        return keep(layer, inputs, folding)

    def scale(kernel: np.ndarray, *, by_input: Number = 1.0, by_output: Number = 1.0) -> np.ndarray:
        return kernel * np.asarray(by_input) * np.asarray(by_output)[..., None]  # (..., outputs, inputs)

    form = Linear(
        layer.name,
        kernel=np.asarray(layer.kernel),
        bias=array(layer.bias),
        scale=scale,
        gain=_no_gain,
        padded=True,  # fewer products add up at the border, and between strides
    )
    linear = folding.linear(folding.fresh(layer), inputs[0], form)
    return _with_activation(linear, layer.activation, folding)


def _no_gain(kernel: np.ndarray, offset: Number) -> np.ndarray:
    raise AssertionError("an offset is never taken in where a border is padded")


@stock_rule("DepthwiseConv1D", "DepthwiseConv2D")
def _fold_depthwise(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    if channels_first(layer):
        return keep(layer, inputs, folding)
    name = depthwise_kernel_name(folding.keras)
    form = _depthwise_form(layer, np.asarray(getattr(layer, name)), kernel_name=name, bias=array(layer.bias))
    linear = folding.linear(folding.fresh(layer), inputs[0], form)
    return _with_activation(linear, layer.activation, folding)


def depthwise_kernel_name(keras: ModuleType) -> str:
    """Return what the kernel of a DepthwiseConv2D is called."""
    return "kernel" if keras.__name__ == KERAS_3 else "depthwise_kernel"


def _depthwise_form(
    layer: KerasLayer, kernel: np.ndarray, *, kernel_name: str, bias: np.ndarray | None
) -> Linear:
    """Return the linear form of `kernel` (..., channels, multiplier), which `layer` has."""

    def scale(kernel: np.ndarray, *, by_input: Number = 1.0, by_output: Number = 1.0) -> np.ndarray:
        channels, multiplier = kernel.shape[-2:]
        outputs = np.broadcast_to(by_output, channels * multiplier).reshape(channels, multiplier)
        return kernel * np.broadcast_to(by_input, channels)[:, None] * outputs

    def gain(kernel: np.ndarray, offset: Number) -> np.ndarray:
        taps = kernel.reshape(-1, *kernel.shape[-2:]).sum(axis=0)
        return (taps * np.broadcast_to(offset, len(taps))[:, None]).reshape(-1)

    return Linear(
        layer.name,
        kernel=kernel,
        bias=bias,
        scale=scale,
        gain=gain,
        kernel_name=kernel_name,
        padded=_pads(layer),
    )


@stock_rule("SeparableConv1D", "SeparableConv2D")
def _fold_separable(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    """Leave what it is: a depthwise convolution, and one of one tap behind it."""
    if channels_first(layer) or layer.padding == "causal":  # no depthwise convolution pads like that
        return keep(layer, inputs, folding)
    layers, name = folding.keras.layers, folding.call.name
    by_channels, across_channels = layers.DepthwiseConv2D, layers.Conv2D
    if type(layer).__name__ == "SeparableConv1D":
        by_channels, across_channels = layers.DepthwiseConv1D, layers.Conv1D
    depthwise = by_channels(
        layer.kernel_size,
        strides=layer.strides,
        padding=layer.padding,
        depth_multiplier=layer.depth_multiplier,
        dilation_rate=layer.dilation_rate,
        name=free_name(f"{name}_depthwise", folding.names),
    )
    kernel_name = depthwise_kernel_name(folding.keras)
    form = _depthwise_form(layer, np.asarray(layer.depthwise_kernel), kernel_name=kernel_name, bias=None)
    by_channel = folding.linear(depthwise, inputs[0], form)
    across = full_kernel(layer.name, kernel=np.asarray(layer.pointwise_kernel), bias=array(layer.bias))
    linear = folding.linear(across_channels(layer.filters, 1, name=name), by_channel, across)
    return _with_activation(linear, layer.activation, folding)


@fold_rule(AssembledConv2D)
def _fold_assembled(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    if layer.bias is None:  # nothing to take an offset in, and no option that adds one
        return keep(layer, inputs, folding)
    depthwise = layer.operation == "depthwise_conv2d"

    def gain(weight: np.ndarray, offset: Number) -> np.ndarray:
        kernel = np.asarray(layer.assemble(weight.astype(np.float32)), np.float64)
        if depthwise:
            return kernel.sum(axis=(0, 1)).reshape(-1) * offset
        return (kernel * np.broadcast_to(offset, kernel.shape[2])[:, None]).sum(axis=(0, 1, 2))

    form = Linear(
        layer.name,
        kernel=np.asarray(getattr(layer, layer.kernel_weight)),
        bias=array(layer.bias),
        scale=layer.scale,
        gain=gain,
        kernel_name=layer.kernel_weight,
    )
    linear = folding.linear(folding.fresh(layer), inputs[0], form)
    return _with_activation(linear, layer.activation, folding)


def _pads(layer: KerasLayer) -> bool:
    """Return whether a border of zeros is put around the layer's input; none is for a kernel of 1x1."""
    return getattr(layer, "padding", "valid") != "valid" and max(layer.kernel_size) > 1
