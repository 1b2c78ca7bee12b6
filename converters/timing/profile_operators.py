"""Find where a .tflite file's time goes, node by node, in a runtime that has no profiler.

The Python packages of TensorFlow Lite profile nothing. So the file is cut after each node (profile_cut), all
the cuts are timed interleaved, and a node's time is the difference between the cut that ends with it and the
one before, taken within each round. That is what the node adds, which is what removing it would save; the
first node's holds what every call costs. Where a delegate joins two nodes, the second seems free. The
interval shows which differences mean nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from converters.runtimes.sessions import Session
from converters.timing.measuring import LOADS, Ready, load_session, noise, sample_loads
from converters.timing.profile_costs import Cost, costs
from converters.timing.profile_cut import cut_after
from converters.timing.statistics import Estimate, median_interval

_SIDE = 512


class NodeTime(NamedTuple):
    """What a node adds, in microseconds, and its `share` of the whole; what it has to do for that."""

    cost: Cost
    microseconds: Estimate
    share: float


def profile(
    content: bytes,
    *,
    runtime: str = "auto",
    delegate: str | os.PathLike[str] = "auto",
    delegate_options: Mapping[str, str] | None = None,
    threads: int = 1,
    seconds: float = 0.5,
    warm_up: float = 0.1,
    loads: int = LOADS,
    seed: int = 0,
    progress: Callable[[], object] | None = None,
) -> list[NodeTime]:
    """Return what each node of the .tflite file `content` adds to its time, in the order in which they run.

    `seconds`: of measuring, for each node. The other options are those of `timing.measure`. Input and output
    are left out, except on the GPU. Raises InputError as `timing.measure` does, and for a file that has not
    one graph with one output.
    """
    nodes = costs(content)
    session = partial(
        Session, runtime=runtime, delegate=delegate, delegate_options=delegate_options, threads=threads
    )
    cuts = {
        str(node.index): partial(_computing_only, partial(session, cut_after(content, node.index + 1)), seed)
        for node in nodes
    }
    raw = sample_loads(cuts, seconds=seconds, warm_up=warm_up, loads=loads, seed=seed, progress=progress)
    return node_times(nodes, [one.run for one in raw.values()])


def node_times(nodes: list[Cost], samples: list[list[NDArray[np.float64]]]) -> list[NodeTime]:
    """Return the times of `nodes` from the `samples` of the cuts: of each cut, of each load, (rounds,)."""
    whole = float(np.median([np.median(times) for times in samples[-1]]))
    none = [np.zeros_like(times) for times in samples[0]]
    found = []
    for node, cut, before in zip(nodes, samples, [none, *samples], strict=False):
        added = [float(np.median(one - other)) for one, other in zip(cut, before, strict=True)]
        estimate = median_interval(added)
        found.append(NodeTime(node, estimate, estimate.value / whole))
    return found


def peak_macs(*, seconds: float = 0.3) -> float:
    """Return the multiply-accumulates a nanosecond that NumPy reaches in a float32 product of 512x512.

    The best of several, so it is what the processor can do, on as many cores as NumPy's BLAS is let use.
    """
    rng = np.random.default_rng(0)
    one, other = (rng.random((_SIDE, _SIDE), np.float32) for _ in range(2))
    quickest, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end or quickest == float("inf"):
        start = time.perf_counter_ns()
        one @ other
        quickest = min(quickest, time.perf_counter_ns() - start)
    return _SIDE**3 / quickest


def _computing_only(session: Callable[[], Session], seed: int) -> Ready:
    ready = load_session(session, partial(noise, seed=seed))
    return Ready(ready.invoke or ready.run, None, ready.report)
