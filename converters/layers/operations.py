"""The operations that a layer's definition computes with: those of keras.ops, in either Keras.

On TensorFlow the convolution is TensorFlow's own, in Keras 2 the others too: the graphs of both Kerases, and
so the files made from them, are the same to the names in them.
"""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

from converters.base.kerases import KERAS_2, KERAS_3, check_backend, import_keras, on_tensorflow
from converters.base.untyped import TfTensor

Strides = tuple[int, int]


@functools.cache
def operations_of(keras: ModuleType) -> Operations:
    """Return the operations for layers of `keras`."""
    if keras.__name__ == KERAS_2:
        return Keras2Operations()
    return TensorFlowOperations(keras.ops) if on_tensorflow(keras) else Operations(keras.ops)


class Operations:
    """All of `keras.ops`, and what layers with an assembled kernel need beside it; channels are last."""

    def __init__(self, functions: ModuleType | None) -> None:
        self._functions: Any = functions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._functions, name)

    def add_bias(self, inputs: TfTensor, bias: TfTensor) -> TfTensor:
        """Add `bias` (channels,) to `inputs` (..., channels)."""
        return self._functions.add(inputs, bias)

    def conv2d(self, inputs: TfTensor, kernel: TfTensor, strides: Strides) -> TfTensor:
        """Convolve without a border; `kernel`: (rows, columns, inputs, outputs)."""
        return self._functions.conv(
            inputs, kernel, strides=strides, padding="valid", data_format="channels_last"
        )

    def depthwise_conv2d(self, inputs: TfTensor, kernel: TfTensor, strides: Strides) -> TfTensor:
        """Convolve each channel by itself, without a border; `kernel`: (rows, columns, channels, 1)."""
        down, right = strides
        if down == right:
            return self._depthwise(inputs, kernel, down)
        # TensorFlow supports unequal strides on some processors only.
        return self._depthwise(inputs, kernel, 1)[:, ::down, ::right]

    def _depthwise(self, inputs: TfTensor, kernel: TfTensor, stride: int) -> TfTensor:
        return self._functions.depthwise_conv(
            inputs, kernel, strides=stride, padding="valid", data_format="channels_last"
        )


class TensorFlowOperations(Operations):
    """For Keras 3 on TensorFlow."""

    def __init__(self, functions: ModuleType | None) -> None:
        import tensorflow as tf

        super().__init__(functions)
        self._tf = tf

    def conv2d(self, inputs: TfTensor, kernel: TfTensor, strides: Strides) -> TfTensor:
        """As in Operations."""
        return self._tf.nn.conv2d(inputs, kernel, strides, "VALID")


class Keras2Operations(TensorFlowOperations):
    """For Keras 2: TensorFlow's functions, and those of `keras.ops` for all that is not named here."""

    def __init__(self) -> None:
        super().__init__(None)

    def __getattr__(self, name: str) -> Any:
        keras = import_keras(KERAS_3)
        check_backend(keras)
        return getattr(keras.ops, name)

    def add_bias(self, inputs: TfTensor, bias: TfTensor) -> TfTensor:
        """As in Operations."""
        return self._tf.nn.bias_add(inputs, bias)

    def _depthwise(self, inputs: TfTensor, kernel: TfTensor, stride: int) -> TfTensor:
        return self._tf.nn.depthwise_conv2d(inputs, kernel, [1, stride, stride, 1], "VALID")

    def cast(self, inputs: TfTensor, dtype: object) -> TfTensor:
        """As in keras.ops."""
        return self._tf.cast(inputs, dtype)

    def matmul(self, left: TfTensor, right: TfTensor) -> TfTensor:
        """As in keras.ops."""
        return self._tf.matmul(left, right)

    def ones(self, shape: tuple[int, ...], dtype: object = "float32") -> TfTensor:
        """As in keras.ops."""
        return self._tf.ones(shape, dtype)

    def reshape(self, inputs: TfTensor, shape: tuple[int, ...]) -> TfTensor:
        """As in keras.ops."""
        return self._tf.reshape(inputs, shape)

    def square(self, inputs: TfTensor) -> TfTensor:
        """As in keras.ops."""
        return self._tf.square(inputs)

    def sum(self, inputs: TfTensor, axis: int) -> TfTensor:
        """As in keras.ops."""
        return self._tf.reduce_sum(inputs, axis=axis)

    def tanh(self, inputs: TfTensor) -> TfTensor:
        """As in keras.ops."""
        return self._tf.tanh(inputs)
