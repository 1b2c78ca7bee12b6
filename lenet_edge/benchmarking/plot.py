"""Draw a benchmark as a chart: a panel for each runtime, a bar for each model, labelled with its ratio."""

from __future__ import annotations

import importlib.util
import io
from dataclasses import dataclass
from typing import Any

from converters.base.errors import expect
from converters.base.installed import RUNTIMES
from converters.base.words import counted
from lenet_edge.benchmarking.json_types import EstimateFacts, Report, Result, SpreadFacts

_INSTALL = "pip install matplotlib"
# Okabe and Ito's palette, which colour-blind people can tell apart.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
_INK = "#222222"


def check_plotting() -> None:
    """Raise InputError, with the command that installs it, when matplotlib is missing."""
    expect(importlib.util.find_spec("matplotlib") is not None, "matplotlib for --png", f"none: {_INSTALL}")


def draw(report: Report) -> bytes:
    """Return the PNG of a report: medians, and lines to the 90th percentile.

    A panel shows inference alone, or with input and output if any of its results has only that.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    results = report["results"]
    blocks = [
        [one for one in results if one["beside"] == beside]
        for beside in dict.fromkeys(one["beside"] for one in results)
    ]
    heights = [len(block) + 1.6 for block in blocks]
    with pyplot.rc_context({"text.color": _INK, "axes.labelcolor": _INK, "font.size": 10}):
        figure, panels = pyplot.subplots(
            len(blocks),
            1,
            figsize=(10, 0.42 * sum(heights) + 1),
            height_ratios=heights,
            squeeze=False,
            layout="constrained",
        )
        widest = max(_times(one, whole=_whole(block)).spread["p90"] for block in blocks for one in block)
        threads = sorted({one["threads"] for one in results})
        for axes, block in zip(panels[:, 0], blocks, strict=True):
            _panel(axes, block, threads, widest)
        panels[-1, 0].set_xlabel("microseconds per picture: bar, median; line, 50th to 90th percentile")
        figure.suptitle(_title(report), fontsize=10, x=0.01, ha="left")
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=110)
        pyplot.close(figure)
    return picture.getvalue()


def _panel(axes: Any, block: list[Result], threads: list[int], widest: float) -> None:
    whole = _whole(block)
    for row, one in enumerate(block):
        times = _times(one, whole=whole).spread
        colour = _COLOURS[threads.index(one["threads"]) % len(_COLOURS)]
        axes.barh(row, times["p50"], height=0.62, color=colour)
        axes.plot([times["p50"], times["p90"]], [row, row], color=_INK, linewidth=1)
    # Names and figures are labels of axes, which the layout makes room for.
    right = axes.twinx()
    named = [_label(one, len(threads) > 1) for one in block]
    for side, labels in ((axes, named), (right, [_figures(one, whole=whole) for one in block])):
        side.set_yticks(range(len(block)), labels)
        side.set_ylim(len(block) - 0.4, -0.6)
        side.tick_params(axis="y", length=0)
        side.spines[["top", "right", "left"]].set_visible(False)
    axes.set_xlim(0, widest * 1.02)
    basis = "with input and output" if whole else "inference alone"
    axes.set_title(f"{_runtime(block[0])}, {basis}", loc="left", fontsize=11, fontweight="bold")
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)


def _figures(result: Result, *, whole: bool) -> str:
    """Return the median and its ratio to the first model's, with the interval."""
    shown = _times(result, whole=whole)
    ratio = shown.ratio
    beside = f"x {ratio['value']:.3f} ({ratio['low']:.3f} to {ratio['high']:.3f})"
    return f"{shown.spread['p50']:.1f}   {beside if ratio['low'] < ratio['high'] else 'x 1'}"


@dataclass(frozen=True)
class _Times:
    """A result's times and their ratio to the first model's."""

    spread: SpreadFacts
    ratio: EstimateFacts


def _whole(block: list[Result]) -> bool:
    """Return whether any result of `block` was timed only with input and output."""
    return not all(one["invoke"] for one in block)


def _times(result: Result, *, whole: bool) -> _Times:
    """Return the times with input and output (`whole`), or of inference alone."""
    invoke, ratio = result["invoke"], result["invoke_ratio"]
    if whole or invoke is None or ratio is None:
        return _Times(result["run"], result["run_ratio"])
    return _Times(invoke, ratio)


def _runtime(result: Result) -> str:
    name = result["runtime"]
    return f"{RUNTIMES[name].title if name in RUNTIMES else name} {result['version']}"


def _label(result: Result, many: bool) -> str:
    peer = "" if result["runtime"] in RUNTIMES else result["runtime"]
    parts = [result["model"], peer or result["delegate"] or "no delegate"]
    if many:
        parts.append(counted(result["threads"], "thread"))
    return ", ".join(filter(None, parts))


def _title(report: Report) -> str:
    facts = report["machine"]
    governor = f", governor {facts['governor']}" if facts.get("governor") else ""
    processors = counted(facts.get("processors") or 0, "processor")
    board = facts.get("board") or facts.get("processor")
    machine = f"{board}, {facts.get('architecture')}, {processors}{governor}"
    return f"{machine}, {report['date'][:10]}"
