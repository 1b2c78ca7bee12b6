"""One start of a model in a process of its own: started by lenet_edge.benchmarking.measuring, never by hand.

The job has `runtime`, and `model` (a file in the folder), `delegate` and `threads`; without a model it only
imports the runtime, which tells what memory is not the model's.
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
from lenet_edge.benchmarking.child_process import answering
from lenet_edge.benchmarking.json_types import StartJob

_RUNS = 20


def start(job: StartJob, folder: Path) -> dict[str, float]:
    """Return the seconds of importing the runtime, of loading and of the first run; and the most memory."""
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
        nothing = np.zeros(session.source["shape"], session.source["dtype"])
        for _ in range(_RUNS):
            session.run(nothing)
    return {**times, "peak_bytes": peak_bytes()}


def peak_bytes() -> int:
    """Return the most memory that this process had at once (resident), in bytes.

    Linux's VmHWM: its ru_maxrss would begin with what the parent process had.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    import resource

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024


if __name__ == "__main__":
    answering(lambda job, folder, _: start(job, folder))
