"""The runtimes that converters.column_worker drives, one interface for all; imported when one is used."""

from __future__ import annotations

import functools
import importlib
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from converters import vulkan
from converters.errors import InputError, expect
from converters.execution_plan import node_count, nodes_left

if TYPE_CHECKING:
    from converters.columns import Column

MICRO_ARENA = 16 * 2**20
"""Bytes that TensorFlow Lite Micro is given to run in: more than the boards that it is made for have."""

MICRO_REFUSES = "TensorFlow Lite Micro refuses it: "
"""How each of its refusals begins."""

_ALIGNMENT = 16
"""TensorFlow Lite Micro aligns an arena's two ends to this many bytes."""


class Log:
    """The file that standard error goes to, in which a runtime's own words are looked up."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start = 0

    def mark(self) -> None:
        """Begin a job: `of_job` leaves out what was said until now."""
        self._start = len(self.of_all())

    def of_all(self) -> str:
        """Return everything said since the process started."""
        return self._path.read_text(errors="replace")

    def of_job(self) -> str:
        """Return what was said since the last `mark`."""
        return self.of_all()[self._start :]


class Runner(Protocol):
    """A .tflite file, loaded. `source` and `sink` tell shape, dtype and quantization of its two ends."""

    source: dict[str, Any]
    sink: dict[str, Any]

    def run(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Return the output (...) for one input (1, ...), both as the file stores them."""

    def facts(self) -> dict[str, Any]:
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
        self._interpreter, self._version = _loaded(column, content)
        self._title = _title(column)
        # XNNPACK is the only one that any of them brings.
        self._delegate = Path(column.library).name or "XNNPACK"
        self.source, self.sink = _ends(self._interpreter)

    def run(self, stored: NDArray[Any]) -> NDArray[Any]:
        self._interpreter.set_tensor(self.source["index"], stored)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self.sink["index"])[0]

    def facts(self) -> dict[str, Any]:
        nodes = node_count(self._interpreter)
        taken = nodes - len(nodes_left(self._interpreter))
        return {
            "runtime": f"{self._title} {self._version}",
            "delegate": self._delegate if taken else "",
            "taken": taken,
            "nodes": nodes,
        }


class _Gpu:
    """LiteRT's GPU accelerator and nothing beside it: a node that it does not take makes LiteRT refuse."""

    def __init__(self, column: Column, content: bytes, log: Log) -> None:
        vulkan.use_driver()
        # A compiled model knows no scales; the same file in an interpreter does.
        interpreter, self._version = _loaded(column, content)
        self.source, self.sink = _ends(interpreter)
        self._nodes, self._title = node_count(interpreter), _title(column)
        try:
            self._model = _for_gpu_alone(content)
        except (ValueError, RuntimeError) as error:
            reason = _gpu_reason(log.of_job()) or _last_line(str(error))
            raise InputError(f"the GPU accelerator refuses it: {reason}") from error
        self._adapter = _adapter(log.of_all())
        whole = self._adapter and self._model.is_fully_accelerated()
        expect(whole, "LiteRT to run it on the GPU", "the CPU behind its back")
        self._inputs = self._model.create_input_buffers(0)
        self._outputs = self._model.create_output_buffers(0)

    def run(self, stored: NDArray[Any]) -> NDArray[Any]:
        self._inputs[0].write(np.ascontiguousarray(stored))
        self._model.run_by_index(0, self._inputs, self._outputs)
        count = int(np.prod(self.sink["shape"]))
        return self._outputs[0].read(count, self.sink["dtype"]).reshape(self.sink["shape"])[0]

    def facts(self) -> dict[str, Any]:
        return {
            "runtime": f"{self._title} {self._version}",
            "delegate": f"WebGPU on {self._adapter}",
            "taken": self._nodes,
            "nodes": self._nodes,
        }


class _Micro:
    """TensorFlow Lite Micro's interpreter, compiled for this machine, with its recording allocator."""

    def __init__(self, column: Column, content: bytes, log: Log) -> None:
        package = importlib.import_module(column.package)
        self._version, self._log, self._title = package.__version__, log, _title(column)
        self._load = functools.partial(package.runtime.Interpreter.from_bytes, content)
        try:
            graph = package.runtime.convert_bytearray_to_object(content).subgraphs[0]
            self._interpreter = self._load(arena_size=MICRO_ARENA)
        except RuntimeError as error:
            reason = _micro_reason(log.of_job()) or _first_line(str(error))
            raise InputError(f"{MICRO_REFUSES}{reason}") from error
        except Exception as error:  # the package's generated reader trusts the file and raises anything
            raise InputError(f"{MICRO_REFUSES}a damaged file ({_first_line(str(error))})") from error
        _one_of_each(graph.inputs, graph.outputs)
        self.source = _micro_detail(self._interpreter.get_input_details(0))
        self.sink = _micro_detail(self._interpreter.get_output_details(0))

    def run(self, stored: NDArray[Any]) -> NDArray[Any]:
        self._interpreter.set_input(stored, 0)
        self._interpreter.invoke()
        return self._interpreter.get_output(0)[0]

    def facts(self) -> dict[str, Any]:
        return {"runtime": f"{self._title} {self._version}", "arena_bytes": self._arena()}

    def _arena(self) -> int | None:
        """Return the smallest arena in which the file runs, in steps of 16 bytes; None: not recorded."""
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
        try:
            interpreter = self._load(arena_size=size)
            interpreter.set_input(np.zeros(self.source["shape"], self.source["dtype"]), 0)
            interpreter.invoke()
        except RuntimeError:
            return False
        return True


