"""The process that times everything of one runtime: started by lenet_edge.benchmarking.measuring.

The job has `runtime`; `models`, files in the folder by the names they are shown by; `delegates`; `threads`,
`seconds`, `loads`; `peers`, the folder of the peers' files or "". All models with all delegates, and the
peers, are interleaved; numbers of threads are not: idle threads of one model spin for a while and would take
the processor from the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from converters.base.arrays import Numbers
from converters.base.errors import InputError
from converters.runtimes.interpreter_types import TensorDetail
from converters.runtimes.sessions import Report, Session
from converters.runtimes.stored_values import quantize
from converters.timing.measuring import Load, Timing, load_session, measure_loads, noise
from converters.timing.statistics import Estimate, Spread
from lenet_edge.benchmarking.child_process import answering
from lenet_edge.benchmarking.json_types import Failure, TimingJob
from lenet_edge.benchmarking.peers import peer_loads
from lenet_edge.digits.geometry import FIELD, MNIST_SIDE, middle
from lenet_edge.digits.mnist import calibration_digits, pad

_SIDES = (FIELD, MNIST_SIDE)


class _Key(NamedTuple):
    """What is timed: a model with a delegate, or in a peer."""

    model: str
    delegate: str


def work(job: TimingJob, folder: Path, tick: Callable[[], None]) -> dict[str, list[Any]]:
    """Return the `results` of the job, what failed of it and why, and the profiles."""
    contents = {name: (folder / file).read_bytes() for name, file in job["models"].items()}
    results: list[dict[str, object]] = []
    failures: list[Failure] = []
    for threads in job["threads"]:
        starters, refused = _starters(contents, job, threads)
        failures += [failure for failure in refused if failure not in failures]
        if starters:
            timings = measure_loads(starters, seconds=job["seconds"], loads=job["loads"], progress=tick)
            results += [_result(key, timing, job["runtime"], threads) for key, timing in timings.items()]
    return {"results": results, "failures": failures}


def _starters(
    contents: Mapping[str, bytes], job: TimingJob, threads: int
) -> tuple[dict[_Key, Load], list[Failure]]:
    """Return what can be loaded, each tried once, and what is refused."""
    starters: dict[_Key, Load] = {}
    refused: list[Failure] = []
    for name, content in contents.items():
        for delegate in job["delegates"]:
            session = partial(Session, content, runtime=job["runtime"], delegate=delegate, threads=threads)
            try:
                session()
                starters[_Key(name, delegate)] = partial(load_session, session, digit_for)
            except InputError as error:
                refused.append({"model": name, "runtime": job["runtime"], "reason": str(error)})
    if job["peers"] and starters:
        loads, reasons = peer_loads(Path(job["peers"]), contents, runtime=job["runtime"], threads=threads)
        starters |= {_Key(*key): load for key, load in loads.items()}
        refused += [{"model": m, "runtime": title, "reason": why} for (m, title), why in reasons.items()]
    return starters, refused


def digit_for(source: TensorDetail) -> Numbers:
    """Return an input for `source` as the file stores it: a digit where it takes one, or else noise."""
    shape = [int(side) for side in source["shape"]]
    side = next((side for side in _SIDES if shape == [1, side, side, 1]), None)
    if side is None:
        return noise(source)
    picture = middle(pad(calibration_digits().images[:1]), side=side)
    return quantize(picture[..., None].astype(np.float32), source)


def _result(key: _Key, timing: Timing, runtime: str, threads: int) -> dict[str, object]:
    """Return the facts of one timing as the report has them."""
    report = timing.report
    ran = asdict(report) if isinstance(report, Report) else {**_NO_REPORT, **report, "threads": threads}
    return {
        "model": key.model,
        **ran,
        **{kind: _as_dict(getattr(timing, kind)) for kind in ("run", "invoke", "loading")},
        **{kind: _as_dict(getattr(timing, kind)) for kind in ("run_ratio", "invoke_ratio")},
        "loads": list(timing.loads),
        "beside": runtime,
    }


# What a peer does not tell.
_NO_REPORT: dict[str, str | int] = {"delegate": "", "taken": 0, "nodes": 0, "asked": "", "reason": ""}


def _as_dict(value: Spread | Estimate | None) -> dict[str, float] | None:
    return None if value is None else value._asdict()


if __name__ == "__main__":
    answering(work)
