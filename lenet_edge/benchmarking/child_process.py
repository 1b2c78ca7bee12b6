"""Jobs in child processes, passed as JSON both ways: each starts as cold as a user's own process.

The job is FOLDER/job.json and the answer FOLDER/answer.json; each line on standard output reports one
finished step. A runtime that crashes is reported as a crash, and no runtime sees what another has loaded.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from converters.base.errors import InputError
from converters.base.files import write_json
from converters.base.quiet import quieten_tensorflow

# The processor's peak is measured on one core, and a peer gets its number of threads explicitly.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run_job(
    module: str, job: Mapping[str, Any], folder: Path, *, progress: Callable[[], object] | None = None
) -> Any:
    """Return the answer of `python -m module` to `job`; `folder` holds the files that the job names.

    `progress` is called after each step. Raises InputError, with the child's last line of output, when the
    child fails or crashes.
    """
    write_json(folder / "job.json", job)
    (folder / "answer.json").unlink(missing_ok=True)
    command = [sys.executable, "-m", module, os.fspath(folder)]
    with (folder / "log").open("wb") as log:
        environment = {**os.environ, **_ONE_THREAD}
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment)
    try:
        assert child.stdout is not None
        for _ in child.stdout:
            if progress:
                progress()
        status = child.wait()
    finally:
        child.kill()
        child.communicate()
    if status or not (folder / "answer.json").exists():
        raise InputError(_exit_reason(status, (folder / "log").read_text(errors="replace")))
    return json.loads((folder / "answer.json").read_text())


def answer_job(work: Callable[[Any, Path, Callable[[], None]], Mapping[str, Any]]) -> None:
    """Run in the child: read the job, call `work(job, folder, tick)`, write what it returns."""
    quieten_tensorflow()
    folder = Path(sys.argv[1])
    ticks = os.dup(1)
    os.dup2(2, 1)  # otherwise a line printed by native code would count as a step

    def tick() -> None:
        os.write(ticks, b"\n")

    write_json(folder / "answer.json", work(json.loads((folder / "job.json").read_text()), folder, tick))


def _exit_reason(status: int, log: str) -> str:
    if status < 0:
        return f"the process died with signal {-status} ({signal.Signals(-status).name})"
    last = next((line for line in reversed(log.splitlines()) if line.strip()), "no output")
    return f"the process ended with status {status}: {last.strip()}"
