"""Turn Dense layers that work at each place of a picture into the 1x1 convolutions that they equal."""

from __future__ import annotations

from converters.base.kerases import keras_of
from converters.base.untyped import KerasLayer, KerasModel
from converters.model.graph import graph_of, rebuilt
from converters.model.making_anew import made_anew

_PICTURE_RANK = 4  # batch, rows, columns, channels


def with_convolutions(model: KerasModel) -> KerasModel:
    """Return a copy of `model` in which each Dense layer on pictures is a 1x1 convolution of its weights.

    The same function. For TensorFlow Lite a Dense layer on a picture of unknown size is a RESHAPE to a
    matrix and back, by shapes that further operators compute at run time; a convolution does not need that.
    """
    keras = keras_of(model)
    ranks = {id(call.layer): len(call.input_shapes[0]) for call in graph_of(model).calls if call.inputs}
    pairs: list[tuple[KerasLayer, KerasLayer]] = []

    def make(layer: KerasLayer, name: str) -> KerasLayer:
        if not isinstance(layer, keras.layers.Layer):
            return layer
        on_pictures = type(layer) is keras.layers.Dense and ranks[id(layer)] == _PICTURE_RANK
        new = (
            _convolution(layer, name)
            if on_pictures
            else made_anew(layer, {**layer.get_config(), "name": name})
        )
        pairs.append((layer, new))
        return new

    copy = rebuilt(model, make)
    for old, new in pairs:
        arrays = old.get_weights()
        if type(new) is not type(old):
            arrays[0] = arrays[0][None, None]
        new.set_weights(arrays)
    return copy


def _convolution(layer: KerasLayer, name: str) -> KerasLayer:
    return keras_of(layer).layers.Conv2D(
        layer.units, 1, activation=layer.activation, use_bias=layer.use_bias, name=name
    )
