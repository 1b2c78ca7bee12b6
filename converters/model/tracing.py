"""Compute a Keras 3 model with TensorFlow's operations under names that last: MODEL/MODEL/LAYER/OPERATION.

Names go into the file. Those that Keras 3 gives depend on how often a layer was called, and it computes some
layers by several operations where TensorFlow has one. Here each layer computes in a scope of its name, and
convolutions, pooling and some others are the operations that Keras 2 uses: the same file, to the byte. A
LayerNormalization is written so that int8 has each of its operators.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Sequence

from converters.base.environment import tf
from converters.base.kerases import keras_of
from converters.base.untyped import KerasLayer, KerasModel, TfTensor
from converters.layers.definition import definition_of
from converters.model.graph import Call, graph_of
from converters.model.making_anew import copied, remade

# They only compute: called without Keras's own scope, they do the same.
_PLAIN = (
    *("Activation", "Add", "Concatenate", "Dense", "GlobalAveragePooling2D"),
    *("GlobalMaxPooling2D", "ReLU", "Rescaling", "Reshape", "Softmax", "ZeroPadding2D"),
)


def computed(model: KerasModel, inputs: Sequence[TfTensor]) -> list[TfTensor]:
    """Return the outputs of the Keras 3 `model` for the TensorFlow tensors `inputs`, as when it is used."""
    graph = graph_of(model)
    tensors = dict(zip(graph.inputs, inputs, strict=True))
    name = plain_name(model.name)
    for call in graph.calls:
        if call.is_input:
            continue
        with tf.name_scope(f"{name}/{name}/{plain_name(call.name)}/"):
            results = _called(call, [tensors[wire] for wire in call.inputs])
        tensors.update(zip(call.outputs, results, strict=True))
    return [tensors[wire] for wire in graph.outputs]


def plain_name(name: str) -> str:
    """Return `name` with only what TensorFlow takes in a name."""
    plain = re.sub(r"[^A-Za-z0-9_./>-]", "_", name)
    return plain if plain[:1].isalnum() else f"layer{plain}"


def with_plain_names(model: KerasModel) -> KerasModel:
    """Return a copy of `model` whose layers have plain names; `model` itself if they have."""
    if all(call.name == plain_name(call.name) for call in graph_of(model).calls):
        return model
    return remade(model, lambda layer, name: copied(layer, plain_name(name)))


def _called(call: Call, inputs: Sequence[TfTensor]) -> list[TfTensor]:
    layer = call.layer
    layers = keras_of(layer).layers
    name = type(layer).__name__
    stock = getattr(layers, name, None) is type(layer)
    if stock and name in _OPERATIONS and getattr(layer, "data_format", "channels_last") == "channels_last":
        return [_OPERATIONS[name](layer, inputs[0])]
    if (stock and name in _PLAIN) or definition_of(layer) is not None:
        return call.again(_Computing(layer), inputs)
    return call.again(layer, inputs, training=False)


def _convolved(layer: KerasLayer, inputs: TfTensor) -> TfTensor:
    kernel = tf.convert_to_tensor(layer.kernel)
    sums = tf.nn.conv2d(inputs, kernel, layer.strides, layer.padding.upper(), dilations=layer.dilation_rate)
    return _activated(layer, sums)


def _convolved_by_channel(layer: KerasLayer, inputs: TfTensor) -> TfTensor:
    down, right = layer.strides
    if down != right:
        return layer.call(inputs)
    sums = tf.nn.depthwise_conv2d(
        inputs,
        tf.convert_to_tensor(layer.kernel),
        [1, down, right, 1],
        layer.padding.upper(),
        dilations=layer.dilation_rate,
    )
    return _activated(layer, sums)


def _activated(layer: KerasLayer, sums: TfTensor) -> TfTensor:
    if layer.use_bias:
        sums = tf.nn.bias_add(sums, layer.bias)
    return sums if layer.activation is None else layer.activation(sums)


def _averaged(layer: KerasLayer, inputs: TfTensor) -> TfTensor:
    return tf.nn.avg_pool(inputs, layer.pool_size, layer.strides, layer.padding.upper(), name="AvgPool")


def _largest(layer: KerasLayer, inputs: TfTensor) -> TfTensor:
    return tf.nn.max_pool(inputs, layer.pool_size, layer.strides, layer.padding.upper(), name="MaxPool")


def _enlarged(layer: KerasLayer, inputs: TfTensor) -> TfTensor:
    size = [side * times for side, times in zip(inputs.shape[1:3], layer.size, strict=True)]
    return tf.image.resize(inputs, size, method=layer.interpolation)


def _looked_up(layer: KerasLayer, inputs: TfTensor) -> TfTensor:
    if layer.quantization_mode is not None:
        return layer.call(inputs)
    # Keras 3 takes negative numbers too, by operators that an int16 file cannot have.
    whole = inputs if inputs.dtype in (tf.int32, tf.int64) else tf.cast(inputs, tf.int32)
    return tf.nn.embedding_lookup(tf.convert_to_tensor(layer.embeddings), whole)


def _flattened(layer: KerasLayer, inputs: TfTensor) -> TfTensor:
    sides = inputs.shape[1:]
    return tf.reshape(inputs, (-1, math.prod(sides))) if None not in sides else layer.call(inputs)


def _layer_normalized(layer: KerasLayer, inputs: TfTensor) -> TfTensor:
    """Keras 3 adds the negative mean behind the scaling: NEG, which int8 does not have, and a coarser sum."""
    if layer.axis not in ([-1], [len(inputs.shape) - 1]) or layer.rms_scaling:
        return layer.call(inputs)
    centred = inputs - tf.reduce_mean(inputs, -1, keepdims=True)
    variance = tf.reduce_mean(centred * centred, -1, keepdims=True)
    factor = tf.math.rsqrt(variance + layer.epsilon)
    if layer.gamma is not None:
        factor *= tf.convert_to_tensor(layer.gamma)
    results = centred * factor
    return results if layer.beta is None else results + tf.convert_to_tensor(layer.beta)


_OPERATIONS: dict[str, Callable[[KerasLayer, TfTensor], TfTensor]] = {
    "AveragePooling2D": _averaged,
    "Conv2D": _convolved,
    "DepthwiseConv2D": _convolved_by_channel,
    "Embedding": _looked_up,
    "Flatten": _flattened,
    "LayerNormalization": _layer_normalized,
    "MaxPooling2D": _largest,
    "UpSampling2D": _enlarged,
}


class _Computing:
    """A layer of Keras 3 that is called without what Keras does around it: scopes, masks, types."""

    __module__ = "keras"  # what `Call.again` goes by

    def __init__(self, layer: KerasLayer) -> None:
        self.layer = layer

    def __call__(self, *arguments: object, **options: object) -> TfTensor:
        """Compute as when the model is used."""
        if "training" in inspect.signature(self.layer.call).parameters:
            options["training"] = False
        return self.layer.call(*arguments, **options)
