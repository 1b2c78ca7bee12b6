"""`python -m converters` runs nothing that is in a model, unless it is told to.

Each planted thing would make the file `marker`, or be refused by Keras in other words, if it were not for the
checks.
"""

from __future__ import annotations

import re
import sys

import keras as keras_3
import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras_2
from model_files import edit_config

from converters.__main__ import main
from converters.base.errors import exit_status

BOTH = [".keras", ".h5"]


def run(capsys, path, *options):
    capsys.readouterr()
    arguments = [path, "--precision", "float32", "--out", path.parent / "out", *options]
    status = exit_status(main, [str(argument) for argument in arguments], name="converters")
    out, err = capsys.readouterr()
    return status, out, err


@pytest.fixture(params=[keras_3, keras_2], ids=["Keras 3", "Keras 2"])
def keras(request):
    return request.param


def _marks(marker):
    """Return a function whose bytecode, once it runs, makes the file `marker`: nothing it needs is global."""
    return eval(f"lambda x: (__import__('pathlib').Path({str(marker)!r}).touch(), x)[1]")


def with_lambda(keras, path, marker):
    keras.Sequential([keras.Input((3,)), keras.layers.Lambda(_marks(marker))]).save(path)
    marker.unlink()  # Keras has run it to build the model


def edited(change):
    """Return a maker of a model of one dense layer, in whose configuration `change` puts something."""

    def make(keras, path, marker):
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")]).save(path)
        edit_config(path, lambda config: change(config, path.parent, marker))

    return make


def _last(config):
    return config["config"]["layers"][-1]


def _plant(folder, marker):
    (folder / "planted.py").write_text(f"import pathlib; pathlib.Path({str(marker)!r}).touch()")


def system_as_activation(config, folder, marker):
    _last(config)["config"]["activation"] = {
        "class_name": "function",
        "config": "system",
        "module": "os",
        "registered_name": "system",
    }


def module_beside(config, folder, marker):
    _plant(folder, marker)
    _last(config).update(class_name="Planted", module="planted", registered_name="Planted")


def function_without_a_name(config, folder, marker):
    _plant(folder, marker)
    planted = {"class_name": "function", "config": ["none"], "module": "planted", "registered_name": None}
    _last(config)["config"]["activation"] = planted


def class_without_a_registered_name(config, folder, marker):
    _plant(folder, marker)
    _last(config).update(class_name="Dense", module="planted", registered_name=None)


def special_without_meaning(config, folder, marker):
    _plant(folder, marker)
    planted = {"class_name": "__none__", "config": {}, "module": "planted", "registered_name": None}
    _last(config)["config"]["activation"] = planted


def type_of_another_library(config, folder, marker):
    _plant(folder, marker)
    planted = {"class_name": "__typespec__", "spec_name": "Spec", "config": [], "registered_name": None}
    _last(config)["config"]["activation"] = {**planted, "module": "planted"}


def class_of_old_keras(config, folder, marker):
    """A Lambda layer of the Keras within TensorFlow, which knows no safe mode, by way of a type."""
    planted = {"class_name": "__typespec__", "spec_name": "Lambda", "registered_name": "Lambda", "config": {}}
    _last(config)["config"]["activation"] = {**planted, "module": "tensorflow.python.keras.layers.core"}


def write_file(config, folder, marker):
    home = "tf_keras.src.layers.core.tf_op_layer"
    options = {"name": "dense", "function": "io.write_file"}
    _last(config).update(class_name="TFOpLambda", module=home, config=options)


def another_model(config, folder, marker):
    _last(config).update(class_name="TFSMLayer", module="keras.layers", config={"filepath": "/anywhere"})


def a_pickle(config, folder, marker):
    _last(config).update(class_name="TorchModuleWrapper", module="keras.layers", config={"module": "gASV"})


def a_vocabulary(config, folder, marker):
    options = {"vocabulary": "/etc/hostname"}
    _last(config).update(class_name="StringLookup", module="keras.layers", config=options)


PLANTED = [
    (with_lambda, "got the bytecode of a lambda function"),
    (edited(system_as_activation), "got the function system of os"),
    (edited(module_beside), "got one with Planted, which no module registers: --import planted"),
    (edited(function_without_a_name), r"got the function \['none'\] of planted"),
    (edited(class_without_a_registered_name), "got Dense of planted"),
    (edited(special_without_meaning), "got an object of the class '__none__' of 'planted'"),
    (edited(type_of_another_library), "got the type Spec of planted"),
    (edited(class_of_old_keras), "got the type Lambda of tensorflow.python.keras.layers.core"),
    (edited(write_file), "got the operation io.write_file of TensorFlow"),
    (edited(another_model), "got TFSMLayer, with another model that it loads"),
    (edited(a_pickle), "got TorchModuleWrapper, with a pickle that it loads"),
    (edited(a_vocabulary), "got StringLookup, with files that it reads"),
]


