"""Give all runtimes that `column_worker` drives one interface; a runtime is imported when it is used."""

from __future__ import annotations

import functools
import importlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from converters.base.arrays import Numbers
from converters.base.errors import InputError
from converters.base.native_log import Log
from converters.base.untyped import Json, MicroInterpreter
from converters.runtimes.gpu import OnGpu
from converters.runtimes.interpreter_types import TensorDetail
from converters.runtimes.interpreters import (
    Loaded,
    first_line,
    load_library,
    refusal,
    title,
)

if TYPE_CHECKING:
    from converters.runtimes.columns import Column

MICRO_ARENA = 16 * 2**20
"""Bytes of the arena that files are run in: more memory than microcontrollers have."""

_MICRO_TITLE = "TensorFlow Lite Micro"

_ALIGNMENT = 16
"""TensorFlow Lite Micro aligns an arena's two ends to this many bytes."""


class Runner(Protocol):
    """A loaded .tflite file; `sources` and `sinks` describe its inputs and its outputs."""

    @property
    def sources(self) -> Sequence[TensorDetail]:
        """The inputs."""

    @property
    def sinks(self) -> Sequence[TensorDetail]:
        """The outputs."""

    def run(self, stored: Sequence[Numbers]) -> Sequence[Numbers]:
        """Return each output (...) for a sample of each input (1, ...), all as the file stores them.

        A sample is answered as the first one is: no state is left from one to the next.
        """

    def resize(self, shapes: Sequence[Sequence[int]]) -> None:
        """Take inputs of `shapes`, one for each, from now on; raises InputError when it cannot."""

    def facts(self) -> dict[str, Json]:
        """Return what ran, as fields of a Result; after the last `run`."""


def runner(column: Column, content: bytes, log: Log) -> Runner:
    """Return `content`, a .tflite file, loaded in `column`'s runtime.

    Raises InputError when the runtime refuses it, with its reason; a damaged file may kill the process.
    """
    if column.kind == "gpu":
        return _Gpu(column, content, log)
    if column.kind == "micro":
        return _Micro(column, content, log)
    return _Interpreter(column, content)


class _Interpreter:
    """TensorFlow's, tflite-runtime's or LiteRT's interpreter: one class under three names."""

    def __init__(self, column: Column, content: bytes) -> None:
        library = load_library(column.package, column.library) if column.library else None
        self._loaded = Loaded(
            content,
            column.package,
            threads=column.threads,
            resolver=column.resolver or "AUTO",
            library=library,
        )
        self._title = title(column.package)
        # XNNPACK is the only delegate that a package includes.
        self._delegate = Path(column.library).name or "XNNPACK"
        self.sources, self.sinks, self.run = self._loaded.sources, self._loaded.sinks, self._loaded.run_all

    def resize(self, shapes: Sequence[Sequence[int]]) -> None:
        self._loaded.resize(*shapes)
        self.sources, self.sinks = self._loaded.sources, self._loaded.sinks

    def facts(self) -> dict[str, Json]:
        taken, nodes = self._loaded.taken()
        return {
            "runtime": f"{self._title} {self._loaded.version}",
            "delegate": self._delegate if taken else "",
            "taken": taken,
            "nodes": nodes,
        }


class _OfOneSize:
    """A runtime that accepts only the input size stored in the file."""

    def resize(self, shapes: Sequence[Sequence[int]]) -> None:
        wanted = " and ".join("x".join(map(str, shape)) for shape in shapes)
        raise InputError(f"it accepts only the input size stored in the file, not {wanted}")


class _Gpu(_OfOneSize):
    """LiteRT's GPU accelerator alone."""

    def __init__(self, column: Column, content: bytes, log: Log) -> None:
        self._on_gpu, self._title = OnGpu(content, log), title(column.package)
        self.sources, self.sinks = [self._on_gpu.source], [self._on_gpu.sink]

    def run(self, stored: Sequence[Numbers]) -> Sequence[Numbers]:
        return [self._on_gpu.run(stored[0])]

    def facts(self) -> dict[str, Json]:
        taken, nodes = self._on_gpu.taken()
        return {
            "runtime": f"{self._title} {self._on_gpu.version}",
            "delegate": f"WebGPU on {self._on_gpu.adapter}",
            "taken": taken,
            "nodes": nodes,
        }


