"""A cell of the parity matrix as data, which can be read and shown without TensorFlow."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

SCORE_STEP = 1 / 256
"""The unit of differences for every file: the step of an int8 file's scores."""


@dataclass(frozen=True)
class Cell:
    """How a model compares with the original in a runtime; shares in percent, differences in steps of 1/256.

    `largest`: the largest difference from the original's scores; `allowed`: the limit for that score. `used`:
    the largest share of its tolerance around the ideal kernel's score that a score takes up, in percent.
    `same`: the share of digits with the ideal kernel's bytes, None in floating point. `why`: the reason if
    the cell is out of tolerance, "" if it is within. `refused`: the reason if the runtime does not take the
    file, which is no fault if the audit agrees. If `facts` has golden `pictures`, the scores and limits of
    golden.json replace those of the original and the kernel.
    """

    row: str
    column: str
    digits: int = 0
    error: float = 0.0
    agreement: float = 0.0
    largest: float = 0.0
    allowed: float = 0.0
    used: float = 0.0
    same: float | None = None
    only_original_right: int = 0
    only_this_right: int = 0
    p: float = 1.0
    why: str = ""
    refused: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def within(self) -> bool:
        """Whether the cell is within tolerance."""
        return not self.why

    def as_json(self) -> dict[str, Any]:
        """Return the cell as the report stores it."""
        return {**asdict(self), "within": self.within}
