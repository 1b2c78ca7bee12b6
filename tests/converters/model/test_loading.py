"""Models of either Keras load, with their custom layers, whatever saved them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import h5py
import keras as keras_3
import numpy as np
import pytest
import tf_keras as keras_2
from model_files import edit_config

from converters.base.errors import InputError
from converters.base.kerases import keras_of
from converters.layers.definition import LayerDefinition, class_for, define
from converters.model.conversion import to_tflite
from converters.model.folding import fold
from converters.model.loading import load_model
from converters.model.quantize_aware import quantize_aware
from lenet_edge import keras2, keras3

PAIRS = [(keras_3, keras3), (keras_2, keras2)]
KERASES = pytest.mark.parametrize("keras", [keras_3, keras_2], ids=["Keras 3", "Keras 2"])
SUFFIXES = pytest.mark.parametrize("suffix", [".keras", ".h5", ".hdf5"])


@pytest.fixture
def inputs(rng):
    return rng.random((3, 8, 8, 4), np.float32)


def same(loaded, model, inputs):
    assert keras_of(loaded) is keras_of(model)
    np.testing.assert_array_equal(loaded.predict(inputs, verbose=0), model.predict(inputs, verbose=0))


def paper_like(keras, paper):
    """Return a model with a layer, an initialiser and an activation that are defined for both Kerases."""
    layers = keras.layers
    start = paper.FanInUniform(fan_in=36)
    bent = layers.Conv2D(2, 3, kernel_initializer=start, activation=paper.scaled_tanh)
    return keras.Sequential([keras.Input((8, 8, 4)), paper.TrainableSubsampling(), bent, layers.Flatten()])


@pytest.mark.parametrize(("keras", "paper"), PAIRS, ids=["Keras 3", "Keras 2"])
@SUFFIXES
def test_one_package_has_the_layers_of_files_of_both(tmp_path, inputs, keras, paper, suffix):
    model, path = paper_like(keras, paper), tmp_path / f"m{suffix}"
    model.save(path)
    same(load_model(path, modules=["lenet_edge"]), model, inputs)


ALONE = """
import sys
from pathlib import Path
from converters.model.loading import load_model
print(load_model(Path(sys.argv[1]), modules=["lenet_edge"]).name)
"""


@pytest.mark.parametrize(("keras", "paper"), PAIRS, ids=["Keras 3", "Keras 2"])
@pytest.mark.parametrize("old", ["lenet_edge.paper.layers", "lenet_edge.layers"])
def test_files_of_older_versions_of_a_package_load(tmp_path, keras, paper, old):
    """In a process that has not made the classes: the package alone says where they are."""
    paper_like(keras, paper).save(tmp_path / "m.keras")

    def change(config):
        for layer in config["config"]["layers"]:
            if layer["registered_name"] == "lenet_edge>TrainableSubsampling":
                layer["module"] = old
            start = layer["config"].get("kernel_initializer")
            if start and start.get("registered_name") == "lenet_edge>FanInUniform":
                start["module"] = old

    edit_config(tmp_path / "m.keras", change)
    command = [sys.executable, "-c", ALONE, "m.keras"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def fine_tuned():
    """A model that rounds, with a layer of ours and an operation of keras.ops."""
    layers, x = keras_3.layers, keras_3.Input((8, 8, 4), name="x")
    y = layers.Conv2D(3, 3, activation="tanh")(keras3.TrainableSubsampling()(x))
    y = layers.Dense(2)(keras_3.ops.mean(y, axis=(1, 2)))
    exact = fold(keras_3.Model(x, y, name="tuned"))
    return quantize_aware(exact, calibration=np.random.default_rng(1).normal(size=(20, 8, 8, 4)))


@pytest.mark.parametrize("suffix", [".h5", ".hdf5"])
def test_a_fine_tuned_model_loads_and_gives_the_same_file(tmp_path, fine_tuned, inputs, suffix):
    path = tmp_path / f"m{suffix}"
    fine_tuned.save(path, save_format="h5")
    loaded = load_model(path, modules=["lenet_edge"])
    same(loaded, fine_tuned, inputs)
    contents = [to_tflite(one, precision="int8").content for one in (loaded, fine_tuned)]
    assert contents[0] == contents[1]
    command = [sys.executable, "-c", ALONE, path.name]  # where nobody has fine-tuned
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "tuned\n"), done.stderr


def test_a_fine_tuned_model_still_needs_the_module_of_its_own_layers(tmp_path, fine_tuned):
    path, code = tmp_path / "m.h5", ALONE.replace(', modules=["lenet_edge"]', "")
    fine_tuned.save(path)
    done = subprocess.run([sys.executable, "-c", code, "m.h5"], cwd=tmp_path, capture_output=True, text=True)
    last = done.stderr.splitlines()[-1]
    assert "got one with TrainableSubsampling, which no module registers: --import " in last


def test_a_keras_file_of_a_fine_tuned_model_is_refused_in_one_line(tmp_path, fine_tuned):
    path = tmp_path / "m.keras"
    fine_tuned.save(path)
    with pytest.raises(InputError, match=r"expected a fine-tuned model in an \.h5 file, .*, got .*m\.keras"):
        load_model(path, modules=["lenet_edge"])


@define(package="test_loading")
class Doubled(LayerDefinition):
    def call(self, inputs):
        return self.ops.multiply(inputs, 2.0)


@KERASES
def test_a_definition_serves_files_of_both_by_whichever_class_there_is(tmp_path, inputs, keras):
    model = keras.Sequential([keras.Input((8, 8, 4)), class_for(Doubled, keras)()])
    model.save(tmp_path / "m.keras")
    same(load_model(tmp_path / "m.keras"), model, inputs)


def halved(keras):
    """Return a layer class that is registered nowhere."""

    class Halved(keras.layers.Layer):
        def call(self, inputs):
            return inputs / 2

    return Halved


@KERASES
@SUFFIXES
def test_custom_objects_may_be_given(tmp_path, inputs, keras, suffix):
    layer, path = halved(keras), tmp_path / f"m{suffix}"
    model = keras.Sequential([keras.Input((8, 8, 4)), layer()])
    model.save(path)
    with pytest.raises(InputError, match="got one with Halved, which no module registers: --import"):
        load_model(path)
    same(load_model(path, custom_objects={"Halved": layer}), model, inputs)


UNREGISTERED = """
import {keras} as keras
class Halved(keras.layers.Layer):
    def call(self, inputs):
        return inputs / 2
