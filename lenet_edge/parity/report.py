"""The parity report: one self-contained HTML file, for the screen and for print."""

from __future__ import annotations

from converters.base.words import counted
from converters.proof.cell import state
from converters.proof.markup import Markup, element, joined
from converters.proof.report_layers import profiles
from converters.proof.report_parts import (
    ROUNDING,
    Report,
    absent_sentence,
    details,
    facts_list,
    files_table,
    formula,
    machine_text,
    page,
    reasons,
    run_facts,
    verdict_box,
)
from lenet_edge.packaged.names import WIDE
from lenet_edge.parity.imported import GOLDEN
from lenet_edge.parity.matrix_table import all_numbers, matrix_table, weights_text
from lenet_edge.parity.report_sections import confusions, disagreements, histograms, namer
from lenet_edge.parity.score_comparison import ScoreComparison
from lenet_edge.parity.style import DIGIT_STYLE

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
    headline = joined(verdict_box(report, _counts(report)), _about(report))
    named = {key: (_SECTIONS[key], section) for key, section in sections.items()}
    return page(f"Parity of {report['net']}", headline, named, style=DIGIT_STYLE)


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
    return element("p", " ".join(filter(None, [*sentences, absent_sentence(report)])))


def _about(report: Report) -> Markup:
    return facts_list(
        {
            "net": report["net"],
            "test digits": f"{report['digits']:,}" if report["digits"] else "none",
            **run_facts(report),
            **_imported(report),
        }
    )


def _imported(report: Report) -> dict[str, str]:
    """Return the machines that gave the imported answers, if there are any."""
    sources = [column["imported"] for column in report["columns"].values() if "imported" in column]
    lines = dict.fromkeys(f"{one['file']}: {machine_text(one['machine'])}, {one['date']}" for one in sources)
    return {"imported": "; ".join(lines)} if lines else {}


def _matrix(report: Report) -> Markup:
    sentences = ["Each row is the same network, stored differently; each column is a runtime."]
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
        details("The files: full names, hashes, weights", files_table(report, weights_text)),
        details("Every cell in numbers", _about_numbers(), all_numbers(report)),
    )


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
        *ROUNDING,
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
        formula(),
        element("p", out, element("code", "docs/parity.md"), "."),
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
