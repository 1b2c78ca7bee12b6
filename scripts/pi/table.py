"""The closing table: a line for each runtime on each board, and what is out."""

from __future__ import annotations

from collections.abc import Sequence

from trial import Outcome

HEAD = ("board", "arch", "Python", "runtime", "NumPy", "tests", "digits", "files", "used", "differ", "s")


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the table as text, the reasons below it."""
    rows = [HEAD, *(_row(one) for one in outcomes)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    reasons = [f"{one.board}, {one.runtime}: {reason}" for one in outcomes for reason in one.why]
    legend = (
        "used: the largest part of its tolerance that a score takes up, in percent; differ: digits of all"
    )
    closing = f"files that this machine reads otherwise; {'out:' if reasons else 'all is within.'}"
    return "\n".join([*(line.rstrip() for line in lines), "", f"{legend} {closing}", *reasons])


def _row(one: Outcome) -> tuple[str, ...]:
    measured = (str(one.digits), str(one.files), f"{one.used:.1f}", str(one.differ))
    return (
        one.board,
        one.arch,
        one.python,
        one.runtime,
        one.numpy,
        one.tests,
        *measured,
        f"{one.seconds:.0f}",
    )
