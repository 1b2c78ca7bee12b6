"""The layers do what Keras's own do, in both Kerases: saved, typed, compiled, shared, not mixed."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import zipfile

import numpy as np
import paper_numpy as paper
import pytest
from python_apart import run_python

from converters.base.environment import tf
from converters.base.errors import InputError
from converters.base.kerases import KERAS_2, KERAS_3, import_keras
from lenet_edge.paper.in_keras import classes

DRAWN = {"bias_initializer": "random_normal"}
LAYERS = {
    "S": (
        "TrainableSubsampling",
        {"pool_size": (2, 3), "activation": "tanh", "coefficient_initializer": "random_normal", **DRAWN},
        (8, 9, 4),
    ),
    "C": (
        "PartialConv2D",
        {"table": [[0, 1], [2]], "kernel_size": 3, "activation": None, "kernel_initializer": "ones", **DRAWN},
        (6, 6, 3),
    ),
    "T": ("ScaledTanh", {"amplitude": 2.0, "slope": 0.5}, (4,)),
    "R": ("EuclideanRBF", {"codes": np.eye(3), "trainable_codes": True}, (3,)),
}
"""A layer of each class by its name, with options that are not the defaults, and the shape of an input."""

FILES = ["model.keras", "model.h5"]


@pytest.fixture(params=LAYERS)
def layer_and_shape(request, ours):
    kind, options, shape = LAYERS[request.param]
    return getattr(ours, kind)(name=request.param, **options), shape


def small_net(keras, ours, **options):
    """Return a net with each layer of the paper's; `options` for each, a type for instance."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((14, 14, 6)),
            ours.PartialConv2D(name="C3", **options),
            ours.TrainableSubsampling(name="S4", **options),
            layers.Flatten(),
            layers.Dense(84, activation=ours.scaled_tanh, name="F6", **options),
            ours.ScaledTanh(name="T", **options),
            ours.EuclideanRBF(name="OUTPUT", **options),
        ]
    )


def few(rng, count=8):
    return rng.normal(size=(count, 14, 14, 6)).astype(np.float32), np.arange(count) % 10


@pytest.mark.parametrize("file", FILES)
def test_layers_are_saved_and_loaded(tmp_path, rng, either_keras, layer_and_shape, file):
    layer, shape = layer_and_shape
    model = either_keras.Sequential([either_keras.Input(shape), layer])
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape))
    x = rng.normal(size=(2, *shape)).astype(np.float32)
    wanted = model(x).numpy()
    model.save(tmp_path / file)
    loaded = either_keras.models.load_model(tmp_path / file)
    np.testing.assert_array_equal(loaded(x), wanted)
    assert loaded.layers[-1].get_config() == layer.get_config()
    assert len(loaded.trainable_weights) == len(layer.trainable_weights)
    model.save_weights(tmp_path / "model.weights.h5")
    fresh = either_keras.Sequential([either_keras.Input(shape), type(layer).from_config(layer.get_config())])
    fresh.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(fresh(x), wanted)


def test_a_whole_net_is_saved_with_its_loss_and_trained_on(tmp_path, rng, either_keras, ours):
    model, (x, y) = small_net(either_keras, ours), few(rng)
    model.compile("sgd", ours.MAPLoss(rubbish=0.5))
    model.save(tmp_path / "net.keras")
    loaded = either_keras.models.load_model(tmp_path / "net.keras")
    assert (type(loaded.loss), loaded.loss.rubbish) == (ours.MAPLoss, 0.5)
    for one in (model, loaded):
        one.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0)
    for left, right in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_whole_net_of_keras_3_is_saved_as_h5(tmp_path, rng):
    """Not one of Keras 2, which finds no registered initialiser or activation in .h5, even for its Dense."""
    keras, ours = import_keras(KERAS_3), importlib.import_module("lenet_edge.keras3")
    model, (x, _) = small_net(keras, ours), few(rng)
    model.save(tmp_path / "net.h5")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "net.h5")(x), model(x))


def test_layers_are_serialised_and_cloned(either_keras, layer_and_shape):
    layer, shape = layer_and_shape
    saving = either_keras.saving
    with_weights = either_keras.Sequential([either_keras.Input(shape), layer])
    for again in (
        saving.deserialize_keras_object(saving.serialize_keras_object(layer)),
        either_keras.layers.deserialize(either_keras.layers.serialize(layer)),
        type(layer).from_config(layer.get_config()),
        either_keras.models.clone_model(with_weights).layers[-1],
    ):
        assert type(again) is type(layer)
        assert again.get_config() == layer.get_config()


