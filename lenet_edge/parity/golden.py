"""Judge answers to the golden pictures by golden.json's own limits, without TensorFlow or Keras."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import percent
from converters.base.errors import expect
from converters.base.machine import machine
from converters.base.words import counted
from converters.proof.mcnemar import mcnemar
from converters.proof.terminal_lines import PrintLines
from lenet_edge import __version__
from lenet_edge.parity.cell import SCORE_STEP, Cell
from lenet_edge.parity.imported import GOLDEN, Answers, Imported
from lenet_edge.parity.terminal_lines import imported_lines

_LIMIT_ROUNDING = 1e-8
"""How much golden.json's nine digits may have rounded a limit in floating point."""

_Scores = NDArray[np.float64]


class Golden:
    """The golden pictures, and the answers that each released file must give to them."""

    def __init__(self) -> None:
        path = Path(__file__).parents[1] / "golden" / "golden.json"
        facts = json.loads(path.read_text())
        self._files: Mapping[str, Any] = facts["files"]
        self._names: list[str] = [picture["name"] for picture in facts["pictures"]]
        labels = [picture["label"] for picture in facts["pictures"]]
        self._digits = np.array([label is not None for label in labels])
        self._labels = np.array([label for label in labels if label is not None])

    def cells(self, imported: Imported) -> list[Cell]:
        """Return the cells of a column of golden pictures, which `check` has passed."""
        return [self._cell(imported.column.name, answers) for answers in imported.answers.values()]

    def check(self, answers: Answers) -> None:
        """Raise InputError unless `answers` are of a file of golden.json, on all pictures, in its type."""
        facts, count = self._files.get(answers.file, {}), len(self._names)
        got = f"{answers.file} of sha256 {answers.sha256}"
        expect(
            facts.get("sha256") == answers.sha256, f"{answers.place} to be from a file of golden.json", got
        )
        rows = len(answers.result.outputs)
        expect(rows == count, f"{answers.place}.scores of the {count} golden pictures", rows)
        answers.check_output(**{"scale": 0.0, "zero_point": 0, **facts["output"]})

    def _cell(self, column: str, answers: Answers) -> Cell:
        """Return the cell of `answers`; error and McNemar's test count only pictures with a label."""
        facts, result = self._files[answers.file], answers.result
        step, stored = result.scale or 1.0, result.outputs.astype(np.float64)
        golden, low, high = (np.array(facts[key], np.float64) for key in ("scores", "low", "high"))
        read, golden_read = stored.argmax(axis=1), golden.argmax(axis=1)
        right, golden_right = (answer[self._digits] == self._labels for answer in (read, golden_read))
        test = mcnemar(golden_right, right)
        difference = np.abs(stored - golden)
        farthest = np.unravel_index(int(difference.argmax()), difference.shape)
        allowed = max(high[farthest] - golden[farthest], golden[farthest] - low[farthest])
        return Cell(
            row=answers.file,
            column=column,
            digits=len(stored),
            error=percent(~right),
            agreement=percent(read == golden_read),
            largest=float(difference.max()) * step / SCORE_STEP,
            allowed=float(allowed) * step / SCORE_STEP,
            used=_used(stored, golden, low, high, least=0.5 if result.scale else _LIMIT_ROUNDING),
            same=percent((difference == 0).all(axis=1)) if result.scale else None,
            only_original_right=test.only_first,
            only_this_right=test.only_second,
            p=test.p,
            why=self._why(np.maximum(low - stored, stored - high) * step),
            facts=answers.facts,
        )

    def _why(self, outside: _Scores) -> str:
        """Return why a cell is out; `outside`: how far each score (n, 10) is beyond its limits."""
        pictures = int((outside > _LIMIT_ROUNDING).any(axis=1).sum())
        if not pictures:
            return ""
        worst = self._names[int(outside.max(axis=1).argmax())]
        steps = outside.max() / SCORE_STEP
        return f"{counted(pictures, 'picture')} beyond golden.json's limits, {worst} by {steps:.3g} steps"


def _used(stored: _Scores, golden: _Scores, low: _Scores, high: _Scores, *, least: float) -> float:
    """Return the largest share of the room between golden score and limit that a score uses, in percent.

    The room is `least` or more, as an integer score may be its own limit.
    """
    room = np.maximum(np.where(stored > golden, high - golden, golden - low), least)
    return 100 * float((np.abs(stored - golden) / room).max())


def checked_golden(imports: Sequence[Imported]) -> Golden:
    """Return a `Golden` that has checked the golden answers of `imports`; errors as for `Golden.check`."""
    golden = Golden()
    for imported in imports:
        for answers in imported.answers.values() if imported.pictures == GOLDEN else ():
            golden.check(answers)
    return golden


def golden_report(
    contents: Mapping[str, bytes],
    imports: Sequence[Imported],
    *,
    net: str,
    print_lines: PrintLines = lambda _: None,
) -> dict[str, Any]:
    """Return the report of `imports` alone, all on golden pictures; `print_lines` gets each column's text.

    Raises InputError like `Golden.check`.
    """
    golden = checked_golden(imports)
    cells: list[Cell] = []
    for imported in imports:
        column = golden.cells(imported)
        print_lines("\n".join(imported_lines(imported, column)))
        cells += column
    return {
        "versions": {
            "lenet-edge": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
        "machine": machine(),
        "net": net,
        "digits": 0,
        "files": {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), "findings": None}
            for name, content in contents.items()
            if any(name in imported.answers for imported in imports)
        },
        "columns": {imported.column.name: imported.as_json() for imported in imports},
        "cells": [cell.as_json() for cell in cells],
        "within": all(cell.within for cell in cells),
    }
