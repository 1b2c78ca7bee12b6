"""Import TensorFlow quietly; nothing else imports it. Each Keras: converters.base.kerases.

The process may be somebody's program with a Keras of its own: no variable of its environment is changed, and
`tf.keras` stays what it is.
"""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Iterator
from importlib import metadata

from converters.base.errors import InputError
from converters.base.installed import RUNTIMES
from converters.base.kept_environment import kept_environment
from converters.base.kerases import unknown_backend
from converters.base.quiet import quiet

try:
    with quiet(), kept_environment():  # TensorFlow Lite imports jax if it is there, which sets a variable
        import tensorflow as tf
        from tensorflow.core.protobuf import saved_model_pb2
        from tensorflow.lite.python import schema_py_generated as schema
        from tensorflow.lite.python.convert import mlir_quantize
        from tensorflow.python.framework import op_def_registry as op_definitions

        # Looks for GPUs now, so that TensorFlow does not log their absence later.
        tf.config.list_physical_devices()
except ModuleNotFoundError as error:
    install = RUNTIMES["tensorflow"].install
    raise InputError(f"expected TensorFlow, got no {error.name}: {install}") from error
except ValueError as error:  # TensorFlow imports Keras
    if "backend" not in str(error):
        raise
    raise InputError(unknown_backend()) from error

__all__ = [
    "mlir_quantize",
    "op_definitions",
    "saved_model_pb2",
    "schema",
    "tf",
    "unchanged_environment",
    "versions",
]


@contextlib.contextmanager
def unchanged_environment() -> Iterator[None]:
    """Put the environment's variables back: tensorflow-model-optimization sets TF_USE_LEGACY_KERAS on import.

    What `tf.keras` is, is settled when it is first used: now, before that variable can turn it into Keras 2.
    """
    _ = tf.keras.layers
    with kept_environment():
        yield


def versions() -> dict[str, str]:
    """Return the versions of what decides the bytes of a conversion."""
    import numpy

    return {
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "tensorflow": tf.__version__,
        **{name: _version(name) for name in ("keras", "tf-keras")},
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
