"""The parts of a report for the browser: the matrix, its reasons, the files, the verdict, and the page.

A report is what a command writes as JSON: `net`, `files`, `columns`, `cells`, `versions`, `machine`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import PurePath
from typing import Any

from converters.base.words import counted
from converters.proof.cell import KERAS, not_run, state
from converters.proof.imported import source
from converters.proof.markup import Markup, breakable, element, heads, joined, row, table
from converters.proof.style import STYLE

MARKS = {
    "within": "✓ within",
    "out": "✗ OUT",
    "not derived": "? not derived",
    "refused": "⊘ refused",
    "absent": "absent",
}
_MACHINE = ("board", "system", "architecture", "processor")

ROUNDING = (
    "The ideal kernel computes a file’s graph exactly and rounds each tensor once; a runtime may round a "
    "value near the middle between two steps the other way, and every later tensor is then rounded "
    "differently.",
    "Each rounding error is uniform over a step s and has variance s²/12, so the difference of two "
    "independent ones has s²/6.",
)
"""How converters/proof/tolerance.py begins, in sentences."""

Report = Mapping[str, Any]
ReportCell = Mapping[str, Any]
Cells = Mapping[tuple[str, str], ReportCell]


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


def matrix_table(
    report: Report,
    *,
    content: Callable[[ReportCell], Sequence[Markup | None]],
    tip: Callable[[ReportCell], str],
) -> Markup:
    """Return the matrix: the runtimes that ran, then the absent ones with the reason.

    `content`: what a cell that ran shows below its mark; `tip`: what a cell without a reason shows beneath
    the pointer.
    """
    cells = {(cell["row"], cell["column"]): cell for cell in report["cells"]}
    keras = [KERAS] if any(column == KERAS for _, column in cells) else []
    present = [*keras, *(name for name, column in report["columns"].items() if not column["absent"])]
    missing = [(name, column["absent"]) for name, column in report["columns"].items() if column["absent"]]
    models, first, names = rows_of(report), True, titles(report)
    lines = []
    for model in models:
        row_cells = [_cell(cells.get((model, one)), content, tip, names[one]) for one in present]
        if model not in report["files"]:
            row_cells += [_none()] * len(missing)
        elif first:
            named = [(names[one], why) for one, why in missing]
            row_cells += _absent(named, len(report["files"]))
            first = False
        lines.append(element("tr", _model(model, report), *row_cells))
    return table(_head(report, cells, present, missing), *lines, class_="matrix")


def key(*marks: str) -> Markup:
    """Return the legend of the `marks` of cells."""
    return element(
        "p", *(joined(element("span", MARKS[one], class_=_class(one)), " ") for one in marks), class_="key"
    )


def _class(verdict: str) -> str:
    """Return the style of a verdict: "not derived" looks like "refused"."""
    return "refused" if verdict == "not derived" else verdict


def _head(
    report: Report,
    cells: Cells,
    present: Sequence[str],
    missing: Sequence[tuple[str, str]],
) -> Markup:
    names = titles(report)
    headings = [joined(names[name], _ran(cells, name), origin(report, name)) for name in present]
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


def _cell(
    cell: ReportCell | None,
    content: Callable[[ReportCell], Sequence[Markup | None]],
    tip: Callable[[ReportCell], str],
    runtime: str,
) -> Markup:
    """Return a cell of the column titled `runtime`; a narrow page has no columns and shows that in it."""
    if cell is None:
        return _none()
    kind = state(cell)
    mark = element("span", MARKS[kind], class_="mark")
    shown = () if cell["refused"] else content(cell)
    return element(
        "td",
        mark,
        *shown,
        _link(cell),
        class_=_class(kind),
        title=reason(cell) or tip(cell),
        data_runtime=runtime,
    )


def _link(cell: Mapping[str, Any]) -> Markup | None:
    """Return a link to the reason of a cell, if it has one."""
    return element("small", element("a", "why", href=f"#{anchor(cell)}")) if reason(cell) else None


def _none() -> Markup:
    return element("td", "–", class_="none", title="does not apply")


def _absent(missing: Sequence[tuple[str, str]], height: int) -> list[Markup]:
    """Return the cells of the absent columns (title and reason), one for neighbours with the same reason."""
    merged = []
    for why, group in groupby(missing, key=lambda column: column[1]):
        names = [name for name, _ in group]
        mark = element("span", MARKS["absent"], class_="mark")
        span = {"rowspan": height, "colspan": len(names), "data_runtime": "; ".join(names)}
        merged.append(element("td", mark, element("span", why), class_="absent", **span))
    return merged


def reason(cell: ReportCell) -> str:
    """Return why a cell is not within, "" if it is; its mark says what it is."""
    return str(cell["why"] or cell["refused"] or cell.get("underived", ""))


def number(value: float) -> str:
    """Return a number of steps with three digits, without an exponent."""
    if value == 0:
        return "0"
    return f"{value:.3g}" if 0.001 <= abs(value) < 999.5 else ("<0.001" if abs(value) < 1 else f"{value:.0f}")


def reasons(report: Report) -> Markup | None:
    """Return the list of cells that are not within, each with its reason; None if there are none."""
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


def origin(report: Report, column: str) -> Markup | None:
    """Return the source of an imported column, and the delegates that did not run there."""
    about = report["columns"].get(column, {}).get("imported")
    if about is None:
        return None
    names = short_names(report)
    cells = [(names[cell["row"]], cell["facts"]) for cell in report["cells"] if cell["column"] == column]
    return joined(*(element("small", line) for line in (source(about), *not_run(cells))))


def delegate_text(facts: Mapping[str, Any]) -> str:
    """Return the delegate that ran and its share of the operators, "none", or "" for a Keras model."""
    share = f" {facts['taken']} of {facts['nodes']}" if facts.get("taken") is not None else ""
    return f"{facts['delegate']}{share}" if facts.get("delegate") else ("none" if facts else "")


def files_table(report: Report, weights: Callable[[Mapping[str, Any]], str]) -> Markup:
    """Return the files with their full hashes and what `weights` says of the constants of each."""
    lines = [
        row(element("code", name), f"{file['bytes']:,}", element("code", file["sha256"]), weights(file))
        for name, file in report["files"].items()
    ]
    return table(heads("file", "bytes", "sha256", "weights"), *lines, class_="plain")


def details(summary: str, *children: Markup) -> Markup:
    """Return `children` folded away below a `summary`."""
    return element("details", element("summary", summary), *children)


def verdict_box(report: Report, counts: Markup) -> Markup:
    """Return the verdict with the `counts` below it and the cells that are out of tolerance."""
    cells = report["cells"]
    out = [cell for cell in cells if state(cell) == "out"]
    measured = [cell for cell in cells if cell["row"] in report["files"] and not cell["refused"]]
    underived = sum(state(cell) == "not derived" for cell in cells)
    if out:
        verb = "is" if len(out) == 1 else "are"
        names, columns = short_names(report), titles(report)
        headline = f"✗ {counted(len(out), 'cell')} of {len(cells)} {verb} out of tolerance"
        links = (
            element("a", f"{names[cell['row']]} in {columns[cell['column']]}", href=f"#{anchor(cell)}")
            for cell in out
        )
        items = element("ul", *(element("li", link) for link in links))
        return element("div", element("strong", headline), counts, items, class_="verdict out")
    if not measured:
        headline, kind = "No verdict: no runtime here can run the files", "refused"
    elif underived:
        headline, kind = f"? No cell is out; {counted(underived, 'cell')} without a tolerance", "refused"
    else:
        headline, kind = "✓ All within tolerance", "within"
    return element("div", element("strong", headline), counts, class_=f"verdict {kind}")


def facts_list(facts: Mapping[str, object]) -> Markup:
    """Return names and what they stand for, side by side."""
    pairs = (joined(element("dt", name), element("dd", value)) for name, value in facts.items())
    return element("dl", *pairs)


def runtimes_text(report: Report) -> str:
    """Return the runtimes that ran, each once."""
    ran = dict.fromkeys(cell["facts"].get("runtime") for cell in report["cells"])
    return ", ".join(filter(None, ran)) or "none"


def run_facts(report: Report) -> dict[str, object]:
    """Return what every report says of its run: the command, the versions, the runtimes, the machine."""
    return {
        "command": element("code", report["command"]),
        "versions": versions_text(report),
        "runtimes": runtimes_text(report),
        "machine": machine_text(report["machine"]),
    }


def absent_sentence(report: Report) -> str:
    """Return how many runtimes are absent, in a sentence; "" if none is."""
    absent = sum(bool(column["absent"]) for column in report["columns"].values())
    return f"{counted(absent, 'runtime')} absent from this machine, so not measured." if absent else ""


def versions_text(report: Report) -> str:
    """Return the versions of what decides the bytes."""
    return ", ".join(f"{name} {version}" for name, version in report["versions"].items())


def machine_text(facts: Mapping[str, Any]) -> str:
    """Return a machine in words."""
    return ", ".join(filter(None, (facts.get(key) for key in _MACHINE)))


def page(title: str, headline: Markup, sections: Mapping[str, tuple[str, Markup]], *, style: str = "") -> str:
    """Return a self-contained HTML page: the `headline`, links, and `sections` (heading and content each).

    `style`: more of a style sheet.
    """
    links = element("nav", *(element("a", heading, href=f"#{key}") for key, (heading, _) in sections.items()))
    body = [
        element("section", element("h2", heading), content, id=key)
        for key, (heading, content) in sections.items()
    ]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(STYLE + style)),
    )
    content = element("body", element("h1", title), headline, links, *body)
    html = element("html", head, content, lang="en-GB")
    return f"<!DOCTYPE html>\n{html}\n"


def formula() -> Markup:
    """Return the tolerance's formula; it has no outside text, so nothing to escape."""
    return Markup(
        '<div class="formula"><div><var>σ<sub>j</sub></var>² = Σ<sub><var>l</var>, <var>e</var></sub> '
        "<var>J</var>[<var>l</var>, <var>e</var>, <var>j</var>]² · <var>s<sub>l</sub></var>² / 6</div>"
        "<div>allowed<sub><var>j</var></sub> = 6 <var>σ<sub>j</sub></var> + <var>s</var><sub>logit</sub>"
        "</div></div>"
    )
