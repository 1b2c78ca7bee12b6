"""Load a .tflite file into a runtime with a delegate, and report which delegate really runs it.

When the requested delegate does not run, the report says why; if it was required, InputError is raised.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from converters.base.arrays import Numbers
from converters.base.errors import InputError, expect
from converters.base.installed import RUNTIMES, choose
from converters.base.quiet import quiet
from converters.base.untyped import Delegate
from converters.runtimes.interpreter_types import TensorDetail
from converters.runtimes.interpreters import PLAIN, Loaded, Refused, first_line, load_library

DELEGATES = ("auto", "none", "xnnpack", "gpu")
"""The delegates by name: "auto" is the runtime's default, XNNPACK where it takes any node."""

_NNAPI = "nnapi"  # has a name, so that who asks for it is told why it cannot be had

_MOST_THREADS = 1024


@dataclass(frozen=True)
class Report:
    """What really runs a file.

    `runtime`: its name in RUNTIMES; `version`: the package's. `delegate`: the one that runs, "" for none; it
    took `taken` of the file's `nodes`. `asked`: the requested delegate; `reason`: why that one does not
    run, in a line, "" when it does.
    """

    runtime: str
    version: str
    delegate: str
    taken: int
    nodes: int
    threads: int
    asked: str
    reason: str = ""

    def __str__(self) -> str:
        runs = f"{self.delegate} takes {self.taken} of {self.nodes} nodes" if self.delegate else "no delegate"
        line = f"{RUNTIMES[self.runtime].title} {self.version}, {runs}"
        return f"{line} ({self.asked} does not run: {self.reason})" if self.reason else line


class _Loaded(Protocol):
    """What `Loaded` and `OnGpu` have in common."""

    version: str

    @property
    def source(self) -> TensorDetail:
        """The input."""

    @property
    def sink(self) -> TensorDetail:
        """The output."""

    def run(self, stored: Numbers) -> Numbers:
        """Return the output for one input."""

    def taken(self) -> tuple[int, int]:
        """Return how many nodes a delegate took, of how many."""

    def close(self) -> None:
        """Free it."""


