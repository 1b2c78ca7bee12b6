"""The parity matrix as an HTML table, with the reasons of cells that are out or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import PurePath
from typing import Any

from converters.proof.markup import Markup, breakable, element, heads, joined, row, table
from lenet_edge.parity.cell import not_run
from lenet_edge.parity.imported import GOLDEN, source

KERAS = "keras"
MARKS = {"within": "✓ within", "out": "✗ OUT", "refused": "⊘ refused", "absent": "absent"}

Report = Mapping[str, Any]
Cells = Mapping[tuple[str, str], Mapping[str, Any]]


def state(cell: Mapping[str, Any]) -> str:
    """Return "out", "refused" (as the audit expects) or "within"."""
    if not cell["within"]:
        return "out"
    return "refused" if cell["refused"] else "within"


def short_names(report: Report) -> dict[str, str]:
    """Return the short names of rows: a file's precision, if no other row has it."""
    names = rows_of(report)
    shorts = {name: PurePath(name).stem.removeprefix(f"{report['net']}_") or name for name in names}
    taken = list(shorts.values())
    return {name: short if taken.count(short) == 1 else name for name, short in shorts.items()}


def rows_of(report: Report) -> list[str]:
    """Return the row names, Keras models first, including files that no runtime could run."""
    cells = report["cells"]
    keras = [cell["row"] for cell in cells if cell["column"] == KERAS]
    return list(dict.fromkeys([*keras, *report["files"], *(cell["row"] for cell in cells)]))


def titles(report: Report) -> dict[str, str]:
    """Return the titles of the columns."""
    return {KERAS: "Keras", **{name: column["title"] for name, column in report["columns"].items()}}


def matrix_table(report: Report) -> Markup:
    """Return the matrix: the runtimes that ran, then the absent ones with the reason."""
    cells = {(cell["row"], cell["column"]): cell for cell in report["cells"]}
    keras = [KERAS] if any(column == KERAS for _, column in cells) else []
    present = [*keras, *(name for name, column in report["columns"].items() if not column["absent"])]
    missing = [(name, column["absent"]) for name, column in report["columns"].items() if column["absent"]]
    models, first = rows_of(report), True
    lines = []
    for model in models:
        row_cells = [_cell(cells.get((model, column)), report["digits"]) for column in present]
        if model not in report["files"]:
            row_cells += [_none()] * len(missing)
        elif first:
            row_cells += _absent(missing, len(report["files"]))
            first = False
        lines.append(element("tr", _model(model, report), *row_cells))
    return joined(_key(), table(_head(report, cells, present, missing), *lines, class_="matrix"))


def _key() -> Markup:
    """Return the legend of the cells."""
    parts = [joined(element("span", mark, class_=name), " ") for name, mark in MARKS.items()]
    return joined(
        element("p", *parts, class_="key"),
        element(
            "p",
            "In each cell: the share of misread digits; the share of answers equal to the reference’s; "
            "the largest difference of a score from the reference’s / the limit for that score, "
            "in steps of 1/256.",
        ),
    )


def _head(report: Report, cells: Cells, present: Sequence[str], missing: Sequence[tuple[str, str]]) -> Markup:
    names = titles(report)
    headings = [joined(names[name], _ran(cells, name), _origin(report, cells, name)) for name in present]
    absent_headings = (element("th", names[name], scope="col", class_="absent") for name, _ in missing)
    return element(
        "tr", *(element("th", name, scope="col") for name in ("model", *headings)), *absent_headings
    )


def _ran(cells: Cells, column: str) -> Markup | None:
    """Return the runtime with its version, and the delegate, that ran in `column`."""
    facts = [cell["facts"] for (_, name), cell in cells.items() if name == column]
    names = dict.fromkeys(
        " + ".join(filter(None, (each.get("runtime"), each.get("delegate")))) for each in facts
    )
    ran = "; ".join(filter(None, names))
    return element("small", ran) if ran else None


def _origin(report: Report, cells: Cells, column: str) -> Markup | None:
    """Return the source of an imported column, and the delegates that did not run there."""
    about = report["columns"].get(column, {}).get("imported")
    if about is None:
        return None
    lines = [source(about), *_not_run(report, cells, column)]
    return joined(*(element("small", line) for line in lines))


def _not_run(report: Report, cells: Cells, column: str) -> list[str]:
    names = short_names(report)
    return not_run([(names[row], cell["facts"]) for (row, name), cell in cells.items() if name == column])


def _model(name: str, report: Report) -> Markup:
    file = report["files"].get(name)
    if file is None:
        return element("th", name, element("small", "Keras model"), scope="row")
    return element(
        "th",
        breakable(short_names(report)[name]),
        element("small", f"{file['bytes']:,} bytes"),
        element("small", element("code", file["sha256"][:8]), title=f"{name}, sha256 {file['sha256']}"),
        scope="row",
    )


