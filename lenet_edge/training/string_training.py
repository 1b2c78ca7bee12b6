"""Train the wide net on synthetic strings: the allowed answers of each window, their loss, the training.

In a synthetic field the centre of each digit is known, so each window has its own target: the digit if its
centre is within 2 pixels of the window's, "no character here" if no digit's centre is within 5 (3 beside an
equal digit, or nothing would separate the two). In between, either is allowed: the loss is over all allowed
answers together, so the net may choose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf
from converters.base.errors import InputError, expect
from converters.base.untyped import KerasModel, TfTensor
from converters.layers.definition import LossDefinition, class_for, define
from lenet_edge.digits.geometry import CLASSES, EMPTY, FIELD, STEP, windows
from lenet_edge.digits.mnist import Digits, pad
from lenet_edge.digits.string_fields.fields import DIGITS_PER_FIELD, Fields
from lenet_edge.digits.string_fields.strings import string_fields
from lenet_edge.packaged.files import released_folder
from lenet_edge.packaged.weights import load_weights
from lenet_edge.paper.answers import outputs_of
from lenet_edge.paper.layers import PACKAGE
from lenet_edge.paper.model import lenet5, string_teacher
from lenet_edge.runtime.string_decoder import greedy
from lenet_edge.training.found_fields import found_fields
from lenet_edge.training.loop import Recipe, Row, compiled, error_of_outputs, fit, soften
from lenet_edge.training.preparing import training_keras
from lenet_edge.training.score_calibration import fit_scale, probabilities
from lenet_edge.training.string_passes import WIDTH, StringPasses
from lenet_edge.training.workers import ONE_PROCESS, Workers

HELD_OUT_FIELDS = 500
"""The held-out fields of each kind that a training is measured on."""

Scores = Mapping[str, NDArray[np.floating[Any]]]
"""Scores (n, windows, 11) of held-out pictures by their kind."""

_SURE, _NEAR, _BETWEEN_EQUALS = 2.0, 5.0, 3.0  # pixels between the centre of a digit and of a window


def window_centres(width: int) -> NDArray[np.float32]:
    """Return the column of each window's centre in a picture of `width`."""
    return STEP * np.arange(windows(width), dtype=np.float32) + (FIELD - 1) / 2


def allowed_answers(fields: Fields) -> NDArray[np.bool_]:
    """Return which classes each window may answer: (n, windows, 11)."""
    offsets = np.abs(window_centres(fields.pictures.shape[2])[None, :, None] - fields.centres[:, None, :])
    near = np.where(np.isnan(offsets), np.inf, offsets)  # (n, windows, digits)
    labels = fields.labels.astype(np.int64)
    one_hot = np.eye(CLASSES, dtype=bool)[np.where(labels < 0, EMPTY, labels)]  # (n, digits, 11)
    reach = np.where(_beside_equal(labels), _BETWEEN_EQUALS, _NEAR)[:, None, :]
    may = ((near <= reach)[..., None] & one_hot[:, None]).any(axis=2)
    nearest = near.min(axis=2)
    sure = nearest <= _SURE
    only = np.take_along_axis(one_hot, near.argmin(axis=2)[..., None], axis=1)
    may[..., EMPTY] = True
    return np.where(sure[..., None], only, may)


