"""LSTMs are one operator, also from Keras 3; a loop that the converter dies of is a line."""

from __future__ import annotations

import keras as keras_3
import numpy as np
import pytest
import tf_keras as keras_2

from converters.base.environment import tf
from converters.base.errors import InputError
from converters.file.graph import read_graph
from converters.file.manifest import graph_count
from converters.model import recurrent
from converters.model.conversion import to_tflite
from converters.model.folding import fold
from converters.model.saved_model import load_saved_model, saved_model_to_tflite
from converters.runtimes.tensorflow_interpreter import run

KERASES = pytest.mark.parametrize("keras", [keras_3, keras_2], ids=["Keras 3", "Keras 2"])
LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"


def net(keras, kind, **options):
    keras.utils.set_random_seed(5)
    layer = getattr(keras.layers, kind)(6, name="recurrent", **options)
    scores = keras.layers.Dense(3, activation="softmax", name="scores")
    return keras.Sequential([keras.Input((7, 4), name="x"), layer, scores])


@pytest.fixture(scope="module")
def inputs():
    return np.random.default_rng(0).normal(size=(30, 7, 4)).astype(np.float32)


def operators(entry):
    return [one["name"] for one in entry["operators"]]


@KERASES
@pytest.mark.parametrize(("precision", "limit"), [("float32", 1e-6), ("dynamic", 0.02), ("int8", 0.02)])
def test_an_lstm_is_one_operator_and_starts_anew_with_each_sample(keras, inputs, precision, limit):
    model = net(keras, "LSTM")
    content, entry = to_tflite(fold(model), precision=precision, calibration=inputs)
    assert LSTM in operators(entry)
    assert graph_count(content) == 1
    wanted = model.predict(inputs, verbose=0)
    found = run(content, inputs)
    assert np.abs(found - wanted).max() < limit
    # The same sample gives the same answer, whatever came before.
    np.testing.assert_array_equal(run(content, inputs[::-1])[::-1], found)


def test_an_lstm_within_another_layer_and_beside_another_input(inputs):
    layers = keras_3.layers
    x, extra = keras_3.Input((7, 4), name="x"), keras_3.Input((2,), name="extra")
    y = layers.Bidirectional(layers.LSTM(3))(x)
    model = keras_3.Model([x, extra], layers.Dense(2)(layers.Concatenate()([y, extra])))
    values = {"x": inputs, "extra": inputs[:, 0, :2]}
    content, entry = to_tflite(model, precision="float32", calibration=values)
    assert LSTM in operators(entry)
    (found,) = run(content, values).values()
    np.testing.assert_allclose(found, model.predict(list(values.values()), verbose=0), atol=1e-6)


MERGED = {
    "alone": lambda layers, x: layers.LSTM(6)(x),
    "backwards": lambda layers, x: layers.LSTM(6, go_backwards=True)(x),
    "both ways": lambda layers, x: layers.Bidirectional(layers.LSTM(6))(x),
    "both ways, summed": lambda layers, x: layers.Bidirectional(layers.LSTM(6), merge_mode="sum")(x),
    "beside larger numbers": lambda layers, x: layers.Concatenate()(
        [layers.LSTM(6)(x), layers.Rescaling(3.0)(layers.Flatten()(x))]
    ),
}


@KERASES
@pytest.mark.parametrize("name", MERGED)
def test_an_lstm_is_read_in_the_scale_that_its_kernel_writes(keras, inputs, name):
    """The kernel copies its state, whatever scale the converter gives the output."""
    keras.utils.set_random_seed(5)
    x = keras.Input((7, 4), name="x")
    model = keras.Model(x, MERGED[name](keras.layers, x))
    content = to_tflite(model, precision="int8", calibration=inputs).content
    nodes = read_graph(content).nodes
    for node in nodes:
        if node.name == LSTM:
            state, output = node.inputs[18], node.outputs[0]
            assert (state.scales, state.zero_points) == (output.scales, output.zero_points)
    wanted, found = model.predict(inputs, verbose=0)[:, :6], run(content, inputs)[:, :6]
    # In each of 7 steps the input, the state and four gates are rounded; most of it is half a step of 8 bits
    # of the state, and merged, half a step of what it is merged with: together less than a step.
    assert np.sqrt(np.mean((found - wanted) ** 2)) < nodes[-2].outputs[0].scales[0]


