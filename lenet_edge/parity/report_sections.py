"""The report's sections on differences of scores, disagreements and confusions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from converters.proof.charts import bar
from converters.proof.markup import Markup, element, heads, joined, row, table
from converters.proof.report_parts import Report, short_names, titles
from lenet_edge.parity.pictures import picture
from lenet_edge.parity.score_comparison import (
    EDGES,
    MOST_SHOWN,
    ORIGINAL,
    Confusion,
    Disagreement,
    Group,
    Histogram,
    Misread,
    Model,
    ScoreComparison,
)

Namer = Callable[[Model], str]


def namer(report: Report) -> Namer:
    """Return a function that names a model in a runtime."""
    names, columns = short_names(report), titles(report)
    return lambda model: f"{names[model[0]]} in {columns[model[1]]}"


def histograms(comparison: ScoreComparison, name: Namer) -> Markup:
    """Return a card for each file: a histogram of its scores' differences from the original's."""
    most = max((int(histogram.counts.max()) for histogram in comparison.histograms), default=1)
    cards = [_histogram(histogram, name(histogram.model), most) for histogram in comparison.histograms]
    return element("div", *cards, class_="cards")


def _histogram(histogram: Histogram, name: str, most: int) -> Markup:
    counts = [int(count) for count in histogram.counts]
    # The bin of the rest is shown only if it holds something.
    shown = list(zip(_bins(), counts, strict=True))[: None if counts[-1] else -1]
    body = [row(text, bar(_logarithmic(count, most)), f"{count:,}") for text, count in shown]
    near = counts[0] / max(1, sum(counts))
    return element(
        "section",
        element("h3", name),
        element("p", f"{_floored(100 * near)} % of {sum(counts):,} scores within half a step", class_="soft"),
        table(heads("steps apart", "logarithmic", "scores"), *body, class_="bars"),
        class_="card",
    )


def _bins() -> list[str]:
    ends = [f"{edge:g}".replace("0.5", "½") for edge in EDGES]
    return [
        f"up to {ends[0]}",
        *(f"{low} to {high}" for low, high in pairwise(ends)),
        f"beyond {ends[-1]} or not a number",
    ]


def _logarithmic(count: int, most: int) -> float:
    """Return the length of a bar, 0..1: 1 at `most`, a little for a single score, 0 for none."""
    return math.log(2 * count) / math.log(2 * most) if count else 0.0


def _floored(share: float) -> str:
    """Return a percentage rounded down, so that only all gives 100."""
    return f"{math.floor(100 * share) / 100:.2f}"


def disagreements(comparison: ScoreComparison, report: Report) -> Markup:
    """Return a card for each digit on which models disagree, and how many are left out."""
    if not comparison.disputed:
        return element("p", "None: every model gives the same answer to every digit.")
    rest = comparison.disputed - len(comparison.disagreements)
    count = f"{comparison.disputed:,} of {report['digits']:,} digits"
    more = f" The first {MOST_SHOWN} are shown, {rest:,} more are not." if rest else ""
    cards = [_disagreement(disagreement, report) for disagreement in comparison.disagreements]
    return joined(element("p", f"{count}.{more}"), element("div", *cards, class_="cards"))


def _disagreement(disagreement: Disagreement, report: Report) -> Markup:
    digit = disagreement.digit
    title = f"digit {digit.index}, labelled {digit.label}"
    groups = [_group(group, disagreement, report) for group in disagreement.groups]
    return element(
        "section",
        element("h3", title),
        element("div", picture(digit.picture, title=title), element("ul", *groups), class_="divided"),
        class_="card",
    )


def _group(group: Group, disagreement: Disagreement, report: Report) -> Markup:
    right = group.answer == disagreement.digit.label
    word = element("span", "✓ right" if right else "✗ wrong", class_="right" if right else "wrong")
    score = _score(group.low, group.high)
    models = "; ".join(_models(group, disagreement, report))
    return element(
        "li",
        element("b", f"read as {group.answer} "),
        word,
        element("div", f"score {score}"),
        element("div", models, class_="soft"),
    )


def _score(low: float, high: float) -> str:
    first, last = f"{low:.3f}", f"{high:.3f}"
    return first if first == last else f"{first} to {last}"


def _models(group: Group, disagreement: Disagreement, report: Report) -> list[str]:
    """Return the models of `group`; those that answer differently in other runtimes, with their runtimes."""
    names, columns = short_names(report), titles(report)
    elsewhere = {name for other in disagreement.groups if other is not group for name, _ in other.models}
    models = []
    for name in dict.fromkeys(name for name, _ in group.models):
        runtimes = ", ".join(columns[column] for row_name, column in group.models if row_name == name)
        models.append(f"{names[name]} in {runtimes}" if name in elsewhere else names[name])
    return models


def confusions(comparison: ScoreComparison, name: Namer) -> Markup:
    """Return confusion matrices side by side, each with the pictures of the misread digits."""
    cards = [_confusion(confusion, name(confusion.model)) for confusion in comparison.confusions]
    return element("div", *cards, class_="cards")


def _confusion(confusion: Confusion, name: str) -> Markup:
    total = int(confusion.counts.sum())
    title = "the original" if confusion.model == ORIGINAL else name
    body = [_confusion_row(label, [int(count) for count in confusion.counts[label]]) for label in range(10)]
    rest = confusion.wrong - len(confusion.misread)
    return element(
        "section",
        element("h3", title),
        element(
            "p",
            f"{confusion.wrong:,} of {total:,} misread.",
            class_="soft",
        ),
        table(heads("", *range(10)), *body, class_="confusion"),
        element("div", *(_misread(misread) for misread in confusion.misread), class_="sheet"),
        element("p", f"and {rest:,} more", class_="soft") if rest else None,
        class_="card",
    )


def _confusion_row(label: int, counts: Sequence[int]) -> Markup:
    cells = []
    for answer, count in enumerate(counts):
        kind = "same" if answer == label else ("many" if count > 3 else "few" if count else None)
        title = f"{count:,} times {label} read as {answer}"
        cells.append(element("td", f"{count:,}" if count else "", class_=kind, title=title))
    return element("tr", element("th", label, scope="row"), *cells)


def _misread(misread: Misread) -> Markup:
    digit = misread.digit
    text = f"{digit.label} as {misread.answer}"
    title = f"digit {digit.index}, labelled {digit.label}, read as {misread.answer}"
    caption = element("figcaption", text, element("div", f"no. {digit.index}", class_="soft"))
    return element("figure", picture(digit.picture, title=title), caption)