def _beside_equal(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which digits have an equal digit next to them."""
    equal = (labels[:, 1:] == labels[:, :-1]) & (labels[:, 1:] >= 0)
    beside = np.zeros(labels.shape, bool)
    beside[:, 1:] |= equal
    beside[:, :-1] |= equal
    return beside


@define(package=PACKAGE)
class StringCrossEntropy(LossDefinition):
    """Cross-entropy of each window against all its allowed answers together, and against a teacher's answer.

    `y_true` (batch, windows, 11): 1 for each allowed class, 0 for the others; with `answers_weight`
    (batch, windows, 22): then the teacher's probabilities. `y_pred` (batch, 1, windows, 11): squared
    distances. The loss is minus the logarithm of the summed probability of the allowed classes, in
    softmax(-scale * distance); the teacher's answer has the share `answers_weight` (0..1) of it.
    """

    def __init__(self, *, scale: float = 0.1, answers_weight: float = 0.0, **options: Any) -> None:
        super().__init__(**options)
        expect(scale > 0, "scale above 0", scale)
        expect(0 <= answers_weight <= 1, "answers_weight of 0 to 1", answers_weight)
        self.scale = scale
        self.answers_weight = answers_weight

    def call(self, y_true: TfTensor, y_pred: TfTensor) -> TfTensor:
        """Return one value per window."""
        logarithms = self.ops.log_softmax(-self.scale * y_pred[:, 0])
        allowed, answers = y_true[..., :CLASSES], y_true[..., CLASSES:]
        loss = -self.ops.logsumexp(self.ops.where(allowed > 0, logarithms, -1e9), axis=-1)
        if not self.answers_weight:
            return loss
        from_answers = -self.ops.sum(answers * logarithms, axis=-1)
        return (1 - self.answers_weight) * loss + self.answers_weight * from_answers

    def get_config(self) -> dict[str, Any]:
        """Return the options along with Keras's own."""
        return {**super().get_config(), "scale": self.scale, "answers_weight": self.answers_weight}


def string_batches(
    passes: StringPasses, recipe: Recipe, *, first_epoch: int = 0, workers: Workers = ONE_PROCESS
) -> Any:
    """Return the tf.data.Dataset of all batches from `first_epoch` on: pixels, targets of StringCrossEntropy.

    One of several `workers` gets its part of each batch.
    """
    steps, size, places = string_steps(passes, recipe), recipe.batch_size, windows(WIDTH)
    part, values = workers.part(size), CLASSES * (2 if passes.teachers else 1)

    def epochs() -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
        for epoch in range(first_epoch, recipe.epochs):
            index = passes.index(epoch, epochs=recipe.epochs, gentle_share=recipe.gentle_share)
            all_fields = passes.fields(index)
            shuffled = np.random.default_rng((recipe.seed, epoch)).permutation(len(all_fields.labels))
            order = np.resize(shuffled, steps * size)  # a set may be a few fields short
            targets = _targets(passes, index, all_fields, recipe)[order].reshape(steps, size, places, values)
            yield all_fields.pictures[order].reshape(steps, size, FIELD, WIDTH)[:, part], targets[:, part]

    own = part.stop - part.start
    signature = (
        tf.TensorSpec((steps, own, FIELD, WIDTH), tf.uint8),
        tf.TensorSpec((steps, own, places, values), tf.float32),
    )
    dataset = tf.data.Dataset.from_generator(epochs, output_signature=signature).prefetch(1)
    dataset = dataset.flat_map(lambda p, t: tf.data.Dataset.from_tensor_slices((p, t)))
    return dataset.map(lambda p, t: (tf.cast(p, tf.float32)[..., None], t)).prefetch(8)


def _targets(passes: StringPasses, index: int, fields: Fields, recipe: Recipe) -> NDArray[np.float32]:
    """Return the targets of the `fields` of set `index`: the allowed answers, then the teachers' if any."""
    may = allowed_answers(fields).astype(np.float32)
    if not passes.teachers:
        return may
    return np.concatenate([may, soften(passes.answers(index), recipe.answers_temperature)], axis=2)


def string_steps(passes: StringPasses, recipe: Recipe) -> int:
    """Return the number of whole batches in a set."""
    steps = passes.size // recipe.batch_size
    expect(
        steps,
        f"{recipe.batch_size * DIGITS_PER_FIELD} digits or more (one batch)",
        len(passes.digits.labels),
    )
    return steps


def string_outputs(model: KerasModel, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the model's outputs (n, windows, 11) for uint8 pictures (n, 32, width)."""
    return outputs_of(model, pictures, batch=500)[:, 0]


class HeldOut:
    """Held-out digits, single and in strings of four, to monitor a training and to fit its scale on."""

    def __init__(self, digits: Digits, *, count: int | None = None) -> None:
        self.digits, count = digits, count or HELD_OUT_FIELDS
        self.fields = {
            spacing: string_fields(digits, count, seed=(1998, place), spacing=spacing, length=4, width=176)
            for place, spacing in enumerate(("touching", "normal"))
        }
        self.fields["cheque"] = found_fields(digits, count, seed=(1998, 2), width=240, whole=True)

    def measure(self, model: KerasModel) -> Row:
        """Return errors in percent: of single digits, and of strings read by the greedy decoder."""
        return self.errors(self.scores(lambda pictures: probabilities(-string_outputs(model, pictures))))

    def scores(self, scores_of: Callable[[NDArray[np.uint8]], NDArray[np.floating[Any]]]) -> Scores:
        """Return by kind, "digit" first, what `scores_of` gives (n, windows, 11) for pictures (n, 32, w)."""
        pictures = {kind: fields.pictures for kind, fields in self.fields.items()}
        return {kind: scores_of(one) for kind, one in {"digit": pad(self.digits.images), **pictures}.items()}

    def errors(self, scores: Scores) -> Row:
        """Return the errors of such `scores` in percent, as `measure` does."""
        single = scores["digit"][:, 0, :EMPTY]
        report = {"error": error_of_outputs(single, self.digits.labels, sign=1)}
        for spacing, fields in self.fields.items():
            read = zip(scores[spacing], fields.texts(), strict=True)
            wrong = [greedy(rows).text != text for rows, text in read]
            report[f"{spacing}_error"] = 100.0 * float(np.mean(wrong))
        return report

    def fitted_scale(self, model: KerasModel) -> float:
        """Return the scale that makes the scores most likely, over the windows with one allowed answer."""
        outputs, labels = [], []
        for fields in self.fields.values():
            may = allowed_answers(fields)
            one = may.sum(axis=2) == 1
            outputs.append(string_outputs(model, fields.pictures)[one])
            labels.append(may[one].argmax(axis=1))
        return fit_scale(np.concatenate(outputs), np.concatenate(labels), sign=-1)


def train_strings(
    recipe: Recipe,
    passes: StringPasses,
    held_out: Digits,
    *,
    start: Path | None = None,
    keep: float = 0.0,
    out: Path,
    resume: bool = False,
    verbose: int = 1,
    workers: Workers = ONE_PROCESS,
) -> tuple[KerasModel, float, list[Row]]:
    """Train the wide net by `recipe`; return it with its averaged weights, its scale and its history.

    The recipe's model is "lenet5", or "teacher" for `string_teacher`. lenet5 starts from the weights in
    `start`, without one from those of the released lenet5; it learns from the teachers of `passes`, too. A
    teacher starts from `start`, or from random weights of the recipe's seed. In the end a share
    `keep` (0..1) of these is kept: the net is the weighted mean of both (Wortsman et al., "Robust fine-tuning
    of zero-shot models", 2022), which forgets less of what the start could read. `out`, `resume`, `workers`
    and errors as for lenet_edge.training.loop.train.
    """
    steps, held = string_steps(passes, recipe), HeldOut(held_out)
    weight = recipe.answers_weight if passes.teachers else 0.0
    loss = class_for(StringCrossEntropy, training_keras())(scale=recipe.distance_scale, answers_weight=weight)
    model = compiled(lambda keras: _begun(recipe, start, keras), loss, recipe, steps=steps, workers=workers)
    begun = [variable.numpy() for variable in model.trainable_variables]
    history = fit(
        model,
        lambda epoch: string_batches(passes, recipe, first_epoch=epoch, workers=workers),
        lambda trained: {f"held_out_{name}": value for name, value in held.measure(trained).items()},
        epochs=recipe.epochs,
        steps=steps,
        out=out,
        resume=resume,
        verbose=verbose,
        workers=workers,
    )
    for variable, old in zip(model.trainable_variables, begun, strict=True):
        variable.assign(keep * old + (1 - keep) * variable.numpy())
    return model, held.fitted_scale(model), history


def _begun(recipe: Recipe, start: Path | None, keras: ModuleType) -> KerasModel:
    """Return the net that the recipe names, with the weights that its training starts from."""
    if recipe.model == "lenet5":
        return _starting_from(start or released_folder() / "lenet5.npz", keras)
    model = string_teacher(keras=keras)
    if start:
        load_weights(model, start)
    return model


def _starting_from(weights: Path, keras: ModuleType) -> KerasModel:
    """Return the wide net with the eleventh code, and `weights` of lenet5 or of lenet5_wide."""
    model, start = lenet5(wide=True, empty=True, keras=keras), lenet5(wide=True, keras=keras)
    try:
        load_weights(start, weights)
    except InputError:  # not lenet5's; if they are not the wide net's either, that is the error
        load_weights(model, weights)
        return model
    for layer in start.layers:
        if layer.trainable_weights:
            model.get_layer(layer.name).set_weights(layer.get_weights())
    return model
