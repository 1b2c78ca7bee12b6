"""The one place that imports TensorFlow and Keras 2, quietly."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Send what native code writes to standard error nowhere: log lines that tell a user nothing."""
    kept, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(sink)


# tensorflow-model-optimization knows Keras 2 only, so every module here takes `keras` from this file.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

with quiet():
    import tensorflow as tf
    import tf_keras as keras
    from tensorflow.lite.python import schema_py_generated as schema

    # Looks for GPUs now, so that what it says of their absence is not said later.
    tf.config.list_physical_devices()

__all__ = ["keras", "quiet", "schema", "tf"]
