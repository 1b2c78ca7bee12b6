"""The one place that imports TensorFlow and Keras 2, quietly."""

from __future__ import annotations

import os

from converters.errors import InputError
from converters.quiet import quiet
from converters.runtimes import RUNTIMES

# tensorflow-model-optimization knows Keras 2 only, so every module here takes `keras` from this file.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

try:
    with quiet():
        import tensorflow as tf
        import tf_keras as keras
        from tensorflow.lite.python import schema_py_generated as schema

        # Looks for GPUs now, so that what it says of their absence is not said later.
        tf.config.list_physical_devices()
except ModuleNotFoundError as error:
    install = RUNTIMES["tensorflow"].install
    raise InputError(f"expected TensorFlow and Keras 2, got no {error.name}: {install}") from error

# Python's side of the same: advice on slow callbacks and deprecated names.
tf.get_logger().setLevel("ERROR")

__all__ = ["keras", "schema", "tf"]
