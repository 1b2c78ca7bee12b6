"""A cell of the parity matrix, as data: TensorFlow is not needed to read or to show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

SCORE_STEP = 1 / 256
"""The step that differences are told in, for every file: that of an int8 file's scores."""


@dataclass(frozen=True)
class Cell:
    """What a model does in a runtime; shares in percent, differences in steps of 1/256.

    `largest`: from the original's scores; `allowed`: the most that it may be there. `used`: the largest share
    of its tolerance that a score takes up around the ideal kernel's, in percent. `same`: the share of digits
    with the ideal kernel's bytes, None in floating point. `why`: what puts the cell out, "" when within.
    `refused`: why the runtime does not take the file, which is its right if the audit says so too. Where
    `facts` has golden `pictures`, golden.json's scores and limits stand for the original's and the kernel's.
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
        """Whether nothing puts the cell out."""
        return not self.why

    def as_json(self) -> dict[str, Any]:
        """Return the cell as JSON has it."""
        return {**asdict(self), "within": self.within}


def not_run(cells: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Return a line for each reason why a delegate that was asked for did not run, of one column's cells.

    `cells`: what each row is called and its facts. Rows are named where it is not so in all.
    """
    rows: dict[str, list[str]] = {}
    for row, facts in cells:
        if facts.get("reason"):
            rows.setdefault(f"{facts['asked']} did not run: {facts['reason']}", []).append(row)
    return [
        line if len(named) == len(cells) else f"{line} ({', '.join(named)})" for line, named in rows.items()
    ]
