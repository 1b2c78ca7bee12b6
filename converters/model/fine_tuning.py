"""Fine-tune a Keras model for int8 in one call: fold, round as the file will, train, keep the best epoch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from converters.base.environment import tf
from converters.base.errors import InputError, expect
from converters.base.kerases import KERAS_2, TITLES, check_backend, import_keras, keras_name, keras_of
from converters.base.untyped import KerasLoss, KerasModel, KerasOptimizer, TfTensor, TrainingData
from converters.model.calibration_samples import Range
from converters.model.folding import fold
from converters.model.graph import check_model, graph_of
from converters.model.quantize_aware import quantize_aware, settle
from converters.model.training_batches import Batch, Batches, batches_of
from converters.model.twin_layers import first_line, twin_optimizer
from converters.model.unrounded import check_unrounded

keras = import_keras(KERAS_2)  # what tensorflow-model-optimization fine-tunes

LEARNING_RATE = 1e-5
"""Of Adam. Kernels of raw pixels have weights of a thousandth, which steps of 1e-4 would tear apart."""

_CALIBRATION = 500
_EXACT_BATCH = 256

_Loss = Callable[[TfTensor, TfTensor], TfTensor]


def fine_tune(
    model: KerasModel,
    data: TrainingData,
    *,
    epochs: int,
    loss: KerasLoss = None,
    learning_rate: float = LEARNING_RATE,
    optimizer: KerasOptimizer = None,
    batch_size: int = 32,
    steps_per_epoch: int | None = None,
    validation_data: TrainingData = None,
    calibration: NDArray[np.number[Any]] | None = None,
    input_range: Range | None = None,
    weight_bits: int = 8,
    per_channel: bool = True,
    seed: int = 0,
    verbose: bool = True,
) -> KerasModel:
    """Return `model` fine-tuned for int8: pass it to `to_tflite(..., precision="int8")`.

    The model is folded (`fold`), made to round as its file will (`quantize_aware`), trained for `epochs`
    passes over `data`, and settled (`settle`). `model`: a trained functional or sequential model of Keras 3
    or Keras 2 with one input and one output; it is not changed. The result is a Keras 2 model, because
    tensorflow-model-optimization works with no other.

    `data`: inputs (n, ...); or a tuple of inputs and labels (n, ...); or something that yields either as
    batches: a tf.data.Dataset, a PyDataset, a list, a generator. Without a `loss`, labels are not read: the
    rounding model learns the exact model's answers, by the Kullback-Leibler divergence if that ends in a
    softmax, by the cross-entropy if it ends in a sigmoid, else by the mean squared error. `loss`, for labels:
    a name, a function or an object of either Keras; `loss(labels, outputs)` must compute on TensorFlow's
    tensors, as a function that uses `keras.ops` does.

    `learning_rate`: that of Adam, or of the `optimizer` if that is a name; an optimizer object has its own.
    `batch_size`, and `seed`, from which the order of the samples is drawn, are for arrays. `steps_per_epoch`:
    the number of batches in an epoch, for data that never ends or can be read only once. `validation_data`:
    in the same forms; the weights with the least loss on it are kept, of all epochs and of the start. Without
    it, the last weights are kept. `calibration`, `input_range`, `weight_bits`, `per_channel`: as for
    `quantize_aware`; by default up to 500 inputs of `data` calibrate. `verbose`: whether to show a progress
    bar.

    Raises InputError, before it trains: no such model; data in another form or of another shape; labels that
    are missing or do not fit the loss; a number out of its range; what `fold` and `quantize_aware` refuse.
    """
    _check_model(model)
    _check_numbers(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate)
    expect(steps_per_epoch is None or steps_per_epoch >= 1, "steps_per_epoch of 1 or more", steps_per_epoch)
    training = batches_of(
        data, model, batch_size=batch_size, epochs=epochs, steps_per_epoch=steps_per_epoch, seed=seed
    )
    validation = None
    if validation_data is not None:
        validation = batches_of(validation_data, model, batch_size=batch_size, epochs=epochs + 1)
    optimizer = _optimizer(optimizer, learning_rate)
    exact = fold(model)
    goal = _Goal(exact=exact, loss=_loss(loss, exact, training.first()), has_labels=loss is not None)
    for batches in filter(None, (training, validation)):
        _check_goal(goal, batches.first())
    rounding = quantize_aware(
        exact,
        calibration=training.samples(_CALIBRATION) if calibration is None else np.asarray(calibration),
        input_range=input_range,
        weight_bits=weight_bits,
        per_channel=per_channel,
    )
    rounding.compile(optimizer, goal.loss)
    _train(rounding, goal, training, validation, epochs=epochs, verbose=verbose)
    return rounding


@dataclass(frozen=True, kw_only=True, eq=False)
class _Goal:
    """What the rounding model learns with `loss`: labels (`has_labels`), or the `exact` model's answers."""

    exact: KerasModel
    loss: _Loss
    has_labels: bool

    def targets(self, batch: Batch) -> NDArray[Any]:
        """Return what the outputs for `batch` are compared with."""
        if not self.has_labels:
            starts = range(0, len(batch.inputs), _EXACT_BATCH)
            parts = [batch.inputs[start : start + _EXACT_BATCH] for start in starts]
            return np.concatenate([np.asarray(self.exact(part, training=False)) for part in parts])
        expect(batch.labels is not None, "(inputs, labels) for a loss", "inputs alone")
        return np.asarray(batch.labels)