def _loaded(column: Column, content: bytes) -> tuple[Any, str]:
    """Return an interpreter for `content`, its tensors allocated, and the package's version."""
    interpreter, resolvers, version = _interpreter_parts(column)
    resolver = resolvers[column.resolver or "AUTO"]
    library = load_library(column)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "tf.lite.Interpreter is deprecated"
        try:
            loaded = interpreter(
                model_content=content,
                num_threads=column.threads,
                experimental_op_resolver_type=resolver,
                experimental_delegates=[library] if library else None,
            )
            loaded.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise InputError(f"{_title(column)} refuses it: {_first_line(str(error))}") from error
    return loaded, version


def load_library(column: Column) -> Any:
    """Return the delegate of the column's shared library, None if it has none.

    Raises InputError, with the loader's reason, when it does not load; a broken one may kill the process.
    """
    if not column.library:
        return None
    module = importlib.import_module(f"{column.package}.interpreter")
    try:
        return module.load_delegate(column.library)
    except Exception as error:  # OSError of the loader, AttributeError of a library without a delegate, ...
        raise InputError(_first_line(str(error)).removeprefix(f"{column.library}: ")) from error


def _interpreter_parts(column: Column) -> tuple[Any, Any, str]:
    """Return a package's Interpreter, OpResolverType and version."""
    if column.package == "tensorflow":
        from converters.environment import tf

        return tf.lite.Interpreter, tf.lite.experimental.OpResolverType, tf.__version__
    module = importlib.import_module(f"{column.package}.interpreter")
    return module.Interpreter, module.OpResolverType, importlib.import_module(column.package).__version__


def _title(column: Column) -> str:
    return column.package.replace("_", "-")


def _for_gpu_alone(content: bytes) -> Any:
    """Return LiteRT's compiled model, in float32 arithmetic; it raises rather than use the CPU as well."""
    options = importlib.import_module("ai_edge_litert.options")
    wanted = options.Options(
        options.HardwareAccelerator.GPU, gpu_options=options.GpuOptions(enforce_f32=True)
    )
    module = importlib.import_module("ai_edge_litert.compiled_model")
    return module.CompiledModel.from_buffer(content, options=wanted)


def _ends(interpreter: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    _one_of_each(inputs, outputs)
    return inputs[0], outputs[0]


def _one_of_each(inputs: Any, outputs: Any) -> None:
    counts = f"{len(inputs)} and {len(outputs)}"
    expect(len(inputs) == len(outputs) == 1, "a file with one input and one output", counts)


def _micro_detail(detail: dict[str, Any]) -> dict[str, Any]:
    """Return a detail of Micro's with `quantization` as the other runtimes give it."""
    parameters = detail["quantization_parameters"]
    scales, zero_points = parameters["scales"], parameters["zero_points"]
    quantization = (float(scales[0]), int(zero_points[0])) if len(scales) else (0.0, 0)
    return {**detail, "quantization": quantization}


def _adapter(log: str) -> str:
    """Return the graphics adapter that LiteRT says it selected: "" when it selected none."""
    found = re.findall(r"Selected adapter: ([^,\n]+)", log)
    return found[-1] if found else ""


def _gpu_reason(log: str) -> str:
    """Return why LiteRT did not compile a file for the GPU: what it said before it raised."""
    heading, closing = "not supported by GPU delegate:", "operations will run on the GPU, and the remaining"
    refused = re.search(rf"{heading}\n(.*?)\n(\d+) {closing} (\d+)", log, re.DOTALL)
    if refused:
        left, count = int(refused[3]), int(refused[2]) + int(refused[3])
        return f"{left} of {count} nodes would be left to the CPU: {'; '.join(refused[1].splitlines())}"
    errors = re.findall(r"^ERROR: (?:\[[^]]*\] )?(.+)$", log, re.MULTILINE)
    return errors[0].strip() if errors else ""


def _micro_reason(log: str) -> str:
    """Return what TensorFlow Lite Micro said, in a line, without its source files' names."""
    lines = [re.sub(r"^\S+\.(cc|h)(:\d+)?:? ", "", line).strip() for line in log.splitlines()]
    return "; ".join(line for line in lines if line)


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else "no reason given"


def _last_line(text: str) -> str:
    return text.splitlines()[-1].strip("└ ") if text else "no reason given"