def _cell(cell: Mapping[str, Any] | None, digits: int) -> Markup:
    if cell is None:
        return _none()
    kind = state(cell)
    mark = element("span", MARKS[kind], class_="mark")
    if cell["refused"]:
        return element("td", mark, _link(cell), class_=kind, title=reason(cell))
    original = cell["row"] == "original"
    steps = f"{number(cell['largest'])} / {number(cell['allowed'])} steps"
    return element(
        "td",
        mark,
        element("b", f"{cell['error']:.2f} % error"),
        element("small", "the reference" if original else f"{cell['agreement']:.2f} % agree"),
        None if original else element("small", steps),
        _digit_count(cell, digits),
        element("small", "file rewritten for this width") if cell["facts"].get("rewritten") else None,
        _link(cell),
        class_=kind,
        title=reason(cell) or _tip(cell),
    )


def _digit_count(cell: Mapping[str, Any], digits: int) -> Markup | None:
    """Return the number of pictures if they are not the report's `digits` test digits."""
    if _is_golden(cell):
        return element("small", f"{cell['digits']} golden pictures")
    return element("small", f"first {cell['digits']:,} digits") if cell["digits"] < digits else None


def _is_golden(cell: Mapping[str, Any]) -> bool:
    return cell["facts"].get("pictures") == GOLDEN


def _link(cell: Mapping[str, Any]) -> Markup | None:
    """Return a link to the reason of a cell, if it has one."""
    return element("small", element("a", "why", href=f"#{anchor(cell)}")) if reason(cell) else None


def _none() -> Markup:
    return element("td", "–", class_="none", title="does not apply")


def _absent(missing: Sequence[tuple[str, str]], height: int) -> list[Markup]:
    """Return the cells of absent columns, one for neighbours with the same reason."""
    merged = []
    for why, group in groupby(missing, key=lambda column: column[1]):
        width = len(list(group))
        mark = element("span", MARKS["absent"], class_="mark")
        merged.append(element("td", mark, why, class_="absent", rowspan=height, colspan=width))
    return merged


def _tip(cell: Mapping[str, Any]) -> str:
    facts = cell["facts"]
    ran = f"; {facts['delegate'] or 'no delegate'}" if facts else ""
    return f"{cell['digits']:,} digits; {cell['used']:.0f} % of the tolerance used{ran}"


def reason(cell: Mapping[str, Any]) -> str:
    """Return why a cell is out or refused, "" if it is neither."""
    return cell["why"] or (f"refused: {cell['refused']}" if cell["refused"] else "")


def number(value: float) -> str:
    """Return a number of steps with three digits, without an exponent."""
    if value == 0:
        return "0"
    return f"{value:.3g}" if 0.001 <= abs(value) < 999.5 else ("<0.001" if abs(value) < 1 else f"{value:.0f}")


def reasons(report: Report) -> Markup | None:
    """Return the list of cells that are out or refused, each with its reason; None if there are none."""
    names, columns = short_names(report), titles(report)
    items = [
        element(
            "li",
            element("strong", f"{MARKS[state(cell)]}: {names[cell['row']]} in {columns[cell['column']]}"),
            f": {reason(cell)}",
            id=anchor(cell),
        )
        for cell in sorted(report["cells"], key=state)
        if state(cell) != "within"
    ]
    return element("ul", *items, class_="reasons") if items else None


def anchor(cell: Mapping[str, Any]) -> str:
    """Return the id of a cell's reason, in hex, as names may have characters that ids may not."""
    return f"why-{cell['row'].encode().hex()}-{cell['column'].encode().hex()}"


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
    share = f" {facts['taken']} of {facts['nodes']}" if facts.get("taken") is not None else ""
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
        f"{facts['delegate']}{share}" if facts.get("delegate") else ("none" if facts else ""),
        f"{1000 * facts['seconds'] / cell['digits']:.2f}" if facts else "",
    ]


def _findings_text(findings: Sequence[str] | None) -> str:
    if findings is None:
        return "not compared: only golden pictures were judged"
    return "; ".join(findings) or "the exact model’s, each within half of its step"


def files_table(report: Report) -> Markup:
    """Return the files with their full hashes and the findings on their weights."""
    lines = [
        row(
            element("code", name),
            f"{file['bytes']:,}",
            element("code", file["sha256"]),
            _findings_text(file["findings"]),
        )
        for name, file in report["files"].items()
    ]
    return table(heads("file", "bytes", "sha256", "weights"), *lines, class_="plain")
