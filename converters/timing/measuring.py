"""Measure how long .tflite files take in a runtime, and the ratios of their times with intervals.

- All files are timed in one process in rounds, in another random order each round, so that the clock's
  frequency, heat and other processes meet them alike. A ratio is taken within a round.
- A sample is as many runs as take about 200 microseconds: long beside the timer's resolution and its cost,
  short beside the scheduler's ticks. One run before it that is not timed brings the weights to the caches.
- Where an interpreter's memory happens to lie makes it faster or slower as long as it lives: the same file
  loaded twice differed by 0.7 % (standard deviation; ai-edge-litert, float32) where its rounds alone gave
  0.05 %. So every file is loaded anew several times; a load gives one ratio, its rounds' median, and the
  interval is over the loads. More rounds would only repeat the same accident more exactly.
- Python's garbage collector is off meanwhile. Nothing is pinned: that is left to the machine's owner.
"""

from __future__ import annotations

import gc
import itertools
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import Numbers
from converters.base.errors import expect
from converters.runtimes.interpreter_types import TensorDetail
from converters.runtimes.sessions import Report, Session
from converters.timing.statistics import FEWEST, Estimate, Spread, median_interval, spread

LOADS = 12
"""How often each file is loaded anew, unless another number is asked for."""

_SAMPLE_NS = 200_000
_FEWEST_ROUNDS = 5


class Ready(NamedTuple):
    """Something loaded that can be timed.

    `run` hands the input over, computes and fetches the output; `invoke` computes only, None where the two
    cannot be told apart. `report`: what runs, a Report of the session or facts by their names.
    """

    run: Callable[[], object]
    invoke: Callable[[], object] | None
    report: Report | Mapping[str, str]


_Name = TypeVar("_Name")
_Key = TypeVar("_Key")

Load = Callable[[], Ready]
"""Loads something anew each time it is called."""


@dataclass(frozen=True)
class Timing:
    """What was measured of one model; all times in microseconds.

    `loading`: from the file's bytes to an interpreter that has run once, in a process in which the runtime is
    loaded. `run`: with input and output; `invoke`: without them, None where they cannot be told apart. Each
    sample is the mean of some runs in a row. `run_ratio` and `invoke_ratio`: to the first model.
    `loads`: the median of each load's `run`.
    """

    report: Report | Mapping[str, str]
    loading: Spread
    run: Spread
    invoke: Spread | None
    run_ratio: Estimate
    invoke_ratio: Estimate | None
    loads: tuple[float, ...]


def measure(
    contents: Mapping[str, bytes],
    *,
    runtime: str = "auto",
    delegate: str | os.PathLike[str] = "auto",
    delegate_options: Mapping[str, str] | None = None,
    threads: int = 1,
    seconds: float = 2.0,
    warm_up: float = 0.3,
    loads: int = LOADS,
    seed: int = 0,
    example: Callable[[TensorDetail], Numbers] | None = None,
    progress: Callable[[], object] | None = None,
) -> dict[str, Timing]:
    """Return the timings of `contents`, .tflite files by any names, interleaved; ratios are to the first.

    `runtime`, `delegate`, `delegate_options`, `threads`: as `Session` has them. `seconds`: of measuring, for
    each model; `warm_up`: seconds of runs before that are not counted, for each model. `loads`: how often
    each is loaded anew, FEWEST or more. `seed`: of the order and the input. `example`: makes the stored input
    (1, ...) from a session's `source`; noise unless given. `progress` is called after each load.

    Raises InputError: bad options, no runtime, a file that the runtime refuses.
    """
    session = partial(
        Session, runtime=runtime, delegate=delegate, delegate_options=delegate_options, threads=threads
    )
    make = example or partial(noise, seed=seed)
    starters: dict[str, Load] = {
        name: partial(load_session, partial(session, content), make) for name, content in contents.items()
    }
    return measure_loads(
        starters, seconds=seconds, warm_up=warm_up, loads=loads, seed=seed, progress=progress
    )


def measure_loads(
    starters: Mapping[_Name, Load],
    *,
    seconds: float = 2.0,
    warm_up: float = 0.3,
    loads: int = LOADS,
    seed: int = 0,
    clock: Callable[[], int] = time.perf_counter_ns,
    progress: Callable[[], object] | None = None,
) -> dict[_Name, Timing]:
    """Return the timings of whatever `starters` load, by name, interleaved; ratios are to the first.

    The options are `measure`'s; `clock` returns nanoseconds.
    """
    raw = sample_loads(
        starters,
        seconds=seconds,
        warm_up=warm_up,
        loads=loads,
        seed=seed,
        clock=clock,
        progress=progress,
    )
    first = next(iter(raw.values()))
    return {name: _timing(one, first) for name, one in raw.items()}


@dataclass
class Raw:
    """The samples of one model, in microseconds: for each load one time of loading, and (rounds,) of runs."""

    report: Report | Mapping[str, str]
    loading: list[float]
    run: list[NDArray[np.float64]]
    invoke: list[NDArray[np.float64]]


