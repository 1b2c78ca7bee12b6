"""Find which Keras an object is of, Keras 3 (`keras`) or Keras 2 (`tf_keras`), and import the one wanted.

Neither is imported before it is needed. Nothing in the process changes: no environment variable is set, and
`tf.keras` stays what it is.
"""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType

from converters.base.errors import InputError, expect
from converters.base.installed import RUNTIMES
from converters.base.kept_environment import kept_environment
from converters.base.quiet import quiet

KERAS_2, KERAS_3 = "tf_keras", "keras"
"""The packages of the two Kerases: what `keras_name` returns."""

BACKEND = "KERAS_BACKEND"
"""The variable by which Keras 3 chooses what computes: tensorflow, jax, torch."""

TITLES = {KERAS_2: "Keras 2 (tf_keras)", KERAS_3: "Keras 3"}


def keras_name(thing: object) -> str | None:
    """Return "keras" or "tf_keras", the Keras that the object or class `thing` is of; None for neither."""
    classes = (thing if isinstance(thing, type) else type(thing)).__mro__
    roots = (one.__module__.partition(".")[0] for one in classes)
    return next((root for root in roots if root in TITLES), None)


def keras_of(thing: object) -> ModuleType:
    """Return the Keras of the model, layer or class `thing`; raises InputError when it is of none."""
    name = keras_name(thing)
    if name is None:
        raise InputError(f"expected an object of Keras, got {type(thing).__name__}")
    return import_keras(name)


def current_keras() -> ModuleType:
    """Return the Keras that `tf.keras` is in this process, or will be once TensorFlow is loaded.

    That is Keras 3, unless TF_USE_LEGACY_KERAS was set when `tf.keras` was first used.
    """
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None and hasattr(tensorflow, "keras"):
        return import_keras(keras_name(tensorflow.keras.layers.Layer) or KERAS_3)
    legacy = os.environ.get("TF_USE_LEGACY_KERAS") in ("1", "true", "True")  # as TensorFlow reads it
    return import_keras(KERAS_2 if legacy else KERAS_3)


def import_keras(name: str) -> ModuleType:
    """Return the package "keras" or "tf_keras".

    Raises InputError when it is not installed, or the backend that was chosen for Keras 3 is not.
    """
    if name in sys.modules:
        return sys.modules[name]
    try:
        with quiet(), kept_environment():
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise InputError(_what_is_missing(name, str(error.name))) from error
    except ValueError as error:  # Keras 3 on a backend that it does not know
        raise InputError(unknown_backend()) from error


def unknown_backend() -> str:
    """Return the message for a backend that Keras 3 does not know, when it is imported."""
    return f"expected {BACKEND} of tensorflow, jax or torch, got {os.environ.get(BACKEND)}"


def on_tensorflow(keras: ModuleType) -> bool:
    """Return whether `keras` runs on TensorFlow: Keras 2 always does."""
    return keras.__name__ == KERAS_2 or keras.backend.backend() == "tensorflow"


def check_backend(keras: ModuleType) -> None:
    """Raise InputError unless `keras` runs on TensorFlow: files are made from its graphs."""
    expect(
        on_tensorflow(keras),
        f"Keras on TensorFlow ({BACKEND}=tensorflow); a model that another backend saved loads there",
        "" if on_tensorflow(keras) else keras.backend.backend(),
    )


def _what_is_missing(name: str, missing: str) -> str:
    root = missing.partition(".")[0]
    if root == name:
        return f"expected {TITLES[name]}, got no {name}: {RUNTIMES['tensorflow'].install}"
    backend = os.environ.get(BACKEND)
    if backend:
        return f"expected the package that {BACKEND}={backend} needs, got no {root}: pip install {root}"
    return f"expected what {TITLES[name]} needs, got no {root}: {RUNTIMES['tensorflow'].install}"
