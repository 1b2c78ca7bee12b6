"""The training loop: a recipe as data, batches from passes, checkpoints, averaged weights. In Keras 3."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf
from converters.base.errors import InputError, expect
from converters.base.files import write_json
from converters.base.untyped import KerasModel
from lenet_edge.digits.mnist import Digits, pad
from lenet_edge.packaged.weights import load_weights
from lenet_edge.paper.answers import outputs_of, seen_by
from lenet_edge.paper.in_keras import classes
from lenet_edge.paper.model import lenet5, stock_lenet5, teacher
from lenet_edge.training.checkpoints import check_start, checkpoint_folder
from lenet_edge.training.distorted_passes import Passes
from lenet_edge.training.interrupts import iterators_let_go
from lenet_edge.training.preparing import training_keras
from lenet_edge.training.workers import ONE_PROCESS, Workers

Row = dict[str, float]
"""One epoch in a history: its number, the loss and what was measured, errors in percent."""

Measure = Callable[[KerasModel], Row]
ModelName = Literal["lenet5", "stock", "teacher"]
BUILDERS: dict[str, Callable[..., KerasModel]] = {"lenet5": lenet5, "stock": stock_lenet5, "teacher": teacher}


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: every number that decides the result, except those of the passes."""

    model: ModelName = "lenet5"
    epochs: int = 300
    batch_size: int = 128
    learning_rate: float = 2e-3  # at the start; it falls to 0 along a cosine
    weight_decay: float = 0.02
    averaging: float = 0.999  # momentum of the moving average of the weights; less in a short training
    distance_scale: float = 0.1  # softmax(-scale * distance) while training lenet5
    gentle_share: float = 0.2  # share of the epochs, at the end, that read gentle passes
    answers_weight: float = 0.8  # weight of the teachers' answers; the labels have the rest
    answers_temperature: float = 2.0
    seed: int = 1998

    def __post_init__(self) -> None:
        expect(self.model in BUILDERS, f"one of {', '.join(BUILDERS)}", self.model)
        expect(
            self.epochs >= 1 and self.batch_size >= 1,
            "1 epoch or more and batches of 1 digit or more",
            (self.epochs, self.batch_size),
        )


def loss_of(recipe: Recipe) -> Any:
    """Return the loss for the recipe's model, on targets (batch, 10)."""
    keras = training_keras()
    if recipe.model == "lenet5":
        return classes(keras).DistanceCrossEntropy(scale=recipe.distance_scale)
    return keras.losses.CategoricalCrossentropy(from_logits=True)


def answers_sign(model_name: str) -> int:
    """Return -1 for a model that outputs distances (the smallest is the answer), 1 for logits."""
    return -1 if model_name == "lenet5" else 1


def soften(answers: NDArray[np.floating[Any]], temperature: float) -> NDArray[np.float32]:
    """Return probabilities (..., classes) at a higher temperature: p^(1/T), rows of sum 1."""
    powers = answers.astype(np.float32) ** np.float32(1 / temperature)
    return powers / powers.sum(axis=-1, keepdims=True)


def _targets(passes: Passes, index: int, recipe: Recipe) -> NDArray[np.float32]:
    labels = np.eye(10, dtype=np.float32)[passes.digits.labels]
    if not passes.teachers:
        return labels
    soft = soften(passes.answers(index), recipe.answers_temperature)
    return (1 - recipe.answers_weight) * labels + recipe.answers_weight * soft


def batches(passes: Passes, recipe: Recipe, *, first_epoch: int = 0, workers: Workers = ONE_PROCESS) -> Any:
    """Return the tf.data.Dataset of all batches from `first_epoch` on: uint8 pictures, float32 targets.

    One of several `workers` gets its part of each batch.
    """
    steps = steps_per_epoch_of(passes, recipe)
    size, part = recipe.batch_size, workers.part(recipe.batch_size)

    def epochs() -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
        for epoch in range(first_epoch, recipe.epochs):
            index = passes.index(epoch, epochs=recipe.epochs, gentle_share=recipe.gentle_share)
            order = np.random.default_rng((recipe.seed, epoch)).permutation(len(passes.digits.labels))
            chosen = order[: steps * size]
            pictures, targets = passes.pictures(index)[chosen], _targets(passes, index, recipe)[chosen]
            yield pictures.reshape(steps, size, 32, 32)[:, part], targets.reshape(steps, size, 10)[:, part]

    own = part.stop - part.start
    signature = (
        tf.TensorSpec((steps, own, 32, 32), tf.uint8),
        tf.TensorSpec((steps, own, 10), tf.float32),
    )
    dataset = tf.data.Dataset.from_generator(epochs, output_signature=signature)
    return dataset.flat_map(lambda p, t: tf.data.Dataset.from_tensor_slices((p, t))).prefetch(8)