def sample_loads(
    starters: Mapping[_Name, Load],
    *,
    seconds: float,
    warm_up: float,
    loads: int,
    seed: int = 0,
    clock: Callable[[], int] = time.perf_counter_ns,
    progress: Callable[[], object] | None = None,
) -> dict[_Name, Raw]:
    """Return the samples behind `measure_loads`, for other comparisons."""
    expect(starters, "one model or more to measure", "none")
    expect(seconds > 0 and warm_up > 0, "seconds and warm_up above 0", f"{seconds:g} and {warm_up:g}")
    expect(loads >= FEWEST, f"{FEWEST} loads or more", loads)
    rng = np.random.default_rng(seed)
    raw = {name: Raw({}, [], [], []) for name in starters}
    for _ in range(loads):
        ready = _loaded(starters, raw, rng, clock)
        with _no_garbage_collection():
            _sample(ready, raw, seconds=seconds / loads, warm_up=warm_up / loads, rng=rng, clock=clock)
        if progress:
            progress()
    return raw


def noise(source: TensorDetail, *, seed: int = 0) -> Numbers:
    """Return an input for `source` as the file stores it: uniform over an integer type, or over 0 to 1."""
    rng, dtype = np.random.default_rng(seed), np.dtype(source["dtype"])
    shape = tuple(int(side) for side in source["shape"])
    if dtype.kind in "iu":
        limits = np.iinfo(dtype.name)
        return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True).astype(source["dtype"])
    return rng.random(shape).astype(dtype)


def load_session(session: Callable[[], Session], example: Callable[[TensorDetail], Numbers] = noise) -> Ready:
    """Return a new `session()`, run once; `example` makes its stored input (1, ...) from its `source`."""
    loaded = session()
    stored = example(loaded.source)
    loaded.run(stored)
    return Ready(partial(loaded.run, stored), loaded.invoke, loaded.report)


def interleave(
    calls: Mapping[_Key, Callable[[], object]],
    *,
    seconds: float,
    warm_up: float,
    rng: np.random.Generator,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> dict[_Key, NDArray[np.float64]]:
    """Return the microseconds of each call of `calls`, (rounds,): in each round one sample of every call.

    `seconds`: of all rounds together, at least 5 of them; `warm_up`: of each call before the first.
    """
    counts = {key: _runs_in_a_sample(call, warm_up, clock) for key, call in calls.items()}
    keys, samples = list(calls), defaultdict[_Key, list[float]](list)
    end = clock() + round(seconds * 1e9)
    while clock() < end or len(samples[keys[0]]) < _FEWEST_ROUNDS:
        for position in rng.permutation(len(keys)):
            key = keys[position]
            calls[key]()
            samples[key].append(_timed(calls[key], counts[key], clock) / counts[key] / 1000)
    return {key: np.array(times) for key, times in samples.items()}


def _runs_in_a_sample(call: Callable[[], object], warm_up: float, clock: Callable[[], int]) -> int:
    """Return how many runs take a sample's time, warming up meanwhile."""
    quickest, end = float("inf"), clock() + round(warm_up * 1e9)
    while clock() < end or quickest == float("inf"):
        quickest = min(quickest, _timed(call, 1, clock))
    return max(1, round(_SAMPLE_NS / max(quickest, 1)))


def _timed(call: Callable[[], object], count: int, clock: Callable[[], int]) -> int:
    start = clock()
    for _ in itertools.repeat(None, count):
        call()
    return clock() - start


def _loaded(
    starters: Mapping[_Name, Load], raw: dict[_Name, Raw], rng: np.random.Generator, clock: Callable[[], int]
) -> dict[_Name, Ready]:
    """Load everything anew, in random order: what is loaded first may lie better in memory."""
    names, ready = list(starters), {}
    for position in rng.permutation(len(names)):
        name = names[position]
        start = clock()
        ready[name] = starters[name]()
        raw[name].loading.append((clock() - start) / 1000)
        raw[name].report = ready[name].report
    return ready


def _sample(
    ready: Mapping[_Name, Ready],
    raw: dict[_Name, Raw],
    *,
    seconds: float,
    warm_up: float,
    rng: np.random.Generator,
    clock: Callable[[], int],
) -> None:
    calls = {(name, "run"): one.run for name, one in ready.items()}
    calls |= {(name, "invoke"): one.invoke for name, one in ready.items() if one.invoke}
    times = interleave(
        calls,
        seconds=seconds * len(ready),
        warm_up=warm_up * len(ready) / len(calls),
        rng=rng,
        clock=clock,
    )
    for (name, kind), found in times.items():
        getattr(raw[name], kind).append(found)


def _timing(raw: Raw, first: Raw) -> Timing:
    both = bool(raw.invoke and first.invoke)
    return Timing(
        report=raw.report,
        loading=spread(raw.loading),
        run=spread(np.concatenate(raw.run)),
        invoke=spread(np.concatenate(raw.invoke)) if raw.invoke else None,
        run_ratio=_ratio(raw.run, first.run),
        invoke_ratio=_ratio(raw.invoke, first.invoke) if both else None,
        loads=tuple(float(np.median(times)) for times in raw.run),
    )


def _ratio(times: list[NDArray[np.float64]], first: list[NDArray[np.float64]]) -> Estimate:
    """Return the median over the loads of each load's median over its rounds."""
    pairs = zip(times, first, strict=True)
    return median_interval([float(np.median(one / other)) for one, other in pairs])


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
