"""Shares in percent: how many answers are wrong, how many agree."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def percent(marks: NDArray[Any]) -> float:
    """Return the share of true `marks`, in percent, to four places."""
    return round(100 * float(np.mean(marks)), 4)


def error_of(answers: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the share of wrong `answers` (m,), in percent, where `labels` (m,) has one and not -1."""
    return percent(answers[labels >= 0] != labels[labels >= 0])
