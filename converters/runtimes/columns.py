"""Run the same inputs through a .tflite file in every runtime, side by side.

Each runtime is a column and runs in a process of its own: tflite-runtime dies in a process that has loaded
TensorFlow, and a damaged file can kill whatever runs it. The process is converters/runtimes/column_worker.py;
they exchange .tflite and .npz files in a temporary folder.
"""

from __future__ import annotations

import importlib.util
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import Numbers, read_npz
from converters.base.errors import InputError, expect
from converters.base.installed import RUNTIMES, unusable_reason
from converters.base.untyped import Json
from converters.runtimes import gpu
from converters.runtimes.interpreters import PLAIN
from converters.runtimes.stored_values import dequantize

WORKER = (sys.executable, "-m", "converters.runtimes.column_worker")
"""The command that starts a column's process; the column's name and the folder follow."""


@dataclass(frozen=True)
class Column:
    """A runtime and its options.

    `package`: what is imported; `install`: what adds it; `kind`: "interpreter", "gpu" or "micro"; `threads`
    and `resolver` (an OpResolverType's name, "" for the default): options of an interpreter.
    `library`: the path of a delegate's shared library, "" for none.
    """

    name: str
    title: str
    package: str
    install: str
    kind: str = "interpreter"
    threads: int = 1
    resolver: str = ""
    library: str = ""


_TENSORFLOW, _TFLITE, _LITERT = (
    (RUNTIMES[name].package, RUNTIMES[name].install) for name in ("tensorflow", "tflite", "litert")
)
_MICRO = ("tflite_micro", 'pip install "lenet-edge[micro]"')

COLUMNS = {
    column.name: column
    for column in (
        Column("tf.lite", "TensorFlow", *_TENSORFLOW),
        Column("tf.lite-reference", "TensorFlow, reference kernels", *_TENSORFLOW, resolver="BUILTIN_REF"),
        Column("tflite-runtime", "tflite-runtime", *_TFLITE),
        Column("litert", "LiteRT, XNNPACK", *_LITERT),
        Column("litert-4", "LiteRT, XNNPACK, 4 threads", *_LITERT, threads=4),
        Column("litert-plain", "LiteRT without XNNPACK", *_LITERT, resolver=PLAIN),
        Column("litert-plain-4", "LiteRT without XNNPACK, 4 threads", *_LITERT, threads=4, resolver=PLAIN),
        Column("litert-gpu", "LiteRT, GPU (WebGPU)", *_LITERT, kind="gpu"),
        Column("micro", "TensorFlow Lite Micro", *_MICRO, kind="micro"),
    )
}
"""The columns by name, in the order in which they are shown."""


Samples: TypeAlias = Numbers | Sequence[Numbers]
"""Real values (n, ...) for a file's only input, or a list of such arrays, one for each input in its order."""


@dataclass(frozen=True, eq=False)
class Output:
    """An output of a file: `stored` (n, ...) as the file stores it, with its `scale` and `zero_point`."""

    stored: Numbers
    scale: float
    zero_point: int

    @property
    def values(self) -> NDArray[np.float32]:
        """The real values (n, ...)."""
        return dequantize(self.stored, {"quantization": (self.scale, self.zero_point)})


@dataclass(frozen=True, eq=False)
class Result:
    """The result of one file in a column; `failure` says in one line why there is none, "" if there is one.

    `outputs` (n, ...) as the file stores them, float32, uint8 or int8, with their `scale` and `zero_point`
    (a scale of 0 when they are real values already). `runtime`: its name and version. `delegate`: which ran,
    "" for none; it took `taken` of the file's `nodes`, None where the runtime does not report it. `seconds`:
    for all inputs, without loading. `arena_bytes`: the memory that TensorFlow Lite Micro used. `others`: the
    outputs behind the first, of a file that has several.
    """

    outputs: Numbers
    scale: float = 0.0
    zero_point: int = 0
    runtime: str = ""
    delegate: str = ""
    taken: int | None = None
    nodes: int | None = None
    seconds: float = 0.0
    arena_bytes: int | None = None
    failure: str = ""
    others: tuple[Output, ...] = ()

    @classmethod
    def of(cls, outputs: Sequence[Output], **facts: Json) -> Result:
        """Return the result with these `outputs`, in the file's order; `facts`: what ran."""
        first, *others = outputs
        return cls(first.stored, first.scale, first.zero_point, others=tuple(others), **facts)

    @property
    def facts(self) -> dict[str, Json]:
        """What ran, and how long it took."""
        names = ("runtime", "delegate", "taken", "nodes", "seconds", "arena_bytes")
        return {name: getattr(self, name) for name in names}

    @property
    def every(self) -> tuple[Output, ...]:
        """Every output, in the file's order."""
        return (Output(self.outputs, self.scale, self.zero_point), *self.others)

    @property
    def values(self) -> NDArray[np.float32]:
        """The real values (n, ...) of the first output."""
        return self.every[0].values