"""


@KERASES
@SUFFIXES
def test_a_class_that_is_not_registered_is_found_in_its_module(tmp_path, monkeypatch, inputs, keras, suffix):
    name, path = f"unregistered_{keras.__name__}_{suffix[1:]}", tmp_path / f"m{suffix}"
    (tmp_path / f"{name}.py").write_text(UNREGISTERED.format(keras=keras.__name__))
    monkeypatch.syspath_prepend(tmp_path)
    module = __import__(name)
    model = keras.Sequential([keras.Input((8, 8, 4)), module.Halved()])
    model.save(path)
    same(load_model(path, modules=[name]), model, inputs)


def test_operations_of_keras_ops_load(tmp_path, inputs):
    ops, x = keras_3.ops, keras_3.Input((8, 8, 4))
    y = ops.nn.relu(x + ops.mean(x, axis=-1, keepdims=True))[:, 1:]
    model = keras_3.Model(x, keras_3.layers.Lambda(ops.tanh)(ops.reshape(y, (-1, 224))))
    model.save(tmp_path / "m.keras")
    same(load_model(tmp_path / "m.keras"), model, inputs)
    model.save(tmp_path / "m.h5")
    with pytest.raises(InputError, match=r"got an .h5 file with keras.ops.\w+: save it as .keras"):
        load_model(tmp_path / "m.h5")


def test_a_compiled_model_and_models_within_load(tmp_path, inputs):
    layers = keras_3.layers
    inner = keras_3.Sequential([keras_3.Input((8, 8, 4)), layers.Conv2D(2, 3), layers.BatchNormalization()])
    inner.compile("adam", "mse")
    x = keras_3.Input((8, 8, 4))
    model = keras_3.Model(x, layers.Flatten()(inner(x)))
    model.compile("sgd", "mae", metrics=["mse"])
    model.save(tmp_path / "m.keras")
    same(load_model(tmp_path / "m.keras"), model, inputs)


def test_a_file_that_another_backend_saved_loads(tmp_path, inputs):
    """A .keras file says nothing of the backend; an .h5 file names it."""
    model = keras_3.Sequential([keras_3.Input((8, 8, 4)), keras_3.layers.Conv2D(2, 3)])
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        for group in (file, file["model_weights"]):
            group.attrs["backend"] = "jax"
    same(load_model(tmp_path / "m.h5"), model, inputs)


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("torch", "expected the package that KERAS_BACKEND=torch needs, got no torch: pip install torch"),
        ("nonsense", "expected KERAS_BACKEND of tensorflow, jax or torch, got nonsense"),
    ],
)
def test_a_backend_that_is_not_installed_is_told(tmp_path, backend, message):
    keras_3.Sequential([keras_3.Input((3,)), keras_3.layers.Dense(2)]).save(tmp_path / "m.keras")
    code = "\n".join(
        [
            "from pathlib import Path",
            "try:",
            "    from converters.model.loading import load_model",
            "    load_model(Path('m.keras'))",
            "except ValueError as error:",
            "    print(error)",
        ]
    )
    environment = {**os.environ, "KERAS_BACKEND": backend}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout == f"{message}\n"


def test_loading_changes_nothing_in_the_process(tmp_path):
    keras_2.Sequential([keras_2.Input((3,)), keras_2.layers.Dense(2)]).save(tmp_path / "m.keras")
    code = "\n".join(
        [
            "import os",
            "before = dict(os.environ)",
            "from pathlib import Path",
            "from converters.model.loading import load_model",
            "load_model(Path('m.keras'))",
            "import tensorflow as tf",
            "assert tf.keras.layers.Layer.__module__.startswith('keras.'), tf.keras.layers.Layer",
            "assert {k: v for k, v in os.environ.items() if k not in before} == {}, os.environ",
            "assert {k: os.environ.get(k) for k in before} == before",
        ]
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def _layer_alone(config):
    layer = config["config"]["layers"][-1]
    config.clear()
    config.update(layer)


@KERASES
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize(
    "change",
    [
        lambda config: config["config"].update(layers=5),
        lambda config: config["config"]["layers"][-1]["config"].update(units="many"),
        lambda config: config["config"]["layers"][-1].update(config=[]),
        lambda config: config["config"]["layers"][-1]["config"].update(units=7),
        lambda config: config.update(class_name="Dense"),
        lambda config: config.clear(),
        _layer_alone,
    ],
    ids=["layers", "units", "no options", "other shape", "no model", "nothing", "a layer"],
)
def test_a_configuration_that_keras_cannot_load_is_one_line(tmp_path, keras, suffix, change):
    path = tmp_path / f"m{suffix}"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
    edit_config(path, change)
    with pytest.raises(InputError, match="expected .*(a model that Keras can load|to be a model)") as caught:
        load_model(Path(path))
    assert "\n" not in str(caught.value)
