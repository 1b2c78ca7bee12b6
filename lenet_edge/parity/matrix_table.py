"""What is LeNet-5's own in the report's matrix: the cells' content, and every cell in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from converters.proof.cell import state
from converters.proof.markup import Markup, element, heads, joined, row, table
from converters.proof.report_parts import (
    MARKS,
    Report,
    delegate_text,
    key,
    number,
    short_names,
    titles,
)
from converters.proof.report_parts import matrix_table as table_of
from lenet_edge.parity.imported import GOLDEN


def matrix_table(report: Report) -> Markup:
    """Return the matrix with its legend."""
    return joined(
        key("within", "out", "refused", "absent"),
        element(
            "p",
            "In each cell: the share of misread digits; the share of answers equal to the reference’s; "
            "the largest difference of a score from the reference’s / the limit for that score, "
            "in steps of 1/256.",
        ),
        table_of(
            report,
            content=lambda cell: _content(cell, report["digits"]),
            tip=_tip,
        ),
    )


def _content(cell: Mapping[str, Any], digits: int) -> Sequence[Markup | None]:
    original = cell["row"] == "original"
    steps = f"{number(cell['largest'])} / {number(cell['allowed'])} steps"
    return [
        element("b", f"{cell['error']:.2f} % error"),
        element("small", "the reference" if original else f"{cell['agreement']:.2f} % agree"),
        None if original else element("small", steps),
        _digit_count(cell, digits),
        element("small", "file rewritten for this width") if cell["facts"].get("rewritten") else None,
    ]


def _digit_count(cell: Mapping[str, Any], digits: int) -> Markup | None:
    """Return the number of pictures if they are not the report's `digits` test digits."""
    if _is_golden(cell):
        return element("small", f"{cell['digits']} golden pictures")
    return element("small", f"first {cell['digits']:,} digits") if cell["digits"] < digits else None


def _is_golden(cell: Mapping[str, Any]) -> bool:
    return cell["facts"].get("pictures") == GOLDEN


def _tip(cell: Mapping[str, Any]) -> str:
    facts = cell["facts"]
    ran = f"; {facts['delegate'] or 'no delegate'}" if facts else ""
    return f"{cell['digits']:,} digits; {cell['used']:.0f} % of the tolerance used{ran}"


def all_numbers(report: Report) -> Markup:
    """Return a table of every cell with every measure."""
    names, columns = short_names(report), titles(report)
    head = heads(
        *("model", "runtime", "verdict", "digits", "error", "agree", "largest", "allowed", "used"),
        *("as ideal", "lost : won", "p", "delegate", "ms per digit"),
    )
    lines = [
        row(
            names[cell["row"]],
            columns[cell["column"]],
            MARKS[state(cell)],
            *(_measures(cell) if not cell["refused"] else [""] * 11),
        )
        for cell in report["cells"]
    ]
    return table(head, *lines, class_="plain")


def _measures(cell: Mapping[str, Any]) -> list[str]:
    facts = cell["facts"]
    return [
        f"{cell['digits']:,}{' golden' if _is_golden(cell) else ''}",
        f"{cell['error']:.2f} %",
        f"{cell['agreement']:.2f} %",
        number(cell["largest"]),
        number(cell["allowed"]),
        f"{cell['used']:.0f} %",
        "" if cell["same"] is None else f"{cell['same']:.2f} %",
        f"{cell['only_original_right']} : {cell['only_this_right']}",
        f"{cell['p']:.2g}",
        delegate_text(facts),
        f"{1000 * facts['seconds'] / cell['digits']:.2f}" if facts else "",
    ]


def weights_text(file: Mapping[str, Any]) -> str:
    """Return what the comparison of a file's weights found."""
    if file["findings"] is None:
        return "not compared: only golden pictures were judged"
    return "; ".join(file["findings"]) or "the exact model’s, each within half of its step"
