"""Worker process that starts one model and measures it; lenet_edge.benchmarking.measuring starts it.

The job has `runtime`, and `model` (a file in the folder), `delegate` and `threads`. Without a model it only
imports the runtime: the memory that takes is not the model's.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from converters.base.installed import RUNTIMES
from converters.base.quiet import quiet
from converters.runtimes.interpreters import load_package
from converters.runtimes.sessions import Session
from lenet_edge.benchmarking.child_process import answer_job
from lenet_edge.benchmarking.json_types import StartJob

_RUNS = 20


def measure_start(job: StartJob, folder: Path) -> dict[str, float]:
    """Return the seconds for the import, loading and the first run, and the peak memory in bytes."""
    began = time.perf_counter()
    with quiet():
        load_package(RUNTIMES[job["runtime"]].package)
    imported = time.perf_counter()
    times = {"import": imported - began}
    if "model" in job:
        content = (folder / job["model"]).read_bytes()
        session = Session(content, runtime=job["runtime"], delegate=job["delegate"], threads=job["threads"])
        times |= {
            "initialisation": session.loading_seconds,
            "first_run": session.first_run_seconds,
        }
        blank = np.zeros(session.source["shape"], session.source["dtype"])
        for _ in range(_RUNS):
            session.run(blank)
    return {**times, "peak_bytes": peak_bytes()}


def peak_bytes() -> int:
    """Return this process's peak resident memory, in bytes.

    On Linux that is VmHWM: ru_maxrss would start from the parent's memory.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    import resource

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024


if __name__ == "__main__":
    answer_job(lambda job, folder, _: measure_start(job, folder))
