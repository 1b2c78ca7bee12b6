"""The parity report: one self-contained HTML file, for the screen and for print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from converters.base.words import counted
from converters.proof.markup import Markup, element, joined
from converters.proof.style import STYLE
from lenet_edge.packaged.names import WIDE
from lenet_edge.parity.imported import GOLDEN
from lenet_edge.parity.matrix_table import (
    Report,
    all_numbers,
    anchor,
    files_table,
    matrix_table,
    reasons,
    short_names,
    state,
    titles,
)
from lenet_edge.parity.report_sections import confusions, disagreements, histograms, namer, profiles
from lenet_edge.parity.score_comparison import ScoreComparison

_MACHINE = ("board", "system", "architecture", "processor")

_SECTIONS = {
    "matrix": "The matrix",
    "tolerance": "How far a score may be off",
    "layers": "Quantisation noise, layer by layer",
    "differences": "How far the scores are from the original’s",
    "disagreements": "Digits on which models disagree",
    "confusions": "Confusion matrices",
}


def html_of(report: Report, comparison: ScoreComparison | None) -> str:
    """Return the page of a `report` (as --json writes it) and the `comparison` of its scores.

    Without a comparison (golden pictures alone, or a wide net) its sections are left out.
    """
    sections = {
        "matrix": _matrix(report),
        "tolerance": _tolerance(),
        **_comparison_sections(report, comparison),
    }
    body = [
        element("section", element("h2", _SECTIONS[key]), section, id=key)
        for key, section in sections.items()
    ]
    title = f"Parity of {report['net']}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    content = element("body", element("h1", title), _headline(report, sections), *body)
    page = element("html", head, content, lang="en-GB")
    return f"<!DOCTYPE html>\n{page}\n"


def _comparison_sections(report: Report, comparison: ScoreComparison | None) -> dict[str, Markup]:
    """Return the sections that need the scores on the test digits."""
    if comparison is None:
        return {}
    name = namer(report)
    return {
        "layers": joined(_about_layers(), profiles(report)),
        "differences": joined(_about_differences(), histograms(comparison, name)),
        "disagreements": joined(_about_disagreements(), disagreements(comparison, report)),
        "confusions": joined(_about_confusions(), confusions(comparison, name)),
    }


def _headline(report: Report, sections: Iterable[str]) -> Markup:
    links = [element("a", _SECTIONS[key], href=f"#{key}") for key in sections]
    return joined(_verdict(report), _about(report), element("nav", *links))


def _verdict(report: Report) -> Markup:
    """Return the verdict, with the cells that are out of tolerance."""
    cells = report["cells"]
    out = [cell for cell in cells if state(cell) == "out"]
    measured = [cell for cell in cells if cell["row"] in report["files"]]
    if out:
        verb = "is" if len(out) == 1 else "are"
        names, columns = short_names(report), titles(report)
        headline = f"✗ {counted(len(out), 'cell')} of {len(cells)} {verb} out of tolerance"
        links = (
            element("a", f"{names[cell['row']]} in {columns[cell['column']]}", href=f"#{anchor(cell)}")
            for cell in out
        )
        items = element("ul", *(element("li", link) for link in links))
        return element("div", element("strong", headline), _counts(report), items, class_="verdict out")
    if not measured:
        headline = "No verdict: no runtime here can run the files"
        return element("div", element("strong", headline), _counts(report), class_="verdict refused")
    headline = "✓ All within tolerance"
    return element("div", element("strong", headline), _counts(report), class_="verdict within")


def _counts(report: Report) -> Markup:
    """Return how much was measured, imported, refused and absent, a sentence for each."""
    cells = report["cells"]
    refused = sum(state(cell) == "refused" for cell in cells)
    absent = sum(bool(column["absent"]) for column in report["columns"].values())
    present = len(report["columns"]) - absent
    imported = sum("imported" in column for column in report["columns"].values())
    digits = counted(report["digits"], "test digit") if report["digits"] else "the golden pictures"
    keras = ", and the Keras models they come from" if report["digits"] else ""
    sentences = [
        f"{counted(len(report['files']), 'file')} in {counted(present, 'runtime')}{keras}, "
        f"on {digits}: {counted(len(cells), 'cell')}."
    ]
    if imported:
        sentences.append(f"{counted(imported, 'runtime')} ran elsewhere; the column headings say where.")
    if refused:
        sentences.append(f"{counted(refused, 'cell')} refused by the runtime, as the audit expects.")
    if absent:
        sentences.append(f"{counted(absent, 'runtime')} absent from this machine, so not measured.")
    return element("p", " ".join(sentences))


def _about(report: Report) -> Markup:
    machine = report["machine"]
    ran = dict.fromkeys(cell["facts"].get("runtime") for cell in report["cells"])
    versions = [f"{name} {version}" for name, version in report["versions"].items()]
    facts = {
        "net": report["net"],
        "test digits": f"{report['digits']:,}" if report["digits"] else "none",
        "command": element("code", report["command"]),
        "versions": ", ".join(versions),
        "runtimes": ", ".join(filter(None, ran)) or "none",
        "machine": _machine(machine),
        **_imported(report),
    }
    return element(
        "dl", *(joined(element("dt", name), element("dd", value)) for name, value in facts.items())
    )


def _machine(facts: Mapping[str, Any]) -> str:
    return ", ".join(filter(None, (facts.get(key) for key in _MACHINE)))


def _imported(report: Report) -> dict[str, str]:
    """Return the machines that gave the imported answers, if there are any."""
    sources = [column["imported"] for column in report["columns"].values() if "imported" in column]
    lines = dict.fromkeys(f"{one['file']}: {_machine(one['machine'])}, {one['date']}" for one in sources)
    return {"imported": "; ".join(lines)} if lines else {}


def _matrix(report: Report) -> Markup:
    sentences = ["Each row is the same network, stored differently; each column is a program that runs it."]
    if report["net"] == WIDE:
        sentences.append(
            "All get the same digits, side by side in pictures of the width that the row names, and return "
            "eleven scores for each window; the original Keras model is the reference. Errors are counted in "
            "the windows with a digit in their middle. A runtime that cannot resize a file gets it "
            "rewritten for the width."
        )
    elif report["digits"]:
        sentences.append(
            "All get the same digits and return ten scores each; the original Keras model is the reference."
        )
    if any(cell["facts"].get("pictures") == GOLDEN for cell in report["cells"]):
        sentences.append(
            "Answers to the golden pictures are compared with golden.json: TensorFlow’s scores, and limits "
            "derived as below; the error counts only pictures with a digit."
        )
    return joined(
        element("p", " ".join(sentences)),
        matrix_table(report),
        reasons(report),
        _details("The files: full names, hashes, weights", files_table(report)),
        _details("Every cell in numbers", _about_numbers(), all_numbers(report)),
    )


def _details(summary: str, *children: Markup) -> Markup:
    return element("details", element("summary", summary), *children)


def _about_numbers() -> Markup:
    return element(
        "p",
        "Largest and allowed are in steps of 1/256. Used: the largest share of its tolerance, around the "
        "ideal kernel’s score, that a score takes up; this decides. As ideal: digits with exactly the ideal "
        "kernel’s bytes. Lost : won: digits that only the original, and only this model, reads correctly; p: "
        "the probability of a split at least as uneven if both were equally good.",
        class_="soft",
    )


def _tolerance() -> Markup:
    """Return the derivation of converters/proof/tolerance.py in five sentences and its formula."""
    sentences = (
        "The ideal kernel computes a file’s graph exactly and rounds each tensor once; a runtime may round a "
        "value near the middle between two steps the other way, and every later tensor is then rounded "
        "differently.",
        "Each rounding error is uniform over a step s and has variance s²/12, so the difference of two "
        "independent ones has s²/6.",
        "An error in element e of tensor l moves logit j (what the softmax makes a score of) by its "
        "derivative J, so its variance is the sum of all their variances, each times J².",
        "Six standard deviations σ plus the logit’s own step are allowed: of 100,000 logits, one is beyond "
        "by chance in 5,000 runs.",
        "A score rises with its own logit and falls with the others, so its limits follow from theirs, "
        "plus one step for its own rounding.",
    )
    out = (
        "A cell is out of tolerance if a score is beyond its limits, if a weight of the file is more than "
        "half a step from the exact model’s, if it misreads more digits than the original beyond chance "
        "(McNemar’s exact test), or if a runtime fails that should run the file. The derivation is in "
    )
    return joined(
        element("p", " ".join(sentences)),
        _formula(),
        element("p", out, element("code", "docs/parity.md"), "."),
    )


def _formula() -> Markup:
    """Return the formula; it has no outside text, so nothing to escape."""
    return Markup(
        '<div class="formula"><div><var>σ<sub>j</sub></var>² = Σ<sub><var>l</var>, <var>e</var></sub> '
        "<var>J</var>[<var>l</var>, <var>e</var>, <var>j</var>]² · <var>s<sub>l</sub></var>² / 6</div>"
        "<div>allowed<sub><var>j</var></sub> = 6 <var>σ<sub>j</sub></var> + <var>s</var><sub>logit</sub>"
        "</div></div>"
    )


def _about_layers() -> Markup:
    return element(
        "p",
        "The ratio of each operator’s output to its difference from the exact model’s: 20 dB more is a tenth "
        "of the noise, 6 dB more is one bit. Step: the step of the output in the file. Clipped: values at an "
        "end of their range, where scores of 0 and 1 belong. Off exact: the largest difference, in steps, of "
        "TensorFlow’s kernel from exact arithmetic on the same inputs; about 0.5 means rounded once, about 1 "
        "twice.",
    )


def _about_differences() -> Markup:
    return element(
        "p",
        "The difference of every score of every digit from the original’s, in steps of 1/256, the step of an "
        "int8 file’s scores. The bars are logarithmic, so that a single score is still visible.",
    )


def _about_disagreements() -> Markup:
    return element(
        "p",
        "Digits where most models differ from the original come first. The score, 0 to 1, is the one that "
        "the models give to this answer; a model without a runtime gives this answer in all of them.",
    )


def _about_confusions() -> Markup:
    return element(
        "p",
        "Rows are labels, columns are answers; off the diagonal is wrong. Below are the misread digits, "
        "numbered from 0 in the order of the test set.",
    )
