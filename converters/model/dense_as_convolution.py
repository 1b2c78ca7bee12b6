"""Turn Dense layers that work at each place of a picture into the 1x1 convolutions that they equal."""

from __future__ import annotations

from converters.base.kerases import keras_of
from converters.base.untyped import KerasLayer, KerasModel
from converters.model.graph import graph_of
from converters.model.making_anew import Weights, copied, remade

_PICTURE_RANK = 4  # batch, rows, columns, channels


def with_convolutions(model: KerasModel) -> KerasModel:
    """Return a copy of `model` in which each Dense layer on pictures is a 1x1 convolution of its weights.

    The same function. For TensorFlow Lite a Dense layer on a picture of unknown size is a RESHAPE to a
    matrix and back, by shapes that further operators compute at run time; a convolution does not need that.
    """
    keras = keras_of(model)
    ranks = {id(call.layer): len(call.input_shapes[0]) for call in graph_of(model).calls if call.inputs}

    def make(layer: KerasLayer, name: str) -> KerasLayer:
        on_pictures = type(layer) is keras.layers.Dense and ranks[id(layer)] == _PICTURE_RANK
        return _convolution(layer, name) if on_pictures else copied(layer, name)

    return remade(model, make, weights=_weights)


def _convolution(layer: KerasLayer, name: str) -> KerasLayer:
    return keras_of(layer).layers.Conv2D(
        layer.units, 1, activation=layer.activation, use_bias=layer.use_bias, name=name
    )


def _weights(old: KerasLayer, new: KerasLayer) -> Weights:
    if type(new) is type(old):
        return old.get_weights()
    kernel, *bias = old.get_weights()
    return [kernel[None, None], *bias]
