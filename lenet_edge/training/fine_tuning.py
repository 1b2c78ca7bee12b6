"""Quantisation-aware fine-tuning: the rounding model learns to answer as the exact model does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import keras, tf
from converters.base.files import write_json
from converters.model.quantize_aware import settle
from lenet_edge.digits.mnist import Digits, pad
from lenet_edge.packaged.weights import load_quantised, save_quantised
from lenet_edge.paper.answers import as_input, outputs_of
from lenet_edge.training.checkpoints import checkpoint_folder
from lenet_edge.training.distorted_passes import Passes
from lenet_edge.training.loop import Recipe, Row, batches, error_of_outputs, restore, steps_per_epoch_of

_SMALLEST = 1e-7  # the floor of a score before its logarithm is taken


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


class SoftenedCrossEntropy(keras.losses.Loss):
    """Cross-entropy of scores (batch, classes), softened by `temperature`, with targets softened alike."""

    def __init__(self, *, temperature: float) -> None:
        super().__init__(name="softened_cross_entropy")
        self.temperature = temperature

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per row."""
        logits = tf.math.log(tf.maximum(y_pred, _SMALLEST)) / self.temperature
        return tf.nn.softmax_cross_entropy_with_logits(y_true, logits)


def divergence(scores: NDArray[np.floating[Any]], exact: NDArray[np.floating[Any]]) -> float:
    """Return the mean Kullback-Leibler divergence (nats) of `scores` (n, 10) from the `exact` scores."""
    p, q = np.maximum(exact, _SMALLEST), np.maximum(scores, _SMALLEST)
    return float(np.mean(np.sum(p * (np.log(p) - np.log(q)), axis=1)))


class _EpochEnd(keras.callbacks.Callback):
    """Measures the settled model on the held-out digits, saves the best, writes checkpoint and history."""

    def __init__(
        self, exact: NDArray[np.float32], held_out: Digits, manager: Any, history: list[Row]
    ) -> None:
        super().__init__()
        self.pictures, self.labels = pad(held_out.images), held_out.labels
        self.exact, self.manager, self.history = exact, manager, history

    @property
    def best_file(self) -> Path:
        """The file of the best weights so far."""
        return Path(self.manager.directory) / "best.npz"

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = logs if logs is not None else {}
        settle(self.model)
        scores = outputs_of(self.model, self.pictures)
        logs["held_out_error"] = error_of_outputs(scores, self.labels, sign=1)
        logs["held_out_divergence"] = divergence(scores, self.exact)
        self.history.append({"epoch": epoch + 1, **{name: float(value) for name, value in logs.items()}})
        if best_of(self.history) == self.history[-1]:
            save_quantised(self.model, self.best_file)
        # Numbered by history rows: `restore` cuts the history to the number of the newest checkpoint.
        self.manager.save(len(self.history))
        write_json(Path(self.manager.directory) / "history.json", self.history)


def best_of(history: list[Row]) -> Row:
    """Return the row with the fewest held-out errors; among equals, the one nearest to the exact model."""
    return min(history, key=lambda row: (row["held_out_error"], row["held_out_divergence"]))


def fine_tune(
    model: Any,
    recipe: Recipe,
    passes: Passes,
    held_out: Digits,
    *,
    exact: NDArray[np.float32],
    out: Path,
    resume: bool = False,
    verbose: int = 1,
) -> list[Row]:
    """Fine-tune `model` (from `quantize_aware`) in place to its best weights; return its history.

    The history has a row per epoch; row 0 is the model before the first step, and may be the best. `exact`:
    the exact model's scores (n, 10) of the held-out digits; `passes` has that model as its teacher.
    `out`/checkpoints holds the state after each epoch; `resume` continues from there, to the same weights.
    Raises InputError if `out` holds a run without `resume`, or none with it.
    """
    steps = steps_per_epoch_of(passes, recipe)
    rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, recipe.epochs * steps)
    optimizer = keras.optimizers.Adam(rate, jit_compile=False)
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, SoftenedCrossEntropy(temperature=recipe.answers_temperature))
    state = tf.train.Checkpoint(model=model, optimizer=optimizer)
    manager = tf.train.CheckpointManager(state, str(checkpoint_folder(out)), max_to_keep=2)
    history = restore(manager, resume=resume)
    end = _EpochEnd(exact, held_out, manager, history)
    end.set_model(model)
    if not history:
        end.on_epoch_end(-1)  # the row of epoch 0
    done = len(history) - 1
    dataset = batches(passes, recipe, first_epoch=done)
    dataset = dataset.map(lambda pictures, targets: (as_input(model, pictures), targets))
    model.fit(
        dataset,
        steps_per_epoch=steps,
        initial_epoch=done,
        epochs=recipe.epochs,
        callbacks=[end],
        verbose=verbose,
    )
    load_quantised(model, end.best_file)
    return history