def steps_per_epoch_of(passes: Passes, recipe: Recipe) -> int:
    """Return the number of whole batches in a pass."""
    steps = len(passes.digits.labels) // recipe.batch_size
    expect(steps, f"{recipe.batch_size} digits or more (one batch)", len(passes.digits.labels))
    return steps


def error_of_outputs(
    outputs: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], *, sign: int
) -> float:
    """Return the share of wrong answers, in percent; an answer is the argmax of sign * `outputs` (n, 10)."""
    return 100.0 * float(np.mean((sign * outputs).argmax(axis=1) != labels))


def as_pixels(model: KerasModel, batches: Any) -> Any:
    """Return the dataset `batches`, uint8 pictures (batch, 32, 32) and targets, with pixels for `model`."""
    return batches.map(lambda p, t: (tf.cast(seen_by(model, p), tf.float32)[..., None], t))


def _take_averages(model: KerasModel) -> None:
    """Set the weights of `model` to the averages that its optimizer keeps of them."""
    model.optimizer.finalize_variable_values(model.trainable_variables)


@contextlib.contextmanager
def _averaged(model: KerasModel) -> Iterator[None]:
    """Give `model` its averaged weights, and then its own back."""
    own = [variable.numpy() for variable in model.trainable_variables]
    _take_averages(model)
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, own, strict=True):
            variable.assign(value)


@dataclass(frozen=True, kw_only=True, eq=False)
class _EpochEnd:
    """Measures the averaged weights, then writes checkpoint and history: on the chief."""

    model: KerasModel
    measure: Measure
    manager: Any  # a tf.train.CheckpointManager
    history: list[Row]
    workers: Workers

    def __call__(self, epoch: int, logs: Row) -> None:
        (loss,) = self.workers.mean([tf.constant(logs["loss"], tf.float32)])
        logs["loss"] = float(loss)
        if not self.workers.is_chief:
            return
        with _averaged(self.model):
            logs.update(self.measure(self.model))
        self.manager.save(epoch + 1)
        self.history.append({"epoch": epoch + 1, **{name: float(value) for name, value in logs.items()}})
        write_json(Path(self.manager.directory) / "history.json", self.history)


def compiled(
    build: Callable[[ModuleType], KerasModel],
    loss: Any,
    recipe: Recipe,
    *,
    steps: int,
    workers: Workers = ONE_PROCESS,
) -> KerasModel:
    """Return a compiled model, its initial weights drawn from the recipe's seed; `steps`: per epoch.

    `build` makes the model in the Keras that it gets, as `loss` is made: `training_keras`.
    """
    keras = training_keras()
    keras.utils.set_random_seed(recipe.seed)
    model = build(keras)
    rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, recipe.epochs * steps)
    # The average reaches back over at most a tenth of the training, so it forgets the initial weights.
    averaging = min(recipe.averaging, max(0.0, 1 - 10 / (recipe.epochs * steps)))
    optimizer = workers.averaging(keras.optimizers.AdamW)(
        rate, weight_decay=recipe.weight_decay, use_ema=True, ema_momentum=averaging
    )
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, loss, jit_compile=False)
    return model


def fit(
    model: KerasModel,
    dataset_from: Callable[[int], Any],
    measure: Measure,
    *,
    epochs: int,
    steps: int,
    out: Path,
    resume: bool,
    verbose: int,
    workers: Workers,
) -> list[Row]:
    """Train a `compiled` model, set its weights to the averaged ones and return its history, a row per epoch.

    `dataset_from(epoch)`: a tf.data.Dataset of all batches from that epoch on, `steps` per epoch. `measure`
    gets the model with its averaged weights after each epoch, and returns entries for the row. `out`,
    `resume`, `workers` and errors as for `train`.
    """
    state = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
    manager = tf.train.CheckpointManager(state, str(checkpoint_folder(out)), max_to_keep=2)
    history = restore(manager, resume=resume, or_begin=workers.several) if workers.is_chief else []
    first_epoch = _take_from_chief(model, len(history), workers)
    if first_epoch < epochs:
        end = _EpochEnd(model=model, measure=measure, manager=manager, history=history, workers=workers)
        with iterators_let_go():
            model.fit(
                dataset_from(first_epoch),
                steps_per_epoch=steps,
                initial_epoch=first_epoch,
                epochs=epochs,
                shuffle=False,  # the batches are drawn from the seed
                callbacks=_callbacks(end, out),
                verbose=verbose if workers.is_chief else 0,
            )
    _take_averages(model)
    return history


