"""Quantise a float32 .tflite file in a process of its own, because TensorFlow crashes on some loops.

It ends with signal 11 on the loop of a GRU in int8 (TensorFlow 2.21). Starting a process that imports
TensorFlow takes seconds, so only files with loops are quantised there.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from converters.base.arrays import Numbers

JOB, RESULT, FAILURE = "job.pickle", "quantised.tflite", "failure"
"""What the two processes leave each other in a folder: the work, the file, or why there is none."""

_WORKER = (sys.executable, "-m", "converters.model.quantising_worker")


class Died(Exception):
    """The process died; the message says how."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Job:
    """What to quantise: a float32 file, `samples` (n, ...) by the names of its inputs, and the arguments."""

    content: bytes
    samples: Mapping[str, Numbers]
    arguments: Sequence[object]


def quantised_apart(content: bytes, samples: Mapping[str, Numbers], arguments: Sequence[object]) -> bytes:
    """Return the float32 file `content` quantised by TensorFlow's converter, in another process.

    `arguments`: what the converter passes to its own method behind the file. Raises RuntimeError with the
    converter's message where it refuses the file, and Died where the process died.
    """
    with tempfile.TemporaryDirectory(prefix="converters-") as name:
        folder = Path(name)
        job = Job(content=content, samples=dict(samples), arguments=tuple(arguments))
        (folder / JOB).write_bytes(pickle.dumps(job))
        done = subprocess.run(
            [*_WORKER, name], stdin=subprocess.DEVNULL, capture_output=True, env=_environment(), check=False
        )
        if done.returncode < 0:
            number = -done.returncode
            raise Died(f"the converter ended with signal {number} ({signal.Signals(number).name})")
        if (folder / FAILURE).exists():
            raise RuntimeError((folder / FAILURE).read_text())
        if done.returncode:
            raise Died(f"the converter ended with status {done.returncode}")
        return (folder / RESULT).read_bytes()


def _environment() -> dict[str, str]:
    """Return the environment of the process, which must find this package."""
    here = str(Path(__file__).resolve().parents[2])
    paths = [*filter(None, [os.environ.get("PYTHONPATH")]), here]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
