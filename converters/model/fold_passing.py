"""Fold the layers that pass scaling and shifting on: what acts in training only, moves or averages values."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from converters.base.untyped import KerasLayer
from converters.model.fold_rules import channels_first, keep, stock_rule
from converters.model.fold_steps import Folding
from converters.model.fold_values import Number, Value


# RandomCrop is not among them: it crops the middle when nothing is trained.
@stock_rule(
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


@stock_rule("Flatten")
def _fold_flatten(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    value, sides = inputs[0], folding.input_shape[1:-1]
    if value.shifted and sides:
        # The values of a row have a number in common; each position has its own, and they end in one row.
        value = folding.exact(value, layer.name)
    if value.per_channel and (channels_first(layer) or None in sides):
        # The result has one number for each of its values, and how many they are is not known.
        return keep(layer, inputs, folding)
    flat = folding.emit(folding.fresh(layer), [value])
    repeats = math.prod(side for side in sides if side is not None)
    factor, offset = (np.tile(one, repeats) if np.ndim(one) else one for one in (value.factor, value.offset))
    return replace(flat, factor=factor, offset=offset, shifted=value.shifted)


@stock_rule(
    *("AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "Cropping1D", "Cropping2D", "Cropping3D"),
    *("GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D"),
    *("UpSampling1D", "UpSampling2D", "UpSampling3D"),
)
def _fold_channelwise(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    """Scaling and shifting each channel commutes with averaging, cropping and interpolating."""
    if channels_first(layer):
        return keep(layer, inputs, folding)
    return replace(inputs[0], step=folding.emit(folding.fresh(layer), inputs).step, index=0)


@stock_rule(
    *("MaxPooling1D", "MaxPooling2D", "MaxPooling3D"),
    *("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D"),
)
def _fold_max_pooling(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    if np.any(np.asarray(inputs[0].factor) < 0) or inputs[0].shifted:
        return keep(layer, inputs, folding)
    return _fold_channelwise(layer, inputs, folding)


@stock_rule("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")
def _fold_zero_padding(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    if np.any(inputs[0].offset) or inputs[0].shifted:
        return keep(layer, inputs, folding)  # a shifted border would not be zeros
    return _fold_channelwise(layer, inputs, folding)


@stock_rule("ReLU", "LeakyReLU")
def _fold_bend_at_zero(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    """A factor above 0 passes a function that is linear on either side of 0."""
    value, limits = inputs[0], (getattr(layer, "max_value", None), getattr(layer, "threshold", None))
    if np.any(value.offset) or np.any(np.asarray(value.factor) <= 0) or value.shifted or any(limits):
        return keep(layer, inputs, folding)
    return replace(value, step=folding.emit(folding.fresh(layer), inputs).step, index=0)


@stock_rule("Reshape", "Permute", "RepeatVector")
def _fold_moving(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    if inputs[0].per_channel or inputs[0].shifted:
        return keep(layer, inputs, folding)  # channels may be elsewhere behind it
    return replace(inputs[0], step=folding.emit(folding.fresh(layer), inputs).step, index=0)


@stock_rule("Concatenate")
def _fold_concatenation(layer: KerasLayer, inputs: list[Value], folding: Folding) -> Value:
    """The channels of what is put side by side keep their factors and offsets."""
    shapes = folding.call.input_shapes
    channels = [shape[-1] for shape in shapes if shape[-1] is not None]
    last = layer.axis in (-1, len(shapes[0]) - 1) and len(channels) == len(shapes)
    if not last or any(one.shifted for one in inputs):
        return keep(layer, inputs, folding)
    joined = folding.emit(folding.fresh(layer), inputs)
    joined.step.call = folding.call
    return joined.scaled(
        _side_by_side([one.factor for one in inputs], channels),
        _side_by_side([one.offset for one in inputs], channels),
    )


def _side_by_side(numbers: list[Number], channels: list[int]) -> Number:
    """Return one number for each channel of all, or one for all where they are equal."""
    joined = np.concatenate(
        [np.broadcast_to(one, count) for one, count in zip(numbers, channels, strict=True)]
    )
    return float(joined[0]) if np.all(joined == joined[0]) else joined


@stock_rule("Multiply")
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
