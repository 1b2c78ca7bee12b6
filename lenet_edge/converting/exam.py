"""What a model and its files are checked on: the digits as it takes them, and what it should answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lenet_edge.digits.mnist import Digits, pad
from lenet_edge.digits.scoring import error_of
from lenet_edge.digits.side_by_side import side_by_side
from lenet_edge.paper.answers import answers_of, as_input, is_wide


class Exam(NamedTuple):
    """Pictures, and what they show.

    `inputs`: float32 (n, ...) as a model takes them. `labels` (m,): of each answer that it gives to them, one
    a picture or, of a wide model, one a window; -1 where no digit is in the window's middle.
    """

    inputs: NDArray[np.float32]
    labels: NDArray[np.int64]

    @property
    def digits(self) -> int:
        """How many answers are about a digit."""
        return int((self.labels >= 0).sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class TakenExam:
    """An exam, and the answers (m, classes) that the original gives in it."""

    exam: Exam
    answers: NDArray[np.float32]

    @property
    def error(self) -> float:
        """The share of digits that the original reads wrongly, in percent."""
        return error_of(self.answers.argmax(axis=1), self.exam.labels)


def exam_of(model: Any, digits: Digits) -> Exam:
    """Return `digits` as the Keras `model` takes them: one by one or, for a wide one, side by side."""
    pictures, labels = side_by_side(digits) if is_wide(model) else (pad(digits.images), digits.labels)
    return Exam(as_input(model, pictures).numpy(), labels.astype(np.int64).reshape(-1))


def taken_by(model: Any, digits: Digits) -> TakenExam:
    """Return the exam of the Keras `model` on `digits`, with its own answers."""
    exam = exam_of(model, digits)
    return TakenExam(exam=exam, answers=answers_of(model, exam.inputs))
