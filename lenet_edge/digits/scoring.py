"""Error and agreement of answers, in percent."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def percent(marks: NDArray[Any]) -> float:
    """Return the share of true `marks`, in percent, rounded to four decimals."""
    return round(100 * float(np.mean(marks)), 4)


def error_of(answers: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the share of wrong `answers` (m,), in percent; a label of -1 in `labels` (m,) does not count."""
    return percent(answers[labels >= 0] != labels[labels >= 0])