def test_the_activation_is_known_to_keras_by_its_name(either_keras, ours):
    name = "lenet_edge>scaled_tanh"
    assert either_keras.saving.get_registered_object(name) is ours.scaled_tanh
    assert either_keras.saving.get_registered_name(ours.scaled_tanh) == name
    layer = ours.TrainableSubsampling.from_config(ours.TrainableSubsampling().get_config())
    assert layer.activation is ours.scaled_tanh


def test_an_initialiser_is_serialised(either_keras, ours):
    initializer = ours.FanInUniform(fan_in=[4.0, 9.0], seed=7)
    again = either_keras.initializers.deserialize(either_keras.initializers.serialize(initializer))
    assert type(again) is ours.FanInUniform
    np.testing.assert_array_equal(again((3, 2)), initializer((3, 2)))


def test_layers_know_their_output_shapes(ours):
    for layer, shape in (
        (ours.TrainableSubsampling(pool_size=(2, 3)), (2, 9, 9, 4)),
        (ours.PartialConv2D(), (2, 14, 15, 6)),
        (ours.ScaledTanh(), (2, 3)),
        (ours.EuclideanRBF(), (2, 5, 84)),
    ):
        assert tuple(layer.compute_output_shape(shape)) == tuple(layer(tf.zeros(shape)).shape)
    for layer in (ours.TrainableSubsampling(), ours.PartialConv2D()):
        rows, columns = layer.compute_output_shape((None, None, 32, 6))[1:3]
        assert (rows, columns) == (None, 16 if layer.name.startswith("trainable") else 28)


@pytest.mark.parametrize("name", ["mixed_float16", "mixed_bfloat16"])
def test_a_mixed_policy_computes_in_half_and_keeps_whole_weights(rng, either_keras, ours, name):
    half = name.removeprefix("mixed_")
    digits = {"float16": 11, "bfloat16": 8}[half]
    for kind, options, shape in LAYERS.values():
        whole = getattr(ours, kind)(**options)
        mixed = getattr(ours, kind)(**options, dtype=either_keras.mixed_precision.Policy(name))
        pictures = rng.normal(size=(2, *shape)).astype(np.float32)
        wanted = whole(pictures).numpy()
        mixed.build((None, *shape))
        mixed.set_weights(whole.get_weights())
        got = mixed(pictures)
        assert tf.as_dtype(got.dtype).name == half
        assert {tf.as_dtype(weight.dtype).name for weight in mixed.weights} <= {"float32"}
        # Some 20 terms of size 3 or less, each rounded to `digits` binary digits.
        np.testing.assert_allclose(tf.cast(got, tf.float32), wanted, atol=60 * 2.0**-digits)


@pytest.mark.parametrize("name", ["mixed_float16", "mixed_bfloat16"])
def test_a_net_is_trained_in_half(rng, either_keras, ours, name):
    model, (x, y) = small_net(either_keras, ours, dtype=either_keras.mixed_precision.Policy(name)), few(rng)
    optimizer = either_keras.optimizers.SGD(1e-3)
    if name == "mixed_float16":  # of which the largest number is 65,504
        optimizer = either_keras.mixed_precision.LossScaleOptimizer(optimizer, initial_scale=16.0)
    model.compile(optimizer, ours.MAPLoss())
    losses = model.fit(x, y, epochs=10, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


def test_float64_is_computed_in_float64(rng, ours):
    """Held against NumPy in float64, which float32 would miss by 1e-7."""
    layer = ours.TrainableSubsampling(dtype="float64")
    x = rng.normal(size=(2, 6, 4, 3))
    got = layer(x)
    assert tf.as_dtype(got.dtype) == tf.float64
    coefficient, bias = layer.get_weights()
    assert coefficient.dtype == np.float64
    np.testing.assert_allclose(got, paper.subsample(x, coefficient, bias, (2, 2)), rtol=0, atol=1e-14)
    partial = ours.PartialConv2D(dtype="float64")
    assert tf.as_dtype(partial(rng.normal(size=(1, 14, 14, 6))).dtype) == tf.float64
    codes = rng.normal(size=(4, 7))
    rbf, x = ours.EuclideanRBF(codes=codes, dtype="float64"), rng.normal(size=(3, 7))
    np.testing.assert_allclose(rbf(x), paper.rbf(x, rbf.get_weights()[0]), rtol=0, atol=1e-13)


def test_xla_compiles_the_layers_for_training_and_answering(rng, either_keras, ours):
    x, y = few(rng)
    plain = small_net(either_keras, ours)
    fast = either_keras.models.clone_model(plain)
    fast.set_weights(plain.get_weights())
    for model, jit in ((plain, False), (fast, True)):
        model.compile("sgd", ours.MAPLoss(), jit_compile=jit)
        model.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0)
    # Distances of 100 or so, of some 84 terms: XLA sums them in another order.
    np.testing.assert_allclose(fast.predict(x, verbose=0), plain.predict(x, verbose=0), rtol=1e-4)


