"""Quantisation-aware fine-tuning: the rounding model learns to answer as the exact model does.

The rounding model, its loss, optimizer and callbacks are of Keras 2, which tensorflow-model-optimization
needs; the exact model may be of either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf
from converters.base.files import write_json
from converters.base.kerases import KERAS_2, import_keras
from converters.base.untyped import KerasModel, TfTensor
from converters.model.quantize_aware import settle
from lenet_edge.digits.mnist import Digits, pad
from lenet_edge.packaged.weights import load_quantised, save_quantised
from lenet_edge.paper.answers import outputs_of
from lenet_edge.training.checkpoints import checkpoint_folder
from lenet_edge.training.distorted_passes import Passes
from lenet_edge.training.interrupts import iterators_let_go
from lenet_edge.training.loop import (
    Measure,
    Recipe,
    Row,
    as_pixels,
    batches,
    error_of_outputs,
    restore,
    steps_per_epoch_of,
)

_SMALLEST = 1e-7  # the floor of a score before its logarithm is taken

Best = Callable[[list[Row]], Row]


def fine_tuning_recipe(*, epochs: int, batch_size: int, learning_rate: float, seed: int) -> Recipe:
    """Return the recipe: no labels, only the exact model's answers; half of the epochs read gentle passes."""
    return Recipe(
        model="lenet5",
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        gentle_share=0.5,
        answers_weight=1.0,
        answers_temperature=2.0,
        seed=seed,
    )


def softened_cross_entropy(temperature: float) -> Callable[[TfTensor, TfTensor], TfTensor]:
    """Return the loss: cross-entropy of scores (batch, classes), softened, with targets softened alike."""

    def softened_cross_entropy(y_true: TfTensor, y_pred: TfTensor) -> TfTensor:
        logits = tf.math.log(tf.maximum(y_pred, _SMALLEST)) / temperature
        return tf.nn.softmax_cross_entropy_with_logits(y_true, logits)

    return softened_cross_entropy


def divergence(scores: NDArray[np.floating[Any]], exact: NDArray[np.floating[Any]]) -> float:
    """Return the mean Kullback-Leibler divergence (nats) of `scores` (n, classes) from the `exact` scores."""
    p, q = np.maximum(exact, _SMALLEST), np.maximum(scores, _SMALLEST)
    return float(np.mean(np.sum(p * (np.log(p) - np.log(q)), axis=1)))


def best_of(history: list[Row]) -> Row:
    """Return the row with the fewest held-out errors; among equals, the one nearest to the exact model."""
    return min(history, key=lambda row: (row["held_out_error"], row["held_out_divergence"]))


@dataclass(frozen=True, kw_only=True, eq=False)
class _EpochEnd:
    """Measures the settled model, saves the best by `best`, writes checkpoint and history."""

    model: KerasModel
    measure: Measure
    best: Best
    manager: Any  # a tf.train.CheckpointManager
    history: list[Row]

    @property
    def best_file(self) -> Path:
        """The file of the best weights so far."""
        return Path(self.manager.directory) / "best.npz"

    def __call__(self, epoch: int, logs: Row) -> None:
        settle(self.model)
        logs.update(self.measure(self.model))
        self.history.append({"epoch": epoch + 1, **{name: float(value) for name, value in logs.items()}})
        if self.best(self.history) == self.history[-1]:
            save_quantised(self.model, self.best_file)
        # Numbered by history rows: `restore` cuts the history to the number of the newest checkpoint.
        self.manager.save(len(self.history))
        write_json(Path(self.manager.directory) / "history.json", self.history)


@dataclass(frozen=True, kw_only=True, eq=False)
class Learning:
    """What a rounding model learns, and how it is measured.

    `batches(epoch)`: a tf.data.Dataset of all batches from that epoch on, `steps` per epoch. `loss`: for
    Keras 2. `measure` returns entries for a row of the history, of which `best` chooses one.
    """

    batches: Callable[[int], Any]
    steps: int
    loss: Callable[[TfTensor, TfTensor], TfTensor]
    measure: Measure
    best: Best


def fit(
    model: KerasModel,
    recipe: Recipe,
    learning: Learning,
    *,
    out: Path,
    resume: bool = False,
    verbose: int = 1,
) -> list[Row]:
    """Fine-tune `model` (from `quantize_aware`, of Keras 2) in place to its best weights; return its history.

    The history has a row per epoch; row 0 is the model before the first step, and may be the best.
    `out`/checkpoints holds the state after each epoch; `resume` continues from there, to the same weights.
    Raises InputError if `out` holds a run without `resume`, or none with it.
    """
    keras = import_keras(KERAS_2)
    rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, recipe.epochs * learning.steps)
    optimizer = keras.optimizers.Adam(rate, jit_compile=False)
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, learning.loss)
    state = tf.train.Checkpoint(model=model, optimizer=optimizer)
    manager = tf.train.CheckpointManager(state, str(checkpoint_folder(out)), max_to_keep=2)
    history = restore(manager, resume=resume)
    end = _EpochEnd(
        model=model, measure=learning.measure, best=learning.best, manager=manager, history=history
    )
    if not history:
        end(-1, {})  # the row of epoch 0
    done = len(history) - 1
    with iterators_let_go():
        model.fit(
            learning.batches(done),
            steps_per_epoch=learning.steps,
            initial_epoch=done,
            epochs=recipe.epochs,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=end)],
            verbose=verbose,
        )
    load_quantised(model, end.best_file)
    return history


def fine_tune(
    model: KerasModel,
    recipe: Recipe,
    passes: Passes,
    held_out: Digits,
    *,
    exact: NDArray[np.float32],
    out: Path,
    resume: bool = False,
    verbose: int = 1,
) -> list[Row]:
    """Fine-tune `model`, which reads one digit, in place to its best weights; return its history.

    `exact`: the exact model's scores (n, 10) of the held-out digits; `passes` has that model as its teacher.
    The rest and errors as for `fit`.
    """
    pictures = pad(held_out.images)

    def measure(model: KerasModel) -> Row:
        scores = outputs_of(model, pictures)
        return {
            "held_out_error": error_of_outputs(scores, held_out.labels, sign=1),
            "held_out_divergence": divergence(scores, exact),
        }

    learning = Learning(
        batches=lambda epoch: as_pixels(model, batches(passes, recipe, first_epoch=epoch)),
        steps=steps_per_epoch_of(passes, recipe),
        loss=softened_cross_entropy(recipe.answers_temperature),
        measure=measure,
        best=best_of,
    )
    return fit(model, recipe, learning, out=out, resume=resume, verbose=verbose)
