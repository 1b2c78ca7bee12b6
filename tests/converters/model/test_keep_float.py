"""Layers that stay float32 in an int8 file: their operators, and nothing else."""

from __future__ import annotations

import keras as keras_3
import numpy as np
import pytest
import tf_keras as keras_2

from converters.base.errors import InputError
from converters.file.graph import CONVERSIONS, read_graph
from converters.file.soundness import check_sound
from converters.model.conversion import to_tflite
from converters.runtimes.tensorflow_interpreter import run

KERASES = pytest.mark.parametrize("keras", [keras_3, keras_2], ids=["Keras 3", "Keras 2"])


def net(keras):
    """A net whose layer `uneven` has a kernel that one scale for all suits badly: 8 bits keep none of it."""
    layers = keras.layers
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2), name="x"),
            layers.Conv2D(3, 3, activation="relu", name="first"),
            layers.MaxPooling2D(name="pool"),
            layers.Flatten(name="flat"),
            layers.Dense(6, name="uneven"),
            layers.Dense(3, activation="softmax", name="scores"),
        ],
        name="net",
    )
    kernel, bias = model.get_layer("uneven").get_weights()
    kernel[0, 0] = 300.0  # and its input is 0
    first, first_bias = model.get_layer("first").get_weights()
    first_bias[0], first[..., 0] = -5.0, 0.0
    model.get_layer("first").set_weights([first, first_bias])
    model.get_layer("uneven").set_weights([kernel, bias])
    return model


@pytest.fixture(scope="module")
def inputs():
    return np.random.default_rng(0).uniform(0, 1, (40, 8, 8, 2)).astype(np.float32)


def types(content):
    """Return the types that the operators of a file compute in, by operator, but for conversions."""
    nodes = read_graph(content).nodes
    return [(node.name, node.outputs[0].type) for node in nodes if node.name not in CONVERSIONS]


@KERASES
@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (["first"], [0]),
        (["uneven"], [3]),
        (["scores"], [4, 5]),  # its dense layer and its softmax, whose output is the file's
        (["first", "scores", "first"], [0, 4, 5]),
    ],
)
def test_the_operators_of_a_named_layer_are_float_and_the_rest_is_int8(keras, inputs, names, kept):
    model = net(keras)
    content, entry = to_tflite(model, precision="int8", calibration=inputs, keep_float=names)
    operators = ["CONV_2D", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "FULLY_CONNECTED", "SOFTMAX"]
    wanted = [(name, "float32" if place in kept else "int8") for place, name in enumerate(operators)]
    assert types(content) == wanted
    assert (entry["inputs"][0]["type"], entry["outputs"][0]["type"]) == ("uint8", "uint8")
    check_sound(content)


def test_the_error_falls_where_the_layer_is_the_cause(inputs):
    model = net(keras_3)
    wanted = model.predict(inputs, verbose=0)
    errors = {}
    for name in (None, "first", "uneven"):
        content = to_tflite(model, precision="int8", calibration=inputs, keep_float=[name] if name else [])
        errors[name] = np.abs(run(content.content, inputs) - wanted).max()
    assert errors[None] > 0.1
    assert errors["first"] > 0.1
    assert errors["uneven"] < 0.02


def test_several_outputs_are_told_apart(inputs):
    layers = keras_3.layers
    x = keras_3.Input((8, 8, 2), name="x")
    flat = layers.Flatten()(layers.Conv2D(2, 3, name="first")(x))
    outputs = [layers.Dense(2, activation="softmax", name=name)(flat) for name in ("second", "before")]
    model = keras_3.Model(x, outputs)
    content = to_tflite(model, precision="int8", calibration=inputs, keep_float=["second"]).content
    graph = read_graph(content)
    makers = {tensor.index: node for node in graph.nodes for tensor in node.outputs}

    def type_of_the_softmax(index):
        node = makers[index]
        while node.name in CONVERSIONS:
            node = makers[node.inputs[0].index]
        return node.name, node.outputs[0].type

    found = [type_of_the_softmax(tensor.index) for tensor in graph.outputs]
    assert found == [("SOFTMAX", "float32"), ("SOFTMAX", "int8")]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["frist"], r"layers of net to keep in float32 \(the nearest is first\), got frist"),
        (["pool"], "layers that can stay in float32, got pool: the converter leaves MAX_POOL_2D in int8"),
    ],
)
def test_what_cannot_be_kept_is_named(inputs, names, message):
    with pytest.raises(InputError, match=message):
        to_tflite(net(keras_3), precision="int8", calibration=inputs, keep_float=names)


def test_a_layer_without_an_operator_is_named(inputs):
    x = keras_3.Input((8, 8, 2), name="x")
    y = keras_3.layers.Conv2D(2, 3, name="first")(keras_3.layers.Dropout(0.5, name="drop")(x))
    with pytest.raises(InputError, match="with an operator in the file to keep in float32, got drop, which"):
        to_tflite(keras_3.Model(x, y), precision="int8", calibration=inputs, keep_float=["drop"])


@pytest.mark.parametrize("precision", ["float32", "dynamic", "int16"])
def test_other_precisions_keep_nothing(inputs, precision):
    with pytest.raises(InputError, match=f"expected int8 for layers kept in float32, got '{precision}'"):
        to_tflite(net(keras_3), precision=precision, calibration=inputs, keep_float=["first"])
