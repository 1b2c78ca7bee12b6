"""Compare two reports: two boards, two versions of a runtime, before and after a change."""

from __future__ import annotations

from typing import NamedTuple

from converters.timing.statistics import FEWEST, Estimate, median_interval
from lenet_edge.benchmarking.json_types import Report, Result
from lenet_edge.benchmarking.table import machine_lines


class Pair(NamedTuple):
    """One model timed in both reports: p50 in microseconds with input and output, and B's divided by A's.

    `how`: the runtime, delegate and number of threads. `ratio` is None where there are too few loads.
    """

    model: str
    how: str
    first: float
    second: float
    ratio: Estimate | None
    same_file: bool

    @property
    def certain(self) -> bool | None:
        """Whether the ratio's interval excludes 1; None without a ratio."""
        return None if self.ratio is None else not self.ratio.low <= 1 <= self.ratio.high


def matching_results(first: Report, second: Report) -> list[Pair]:
    """Return the results in both reports with the same model, runtime, requested delegate and threads."""
    others = {_key(result): result for result in second["results"]}
    found = []
    for result in first["results"]:
        other = others.get(_key(result))
        if other is not None:
            one, two = (report["models"].get(result["model"]) for report in (first, second))
            found.append(_pair(result, other, one == two))
    return found


def compare_lines(first: Report, second: Report) -> list[str]:
    """Return lines on both machines, then a table of every model that both timed."""
    lines = [*(f"A: {line}" for line in machine_lines(first)), ""]
    lines += [*(f"B: {line}" for line in machine_lines(second)), ""]
    found = matching_results(first, second)
    if not found:
        return [*lines, "nothing was timed in both: no model with the same runtime, delegate and threads"]
    lines.append(f"{'microseconds with i/o':<42}{'A p50':>10}{'B p50':>10}{'B / A':>8}  95 % interval")
    lines += [_line(pair) for pair in found]
    if not all(pair.same_file for pair in found):
        lines.append("* the two are not the same file")
    return lines


def _key(result: Result) -> tuple[str, str, str, int]:
    return result["model"], result["runtime"], result["asked"], result["threads"]


def _pair(one: Result, other: Result, same_file: bool) -> Pair:
    how = f"{one['runtime']}, {one['asked'] or 'no delegate'}, {one['threads']}"
    first, second = one["run"]["p50"], other["run"]["p50"]
    return Pair(one["model"], how, first, second, _ratio(one["loads"], other["loads"]), same_file)


def _ratio(first: list[float], second: list[float]) -> Estimate | None:
    """Return B's time over A's, from the two separate intervals: the runs were not interleaved."""
    if min(len(first), len(second)) < FEWEST:
        return None
    a, b = median_interval(first), median_interval(second)
    return Estimate(b.value / a.value, b.low / a.high, b.high / a.low)


def _line(pair: Pair) -> str:
    name = f"{pair.model} ({pair.how}){'' if pair.same_file else ' *'}"
    ratio = pair.second / pair.first if pair.ratio is None else pair.ratio.value
    between = "" if pair.ratio is None else f"{pair.ratio.low:.3f} - {pair.ratio.high:.3f}"
    doubtful = "" if pair.certain is not False else " no difference"
    return f"{name:<42}{pair.first:>10,.1f}{pair.second:>10,.1f}{ratio:>8.3f}  {between}{doubtful}"
