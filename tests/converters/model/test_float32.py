"""Models of mixed precision: folded, fine-tuned and converted as they compute in float32."""

from __future__ import annotations

import numpy as np
import pytest

from converters.base.environment import tf
from converters.base.errors import InputError
from converters.model.conversion import to_tflite
from converters.model.float32 import in_float32
from converters.model.folding import fold_with_notes
from converters.model.quantize_aware import quantize_aware
from converters.proof.checked_files import reference_of
from converters.runtimes.tensorflow_interpreter import run

POLICIES = ["mixed_float16", "mixed_bfloat16", "float16", "float64"]

keras = layers = None


@pytest.fixture(autouse=True)
def in_each_keras(either_keras):
    """Let `keras` and `layers` be those of Keras 3 and, again, of Keras 2."""
    global keras, layers
    keras, layers = either_keras, either_keras.layers


def global_policy():
    return keras.config.dtype_policy() if hasattr(keras, "config") else keras.mixed_precision.global_policy()


@pytest.fixture(params=POLICIES)
def policy(request, in_each_keras):
    """The policy that a person has set, and that stays set."""
    keras.mixed_precision.set_global_policy(request.param)
    yield request.param
    assert global_policy().name == request.param  # nothing here changes it
    keras.mixed_precision.set_global_policy("float32")


def net():
    keras.utils.set_random_seed(3)
    inner = keras.Sequential([keras.Input((10, 10, 4)), layers.Conv2D(3, 3), layers.ReLU()], name="inner")
    x = keras.Input((12, 12, 1), name="pixels")
    y = layers.BatchNormalization()(layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(x)))
    y = layers.TimeDistributed(layers.Dense(2))(inner(y)) * 2.0
    return keras.Model(x, layers.Activation("softmax", dtype="float32")(layers.Dense(3)(layers.Flatten()(y))))


def flat_net():
    keras.utils.set_random_seed(3)
    x = keras.Input((12, 12, 1), name="pixels")
    y = layers.BatchNormalization()(layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(x)))
    return keras.Model(x, layers.Softmax(dtype="float32")(layers.Dense(3)(layers.Flatten()(y))))


@pytest.fixture
def pixels():
    return np.random.default_rng(3).integers(0, 256, (30, 12, 12, 1)).astype(np.float32)


def expected(make, model):
    """Return the net of `make` under the policy float32, with the weights of `model`."""
    policy = global_policy()
    keras.mixed_precision.set_global_policy("float32")
    exact = make()
    keras.mixed_precision.set_global_policy(policy)
    exact.set_weights(model.get_weights())
    return exact


def test_the_copy_computes_as_the_same_model_of_float32(policy, pixels):
    model = net()
    copy = in_float32(model)
    wanted = expected(net, model).predict(pixels, verbose=0)
    np.testing.assert_allclose(copy.predict(pixels, verbose=0), wanted, atol=1e-6)
    (outputs,) = reference_of(model, pixels).outputs.values()
    np.testing.assert_allclose(outputs, wanted, atol=1e-6)
    assert model.layers[2].compute_dtype == policy.removeprefix("mixed_")  # it is not changed
    assert in_float32(copy) is copy


def test_it_is_folded_and_converted_in_float32(policy, pixels):
    model = net()
    wanted = expected(net, model).predict(pixels, verbose=0)
    np.testing.assert_allclose(run(to_tflite(model, precision="float32").content, pixels), wanted, atol=1e-5)
    folded, notes = fold_with_notes(model)
    np.testing.assert_allclose(folded.predict(pixels, verbose=0), wanted, atol=1e-5)
    assert "mixed precision is for training: computed in float32 with the same weights" in notes
    content = to_tflite(folded, precision="int8", calibration=pixels).content
    np.testing.assert_allclose(run(content, pixels), wanted, atol=0.05)


def test_it_is_fine_tuned_in_float32(policy, pixels):
    model = flat_net()
    folded, _ = fold_with_notes(model)
    wanted = expected(flat_net, model).predict(pixels, verbose=0)
    got = run(to_tflite(quantize_aware(folded, calibration=pixels), precision="int8").content, pixels)
    np.testing.assert_allclose(got, wanted, atol=0.05)
    part = quantize_aware(keras.Model(model.input, model.layers[2].output), calibration=pixels)  # not folded
    assert part.layers[-1].compute_dtype == "float32"


def test_an_operation_of_another_type_is_refused_in_one_line():
    cast = keras.ops.cast if hasattr(keras, "ops") else tf.cast
    x = keras.Input((4,), name="values")
    half = layers.Dense(3, dtype="mixed_float16")(x)
    added = keras.Model(x, half + cast(half, "float16"), name="added")
    if keras.__name__ == "tf_keras":  # Keras 3 makes both of one type
        with pytest.raises(
            InputError, match="a model that can be built in float32, got added with mixed_float16: "
        ):
            to_tflite(added, precision="float32")
    alone = keras.Model(x, cast(layers.Dense(3)(x), "float16") * 2.0, name="alone")
    with pytest.raises(InputError, match="layers that TensorFlow Lite has operators for, got Mul"):
        to_tflite(alone, precision="float32")
