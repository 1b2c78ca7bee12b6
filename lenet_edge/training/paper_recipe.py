"""The paper's own recipe: 20 passes, one digit at a time, eq. 9, stochastic diagonal Levenberg-Marquardt.

Pages 11 and 12, appendix C. No distortions. The step of weight k is eta / (mu + h_kk), where h_kk is the
second derivative of the criterion with respect to w_k. Two departures, both because the recipe as printed
diverges within the first thousand digits: h_kk is estimated every 1,000 digits instead of once per pass, and
the first 3,000 digits are learnt at a fifth of the printed eta.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from tqdm import tqdm

from converters.base.environment import tf
from converters.base.kerases import keras_of
from converters.base.untyped import KerasModel, TfTensor
from lenet_edge.digits.mnist import Digits, pad
from lenet_edge.paper.answers import as_input, outputs_of
from lenet_edge.paper.in_keras import classes
from lenet_edge.paper.model import lenet5
from lenet_edge.training.loop import Row, error_of_outputs
from lenet_edge.training.preparing import training_keras
from lenet_edge.training.results import Trained

# "The values of the global learning rate eta ... was 0.0005 for the first two passes, 0.0002 for the
# next three, 0.0001 for the next three, 0.00005 for the next 4, and 0.00001 thereafter."
SCHEDULE = (0.0005,) * 2 + (0.0002,) * 3 + (0.0001,) * 3 + (0.00005,) * 4 + (0.00001,) * 8
MU = 0.02
WARM_UP, WARM_UP_RATE = 3000, 0.2  # digits, share of eta; chosen on training digits, where 0.5 and 1 diverge
STRETCH, SAMPLES = 1000, 200  # digits between estimates of h_kk, digits per estimate


def train_as_printed(training: Digits, held_out: Digits, *, seed: int, verbose: int = 1) -> Trained:
    """Train LeNet-5 as printed, from `seed`; the history has a row per pass, printed too if `verbose`."""
    keras = training_keras()
    keras.utils.set_random_seed(seed)
    model = lenet5(keras=keras)
    pictures, labels = pad(training.images), training.labels.astype(np.int32)
    squares, one_stretch = _squared_derivatives(model), _stretch(model)
    history: list[Row] = []
    for number, eta in enumerate(tqdm(SCHEDULE, desc="passes", disable=not verbose)):
        order = np.random.default_rng((seed, number)).permutation(len(labels))
        total = 0.0
        for start in range(0, len(order), STRETCH):
            chosen = order[start : start + STRETCH]
            digits_before = number * len(order) + start
            rate = eta * (WARM_UP_RATE if digits_before < WARM_UP else 1)
            steps = [rate / (MU + h) for h in squares(as_input(model, pictures[chosen[:SAMPLES]]))]
            total += float(one_stretch(as_input(model, pictures[chosen]), tf.constant(labels[chosen]), steps))
        error = error_of_outputs(outputs_of(model, pad(held_out.images)), held_out.labels, sign=-1)
        history.append({"epoch": number + 1, "loss": total / len(order), "held_out_error": error})
        if verbose:
            tqdm.write(f"pass {number + 1}: loss {total / len(order):.3f}, held-out error {error:.2f} %")
    facts = {
        "recipe": "paper",
        "schedule": SCHEDULE,
        "warm_up": [WARM_UP, WARM_UP_RATE],
        "mu": MU,
        "seed": seed,
        "distortions": None,
    }
    return Trained(model=model, name="lenet5", history=history, facts=facts)


def _squared_derivatives(model: KerasModel) -> Callable[[TfTensor], list[TfTensor]]:
    """Return a function from pictures to each weight's h_kk, in the Gauss-Newton approximation.

    The second derivative of y_D = |x - c|^2, with respect to F6's output x, is 2. So h_kk = 2 sum over i of
    (dx_i / dw_k)^2, which is 2 E[(d(v.x) / dw_k)^2] for random signs v: one backward pass per digit instead
    of 84. The paper backpropagates diagonal second derivatives instead (appendix C), without the cross terms
    of shared weights, which are kept here.
    """
    features = keras_of(model).Model(model.input, model.get_layer("F6").output)
    weights = model.trainable_variables

    @tf.function(reduce_retracing=True)
    def squares(pictures: TfTensor) -> list[TfTensor]:
        signs = tf.sign(tf.random.stateless_uniform((tf.shape(pictures)[0], 84), (1998, 84)) - 0.5)
        totals = [tf.zeros_like(weight) for weight in weights]
        for index in tf.range(tf.shape(pictures)[0]):
            with tf.GradientTape() as tape:
                projected = tf.reduce_sum(features(pictures[index][None]) * signs[index])
            gradients = tape.gradient(projected, weights)
            totals = [total + tf.square(gradient) for total, gradient in zip(totals, gradients, strict=True)]
        return [2 * total / tf.cast(tf.shape(pictures)[0], tf.float32) for total in totals]

    return squares


def _stretch(model: KerasModel) -> Callable[[TfTensor, TfTensor, list[TfTensor]], TfTensor]:
    """Return a function that takes one step per digit over some digits and returns the sum of losses."""
    loss_of, weights = classes(keras_of(model)).MAPLoss(), model.trainable_variables

    @tf.function(reduce_retracing=True)
    def stretch(pictures: TfTensor, labels: TfTensor, steps: list[TfTensor]) -> TfTensor:
        total = 0.0
        for index in tf.range(tf.shape(pictures)[0]):
            with tf.GradientTape() as tape:
                loss = loss_of(labels[index][None], model(pictures[index][None], training=True))
            for weight, step, gradient in zip(weights, steps, tape.gradient(loss, weights), strict=True):
                weight.assign_sub(step * gradient)
            total += loss
        return total

    return stretch
