"""Judge a run in a column: whether it gave an answer, why not, and whether that was to be expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from converters.base.words import counted
from converters.delegates import audit, taken
from converters.proof.imported import Imported
from converters.runtimes.columns import Column, Result, absence
from converters.runtimes.interpreters import reason_alone

_RULES = {"micro": "micro", "litert-gpu": "gpu", "tflite-runtime": "tflite-runtime"}


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A run that gave nothing to judge: `why` it is out of tolerance, "" if the refusal was to be expected.

    `refused`: the runtime's reason, without its name.
    """

    why: str
    refused: str = ""


def failure_of(result: Result, column: Column, content: bytes, *, values: str = "score") -> Failure | None:
    """Return why `result` of the file `content` in `column` cannot be judged, None if it can.

    `values`: what one number of the output is called.
    """
    if result.failure:
        expected = refusal_expected(content, column)
        why = "" if expected else f"expected to run, but: {result.failure}"
        return Failure(why=why, refused=reason_alone(result.failure))
    if column.library and not result.taken:
        nodes = counted(result.nodes or 0, "operator")
        return Failure(why=f"{column.title} loads, but takes none of the {nodes}")
    broken = sum(int((~np.isfinite(output.values)).sum()) for output in result.every)
    if broken:
        return Failure(why=f"{counted(broken, values)} {'is' if broken == 1 else 'are'} not finite")
    return None


def refusal_expected(content: bytes, column: Column) -> bool:
    """Return whether the audit of the column's delegate says that it does not take the whole file."""
    if column.name not in _RULES:
        return False
    taken_count, count = taken(audit(content, delegate=_RULES[column.name]))
    return taken_count < count


def absences(columns: Sequence[Column]) -> Mapping[str, str]:
    """Return the reason why a column cannot run here, for each such column by name."""
    reasons = {column.name: absence(column) for column in columns}
    return {name: reason for name, reason in reasons.items() if reason}


def is_slow(column: Column) -> bool:
    """Return whether a column takes many times as long as the others."""
    return column.kind in ("gpu", "micro") or column.resolver == "BUILTIN_REF"


def columns_json(
    columns: Sequence[Column], absent: Mapping[str, str], imports: Sequence[Imported]
) -> dict[str, dict[str, Any]]:
    """Return the columns as a report stores them, the imported ones last; `absent`: the reasons, by name."""
    here = {one.name: {"title": one.title, "absent": absent.get(one.name, "")} for one in columns}
    return {**here, **{one.column.name: one.as_json() for one in imports}}
