"""Worker process that times all models in one runtime; lenet_edge.benchmarking.measuring starts it.

The job has `runtime`; `models`, display names with their files in the folder; `delegates`; `threads`,
`seconds`, `loads`; `peers`, the folder of the peers' files or "". All models with all delegates, and the
peers, are interleaved. Thread counts are not: idle threads of one model spin for a while and would take
processor time from the next.
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
from lenet_edge.benchmarking.child_process import answer_job
from lenet_edge.benchmarking.json_types import Failure, TimingJob
from lenet_edge.benchmarking.peers import peer_loads
from lenet_edge.digits.geometry import FIELD, MNIST_SIDE, middle
from lenet_edge.digits.mnist import calibration_digits, pad

_SIDES = (FIELD, MNIST_SIDE)


class _Key(NamedTuple):
    """What is timed: a model with a delegate, or in a peer runtime."""

    model: str
    delegate: str


def time_models(job: TimingJob, folder: Path, tick: Callable[[], None]) -> dict[str, list[Any]]:
    """Return the `results` of the job, and its `failures` with their reasons."""
    contents = {name: (folder / file).read_bytes() for name, file in job["models"].items()}
    results: list[dict[str, object]] = []
    failures: list[Failure] = []
    for threads in job["threads"]:
        loadable, refused = _loadable(contents, job, threads)
        failures += [failure for failure in refused if failure not in failures]
        if loadable:
            timings = measure_loads(loadable, seconds=job["seconds"], loads=job["loads"], progress=tick)
            results += [_result(key, timing, job["runtime"], threads) for key, timing in timings.items()]
    return {"results": results, "failures": failures}


def _loadable(
    contents: Mapping[str, bytes], job: TimingJob, threads: int
) -> tuple[dict[_Key, Load], list[Failure]]:
    """Load everything once; return what loads, and what does not with the reason."""
    loadable: dict[_Key, Load] = {}
    refused: list[Failure] = []
    for name, content in contents.items():
        for delegate in job["delegates"]:
            session = partial(Session, content, runtime=job["runtime"], delegate=delegate, threads=threads)
            try:
                session()
                loadable[_Key(name, delegate)] = partial(load_session, session, digit_for)
            except InputError as error:
                refused.append({"model": name, "runtime": job["runtime"], "reason": str(error)})
    if job["peers"] and loadable:
        loads, reasons = peer_loads(Path(job["peers"]), contents, runtime=job["runtime"], threads=threads)
        loadable |= {_Key(*key): load for key, load in loads.items()}
        refused += [{"model": m, "runtime": title, "reason": why} for (m, title), why in reasons.items()]
    return loadable, refused


def digit_for(source: TensorDetail) -> Numbers:
    """Return an input for `source`, in the file's own type: a digit if its shape fits one, else noise."""
    shape = [int(side) for side in source["shape"]]
    side = next((side for side in _SIDES if shape == [1, side, side, 1]), None)
    if side is None:
        return noise(source)
    picture = middle(pad(calibration_digits().images[:1]), side=side)
    return quantize(picture[..., None].astype(np.float32), source)


def _result(key: _Key, timing: Timing, runtime: str, threads: int) -> dict[str, object]:
    """Return one timing in the report's form."""
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


# Fields that a peer does not report.
_NO_REPORT: dict[str, str | int] = {"delegate": "", "taken": 0, "nodes": 0, "asked": "", "reason": ""}


def _as_dict(value: Spread | Estimate | None) -> dict[str, float] | None:
    return None if value is None else value._asdict()


if __name__ == "__main__":
    answer_job(time_models)