def absence(column: Column) -> str:
    """Return why `column` cannot run on this machine and what would help, in a line; "" when it can.

    Nothing is imported and no driver is started: one that is installed but broken fails when it runs.
    """
    runtime = next((name for name, one in RUNTIMES.items() if one.package == column.package), None)
    # It runs in a process of its own: what this one has loaded does not matter.
    reason = _missing(column) if runtime is None else unusable_reason(runtime, alone=True)
    return reason or (gpu.absence() if column.kind == "gpu" else "")


def _missing(column: Column) -> str:
    if importlib.util.find_spec(column.package) is not None:
        return ""
    return f"{column.package.replace('_', '-')} is not installed: {column.install}"


def delegate_column(library: str | os.PathLike[str]) -> Column:
    """Return the column of a delegate's shared `library`, in LiteRT or, where that is not, tflite-runtime.

    Raises InputError when there is no such file, neither runtime, or the library does not load there.
    """
    path = Path(library)
    expect(path.is_file(), "a delegate library that is a file", path)
    bases = [COLUMNS[name] for name in ("litert-plain", "tflite-runtime")]
    base = next((column for column in bases if not absence(column)), None)
    if base is None:
        raise InputError(f"expected a runtime that loads delegates, got none: {_LITERT[1]}")
    column = replace(base, name=f"{base.name}+{path.name}", title=path.name, library=str(path.resolve()))
    failure = _loading_failure(column)
    expect(not failure, f"a delegate library that {base.title} loads", f"{path}: {failure}")
    return column


def _loading_failure(column: Column) -> str:
    """Return why the column's library does not load, in a line; "" when it does."""
    with tempfile.TemporaryDirectory(prefix="lenet-edge-") as folder, _Process(column, folder) as process:
        return str(process.ask("", timeout=60).get("failure", ""))


def run_column(
    column: Column,
    files: Mapping[str, bytes],
    inputs: Mapping[str, Samples],
    *,
    progress: Callable[[str], object] | None = None,
    timeout: float | None = None,
) -> dict[str, Result]:
    """Run each of `files` (.tflite, by any names) in `column` on its inputs (n, ...), real values.

    They are stored by the file's own scale and zero point and run one at a time; an interpreter resizes a
    file that says (by -1 in its shape_signature) that it may be. One process serves all
    files; one that kills it, or takes longer than `timeout` seconds, is a failure and the next gets a fresh
    process. `progress` is called with a file's name once it is done. Raises InputError when the column is
    absent here (see `absence`).
    """
    reason = absence(column)
    expect(not reason, f"{column.title} on this machine", reason)
    results = {}
    with tempfile.TemporaryDirectory(prefix="lenet-edge-") as folder, _Process(column, folder) as process:
        for number, (name, content) in enumerate(files.items()):
            job = Path(folder, str(number))
            job.with_suffix(".tflite").write_bytes(content)
            given = inputs[name]
            arrays = given if isinstance(given, list | tuple) else [np.asarray(given)]
            np.savez(job.with_suffix(".inputs.npz"), *arrays)
            results[name] = _result(process.ask(job.name, timeout=timeout), job)
            if progress:
                progress(name)
    return results


def _result(answer: dict[str, Json], job: Path) -> Result:
    if "failure" in answer:
        return Result(np.zeros((0, 0), np.float32), **answer)
    scales, stored = answer.pop("scales"), read_npz(job.with_suffix(".outputs.npz")).values()
    return Result.of([Output(one, *scale) for one, scale in zip(stored, scales, strict=True)], **answer)


class _Process:
    """A column's process, started when there is something to ask and again after it died."""

    def __init__(self, column: Column, folder: str) -> None:
        self._command = [*WORKER, column.name.split("+")[0], folder, column.library]
        self._log = Path(folder, "log")
        self._running: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def ask(self, job: str, *, timeout: float | None) -> dict[str, Json]:
        """Return the process's answer on `job`: a Result's fields, or its failure."""
        if self._running is not None and self._running.poll() is not None:
            self._stop()  # it ended after its last answer: not of this file
        running = self._started()
        assert running.stdin is not None
        assert running.stdout is not None
        try:
            running.stdin.write(f"{job}\n".encode())
            running.stdin.flush()
        except BrokenPipeError:
            pass  # the process is ending, which is seen when its answer is read below
        if not select.select([running.stdout], [], [], timeout)[0]:
            self._stop()
            return {"failure": f"it took longer than {timeout:g} s"}
        line = running.stdout.readline()
        return json.loads(line) if line else {"failure": self._death()}

    def _started(self) -> subprocess.Popen[bytes]:
        if self._running is None:
            with self._log.open("wb") as log:
                self._running = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=_environment(),
                )
        return self._running

    def _death(self) -> str:
        """Return how the process ended, in a line."""
        assert self._running is not None
        status = self._running.wait()
        self._stop()
        if status < 0:
            return f"the process died with signal {-status} ({signal.Signals(-status).name})"
        lines = self._log.read_text(errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "no message")
        return f"the process ended with status {status}: {last.strip()}"

    def _stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.kill()
            running.communicate()


def _environment() -> dict[str, str]:
    """Return the environment of a column's process, which must find this package."""
    here = str(Path(__file__).resolve().parents[2])
    paths = [*filter(None, [os.environ.get("PYTHONPATH")]), here]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
