"""Learn digits one at a time, in one compiled loop, a step after each.

The layers' own convolutions take five times as long, because one digit is too little for them: here they are
products of matrices, which XLA compiles well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf
from converters.base.kerases import keras_of
from converters.base.untyped import KerasModel, TfTensor
from lenet_edge.paper.in_keras import classes
from lenet_edge.paper.layers import scaled_tanh

STRETCH = 1000
"""The digits of one call of the compiled loop: enough to hide its cost, few enough for Ctrl-C."""


class OneByOne:
    """Learns digits with a `lenet5` model by eq. 9 with j = `rubbish`, a step after each digit.

    The loop is compiled at the first call, which takes some seconds.
    """

    def __init__(self, model: KerasModel, *, rubbish: float) -> None:
        self._model = model
        self._criterion = classes(keras_of(model)).MAPLoss(rubbish=rubbish)
        self._loop = tf.function(self._learnt, jit_compile=True)

    def learn(
        self, pictures: NDArray[np.uint8], labels: NDArray[np.uint8], steps: Sequence[NDArray[np.float32]]
    ) -> float:
        """Learn `pictures` (n, 32, 32) in their order; return the sum of the criterion, each before its step.

        n is 1 to `STRETCH`. `labels`: (n,). `steps`: what each weight's derivative is multiplied by, an array
        per trainable variable of the model, whose values this changes.
        """
        missing = STRETCH - len(labels)  # one shape, so the loop is compiled once
        filled = np.pad(pictures, ((0, missing), (0, 0), (0, 0)))
        variables = self._model.trainable_variables
        total, weights = self._loop(
            tf.constant(filled),
            tf.constant(np.pad(labels, (0, missing)).astype(np.int32)),
            tf.constant(len(labels)),
            [tf.constant(step) for step in steps],
            [variable.value for variable in variables],
        )
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)
        return float(total)

    def criterion(self, picture: TfTensor, label: TfTensor, weights: Sequence[TfTensor]) -> TfTensor:
        """Return eq. 9 of one uint8 `picture` (32, 32) with these values of the trainable variables."""
        return self._criterion(label[None], self._distances(picture, weights)[None])

    def _learnt(
        self,
        pictures: TfTensor,
        labels: TfTensor,
        count: TfTensor,
        steps: Sequence[TfTensor],
        weights: Sequence[TfTensor],
    ) -> tuple[TfTensor, list[TfTensor]]:
        def one_step(place: TfTensor, total: TfTensor, *weights: TfTensor) -> tuple[TfTensor, ...]:
            with tf.GradientTape() as tape:
                tape.watch(weights)
                loss = self.criterion(pictures[place], labels[place], weights)
            gradients = tape.gradient(loss, weights)
            stepped = [w - step * g for w, step, g in zip(weights, steps, gradients, strict=True)]
            return (place + 1, total + loss, *stepped)

        start = (tf.constant(0), tf.constant(0.0), *weights)
        _, total, *learnt = tf.while_loop(lambda place, *_: place < count, one_step, start)
        return total, learnt

    def _distances(self, picture: TfTensor, weights: Sequence[TfTensor]) -> TfTensor:
        """Return the ten distances of the model, computed by products of matrices."""
        c1, c1_bias, s2, s2_bias, c3, c3_bias, s4, s4_bias, c5, c5_bias, f6, f6_bias = weights
        layer = self._model.get_layer
        pixels = layer("normalise")(tf.cast(picture, tf.float32)[..., None])
        x = _convolved(pixels, c1, c1_bias)  # 28x28x6
        x = _subsampled(x, s2, s2_bias)  # 14x14x6
        x = _convolved(x, layer("C3").assemble(c3), c3_bias)  # 10x10x16
        x = _subsampled(x, s4, s4_bias)  # 5x5x16
        x = _convolved(x, c5, c5_bias)  # 1x1x120
        x = scaled_tanh(tf.reshape(x, (1, -1)) @ f6 + f6_bias)  # 1x84
        return layer("OUTPUT")(x)[0]


def _convolved(maps: TfTensor, kernel: TfTensor, bias: TfTensor) -> TfTensor:
    """Return the squashed "valid" convolution: (side, side, inputs) by (rows, rows, inputs, outputs)."""
    rows, _, inputs, outputs = kernel.shape
    side = maps.shape[0] - rows + 1
    shifted = [maps[u : u + side, v : v + side] for u in range(rows) for v in range(rows)]
    windows = tf.reshape(tf.stack(shifted, axis=2), (side * side, rows * rows * inputs))
    sums = windows @ tf.reshape(kernel, (rows * rows * inputs, outputs)) + bias
    return scaled_tanh(tf.reshape(sums, (side, side, outputs)))


def _subsampled(maps: TfTensor, coefficient: TfTensor, bias: TfTensor) -> TfTensor:
    """Return `maps` (side, side, n), two by two added, times a coefficient, plus a bias, squashed."""
    half, count = maps.shape[0] // 2, maps.shape[2]
    sums = tf.reduce_sum(tf.reshape(maps, (half, 2, half, 2, count)), axis=(1, 3))
    return scaled_tanh(sums * coefficient + bias)
