"""Import TensorFlow and Keras 2 quietly; nothing else imports them."""

from __future__ import annotations

import os
import platform

from converters.base.errors import InputError
from converters.base.installed import RUNTIMES
from converters.base.quiet import quiet

# tensorflow-model-optimization knows Keras 2 only, so every module here takes `keras` from this file.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

try:
    with quiet():
        import tensorflow as tf
        import tf_keras as keras
        from tensorflow.lite.python import schema_py_generated as schema

        # Looks for GPUs now, so that TensorFlow does not log their absence later.
        tf.config.list_physical_devices()
except ModuleNotFoundError as error:
    install = RUNTIMES["tensorflow"].install
    raise InputError(f"expected TensorFlow and Keras 2, got no {error.name}: {install}") from error

# Python's side of the same: advice on slow callbacks and deprecated names.
tf.get_logger().setLevel("ERROR")

__all__ = ["keras", "schema", "tf", "versions"]


def versions() -> dict[str, str]:
    """Return the versions of what decides the bytes of a conversion."""
    import numpy

    return {
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "tensorflow": tf.__version__,
        "tf-keras": keras.__version__,
    }
