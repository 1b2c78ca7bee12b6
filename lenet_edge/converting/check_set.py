"""The digits that a model and its files are checked on, and the answers of the original."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from converters.base.untyped import KerasModel
from lenet_edge.digits.mnist import Digits, pad
from lenet_edge.digits.scoring import error_of
from lenet_edge.digits.side_by_side import side_by_side
from lenet_edge.paper.answers import answers_of, as_input, is_wide


class CheckSet(NamedTuple):
    """A model's inputs, and the label of each answer.

    `inputs`: float32 (n, ...), in the model's input shape. `labels` (m,): one per picture or, for a wide
    model, one per window; -1 where no digit is in the middle of the window.
    """

    inputs: NDArray[np.float32]
    labels: NDArray[np.int64]

    @property
    def digits(self) -> int:
        """How many answers have a digit as their label."""
        return int((self.labels >= 0).sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class Baseline:
    """A check set, and the original's answers (m, classes) to it."""

    check_set: CheckSet
    answers: NDArray[np.float32]

    @property
    def error(self) -> float:
        """The share of digits that the original misreads, in percent."""
        return error_of(self.answers.argmax(axis=1), self.check_set.labels)


def check_set_of(model: KerasModel, digits: Digits) -> CheckSet:
    """Return `digits` as inputs of the Keras `model`: one by one or, for a wide model, side by side."""
    pictures, labels = side_by_side(digits) if is_wide(model) else (pad(digits.images), digits.labels)
    return CheckSet(as_input(model, pictures), labels.astype(np.int64).reshape(-1))


def baseline_of(model: KerasModel, digits: Digits) -> Baseline:
    """Return the check set made of `digits`, with the answers of the Keras `model`, the original."""
    check_set = check_set_of(model, digits)
    return Baseline(check_set=check_set, answers=answers_of(model, check_set.inputs))
