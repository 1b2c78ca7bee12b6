"""Estimate each weight's second derivative h_kk as appendix C of the paper does, connection by connection."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf
from converters.base.kerases import keras_of
from converters.base.untyped import KerasLayer, KerasModel, TfTensor
from lenet_edge.paper.answers import as_input
from lenet_edge.paper.layers import AMPLITUDE, SLOPE, TrainableSubsampling


class SecondDerivatives:
    """The second derivatives of a `lenet5` model's weights, averaged over some digits.

    Of the criterion only y_D counts, `penalty_scale` times the squared distance from the desired code: its
    curvature by each output of F6 is 2 `penalty_scale`, the same for every digit. Going down, what a sum
    a = w x + ... hands on is squared where the gradient's is not (appendix C):

        by an input     h_x = sum over its connections of w^2 h_a
        by a sum        h_a = f'(a)^2 h_x of its output
        by a weight     h_w = sum over the connections that share it of x^2 h_a

    These are the rules of the gradient in a net without squashing whose inputs and weights are the squares,
    so each layer's own gradient does the work. But the inputs of a subsampling unit are added before they are
    multiplied: its coefficient has one connection, to their sum.
    """

    def __init__(self, model: KerasModel, *, penalty_scale: float) -> None:
        keras = keras_of(model)
        self._model, self._curvature = model, 2 * penalty_scale
        self._layers = [layer for layer in model.layers if layer.trainable_variables]
        self._signals = keras.Model(model.input, [(layer.input, layer.output) for layer in self._layers])
        self._sums = [_without_squashing(layer) for layer in self._layers]
        self._sums_over = tf.function(self._summed)

    def of(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Return the mean h_kk over `pictures` (n, 32, 32), an array per weight, each value 0 or more.

        In the order of the model's trainable variables, of their shapes.
        """
        return [total.numpy() / len(pictures) for total in self._sums_over(as_input(self._model, pictures))]

    def _summed(self, pixels: TfTensor) -> list[TfTensor]:
        signals = self._signals(pixels, training=False)
        above = tf.fill(tf.shape(signals[-1][1]), self._curvature)
        totals: list[TfTensor] = []
        for place in reversed(range(len(self._layers))):
            inputs, outputs = signals[place]
            # C5 hands its output to F6 through a flattening.
            by_sums = tf.reshape(above, tf.shape(outputs)) * _squared_slope(outputs)
            above, *by_weights = self._handed_on(place, inputs, by_sums)
            totals = by_weights + totals
        return totals

    def _handed_on(self, place: int, inputs: TfTensor, by_sums: TfTensor) -> list[TfTensor]:
        """Return what a layer makes of h_a, `by_sums`: h by its inputs, then by each of its weights."""
        squares = [tf.square(inputs), *(tf.square(one) for one in self._layers[place].trainable_variables)]
        with tf.GradientTape() as tape:
            tape.watch(squares)
            sums, _ = self._sums[place].stateless_call(squares[1:], [], squares[0])
        by_squares: list[TfTensor] = tape.gradient(sums, squares, output_gradients=by_sums)
        if isinstance(self._layers[place], TrainableSubsampling):
            added, _ = self._sums[place].stateless_call(
                [tf.ones_like(squares[1]), tf.zeros_like(squares[2])], [], inputs
            )
            by_squares[1] = tf.reduce_sum(tf.square(added) * by_sums, axis=(0, 1, 2))
        return by_squares


def _without_squashing(layer: KerasLayer) -> KerasLayer:
    """Return a layer like `layer`, built, that gives its sums."""
    sums = type(layer).from_config({**layer.get_config(), "activation": None})
    sums.build(layer.input.shape)
    return sums


def _squared_slope(outputs: TfTensor) -> TfTensor:
    """Return f'(a)^2 from f(a): f' = A S (1 - (f / A)^2)."""
    return tf.square(AMPLITUDE * SLOPE * (1 - tf.square(outputs / AMPLITUDE)))
