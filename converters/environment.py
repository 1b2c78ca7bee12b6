"""The one place that imports TensorFlow's Keras 2, quietly."""

from __future__ import annotations

import os

# tensorflow-model-optimization knows Keras 2 only, so every module here takes `keras` from this file.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf  # noqa: E402  (the variables above must be set first)
import tf_keras as keras  # noqa: E402

__all__ = ["keras", "tf"]
