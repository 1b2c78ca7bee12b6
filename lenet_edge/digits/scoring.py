"""The error of answers, in percent."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from converters.base.arrays import percent


def error_of(answers: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the share of wrong `answers` (m,), in percent; a label of -1 in `labels` (m,) does not count."""
    return percent(answers[labels >= 0] != labels[labels >= 0])
