"""Nets to fine-tune, one for each thing that a model may be made of, in either Keras."""

from __future__ import annotations

import numpy as np

from converters.layers.definition import LayerDefinition, class_for, define
from converters.model.graph import input_names
from converters.model.quantize_aware import quantize_aware, quantize_rule
from converters.model.quantize_configs import OutputConfig
from lenet_edge.paper.in_keras import classes

SIDE = 8


@define(package="fine_tuned_nets")
class Shifting(LayerDefinition):
    """A custom layer with a weight of its own and a rule."""

    def build(self, shape):
        self.shift = self.add_weight(name="shift", shape=(shape[-1],), initializer="random_normal")
        super().build(shape)

    def call(self, inputs):
        return self.ops.add(inputs, self.shift)


@quantize_rule(Shifting)
def _shifting(layer, behind):
    return OutputConfig(behind=behind)


def a_picture(keras):
    return keras.Input((SIDE, SIDE, 2), name="picture")


def of_our_layers(keras):
    x, paper = a_picture(keras), classes(keras)
    y = paper.TrainableSubsampling(name="S2", activation="tanh")(x)
    y = paper.PartialConv2D(table=[[0], [1], [0, 1]], kernel_size=2, activation="relu", name="C3")(y)
    y = keras.layers.Dense(3, name="F6")(keras.layers.Flatten()(y))
    return keras.Model(x, keras.layers.Softmax(name="scores")(y))


def with_separated_activations(keras):
    x, layers = a_picture(keras), keras.layers
    y = layers.Conv2D(3, 3, padding="same", activation="silu", name="first")(layers.Rescaling(2.0, -1.0)(x))
    y = layers.Conv2DTranspose(2, 3, name="larger")(y)
    return keras.Model(x, layers.Dense(3, activation="relu6", name="last")(layers.Flatten()(y)))


def with_shared_layers(keras):
    x, layers = a_picture(keras), keras.layers
    shared, relu = layers.Conv2D(2, 3, padding="same", name="shared"), layers.ReLU(name="relu")
    return keras.Model(x, layers.GlobalAveragePooling2D()(relu(shared(relu(shared(x))))))


def with_a_model_within(keras):
    x, layers = a_picture(keras), keras.layers
    start = keras.Input((SIDE, SIDE, 2))
    within = keras.Model(start, layers.Conv2D(3, 3, activation="relu", name="inner")(start), name="within")
    return keras.Model(x, layers.Dense(2, name="last")(layers.GlobalMaxPooling2D()(within(x))))


def with_a_custom_layer(keras):
    x, layers = a_picture(keras), keras.layers
    y = class_for(Shifting, keras)(name="shifted")(layers.Conv2D(2, 3, activation="relu", name="first")(x))
    return keras.Model(x, layers.Dense(2, name="last")(layers.Flatten()(y)))


def of_several_ends(keras):
    x, layers = a_picture(keras), keras.layers
    facts = keras.Input((5,), name="facts")
    y = layers.Concatenate(name="joined")([layers.Dense(3, name="seen")(layers.Flatten()(x)), facts])
    outputs = {"sum": layers.Dense(1, name="sum")(y), "class": layers.Dense(4, name="class")(y)}
    return keras.Model({"picture": x, "facts": facts}, outputs)


MODELS = {
    make.__name__: make
    for make in (
        of_our_layers,
        with_separated_activations,
        with_shared_layers,
        with_a_model_within,
        with_a_custom_layer,
        of_several_ends,
    )
}


def samples_of(model, *, count=20):
    """Return samples by the names of the model's inputs."""
    random = np.random.default_rng(6)
    shapes = [tuple(tensor.shape)[1:] for tensor in model.inputs]
    arrays = [random.normal(size=(count, *shape)).astype(np.float32) for shape in shapes]
    return dict(zip(input_names(model), arrays, strict=True))


def rounding_model(exact):
    samples = samples_of(exact)
    return quantize_aware(exact, calibration=samples if len(samples) > 1 else samples.popitem()[1])