@pytest.mark.parametrize("reason", ["no twin", "another twin"])
def test_without_a_twin_of_the_same_numbers_the_model_is_converted_as_it_is(inputs, monkeypatch, reason):
    model = net(keras_3, "LSTM")

    def no_twin(_):
        raise InputError("expected a layer that Keras 2 has, got another")

    def other(model):
        two = recurrent_twin(model)
        two.set_weights([array * 1.01 for array in two.get_weights()])
        return two

    recurrent_twin = recurrent.twin
    monkeypatch.setattr(recurrent, "twin", no_twin if reason == "no twin" else other)
    content, entry = to_tflite(model, precision="float32")
    assert "WHILE" in operators(entry)
    np.testing.assert_allclose(run(content, inputs), model.predict(inputs, verbose=0), atol=1e-6)


@KERASES
def test_a_loop_that_the_converter_dies_of_is_a_line(keras, inputs):
    model = net(keras, "GRU")
    message = (
        r"^expected layers that TensorFlow's converter takes in int8, got GRU \(recurrent\): the converter "
        r"ended with signal 11 \(SIGSEGV\) \(a recurrent layer with unroll=True has no loop\)$"
    )
    with pytest.raises(InputError, match=message):
        to_tflite(model, precision="int8", calibration=inputs)
    content = to_tflite(model, precision="float32").content  # a loop in float32 is no fault
    assert graph_count(content) > 1
    np.testing.assert_allclose(run(content, inputs), model.predict(inputs, verbose=0), atol=1e-6)


@KERASES
def test_an_unrolled_one_has_no_loop(keras, inputs):
    model = net(keras, "GRU", unroll=True)
    content = to_tflite(model, precision="int8", calibration=inputs).content
    assert np.abs(run(content, inputs) - model.predict(inputs, verbose=0)).max() < 0.03


@pytest.fixture(scope="module")
def looping():
    """A model with a loop that the converter takes: it scales its input three times."""

    def scaled(x):
        return tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, 0.9 * tf.tanh(y)), (tf.constant(0), x))[
            1
        ]

    keras_3.utils.set_random_seed(0)
    x = keras_3.Input((6,), name="x")
    y = keras_3.layers.Lambda(scaled, output_shape=(6,))(keras_3.layers.Dense(6, name="first")(x))
    return keras_3.Model(x, keras_3.layers.Dense(2)(y))


def test_a_loop_that_the_converter_survives_is_quantised(looping):
    values = np.random.default_rng(1).normal(size=(40, 6)).astype(np.float32)
    content, entry = to_tflite(looping, precision="int8", calibration=values)
    assert {"WHILE", "QUANTIZE"} <= set(operators(entry))
    assert np.abs(run(content, values) - looping.predict(values, verbose=0)).max() < 0.1


def test_no_layer_is_kept_in_float32_beside_a_loop(looping):
    with pytest.raises(InputError, match="a model without loops to keep layers in float32, got one with a"):
        to_tflite(looping, precision="int8", calibration=np.eye(6), keep_float=["first"])


def test_a_saved_model_that_the_converter_dies_of_is_a_line_too(inputs, tmp_path):
    module = tf.Module()
    module.net = net(keras_3, "SimpleRNN")
    spec = tf.TensorSpec((1, 7, 4), name="x")
    function = tf.function(lambda x: {"y": module.net(x)}, input_signature=[spec], autograph=False)
    tf.saved_model.save(module, str(tmp_path / "net"), signatures=function)
    model = load_saved_model(tmp_path / "net")
    with pytest.raises(InputError, match=r"takes in int8, got a loop: the converter ended with signal 11"):
        saved_model_to_tflite(model, precision="int8", calibration=inputs)


def test_what_the_converter_refuses_is_a_line_with_its_reason(inputs):
    message = "a model that TensorFlow's converter takes in int16, got: Quantization to 16x8-bit not yet"
    with pytest.raises(InputError, match=message) as caught:
        to_tflite(net(keras_2, "LSTM"), precision="int16", calibration=inputs)
    assert len(str(caught.value).splitlines()) == 1
