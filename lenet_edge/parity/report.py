"""The parity report: one HTML file that needs nothing else, for the screen and for paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from converters.base.words import counted
from lenet_edge.packaged.names import WIDE
from lenet_edge.parity.imported import GOLDEN
from lenet_edge.parity.markup import Markup, element, joined
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
from lenet_edge.parity.style import STYLE

_MACHINE = ("board", "system", "architecture", "processor")

_SECTIONS = {
    "matrix": "The matrix",
    "tolerance": "How far a score may be off",
    "layers": "Where the noise comes in, layer by layer",
    "differences": "How far the scores are from the original’s",
    "disagreements": "Digits on which models disagree",
    "confusions": "What is read as what",
}


def html_of(report: Report, comparison: ScoreComparison | None) -> str:
    """Return the page of a `report` as --json writes it and the `comparison` of the same matrix.

    Without comparison, of golden pictures alone or of a wide net, its sections are left out.
    """
    told = {"matrix": _matrix(report), "tolerance": _tolerance(), **_exhibits(report, comparison)}
    body = [element("section", element("h2", _SECTIONS[key]), each, id=key) for key, each in told.items()]
    title = f"Parity of {report['net']}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    whole = element("body", element("h1", title), _headline(report, told), *body)
    page = element("html", head, whole, lang="en-GB")
    return f"<!DOCTYPE html>\n{page}\n"


def _exhibits(report: Report, comparison: ScoreComparison | None) -> dict[str, Markup]:
    """Return the sections of what was measured on the test digits."""
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
    """Return the verdict in words, with the cells that are out."""
    cells = report["cells"]
    out = [cell for cell in cells if state(cell) == "out"]
    measured = [cell for cell in cells if cell["row"] in report["files"]]
    if out:
        verb = "is" if len(out) == 1 else "are"
        names, columns = short_names(report), titles(report)
        said = f"✗ {counted(len(out), 'cell')} of {len(cells)} {verb} out of tolerance"
        listed = (
            element("a", f"{names[cell['row']]} in {columns[cell['column']]}", href=f"#{anchor(cell)}")
            for cell in out
        )
        rest = element("ul", *(element("li", each) for each in listed))
        return element("div", element("strong", said), _counts(report), rest, class_="verdict out")
    if not measured:
        said = "No verdict: no runtime is here that could run the files"
        return element("div", element("strong", said), _counts(report), class_="verdict refused")
    said = "✓ All within tolerance"
    return element("div", element("strong", said), _counts(report), class_="verdict within")


def _counts(report: Report) -> Markup:
    """Return how much was measured, refused and absent, in a sentence or three."""
    cells = report["cells"]
    refused = sum(state(cell) == "refused" for cell in cells)
    absent = sum(bool(column["absent"]) for column in report["columns"].values())
    here = len(report["columns"]) - absent
    imported = sum("imported" in column for column in report["columns"].values())
    digits = counted(report["digits"], "test digit") if report["digits"] else "the golden pictures"
    beside = ", and the Keras models they come from" if report["digits"] else ""
    words = [
        f"{counted(len(report['files']), 'file')} in {counted(here, 'runtime')}{beside}, "
        f"on {digits}: {counted(len(cells), 'cell')}."
    ]
    if imported:
        words.append(f"{counted(imported, 'runtime')} ran elsewhere: the columns say where.")
    if refused:
        words.append(f"{counted(refused, 'cell')} refused by the runtime, as the file’s operators foretell.")
    if absent:
        words.append(f"{counted(absent, 'runtime')} absent from this machine and not measured.")
    return element("p", " ".join(words))


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
    """Return which machines gave the imported answers, if there are any."""
    abouts = [column["imported"] for column in report["columns"].values() if "imported" in column]
    said = dict.fromkeys(f"{one['file']}: {_machine(one['machine'])}, {one['date']}" for one in abouts)
    return {"imported": "; ".join(said)} if said else {}


def _matrix(report: Report) -> Markup:
    sentences = ["Each row is the same network stored in another way, each column a program that runs it."]
    if report["net"] == WIDE:
        sentences.append(
            "All get the same digits, side by side in pictures of the width that the row names, and give "
            "eleven scores for each window; the original Keras model is the yardstick. Digits are read in "
            "the windows that have them in their middle. A runtime that cannot resize a file gets it "
            "rewritten for the width."
        )
    elif report["digits"]:
        sentences.append(
            "All get the same digits and give ten scores for each; the original Keras model is the yardstick."
        )
    if any(cell["facts"].get("pictures") == GOLDEN for cell in report["cells"]):
        sentences.append(
            "What was answered to the golden pictures is held against golden.json: TensorFlow’s scores, and "
            "limits made as below; the error is of those that are digits."
        )
    return joined(
        element("p", " ".join(sentences)),
        matrix_table(report),
        reasons(report),
        _details("The files: whole names, hashes, weights", files_table(report)),
        _details("Every cell in numbers", _about_numbers(), all_numbers(report)),
    )


def _details(summary: str, *children: Markup) -> Markup:
    return element("details", element("summary", summary), *children)


def _about_numbers() -> Markup:
    return element(
        "p",
        "Largest and allowed are in steps of 1/256. Used: the largest share of its tolerance that a score "
        "takes up around the ideal kernel’s; this decides. As ideal: digits with the ideal kernel’s very "
        "bytes. Lost : won: digits that only the original, and only this model, reads rightly; p: the "
        "probability of a split at least as uneven if both were equally good.",
        class_="soft",
    )


def _tolerance() -> Markup:
    """Return the derivation of converters/proof/tolerance.py in five sentences and its formula."""
    sentences = (
        "The ideal kernel computes a file’s graph exactly and rounds each tensor once; a runtime may round a "
        "value otherwise that lies near the middle between two steps, and everything behind it is then "
        "rounded anew.",
        "Each rounding error is uniform over a step s and has variance s²/12, so the difference of two "
        "independent ones has s²/6.",
        "An error in element e of tensor l moves logit j (what the softmax makes a score of) by its "
        "derivative J, so all of them together give it the sum of their variances, each times J².",
        "Six standard deviations σ and the logit’s own step are allowed: of 100,000 logits, one is beyond "
        "by chance in 5,000 runs.",
        "A score rises with its own logit and falls with the others, so its limits follow from theirs, with "
        "one step more for its own rounding.",
    )
    out = (
        "A cell is out when a score leaves its limits, when the file’s weights are not the exact model’s "
        "within half of a step, when it errs on more digits than the original by more than chance allows "
        "(McNemar’s exact test), or when a runtime fails that should run the file. The derivation is in "
    )
    return joined(
        element("p", " ".join(sentences)),
        _formula(),
        element("p", out, element("code", "docs/parity.md"), "."),
    )


def _formula() -> Markup:
    """Return the formula; it is ours and holds nothing from outside."""
    return Markup(
        '<div class="formula"><div><var>σ<sub>j</sub></var>² = Σ<sub><var>l</var>, <var>e</var></sub> '
        "<var>J</var>[<var>l</var>, <var>e</var>, <var>j</var>]² · <var>s<sub>l</sub></var>² / 6</div>"
        "<div>allowed<sub><var>j</var></sub> = 6 <var>σ<sub>j</sub></var> + <var>s</var><sub>logit</sub>"
        "</div></div>"
    )


def _about_layers() -> Markup:
    return element(
        "p",
        "How much stronger each operator’s output is than its difference from the exact model’s: 20 dB more "
        "is a tenth of the noise, 6 dB more is one bit. Step: of the output, as the file stores it. Clipped: "
        "values at an end of their range, where scores of 0 and 1 belong. Off exact: the most, in steps, by "
        "which TensorFlow’s kernel differs from exact arithmetic on what it was given; about 0.5 is rounded "
        "once, about 1 twice.",
    )


def _about_differences() -> Markup:
    return element(
        "p",
        "Every score of every digit beside the original’s, in steps of 1/256, which is the step of an int8 "
        "file’s scores. The bars are logarithmic, so that a single score can still be seen.",
    )


def _about_disagreements() -> Markup:
    return element(
        "p",
        "Those that most models read otherwise than the original come first. The score is what the models "
        "give the answer beside it, 1 being certain; a model named without a runtime answers so in all of "
        "them.",
    )


def _about_confusions() -> Markup:
    return element(
        "p",
        "Each row is what a digit is, each column what it is read as; what is off the diagonal is wrong. "
        "Below are the digits themselves, numbered from 0 as they stand in the test set.",
    )
