"""Child processes that are given a job as JSON and answer as JSON: a fresh process starts as people's does.

The job is FOLDER/job.json and the answer FOLDER/answer.json; a line on standard output means that a step of
it is done. So a runtime that crashes is told as such, and none meets what another has loaded.
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

# The estimate of the processor's peak is of one core, and a peer has the threads that it is told.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def ask(
    module: str, job: Mapping[str, Any], folder: Path, *, progress: Callable[[], object] | None = None
) -> Any:
    """Return the answer of `python -m module` to `job`; `folder` holds the files that the job names.

    `progress` is called after each of its steps. Raises InputError, with the child's own last line, when it
    refuses the job or dies.
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
        raise InputError(_death(status, (folder / "log").read_text(errors="replace")))
    return json.loads((folder / "answer.json").read_text())


def answering(work: Callable[[Any, Path, Callable[[], None]], Mapping[str, Any]]) -> None:
    """Be the child: read the job, let `work(job, folder, tick)` do it, write the answer."""
    folder = Path(sys.argv[1])
    ticks = os.dup(1)
    os.dup2(2, 1)  # what native code prints would else be taken for a step

    def tick() -> None:
        os.write(ticks, b"\n")

    write_json(folder / "answer.json", work(json.loads((folder / "job.json").read_text()), folder, tick))


def _death(status: int, said: str) -> str:
    if status < 0:
        return f"the process died with signal {-status} ({signal.Signals(-status).name})"
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "nothing said")
    return f"the process ended with status {status}: {last.strip()}"