class Session:
    """A .tflite file `content` in a runtime with a delegate; it has one input and one output.

    `runtime`: a name of RUNTIMES or "auto". `delegate`: a name of DELEGATES or the path of a delegate's
    shared library, which gets `delegate_options`. `threads`: of the CPU's kernels. `require_delegate`: raise
    rather than run without the requested delegate. `source` and `sink` describe the input and the output,
    `report` what really runs; `loading_seconds` and `first_run_seconds` tell how long the start took.
    One thread at a time may use it.

    Raises InputError: bad options, no runtime, a file that the runtime refuses, a required delegate that does
    not run. A damaged file or library may kill the process: check a file that is not yours with
    converters.file.soundness first.
    """

    def __init__(
        self,
        content: bytes,
        *,
        runtime: str = "auto",
        delegate: str | os.PathLike[str] = "auto",
        delegate_options: Mapping[str, str] | None = None,
        threads: int = 1,
        require_delegate: bool = False,
    ) -> None:
        asked = os.fspath(delegate)
        check_options(delegate=asked, delegate_options=delegate_options, threads=threads)
        expect(
            not require_delegate or asked not in ("auto", "none"),
            "a delegate by its name with require_delegate",
            asked,
        )
        self._content, self._threads, self._asked = content, threads, asked
        self._runtime = choose(_preferring_gpu(runtime) if asked == "gpu" else runtime)
        began = time.perf_counter()
        self._loaded, name, reason = self._with_delegate(dict(delegate_options or {}))
        self.loading_seconds = time.perf_counter() - began
        if not (self._run_once() or reason or asked in ("auto", "none")):
            reason = f"it takes none of the {self._loaded.taken()[1]} nodes"
            self._loaded, name = self._interpreter(), "XNNPACK"
            self._run_once()
        expect(not (require_delegate and reason), f"the delegate {asked} to run", reason)
        self.source, self.sink, self._name = self._loaded.source, self._loaded.sink, name
        self.report = self._report(name, reason)

    def run(self, stored: Numbers) -> Numbers:
        """Return the output (...) for one input (1, ...), both as the file stores them."""
        return self._loaded.run(stored)

    def resize(self, shape: Sequence[int]) -> None:
        """Accept inputs of `shape` from now on; `source`, `sink` and `report` are updated.

        Raises Refused, with the reason, when the runtime or its delegate cannot do so; do not use the session
        afterwards. A shape that leaves an operator nothing to compute may kill the process.
        """
        if not isinstance(self._loaded, Loaded):
            raise Refused("the GPU accelerator accepts only the input size stored in the file")
        with quiet():
            self._loaded.resize(shape)
        self._run_once()
        self.source, self.sink = self._loaded.source, self._loaded.sink
        self.report = self._report(self._name, self.report.reason)

    @property
    def invoke(self) -> Callable[[], object] | None:
        """The computation without input and output; None on the GPU, which ends with the reading."""
        return self._loaded.interpreter.invoke if isinstance(self._loaded, Loaded) else None

    def close(self) -> None:
        """Free the runtime's memory; the session cannot be used afterwards."""
        self._loaded.close()

    def _with_delegate(self, options: dict[str, str]) -> tuple[_Loaded, str, str]:
        """Return the file loaded, the delegate that may have taken nodes, and why another was not used."""
        makers: dict[str, Callable[[], tuple[_Loaded, str]]] = {
            "auto": lambda: (self._interpreter(), "XNNPACK"),
            "xnnpack": lambda: (self._interpreter(), "XNNPACK"),
            "none": lambda: (self._interpreter(resolver=PLAIN), ""),
            "gpu": self._on_gpu,
            _NNAPI: _nnapi,
        }
        try:
            loaded, name = makers.get(self._asked, lambda: self._with_library(options))()
        except _Unavailable as error:
            return self._interpreter(), "XNNPACK", str(error)
        return loaded, name, ""

    def _interpreter(self, *, resolver: str = "AUTO", library: Delegate = None) -> Loaded:
        with quiet():
            return Loaded(
                self._content,
                RUNTIMES[self._runtime].package,
                threads=self._threads,
                resolver=resolver,
                library=library,
            )

    def _on_gpu(self) -> tuple[_Loaded, str]:
        from converters.base import native_log  # only their users wait for them
        from converters.runtimes import gpu

        if self._runtime != "litert":
            absence = gpu.absence()
            raise _Unavailable(f"only the runtime litert has a GPU delegate{absence and f'; {absence}'}")
        if reason := gpu.absence():
            raise _Unavailable(reason)
        with native_log.captured() as log:
            try:
                on_gpu = gpu.OnGpu(self._content, log)
            except InputError as error:
                raise _Unavailable(str(error)) from error
        return on_gpu, f"WebGPU on {on_gpu.adapter}"

    def _with_library(self, options: dict[str, str]) -> tuple[_Loaded, str]:
        path = Path(self._asked)
        try:
            with quiet():
                library = load_library(RUNTIMES[self._runtime].package, str(path.resolve()), options)
            # Without the default delegate: XNNPACK would take what the library leaves, and would be counted.
            return self._interpreter(resolver=PLAIN, library=library), path.name
        except InputError as error:
            raise _Unavailable(str(error)) from error

    def _run_once(self) -> int:
        """Run the file once on zeros; return how many nodes a delegate took, which is known only then."""
        source, began = self._loaded.source, time.perf_counter()
        try:
            self._loaded.run(np.zeros(source["shape"], source["dtype"]))
        except (ValueError, RuntimeError) as error:
            raise Refused(f"{RUNTIMES[self._runtime].title} cannot run it: {first_line(error)}") from error
        self.first_run_seconds = time.perf_counter() - began
        return self._loaded.taken()[0]

    def _report(self, name: str, reason: str) -> Report:
        taken, nodes = self._loaded.taken()
        return Report(
            runtime=self._runtime,
            version=self._loaded.version,
            delegate=name if taken else "",
            taken=taken,
            nodes=nodes,
            threads=self._threads,
            asked=self._asked,
            reason=reason,
        )


class _Unavailable(Exception):
    """A delegate cannot be used; the message says why."""


def check_options(
    *, delegate: str, delegate_options: Mapping[str, str] | None = None, threads: int = 1
) -> None:
    """Raise InputError unless these are valid options of a Session; nothing is loaded."""
    named = delegate in (*DELEGATES, _NNAPI)
    wanted = f"a delegate of {', '.join(DELEGATES)}, or the path of a delegate's library"
    expect(named or Path(delegate).is_file(), wanted, delegate)
    expect(not (named and delegate_options), "delegate_options with a delegate's library only", delegate)
    expect(
        isinstance(threads, int) and 1 <= threads <= _MOST_THREADS, f"1 to {_MOST_THREADS} threads", threads
    )


def _preferring_gpu(runtime: str) -> str:
    """Return "litert", which has a GPU delegate, for "auto" where the GPU can be used; else `runtime`."""
    from converters.runtimes import gpu

    return "litert" if runtime == "auto" and not gpu.absence() else runtime


def _nnapi() -> tuple[_Loaded, str]:
    if sys.platform != "android" and "ANDROID_ROOT" not in os.environ:
        raise _Unavailable(f"NNAPI is Android's; this is {sys.platform}: only apps have it")
    raise _Unavailable("the Python runtimes bring no NNAPI delegate: only apps have it")
