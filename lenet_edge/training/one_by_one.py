"""Learn digits one at a time, in one compiled loop, a step after each.

The layers' own convolutions take five times as long, because one digit is too little for them: here they are
products of matrices, which XLA compiles well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf
from converters.base.kerases import keras_of
from converters.base.untyped import KerasModel, TfTensor
from lenet_edge.paper.in_keras import classes
from lenet_edge.paper.layers import scaled_tanh

STRETCH = 1000
"""The digits of one call of the compiled loop: enough to hide its cost, few enough for Ctrl-C."""


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """Sums over the digits of a stretch, each taken before its step: of the criterion, and of the misread."""

    criterion: float
    misread: int


class OneByOne:
    """Learns digits with a `lenet5` model by eq. 9 with j = `rubbish`, a step after each digit.

    `penalty_scale`: what eq. 7 is multiplied by to give the penalties y_i. The loop is compiled at the first
    call, which takes some seconds.
    """

    def __init__(self, model: KerasModel, *, rubbish: float, penalty_scale: float) -> None:
        self._model, self._penalty_scale = model, penalty_scale
        self._criterion = classes(keras_of(model)).MAPLoss(rubbish=rubbish)
        self._loop = tf.function(self._learnt, jit_compile=True)

    def learn(
        self, pictures: NDArray[np.uint8], labels: NDArray[np.uint8], steps: Sequence[NDArray[np.float32]]
    ) -> Learnt:
        """Learn `pictures` (n, 32, 32) in their order.

        n is 1 to `STRETCH`. `labels`: (n,). `steps`: what each weight's derivative is multiplied by, an array
        per trainable variable of the model, whose values this changes.
        """
        missing = STRETCH - len(labels)  # one shape, so the loop is compiled once
        filled = np.pad(pictures, ((0, missing), (0, 0), (0, 0)))
        variables = self._model.trainable_variables
        criterion, misread, weights = self._loop(
            tf.constant(filled),
            tf.constant(np.pad(labels, (0, missing)).astype(np.int32)),
            tf.constant(len(labels)),
            [tf.constant(step) for step in steps],
            [variable.value for variable in variables],
        )
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)
        return Learnt(criterion=float(criterion), misread=int(misread))

    def penalties(self, picture: TfTensor, weights: Sequence[TfTensor]) -> TfTensor:
        """Return the ten y_i of one uint8 `picture` (32, 32) with these values of the trainable variables."""
        return self._penalty_scale * self._distances(picture, weights)

    def _learnt(
        self,
        pictures: TfTensor,
        labels: TfTensor,
        count: TfTensor,
        steps: Sequence[TfTensor],
        weights: Sequence[TfTensor],
    ) -> tuple[TfTensor, TfTensor, list[TfTensor]]:
        def one_step(
            place: TfTensor, criterion: TfTensor, misread: TfTensor, *weights: TfTensor
        ) -> tuple[TfTensor, ...]:
            label = labels[place]
            with tf.GradientTape() as tape:
                tape.watch(weights)
                penalties = self.penalties(pictures[place], weights)
                loss = self._criterion(label[None], penalties[None])
            gradients = tape.gradient(loss, weights)
            stepped = [w - step * g for w, step, g in zip(weights, steps, gradients, strict=True)]
            wrong = tf.cast(tf.argmin(penalties, output_type=tf.int32) != label, tf.int32)
            return (place + 1, criterion + loss, misread + wrong, *stepped)

        start = (tf.constant(0), tf.constant(0.0), tf.constant(0), *weights)
        _, criterion, misread, *learnt = tf.while_loop(lambda place, *_: place < count, one_step, start)
        return criterion, misread, learnt

    def _distances(self, picture: TfTensor, weights: Sequence[TfTensor]) -> TfTensor:
        """Return the ten distances of the model, computed by products of matrices on maps (n, side, side)."""
        c1, c1_bias, s2, s2_bias, c3, c3_bias, s4, s4_bias, c5, c5_bias, f6, f6_bias = weights
        layer = self._model.get_layer
        x = layer("normalise")(tf.cast(picture, tf.float32)[None])
        x = _convolved(x, c1, c1_bias)  # 6x28x28
        x = _subsampled(x, s2, s2_bias)  # 6x14x14
        x = _convolved(x, layer("C3").assemble(c3), c3_bias)  # 16x10x10
        x = _subsampled(x, s4, s4_bias)  # 16x5x5
        x = tf.reshape(tf.transpose(x, (1, 2, 0)), (1, -1))
        x = scaled_tanh(x @ tf.reshape(c5, (-1, c5.shape[-1])) + c5_bias)  # 1x120
        x = scaled_tanh(x @ f6 + f6_bias)  # 1x84
        return layer("OUTPUT")(x)[0]


def _convolved(maps: TfTensor, kernel: TfTensor, bias: TfTensor) -> TfTensor:
    """Return the squashed "valid" convolution of `maps` (inputs, side, side).

    `kernel`: (rows, rows, inputs, outputs). A product of matrices for each row of the kernel: that copies a
    fifth of what all its windows would be.
    """
    rows, _, inputs, outputs = kernel.shape
    side = maps.shape[1]
    left = side - rows + 1
    shifted = tf.stack([maps[:, :, v : v + left] for v in range(rows)])
    columns = tf.reshape(shifted, (rows * inputs, side * left))
    sums = bias[:, None]
    for u in range(rows):
        by_row = tf.reshape(kernel[u], (rows * inputs, outputs))
        sums += tf.transpose(by_row) @ columns[:, u * left : (u + left) * left]
    return scaled_tanh(tf.reshape(sums, (outputs, left, left)))


def _subsampled(maps: TfTensor, coefficient: TfTensor, bias: TfTensor) -> TfTensor:
    """Return `maps` (n, side, side), two by two added, times a coefficient, plus a bias, squashed."""
    count, half = maps.shape[0], maps.shape[1] // 2
    sums = tf.reduce_sum(tf.reshape(maps, (count, half, 2, half, 2)), axis=(2, 4))
    return scaled_tanh(sums * coefficient[:, None, None] + bias[:, None, None])
