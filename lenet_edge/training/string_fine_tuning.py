"""Quantisation-aware fine-tuning of the wide net, which learns the exact model's answer to each window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.untyped import KerasModel, TfTensor
from lenet_edge.digits.geometry import CLASSES
from lenet_edge.paper.answers import rows_of
from lenet_edge.training.fine_tuning import Learning, divergence, fit, softened_cross_entropy
from lenet_edge.training.loop import Recipe, Row
from lenet_edge.training.string_passes import StringPasses
from lenet_edge.training.string_training import HeldOut, Scores, string_batches, string_outputs, string_steps


def window_cross_entropy(temperature: float) -> Callable[[TfTensor, TfTensor], TfTensor]:
    """Return the loss of scores (batch, 1, windows, 11) with the targets of `string_batches` with a teacher.

    The teacher's answer counts alone, softened as the scores are. With a fifth of the loss from what a window
    may answer, the rounding model went away from the exact one, and read no more held-out strings.
    """
    softened = softened_cross_entropy(temperature)

    def window_cross_entropy(y_true: TfTensor, y_pred: TfTensor) -> TfTensor:
        return softened(y_true[..., CLASSES:], y_pred[:, 0])

    return window_cross_entropy


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOutAnswers:
    """The held-out digits and strings, `held`, with the `exact` model's scores of each kind."""

    held: HeldOut
    exact: Scores

    def measure(self, model: KerasModel) -> Row:
        """Return for the history the errors of `model` by kind, in percent, and its divergence (nats)."""
        scores = self.held.scores(lambda pictures: string_outputs(model, pictures))
        errors = {f"held_out_{name}": value for name, value in self.held.errors(scores).items()}
        return {**errors, "held_out_divergence": divergence(all_windows(scores), all_windows(self.exact))}


def all_windows(scores: Scores) -> NDArray[np.floating[Any]]:
    """Return the scores (m, 11) of the windows of all kinds."""
    return np.concatenate([rows_of(one) for one in scores.values()])


def nearest_of(history: list[Row]) -> Row:
    """Return the row of the weights that are nearest to the exact model on the held-out windows.

    The errors decide nothing: a model as near as these misreads as many strings but for chance, and a choice
    among a few epochs would only find the luckiest.
    """
    return min(history, key=lambda row: row["held_out_divergence"])


def fine_tune_on_strings(
    model: KerasModel,
    recipe: Recipe,
    passes: StringPasses,
    answers: HeldOutAnswers,
    *,
    out: Path,
    resume: bool = False,
    verbose: int = 1,
) -> list[Row]:
    """Fine-tune the wide `model` in place to its best weights; return its history.

    The teacher of `passes` is the exact model. The rest and errors as for
    `lenet_edge.training.fine_tuning.fit`; also raises InputError if the digits are too few for a batch.
    """
    learning = Learning(
        batches=lambda epoch: string_batches(passes, recipe, first_epoch=epoch),
        steps=string_steps(passes, recipe),
        loss=window_cross_entropy(recipe.answers_temperature),
        measure=answers.measure,
        best=nearest_of,
    )
    return fit(model, recipe, learning, out=out, resume=resume, verbose=verbose)