def _take_from_chief(model: KerasModel, epochs: int, workers: Workers) -> int:
    """Give `model` and its optimizer the chief's values; return the chief's number of `epochs` done."""
    if not workers.several:
        return epochs
    variables = [*model.variables, *model.optimizer.variables]
    own = [variable.numpy() for variable in variables]
    *chiefs, done = workers.from_chief([*own, np.asarray(epochs)])
    for variable, chiefs_value in zip(variables, chiefs, strict=True):
        variable.assign(chiefs_value)
    return int(done)


def _callbacks(end: _EpochEnd, out: Path) -> list[Any]:
    callbacks = training_keras().callbacks
    ends = [callbacks.LambdaCallback(on_epoch_end=end)]
    return [*ends, callbacks.TensorBoard(str(out / "tensorboard"))] if end.workers.is_chief else ends


def train(
    recipe: Recipe,
    passes: Passes,
    held_out: Digits,
    *,
    start: Path | None = None,
    out: Path,
    resume: bool = False,
    verbose: int = 1,
    workers: Workers = ONE_PROCESS,
) -> tuple[KerasModel, list[Row]]:
    """Train by `recipe`; return the model with its averaged weights, and its history, a row per epoch.

    `start`: a file of the same net's weights to start from; without one they are drawn from the seed.

    `out`/checkpoints holds the state after each epoch; `resume` continues from there, to the same result as
    without the interruption. `out`/tensorboard holds TensorBoard's logs. Raises InputError if `out` holds a
    training without `resume`, or none with it.

    Several `workers` share each batch; the chief alone reads and writes `out`, measures and has a history.
    With them `resume` also begins: whoever starts them again uses the same words each time.
    """
    steps = steps_per_epoch_of(passes, recipe)
    model = compiled(
        lambda keras: _built(recipe, keras, start), loss_of(recipe), recipe, steps=steps, workers=workers
    )
    pictures, sign = pad(held_out.images), answers_sign(recipe.model)

    def measure(trained: KerasModel) -> Row:
        return {"held_out_error": error_of_outputs(outputs_of(trained, pictures), held_out.labels, sign=sign)}

    history = fit(
        model,
        lambda epoch: as_pixels(model, batches(passes, recipe, first_epoch=epoch, workers=workers)),
        measure,
        epochs=recipe.epochs,
        steps=steps,
        out=out,
        resume=resume,
        verbose=verbose,
        workers=workers,
    )
    return model, history


def _built(recipe: Recipe, keras: ModuleType, start: Path | None) -> KerasModel:
    model = BUILDERS[recipe.model](keras=keras)
    if start is not None:
        load_weights(model, start)
    return model


def restore(manager: Any, *, resume: bool, or_begin: bool = False) -> list[Row]:
    """Restore the newest checkpoint and return the history up to it; empty for a new training.

    Raises InputError like `lenet_edge.training.checkpoints.check_start`, and on the checkpoint of another
    model or of another Keras: these nets were once trained in Keras 2.
    """
    folder = Path(manager.directory)
    if not check_start(folder, resume=resume, or_begin=or_begin):
        return []
    newest = manager.latest_checkpoint
    try:
        manager.checkpoint.restore(newest).assert_consumed()
    # Of other weights, of other shapes, or damaged.
    except (AssertionError, ValueError, IndexError, tf.errors.OpError) as error:
        raise InputError(
            f"expected a training of this model to resume in {folder}, got a damaged one, one of another "
            "model, or one that an older lenet-edge began in Keras 2: begin anew in another folder"
        ) from error
    # If the process dies between checkpoint and history, the history is a row short or, resumed, too long.
    rows = json.loads((folder / "history.json").read_text())
    return rows[: int(newest.rsplit("-", 1)[1])]
