"""Turn Dense layers that work at each place of a picture into the 1x1 convolutions that they equal."""

from __future__ import annotations

from converters.base.environment import keras
from converters.base.untyped import KerasLayer, KerasModel

_PICTURE_RANK = 4  # batch, rows, columns, channels


def with_convolutions(model: KerasModel) -> KerasModel:
    """Return a copy of `model` in which each Dense layer on pictures is a 1x1 convolution of its weights.

    The same function. For TensorFlow Lite a Dense layer on a picture of unknown size is a RESHAPE to a
    matrix and back, by shapes that further operators compute at run time; a convolution does not need that.
    """
    copy = keras.models.clone_model(model, clone_function=_clone)
    for layer in model.layers:
        arrays = layer.get_weights()
        if _on_pictures(layer):
            arrays[0] = arrays[0][None, None]
        copy.get_layer(layer.name).set_weights(arrays)
    return copy


def _on_pictures(layer: KerasLayer) -> bool:
    return type(layer) is keras.layers.Dense and len(layer.input_shape) == _PICTURE_RANK


def _clone(layer: KerasLayer) -> KerasLayer:
    if not _on_pictures(layer):
        return type(layer).from_config(layer.get_config())
    return keras.layers.Conv2D(
        layer.units, 1, activation=layer.activation, use_bias=layer.use_bias, name=layer.name
    )
