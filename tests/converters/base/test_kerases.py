"""Which Keras an object is of, and what is said when the wanted one is not there."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from python_apart import run_python

from converters.base.environment import tf
from converters.base.errors import InputError
from converters.base.kerases import check_backend, current_keras, import_keras, keras_name, keras_of

LEGACY = "TF_USE_LEGACY_KERAS"


def test_models_layers_tensors_and_classes_are_of_their_keras(either_keras):
    name = either_keras.__name__
    x = either_keras.Input((3,))
    layer = either_keras.layers.Dense(2)
    model = either_keras.Model(x, layer(x))

    class Own(either_keras.layers.Layer):
        pass

    for thing in (x, layer, model, Own, Own(), either_keras.layers.Dense):
        assert keras_name(thing) == name
        assert keras_of(thing) is either_keras


@pytest.mark.parametrize("thing", [3, np.zeros(3), int, None, "keras"])
def test_other_things_are_of_neither(thing):
    assert keras_name(thing) is None
    with pytest.raises(InputError, match="^expected an object of Keras, got "):
        keras_of(thing)


@pytest.mark.parametrize(("legacy", "name"), [(None, "keras"), ("0", "keras"), ("1", "tf_keras")])
def test_the_current_keras_is_what_tf_keras_will_be_before_tensorflow_is_loaded(monkeypatch, legacy, name):
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.delenv(LEGACY, raising=False)
    if legacy:
        monkeypatch.setenv(LEGACY, legacy)
    assert current_keras() is import_keras(name)


def test_the_current_keras_is_what_tf_keras_is(monkeypatch):
    """It was settled when `tf.keras` was first used, in this process without the variable."""
    assert tf.keras.layers.Layer is import_keras("keras").layers.Layer
    monkeypatch.setenv(LEGACY, "1")
    assert current_keras() is import_keras("keras")


def test_tf_keras_becomes_what_was_foretold():
    code = (
        "from converters.base.kerases import current_keras\n"
        "foretold = current_keras()\n"
        "import tensorflow as tf\n"
        "print(foretold.__name__, tf.keras.layers.Layer is foretold.layers.Layer)\n"
    )
    done = run_python(code, **{LEGACY: "1"})
    assert done.stdout == "tf_keras True\n", done.stderr


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"KERAS_BACKEND": "torch"}, "expected the package that KERAS_BACKEND=torch needs, got no torch: "),
        ({"KERAS_BACKEND": "pen and paper"}, "expected KERAS_BACKEND of tensorflow, jax or torch, got pen"),
    ],
)
def test_a_backend_that_is_not_there_is_a_line(variables, message):
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from converters.base.kerases import import_keras\n"
        "from converters.base.errors import InputError\n"
        "try: import_keras('keras')\n"
        "except InputError as error: print(error)\n"
    )
    assert run_python(code, **variables).stdout.startswith(message)


def test_a_keras_that_is_not_installed_is_a_line():
    code = (
        "import sys; sys.modules['tf_keras'] = None\n"
        "from converters.base.kerases import import_keras\n"
        "from converters.base.errors import InputError\n"
        "sys.modules.pop('tf_keras'); sys.meta_path.insert(0, type('No', (), {'find_spec': staticmethod(\n"
        "    lambda name, *_: (_ for _ in ()).throw(ModuleNotFoundError(name=name))\n"
        "    if name == 'tf_keras' else None)}))\n"
        "try: import_keras('tf_keras')\n"
        "except InputError as error: print(error)\n"
    )
    out = run_python(code)
    assert out.stdout.startswith("expected Keras 2 (tf_keras), got no tf_keras: pip install"), out.stderr


def test_files_are_made_on_tensorflow(monkeypatch):
    keras = import_keras("keras")
    check_backend(keras)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InputError, match=r"^expected Keras on TensorFlow .*, got jax$"):
        check_backend(keras)
    check_backend(import_keras("tf_keras"))
