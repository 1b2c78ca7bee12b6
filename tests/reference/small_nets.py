"""Small Keras nets of the kinds that people bring, with weights that use their ranges; faults to plant."""

from __future__ import annotations

import keras
import numpy as np
from flatbuffers import Builder

from converters.base.environment import schema

layers = keras.layers
SIDE = 16


def _block(x, filters, *, stride, name):
    """An inverted residual of MobileNetV2."""
    channels = x.shape[-1]
    y = layers.Conv2D(2 * channels, 1, use_bias=False, name=f"{name}_expand")(x)
    y = layers.ReLU(6.0)(layers.BatchNormalization(name=f"{name}_expand_bn")(y))
    y = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise")(y)
    y = layers.ReLU(6.0)(layers.BatchNormalization(name=f"{name}_depthwise_bn")(y))
    y = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project")(y)
    y = layers.BatchNormalization(name=f"{name}_project_bn")(y)
    return layers.Add(name=f"{name}_add")([x, y]) if stride == 1 and channels == filters else y


def mobile_net(*, seed=0):
    """A MobileNetV2 of two blocks, on pixels, with five classes."""
    x = keras.Input((SIDE, SIDE, 3), name="image")
    y = layers.Rescaling(1 / 127.5, offset=-1, name="scaled")(x)
    y = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False, name="stem")(y)
    y = layers.ReLU(6.0)(layers.BatchNormalization(name="stem_bn")(y))
    y = _block(_block(y, 4, stride=1, name="first"), 6, stride=2, name="second")
    y = layers.GlobalAveragePooling2D(name="pooled")(y)
    return with_random_weights(
        keras.Model(x, layers.Dense(5, activation="softmax", name="scores")(y), name="mobile"), seed=seed
    )


def with_random_weights(model, *, seed=0):
    random = np.random.default_rng(seed)
    for weight in model.weights:
        positive = weight.path.endswith(("gamma", "variance"))
        shape = weight.shape
        weight.assign(random.uniform(0.5, 2, shape) if positive else random.normal(size=shape) * 0.5)
    return model


def pixels(count=40):
    """Pictures for `mobile_net`, uint8."""
    return np.random.default_rng(5).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)


def with_fault(content, name):
    """Return the int8 .tflite file with another sign of the largest weight of the layer's kernel `name`."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    graph = model.subgraphs[0]
    node = next(one for one in graph.operators if f"/{name}/" in graph.tensors[one.outputs[0]].name.decode())
    kernel = graph.tensors[node.inputs[1]]
    data = np.array(model.buffers[kernel.buffer].data, np.uint8).view(np.int8).copy()
    data[np.abs(data.astype(int)).argmax()] *= -1
    model.buffers[kernel.buffer].data = data.view(np.uint8)
    builder = Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