@pytest.mark.parametrize(("make", "message"), PLANTED, ids=[message for _, message in PLANTED])
@pytest.mark.parametrize("suffix", BOTH)
def test_code_in_a_file_is_refused_and_does_not_run(
    keras, tmp_path, monkeypatch, capsys, suffix, make, message
):
    marker, path = tmp_path / "marker", tmp_path / f"m{suffix}"
    make(keras, path, marker)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "planted", raising=False)
    status, _, err = run(capsys, path)
    assert (status, len(err.splitlines())) == (2, 1)
    assert re.search(message, err)
    assert not marker.exists()


@pytest.mark.parametrize("suffix", BOTH)
def test_code_in_a_file_runs_when_it_is_trusted(keras, tmp_path, capsys, suffix):
    marker, path = tmp_path / "marker", tmp_path / f"m{suffix}"
    with_lambda(keras, path, marker)
    status, _, err = run(capsys, path, "--trust-code")
    assert (status, err) == (0, "")
    assert marker.exists()


@pytest.mark.parametrize("suffix", BOTH)
def test_a_module_that_a_trusted_file_names_is_imported(keras, tmp_path, monkeypatch, capsys, suffix):
    marker, path = tmp_path / "marker", tmp_path / f"m{suffix}"
    edited(module_beside)(keras, path, marker)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "planted", raising=False)
    assert run(capsys, path, "--trust-code")[0] == 2  # the module has no such class
    assert marker.exists()


@pytest.mark.parametrize("kind", ["class", "function"])
def test_a_file_cannot_name_what_a_module_has_from_elsewhere(keras, tmp_path, monkeypatch, capsys, kind):
    """A module that a person names imports the tools that it needs; a file does not get at those."""
    (tmp_path / "trusted_tools.py").write_text("from os import system\nfrom subprocess import Popen\n")
    named = {"class": "Popen", "function": "system"}[kind]

    def change(config, folder, marker):
        if kind == "class":
            _last(config).update(class_name=named, module="trusted_tools", registered_name=named)
        else:
            planted = {"class_name": "function", "config": named, "registered_name": named}
            _last(config)["config"]["activation"] = {**planted, "module": "trusted_tools"}

    edited(change)(keras, tmp_path / "m.keras", tmp_path / "marker")
    monkeypatch.syspath_prepend(tmp_path)
    status, _, err = run(capsys, tmp_path / "m.keras", "--import", "trusted_tools")
    assert (status, len(err.splitlines())) == (2, 1)
    assert f"got one with {named}, which no module registers" in err


def _graph_that_writes(path, marker):
    module = tf.Module()

    def answer(x):
        with tf.control_dependencies([tf.io.write_file(str(marker), "here")]):
            return 2 * tf.identity(x)

    module.answer = tf.function(answer, input_signature=[tf.TensorSpec((None, 3))])
    tf.saved_model.save(module, str(path), signatures=module.answer)


def _graph_that_calls_python(path, marker):
    module = tf.Module()

    def answer(x):
        (y,) = tf.py_function(lambda y: (marker.touch(), y)[1:], [x], [tf.float32])
        return tf.ensure_shape(y, (None, 3))

    module.answer = tf.function(answer, input_signature=[tf.TensorSpec((None, 3))])
    module.keeps = module.answer.get_concrete_function()  # the Python function, in this process
    tf.saved_model.save(module, str(path), signatures=module.answer)
    return module


def _graph_that_saves(path, marker):
    """A graph that writes a file by the operation that TensorFlow itself saves variables with."""
    module = tf.Module()

    def answer(x):
        save = tf.raw_ops.SaveV2(
            prefix=str(marker), tensor_names=["x"], shape_and_slices=[""], tensors=[tf.constant(1.0)]
        )
        with tf.control_dependencies([save]):
            return 2 * tf.identity(x)

    module.answer = tf.function(answer, input_signature=[tf.TensorSpec((None, 3))])
    tf.saved_model.save(module, str(path), signatures=module.answer)


GRAPHS = [
    (_graph_that_writes, "WriteFile"),
    (_graph_that_calls_python, "EagerPyFunc"),
    (_graph_that_saves, "SaveV2"),
]


@pytest.fixture
def data(tmp_path, rng):
    np.savez(tmp_path / "data.npz", rng.random((4, 3), np.float32))
    return tmp_path / "data.npz"


@pytest.mark.parametrize(("make", "operation"), GRAPHS, ids=[operation for _, operation in GRAPHS])
def test_a_graph_that_does_more_than_compute_is_refused(tmp_path, capsys, data, make, operation):
    kept = make(tmp_path / "graph", tmp_path / "marker")
    status, _, err = run(capsys, tmp_path / "graph", "--calibration", data)
    assert (status, len(err.splitlines())) == (2, 1)
    assert f"got the operation {operation}, which does more than compute" in err
    assert not list(tmp_path.glob("marker*"))
    del kept


@pytest.mark.parametrize(("make", "operation"), GRAPHS, ids=[operation for _, operation in GRAPHS])
def test_a_graph_that_is_trusted_runs(tmp_path, capsys, data, make, operation):
    kept = make(tmp_path / "graph", tmp_path / "marker")
    status, _, err = run(capsys, tmp_path / "graph", "--calibration", data, "--trust-code")
    assert (status, len(err.splitlines())) == (2, 1)  # TensorFlow Lite has no such operator
    assert list(tmp_path.glob("marker*"))
    del kept