def test_a_layer_used_twice_has_one_set_of_weights(rng, either_keras, ours):
    layer = ours.TrainableSubsampling()
    first, second = either_keras.Input((4, 4, 3)), either_keras.Input((6, 4, 3))
    model = either_keras.Model([first, second], [layer(first), layer(second)])
    assert model.count_params() == 6
    x = [rng.normal(size=(1, *shape)).astype(np.float32) for shape in ((4, 4, 3), (6, 4, 3))]
    coefficient, bias = layer.get_weights()
    for got, picture in zip(model(x), x, strict=True):
        np.testing.assert_allclose(got, paper.subsample(picture, coefficient, bias, (2, 2)), atol=2e-5)


def test_a_tensor_of_the_other_keras_gives_one_line(either_keras, ours):
    other = import_keras(KERAS_2 if either_keras.__name__ == KERAS_3 else KERAS_3)
    titles = {KERAS_2: r"Keras 2 \(tf_keras\)", KERAS_3: "Keras 3"}
    own, theirs = titles[either_keras.__name__], titles[other.__name__]
    for kind, options, shape in LAYERS.values():
        message = (
            f"^expected tensors of {own} for {kind}, got those of {theirs}: build the model with one Keras$"
        )
        with pytest.raises(InputError, match=message):
            getattr(ours, kind)(**options)(other.Input(shape))


def test_both_kerases_give_the_same_numbers(rng):
    kerases = [import_keras(name) for name in (KERAS_3, KERAS_2)]
    for kind, options, shape in LAYERS.values():
        three, two = (getattr(classes(keras), kind)(**options) for keras in kerases)
        x = rng.normal(size=(2, *shape)).astype(np.float32)
        three.build(x.shape)
        two.build(x.shape)
        two.set_weights(three.get_weights())
        np.testing.assert_array_equal(two(x), three(x))


FRESH = """
import importlib, sys
import numpy as np
keras = importlib.import_module(sys.argv[1])
try:
    keras.models.load_model("net.keras")
except TypeError as error:
    assert "PartialConv2D" in str(error)
else:
    raise AssertionError("loaded by a program that did not import the layers")
importlib.import_module(sys.argv[2])
np.save("y.npy", np.asarray(keras.models.load_model("net.keras")(np.load("x.npy"))))
"""


def test_a_saved_net_names_the_module_that_a_program_imports_to_load_it(tmp_path, rng, either_keras, ours):
    """Neither Keras imports it by itself: whoever loads a file says which code it may run."""
    model, (x, _) = small_net(either_keras, ours), few(rng)
    model.save(tmp_path / "net.keras")
    with zipfile.ZipFile(tmp_path / "net.keras") as archive:
        config = json.loads(archive.read("config.json"))
    homes = {layer["module"] for layer in config["config"]["layers"]} - {"keras.layers"}
    assert homes == {ours.__name__}
    np.save(tmp_path / "x.npy", x)
    done = subprocess.run(
        [sys.executable, "-c", FRESH, either_keras.__name__, ours.__name__],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), model(x))


@pytest.mark.parametrize(("legacy", "home"), [(None, KERAS_3), ("0", KERAS_3), ("1", KERAS_2)])
def test_the_package_has_the_layers_of_the_keras_that_tf_keras_is(legacy, home):
    code = (
        "import os, sys; before = dict(os.environ)\n"
        "from lenet_edge import MAPLoss, TrainableSubsampling, lenet5, released_model, stock_lenet5\n"
        "import tensorflow as tf\n"
        "assert issubclass(TrainableSubsampling, tf.keras.layers.Layer)\n"
        "assert issubclass(MAPLoss, tf.keras.losses.Loss)\n"
        "for model in (lenet5(), stock_lenet5(), released_model('lenet5')):\n"
        "    assert isinstance(model, tf.keras.Model)\n"
        "tf.keras.Sequential([tf.keras.Input((4, 4, 1)), TrainableSubsampling()])\n"
        "assert type(model).__module__.partition('.')[0] == sys.argv[1]\n"
        "assert dict(os.environ) == before"
    )
    done = run_python(code, home, **({} if legacy is None else {"TF_USE_LEGACY_KERAS": legacy}))
    assert done.returncode == 0, done.stderr


def test_each_module_has_the_classes_of_its_keras(either_keras, ours):
    assert ours.__name__ == f"lenet_edge.{'keras2' if either_keras.__name__ == KERAS_2 else 'keras3'}"
    for name in set(ours.__all__) - {"scaled_tanh"}:
        assert getattr(ours, name) is getattr(classes(either_keras), name)
        assert getattr(ours, name).__module__ == ours.__name__