@dataclass(kw_only=True, eq=False)
class _Best:
    """The weights with the least loss so far."""

    loss: float = math.inf
    weights: list[NDArray[Any]] = field(default_factory=list)

    def see(self, model: KerasModel, loss: float) -> None:
        """Keep the weights of `model`, whose loss this is, if it is the least."""
        if loss < self.loss:
            self.loss, self.weights = loss, model.get_weights()


def _train(
    model: KerasModel,
    goal: _Goal,
    training: Batches,
    validation: Batches | None,
    *,
    epochs: int,
    verbose: bool,
) -> None:
    """Train `model` in place, to its best weights if there is `validation`, and settle it."""
    best = _Best()
    if validation is not None:
        best.see(model, _loss_on(model, goal, validation))
    for epoch in range(epochs):
        title = f"epoch {epoch + 1} of {epochs}"
        with tqdm(desc=title, total=training.steps, disable=not verbose, unit="batch") as bar:
            for batch in training.epoch():
                value = model.train_on_batch(batch.inputs, goal.targets(batch))
                bar.set_postfix(loss=f"{value:.3g}", refresh=False)
                bar.update()
            settle(model)
            if validation is not None:
                held_out = _loss_on(model, goal, validation)
                best.see(model, held_out)
                bar.set_postfix(loss=f"{value:.3g}", validation_loss=f"{held_out:.3g}")
    if best.weights:
        model.set_weights(best.weights)


def _loss_on(model: KerasModel, goal: _Goal, batches: Batches) -> float:
    """Return the mean loss on all inputs."""
    total, count = 0.0, 0
    for batch in batches.epoch():
        total += float(model.test_on_batch(batch.inputs, goal.targets(batch))) * len(batch.inputs)
        count += len(batch.inputs)
    return total / count


def _check_model(model: KerasModel) -> None:
    check_model(model)
    check_backend(keras_of(model))
    check_unrounded(model)
    ends = len(model.inputs) == len(model.outputs) == 1
    expect(ends, "a model with one input and one output", f"{len(model.inputs)} and {len(model.outputs)}")


def _check_numbers(*, epochs: int, batch_size: int, learning_rate: float) -> None:
    for name, value in {"epochs": epochs, "batch_size": batch_size}.items():
        whole = isinstance(value, (int, np.integer)) and value >= 1
        expect(whole, f"{name} of 1 or more, a whole number", value)
    rate = isinstance(learning_rate, (int, float)) and 0 < learning_rate < 1
    expect(rate, "a learning_rate above 0 and below 1", learning_rate)


def _check_goal(goal: _Goal, batch: Batch) -> None:
    """Raise InputError unless the loss takes the targets of `batch` and the model's outputs for it."""
    targets = goal.targets(batch)
    outputs = tf.convert_to_tensor(np.asarray(goal.exact(batch.inputs, training=False)))
    try:
        value = np.asarray(goal.loss(tf.convert_to_tensor(targets), outputs))
    except Exception as error:  # of many kinds: a custom function may do anything
        raise InputError(
            f"expected a loss that takes labels of shape {targets.shape} and outputs of shape "
            f"{tuple(outputs.shape)}, got {type(error).__name__}: {first_line(error)}"
        ) from error
    expect(np.isfinite(value).all(), "a finite loss before the first step", "NaN or infinity")


def _loss(loss: KerasLoss, exact: KerasModel, batch: Batch) -> _Loss:
    """Return the function of (targets, outputs) to minimise; `batch`: one to train on."""
    if loss is None:
        return _own_loss(exact)
    home = keras_of(exact)
    try:
        found = home.losses.get(loss) if isinstance(loss, str) else loss
    except ValueError as error:
        raise InputError(f"expected a loss that {TITLES[home.__name__]} knows, got {loss!r}") from error
    expect(callable(found), "a loss: a name, a function or an object of keras.losses", type(found).__name__)

    flat = batch.labels is not None and batch.labels.ndim == 1

    @tf.autograph.experimental.do_not_convert
    def computed(targets: TfTensor, outputs: TfTensor) -> TfTensor:
        # Keras 2 makes (n, 1) of labels (n,); Keras 3, whose loss it may be, does not.
        return found(tf.reshape(targets, [-1]) if flat else targets, outputs)

    return computed


def _own_loss(exact: KerasModel) -> _Loss:
    """Return how far outputs are from those of the model `exact`."""
    losses = {"softmax": keras.losses.KLDivergence, "sigmoid": keras.losses.BinaryCrossentropy}
    loss: _Loss = losses.get(_last_function(exact), keras.losses.MeanSquaredError)()
    return loss


def _last_function(model: KerasModel) -> str:
    """Return the name of the function that a model's output comes from: "softmax", "linear", ..."""
    graph = graph_of(model)
    layer = next(call.layer for call in graph.calls if graph.outputs[0] in call.outputs)
    activation = getattr(layer, "activation", None)
    return str(getattr(activation, "__name__", type(layer).__name__.lower()))


def _optimizer(optimizer: KerasOptimizer, learning_rate: float) -> KerasOptimizer:
    """Return the optimizer of Keras 2 for a name, or for one of either Keras; None: Adam."""
    if optimizer is None:
        return keras.optimizers.Adam(learning_rate)
    if isinstance(optimizer, str):
        try:
            found = keras.optimizers.get(optimizer)
        except ValueError as error:
            raise InputError(
                f"expected an optimizer that {TITLES[KERAS_2]} knows, got {optimizer!r}"
            ) from error
        found.learning_rate = learning_rate
        return found
    if keras_name(optimizer) == KERAS_2:
        known = isinstance(optimizer, keras.optimizers.Optimizer)
        expect(known, "an optimizer", type(optimizer).__name__)
        return type(optimizer).from_config(optimizer.get_config())
    return twin_optimizer(optimizer)
