"""The report of a proof: one self-contained HTML file, for the screen and for print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from converters.base.words import counted
from converters.proof.cell import state
from converters.proof.markup import Markup, element, heads, joined, row, table
from converters.proof.report_layers import profiles
from converters.proof.report_parts import (
    MARKS,
    ROUNDING,
    Report,
    absent_sentence,
    delegate_text,
    details,
    facts_list,
    files_table,
    formula,
    key,
    matrix_table,
    number,
    page,
    reasons,
    run_facts,
    short_names,
    titles,
    verdict_box,
)

Numbers = Mapping[str, Any]
"""The figures of one output in a cell (converters.proof.cell.Figures), as a report stores them."""


def html_of(report: Report) -> str:
    """Return the page of a `report`, as Proof.as_json gives it, with the `command` that made it."""
    headline = joined(verdict_box(report, _counts(report)), _about(report))
    sections = {
        "matrix": ("The matrix", _matrix(report)),
        "layers": ("Layer by layer", joined(_about_layers(), profiles(report))),
        "tolerance": ("How far an output may be off", _tolerance()),
    }
    return page(f"Proof of {report['net']}", headline, sections)


def _counts(report: Report) -> Markup:
    cells = report["cells"]
    states = [state(cell) for cell in cells]
    absent = sum(bool(column["absent"]) for column in report["columns"].values())
    files, runtimes = counted(len(report["files"]), "file"), len(report["columns"]) - absent
    samples = counted(report["samples"], "sample")
    sentences = [f"{files} in {counted(runtimes, 'runtime')} on {samples}: {counted(len(cells), 'cell')}."]
    if "not derived" in states:
        sentences.append(f"{counted(states.count('not derived'), 'cell')} measured, but without a tolerance.")
    if "refused" in states:
        sentences.append(f"{counted(states.count('refused'), 'cell')} refused, as the audit expects.")
    return element("p", " ".join(filter(None, [*sentences, absent_sentence(report)])))


def _about(report: Report) -> Markup:
    return facts_list(
        {
            "model": report["net"],
            "samples": f"{report['samples']:,}",
            **run_facts(report),
        }
    )


def _matrix(report: Report) -> Markup:
    return joined(
        element(
            "p",
            "Each row is a file of the model, each column a runtime. All get the same samples, and the "
            "model’s own outputs are the reference. Differences are counted in steps: the step of the "
            "file’s output or, in floating point, 1/255 of the range of the model’s output.",
        ),
        key(*MARKS),
        element(
            "p",
            "Each cell shows the error, if labels were given; the share of answers equal to the model’s, if "
            "outputs are scores; and the largest difference / the limit for that value.",
        ),
        matrix_table(
            report,
            content=lambda cell: _content(cell, report["samples"]),
            tip=_tip,
        ),
        reasons(report),
        details("The files: full names, hashes, weights", files_table(report, _weights)),
        details("Every cell in numbers", _about_numbers(), _all_numbers(report)),
    )


def _content(cell: Mapping[str, Any], samples: int) -> Sequence[Markup | None]:
    shown: list[Markup | None] = []
    for figures in cell["outputs"]:
        named = len(cell["outputs"]) > 1
        shown.append(element("small", figures["name"]) if named else None)
        first, *rest = _words(figures)
        shown += [element("b", first), *(element("small", text) for text in rest)]
    fewer = cell["outputs"] and cell["samples"] < samples
    return [*shown, element("small", f"first {cell['samples']:,} samples") if fewer else None]


def _words(figures: Numbers) -> list[str]:
    """Return what a cell shows of an output, the most important first."""
    limit = "" if figures["allowed"] is None else f" / {number(figures['allowed'])}"
    steps = f"{number(figures['largest'])}{limit} steps"
    return [*filter(None, (_error(figures), _agreement(figures))), steps]


def _error(figures: Numbers) -> str:
    if figures["error"] is None:
        return ""
    return f"{figures['error']:.2f} % error" if _is_score(figures) else f"{figures['error']:.3g} mean error"


def _agreement(figures: Numbers) -> str:
    return f"{figures['agreement']:.2f} % agree" if _is_score(figures) else ""


def _is_score(figures: Numbers) -> bool:
    return figures["agreement"] is not None


def _tip(cell: Mapping[str, Any]) -> str:
    used = [figures["used"] for figures in cell["outputs"] if figures["used"] is not None]
    share = f"; {max(used):.0f} % of the tolerance used" if used else ""
    return f"{cell['samples']:,} samples{share}; {cell['facts'].get('delegate') or 'no delegate'}"


def _weights(file: Mapping[str, Any]) -> str:
    found = "; ".join(file["findings"]) or file["uncompared"] or "the model’s, each within half of its step"
    return f"{found}; not checked before it ran: {file['unchecked']}" if file["unchecked"] else found


def _about_numbers() -> Markup:
    return element(
        "p",
        "Largest, mean and allowed are in steps. Noise: the ratio of the output to its difference from "
        "the model’s. Used: the largest share of its tolerance, around the ideal kernel’s value, that a "
        "value takes up; this decides. As ideal: samples with exactly the ideal kernel’s bytes. Lost : "
        "won: samples that only the model, and only this file, answers correctly; p: the probability of a "
        "split at least as uneven if both were equally good.",
        class_="soft",
    )


def _all_numbers(report: Report) -> Markup:
    names, columns = short_names(report), titles(report)
    head = heads(
        *("file", "runtime", "verdict", "output", "samples", "error", "agree", "largest", "allowed", "mean"),
        *("noise", "used", "as ideal", "lost : won", "p", "delegate", "ms per sample"),
    )
    lines = [
        row(names[cell["row"]], columns[cell["column"]], MARKS[state(cell)], *_measures(cell, figures))
        for cell in report["cells"]
        for figures in cell["outputs"]
    ]
    return table(head, *lines, class_="plain")


def _measures(cell: Mapping[str, Any], figures: Numbers) -> list[str]:
    facts = cell["facts"]
    return [
        figures["name"],
        f"{cell['samples']:,}",
        _error(figures).removesuffix(" error"),
        _agreement(figures).removesuffix(" agree"),
        number(figures["largest"]),
        "" if figures["allowed"] is None else number(figures["allowed"]),
        number(figures["mean"]),
        "none" if figures["snr"] is None else f"{figures['snr']:.1f} dB",
        "" if figures["used"] is None else f"{figures['used']:.0f} %",
        "" if figures["same"] is None else f"{figures['same']:.2f} %",
        f"{figures['lost']} : {figures['won']}",
        f"{figures['p']:.2g}",
        delegate_text(facts),
        f"{1000 * facts['seconds'] / max(1, cell['samples']):.2f}",
    ]


def _about_layers() -> Markup:
    return element(
        "p",
        "Signal to noise: the ratio of each operator’s output to its difference from the model’s. 20 dB "
        "more is a tenth of the noise, 6 dB more is one bit. Step: the step of the output in the file. "
        "Clipped: values at an end of their range; behind a ReLU many belong there. Off exact: how many "
        "steps TensorFlow’s kernel is, at most, from exact arithmetic on the same inputs; about 0.5 means "
        "that it rounds once, about 1 twice. A file departs from the model in a layer whose constants are "
        "not the model’s, or that is noisier than the file’s bits explain.",
    )


def _tolerance() -> Markup:
    sentences = (
        *ROUNDING,
        "An error in element e of tensor l moves output j by its derivative J, so its variance is the sum "
        "of all their variances, each times J²; for outputs of many values the errors are drawn instead.",
        "Six standard deviations σ plus the output’s own step are allowed.",
    )
    out = (
        "A cell is out of tolerance if an output is beyond its limits, if a constant of the file is more "
        "than half a step from the model’s, if labels show more errors than chance allows (McNemar’s "
        "exact test), or if a runtime fails that should run the file. Where an operator has no rule, or "
        "constants could not be compared, a cell is not derived and shows only what was measured."
    )
    return joined(element("p", " ".join(sentences)), formula(), element("p", out))
