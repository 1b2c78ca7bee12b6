"""Find the fastest layout of a .tflite file for the runtime and machine at hand, by measuring it there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from converters.base.errors import InputError, expect
from converters.file.graph import Graph, read_graph
from converters.file.layouts import Layout, describe, variations, windowed
from converters.file.lowering import lower
from converters.file.suggestion import suggested
from converters.timing.measuring import Timing, measure
from converters.timing.statistics import Estimate

_FINALISTS = 3
_HEAT_SECONDS, _FINAL_SECONDS = 0.15, 1.0
_HEAT_LOADS, _FINAL_LOADS = 6, 12


class Tuned(NamedTuple):
    """The fastest `layout` that was found, its file, and its time relative to the file as it was.

    `ratio`: of the times with input and output, new to old, with its 95 % interval. If it may be 1, the file
    is left as it was, with no layout, and there is no ratio. `tried`: how many layouts were measured.
    """

    layout: Layout
    content: bytes
    ratio: Estimate | None
    tried: int

    def __str__(self) -> str:
        if self.ratio is None:
            return f"none of {self.tried} layouts is faster than the file as it is"
        ratio = self.ratio
        return f"{ratio.value:.3f} of the time ({ratio.low:.3f} to {ratio.high:.3f}), of {self.tried} layouts"


def suggested_layout(content: bytes) -> Layout:
    """Return a layout of the .tflite file `content` that is likely to be fast, without measuring.

    Raises InputError when it is no .tflite file, or has no operator that can be laid out.
    """
    _read(content)
    return suggested(content)


def _read(content: bytes) -> Graph:
    graph = read_graph(content)
    expect(windowed(graph), "a .tflite file with convolutions", "none")
    return graph


def tune(
    content: bytes,
    *,
    runtime: str = "auto",
    threads: int = 1,
    most_bytes: int | None = None,
    prove: Callable[[bytes], str] | None = None,
    progress: Callable[[str], object] | None = None,
) -> Tuned:
    """Return the fastest layout of the .tflite file `content` in `runtime` with `threads`.

    Operators are varied one after the other, each (with the next, where they must go together) in every way
    that fits; the best of a heat are measured again, for longer, against the file as it was. `prove` is
    called with each finalist's bytes and returns why it may not be used, "" if it may. `progress` is called
    with a line after each heat. Layouts whose file has more than `most_bytes` are left out. Raises InputError
    as `lower` and `measure` do.
    """
    search = _Search(
        content, runtime=runtime, threads=threads, most_bytes=most_bytes, prove=prove, progress=progress
    )
    return search.run()


class _Search:
    def __init__(
        self,
        content: bytes,
        *,
        runtime: str,
        threads: int,
        most_bytes: int | None,
        prove: Callable[[bytes], str] | None,
        progress: Callable[[str], object] | None,
    ) -> None:
        self._content, self._graph = content, _read(content)
        self._runtime, self._threads = runtime, threads
        self._prove, self._progress = prove or (lambda lowered: ""), progress or (lambda line: None)
        self._most_bytes = most_bytes
        self._files: dict[Layout, bytes | None] = {}

    def run(self) -> Tuned:
        plain: Layout = (None,) * len(windowed(self._graph))
        best = plain
        for position in range(len(plain)):
            best = self._heat(best, position)
        tried = sum(lowered is not None for lowered in self._files.values())
        finalists = [
            layout for layout in dict.fromkeys((best, suggested(self._content))) if self._usable(layout)
        ]
        timings = self._timings(plain, finalists, _FINAL_SECONDS, _FINAL_LOADS)
        fastest = min(finalists, key=lambda one: timings[one].run_ratio.value, default=plain)
        ratio = timings[fastest].run_ratio if fastest != plain else None
        if ratio is None or ratio.high >= 1:
            return Tuned(plain, self._content, None, tried)
        lowered = self._lowered(fastest)
        assert lowered is not None
        return Tuned(fastest, lowered, ratio, tried)

    def _heat(self, best: Layout, position: int) -> Layout:
        """Return the fastest of `best` and its variations at `position`."""
        others = [
            one for one in variations(self._graph, best, position) if one != best and self._lowered(one)
        ]
        if not others:
            return best
        short = self._timings(best, others, _HEAT_SECONDS, _HEAT_LOADS)
        leading = sorted(others, key=lambda one: short[one].run_ratio.value)[:_FINALISTS]
        timings = self._timings(best, leading, 2 * _HEAT_SECONDS, _FINAL_LOADS)
        winner = min(leading, key=lambda one: timings[one].run_ratio.value)
        ratio = timings[winner].run_ratio
        if ratio.high >= 1 or not self._usable(winner):
            self._progress(f"operator {position + 1}: stays ({len(others)} others measured)")
            return best
        self._progress(f"operator {position + 1}: {describe(winner)}, {ratio.value:.3f} of the time")
        return winner

    def _timings(
        self, first: Layout, others: list[Layout], seconds: float, loads: int
    ) -> Mapping[Layout, Timing]:
        """Measure `others`, with ratios to `first`."""
        names = {describe(layout): layout for layout in (first, *others)}
        contents = {name: self._lowered(layout) or self._content for name, layout in names.items()}
        timings = measure(
            contents,
            runtime=self._runtime,
            threads=self._threads,
            seconds=seconds,
            loads=loads,
            warm_up=0.02,
        )
        return {names[name]: timing for name, timing in timings.items()}

    def _lowered(self, layout: Layout) -> bytes | None:
        """Return the file in `layout`, as it was without a step; None if it does not fit or is too large."""
        if not any(layout):
            return self._content
        if layout not in self._files:
            try:
                lowered = lower(self._content, layout=layout)
            except InputError:
                lowered = None
            fits = lowered is not None and (self._most_bytes is None or len(lowered) <= self._most_bytes)
            self._files[layout] = lowered if fits else None
        return self._files[layout]

    def _usable(self, layout: Layout) -> bool:
        lowered = self._lowered(layout)
        return lowered is not None and not self._prove(lowered)
