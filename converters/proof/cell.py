"""A cell of a proof as data: one file in one runtime. It can be read and shown without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Verdict = Literal["within", "out", "not derived", "refused"]
"""Not derived: measured, but no tolerance is known."""

KERAS = "keras"
"""The column of the models themselves, beside those of the runtimes."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """How one output of a file compares with the model's; differences are counted in steps of `step`.

    `step`: the output's own or, in floating point, 1/255 of the range of the model's output. `error`: the
    share of wrong answers in percent or, where the output is no scores, the mean distance from the labels;
    None without labels. `agreement`: the share of answers that are the model's, in percent; None where the
    output is no scores. `largest` and `mean`: the difference from the model's output; `snr`: signal to noise
    in decibels, None without noise. `allowed`: the limit where the difference is largest; `used`: the largest
    share of its tolerance, around the ideal kernel's value, that a value takes up, in percent; both are None
    where no tolerance is derived. `same`: the share of samples with the ideal kernel's bytes, in percent,
    None in floating point. `lost` and `won`: samples that only the model, and only the file, answers
    correctly; `p`: McNemar's.
    """

    name: str
    step: float
    largest: float
    mean: float
    snr: float | None = None
    error: float | None = None
    agreement: float | None = None
    allowed: float | None = None
    used: float | None = None
    same: float | None = None
    lost: int = 0
    won: int = 0
    p: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One file in one runtime, on `samples` samples.

    `outputs`: figures of each output, none if the file did not run. `why`: the reason if the cell is out of
    tolerance, "" if it is not. `refused`: the reason if the runtime does not take the file, which is no fault
    if the audit agrees. `underived`: the reason if no tolerance is derived. `facts`: what ran.
    """

    row: str
    column: str
    samples: int = 0
    outputs: tuple[Figures, ...] = ()
    why: str = ""
    refused: str = ""
    underived: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """What the proof says of the cell."""
        return state(asdict(self))

    @property
    def sentence(self) -> str:
        """The verdict with its reason."""
        words = {
            "within": "within",
            "out": f"OUT: {self.why}",
            "not derived": f"not derived: {self.underived}",
            "refused": f"refused: {self.refused}",
        }
        return words[self.verdict]

    def as_json(self) -> dict[str, Any]:
        """Return the cell as a report stores it."""
        return {**asdict(self), "verdict": self.verdict}


def state(cell: Mapping[str, Any]) -> Verdict:
    """Return the verdict on a cell as a report stores it."""
    if cell["why"]:
        return "out"
    if cell["refused"]:
        return "refused"
    return "not derived" if cell.get("underived") else "within"


def not_run(cells: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Return a line for each reason why a requested delegate did not run in a column.

    `cells`: the name and the facts of each row of the column. A line names its rows unless they are all.
    """
    rows: dict[str, list[str]] = {}
    for row, facts in cells:
        if facts.get("reason"):
            rows.setdefault(f"{facts['asked']} did not run: {facts['reason']}", []).append(row)
    return [
        line if len(names) == len(cells) else f"{line} ({', '.join(names)})" for line, names in rows.items()
    ]