class _Micro(_OfOneSize):
    """TensorFlow Lite Micro's interpreter, compiled for this machine, with its recording allocator."""

    def __init__(self, column: Column, content: bytes, log: Log) -> None:
        package = importlib.import_module(column.package)
        self._version, self._log, self._title = package.__version__, log, title(column.package)
        self._load = functools.partial(package.runtime.Interpreter.from_bytes, content)
        try:
            graph = package.runtime.convert_bytearray_to_object(content).subgraphs[0]
            self._interpreter = self._load(arena_size=MICRO_ARENA)
        except RuntimeError as error:
            reason = _micro_reason(log.of_job()) or first_line(error)
            raise InputError(refusal(_MICRO_TITLE, reason)) from error
        except Exception as error:  # the package's generated reader trusts the file and raises anything
            raise InputError(refusal(_MICRO_TITLE, f"a damaged file ({first_line(error)})")) from error
        self._has_state = any(tensor.isVariable for tensor in graph.tensors)
        sources, sinks = self._interpreter.get_input_details, self._interpreter.get_output_details
        self.sources = [_micro_detail(sources(place)) for place in range(len(graph.inputs))]
        self.sinks = [_micro_detail(sinks(place)) for place in range(len(graph.outputs))]

    def run(self, stored: Sequence[Numbers]) -> Sequence[Numbers]:
        if self._has_state:
            self._interpreter.reset()
        self._set(self._interpreter, stored)
        self._interpreter.invoke()
        return [self._interpreter.get_output(place)[0] for place in range(len(self.sinks))]

    @staticmethod
    def _set(interpreter: MicroInterpreter, stored: Sequence[Numbers]) -> None:
        for place, one in enumerate(stored):
            interpreter.set_input(one, place)

    def facts(self) -> dict[str, Json]:
        return {"runtime": f"{self._title} {self._version}", "arena_bytes": self._arena()}

    def _arena(self) -> int | None:
        """Return the smallest arena in which the file runs, in steps of 16 bytes; None when not logged."""
        self._interpreter.print_allocations()
        total = re.search(r"Arena allocation total (\d+) bytes", self._log.of_job())
        if total is None:
            return None
        # What is recorded holds the padding of that one arena, so it is the place to start looking from.
        size = int(total[1]) // _ALIGNMENT * _ALIGNMENT
        while self._runs_in(size - _ALIGNMENT):
            size -= _ALIGNMENT
        while not self._runs_in(size):
            size += _ALIGNMENT
        return size

    def _runs_in(self, size: int) -> bool:
        """Return whether the file runs in an arena of `size`; one that is too small may kill the process."""
        child = os.fork()
        if child == 0:
            os._exit(not self._tried(size))
        return os.waitpid(child, 0)[1] == 0

    def _tried(self, size: int) -> bool:
        try:
            interpreter = self._load(arena_size=size)
            self._set(interpreter, [np.zeros(one["shape"], one["dtype"]) for one in self.sources])
            interpreter.invoke()
        except RuntimeError:
            return False
        return True


def _micro_detail(detail: Json) -> TensorDetail:
    """Return a detail of Micro's with `quantization` as the other runtimes give it."""
    parameters = detail["quantization_parameters"]
    scales, zero_points = parameters["scales"], parameters["zero_points"]
    quantization = (float(scales[0]), int(zero_points[0])) if len(scales) else (0.0, 0)
    return detail | {"quantization": quantization}


def _micro_reason(log: str) -> str:
    """Return what TensorFlow Lite Micro logged, in a line, without the names of its source files."""
    lines = [re.sub(r"^\S+\.(cc|h)(:\d+)?:? ", "", line).strip() for line in log.splitlines()]
    return "; ".join(line.rstrip(".") for line in lines if line)
