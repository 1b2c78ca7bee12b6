"""Compute a Keras 3 model with TensorFlow's operations under names that last: MODEL/MODEL/LAYER/OPERATION.

Names go into the file. Those that Keras 3 gives depend on how often a layer was called, and its Conv2D adds
the bias by operations of its own. Here each layer computes in a scope of its name, and a convolution is the
operation of that name with a BiasAdd: the same file as from a model of Keras 2, to the byte. An UpSampling2D
of Keras 3 is several operations where TensorFlow has one.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from converters.base.environment import tf
from converters.base.kerases import keras_of
from converters.base.untyped import KerasLayer, KerasModel, TfTensor
from converters.layers.definition import definition_of
from converters.model.graph import Call, graph_of

# They only compute: called without Keras's own scope, they do the same.
_PLAIN = (
    *("Activation", "Add", "AveragePooling2D", "Concatenate", "Dense", "DepthwiseConv2D", "Flatten"),
    *("GlobalAveragePooling2D", "GlobalMaxPooling2D", "MaxPooling2D", "ReLU", "Rescaling", "Reshape"),
    *("Softmax", "ZeroPadding2D"),
)


def computed(model: KerasModel, inputs: Sequence[TfTensor]) -> list[TfTensor]:
    """Return the outputs of the Keras 3 `model` for the TensorFlow tensors `inputs`, as when it is used."""
    graph = graph_of(model)
    tensors = dict(zip(graph.inputs, inputs, strict=True))
    scope = f"{model.name}/{model.name}"
    for call in graph.calls:
        if call.is_input:
            continue
        with tf.name_scope(f"{scope}/{call.name}/"):
            results = _called(call, [tensors[wire] for wire in call.inputs])
        tensors.update(zip(call.outputs, results, strict=True))
    return [tensors[wire] for wire in graph.outputs]


def _called(call: Call, inputs: Sequence[TfTensor]) -> list[TfTensor]:
    layer = call.layer
    layers = keras_of(layer).layers
    if type(layer) is layers.Conv2D and layer.data_format == "channels_last":
        return [_convolved(layer, inputs[0])]
    if type(layer) is layers.UpSampling2D and layer.data_format == "channels_last":
        return [_enlarged(layer, inputs[0])]
    stock = getattr(layers, type(layer).__name__, None) is type(layer) and type(layer).__name__ in _PLAIN
    if stock or definition_of(layer) is not None:
        return call.again(_Computing(layer), inputs)
    return call.again(layer, inputs)


def _convolved(layer: KerasLayer, inputs: TfTensor) -> TfTensor:
    kernel = tf.convert_to_tensor(layer.kernel)
    sums = tf.nn.conv2d(
        inputs, kernel, layer.strides, layer.padding.upper(), dilations=layer.dilation_rate, name="Conv2D"
    )
    if layer.use_bias:
        sums = tf.nn.bias_add(sums, layer.bias)
    return sums if layer.activation is None else layer.activation(sums)


def _enlarged(layer: KerasLayer, inputs: TfTensor) -> TfTensor:
    size = [side * times for side, times in zip(inputs.shape[1:3], layer.size, strict=True)]
    return tf.image.resize(inputs, size, method=layer.interpolation)


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
