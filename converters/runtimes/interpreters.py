"""Load a .tflite file into the interpreter of any of the packages, with a delegate's library or without."""

from __future__ import annotations

import ctypes
import importlib
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass
from enum import Enum
from types import ModuleType

from converters.base.arrays import Numbers
from converters.base.errors import InputError, expect
from converters.base.untyped import Delegate
from converters.runtimes.execution_plan import node_count, nodes_left
from converters.runtimes.interpreter_alone import INTERPRETER
from converters.runtimes.interpreter_types import Interpreter, TensorDetail

PLAIN = "BUILTIN_WITHOUT_DEFAULT_DELEGATES"
"""The resolver that leaves out XNNPACK, the delegate that every package includes and uses by default."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """What an imported runtime offers: how an interpreter is made, its OpResolverType, its version."""

    interpreter: Callable[..., Interpreter]
    resolvers: type[Enum]
    version: str


def load_package(name: str) -> Package:
    """Import the runtime package `name` ("tflite_runtime", "ai_edge_litert", "tensorflow")."""
    module = _interpreter_module(name)
    return Package(
        interpreter=module.Interpreter,
        resolvers=module.OpResolverType,
        version=importlib.import_module(name).__version__,
    )


def _interpreter_module(name: str) -> ModuleType:
    """Return the module of a package's interpreter; of TensorFlow all is imported, if not that alone yet."""
    if name != "tensorflow":
        return importlib.import_module(f"{name}.interpreter")
    if INTERPRETER in sys.modules:
        return sys.modules[INTERPRETER]
    from converters.base.environment import tf

    return sys.modules[tf.lite.Interpreter.__module__]


_REFUSES = " refuses it: "


def refusal(runtime: str, reason: str) -> str:
    """Return the line that says that a `runtime`, by its title, refuses a file, and why."""
    return f"{runtime}{_REFUSES}{reason}"


def reason_alone(failure: str) -> str:
    """Return the reason of a `refusal`, without the runtime's title; any other failure as it is."""
    return failure.partition(_REFUSES)[2] or failure


class Refused(InputError):
    """A runtime refused a file; the message gives the runtime's reason."""


class Loaded:
    """A .tflite file in an interpreter, its tensors allocated.

    `package` is the interpreter's ("tflite_runtime", "ai_edge_litert", "tensorflow"), `resolver` an
    OpResolverType's name, `library` a delegate of `load_library`. `sources` and `sinks` describe its
    inputs and its outputs. `source`, `sink` and `run` are for a file that has one of each; the first two
    raise InputError of another. Raises Refused when the runtime refuses the file; a damaged file may kill the
    process.
    """

    def __init__(
        self,
        content: bytes,
        package: str,
        *,
        threads: int = 1,
        resolver: str = "AUTO",
        library: Delegate = None,
    ) -> None:
        runtime = load_package(package)
        self.version = runtime.version
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "tf.lite.Interpreter is deprecated"
            try:
                self.interpreter = runtime.interpreter(
                    model_content=content,
                    num_threads=threads,
                    experimental_op_resolver_type=runtime.resolvers[resolver],
                    experimental_delegates=[library] if library else None,
                )
                self.interpreter.allocate_tensors()
            except (ValueError, RuntimeError) as error:
                raise Refused(refusal(title(package), first_line(error))) from error
        self.sources, self.sinks = _ends(self.interpreter)

    @property
    def source(self) -> TensorDetail:
        """The only input."""
        check_one_input_and_output(self.sources, self.sinks)
        return self.sources[0]

    @property
    def sink(self) -> TensorDetail:
        """The only output."""
        check_one_input_and_output(self.sources, self.sinks)
        return self.sinks[0]

    def run(self, stored: Numbers) -> Numbers:
        """Return the output (...) for one input (1, ...), both as the file stores them."""
        # Not by `source` and `sink`, which check the file each time: this is what is timed.
        self.interpreter.set_tensor(self.sources[0]["index"], stored)
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.sinks[0]["index"])[0]

    def run_all(self, stored: Sequence[Numbers]) -> list[Numbers]:
        """Return each output (...) for a sample of each input (1, ...); no state is left of the last run."""
        self.interpreter.reset_all_variables()
        for source, one in zip(self.sources, stored, strict=True):
            self.interpreter.set_tensor(source["index"], one)
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(sink["index"])[0] for sink in self.sinks]

    def resize(self, *shapes: Sequence[int]) -> None:
        """Accept inputs of `shapes`, one for each input, from now on; what describes the ends is updated.

        Raises Refused when the runtime or its delegate cannot do so; do not use the object afterwards.
        """
        try:
            for source, shape in zip(self.sources, shapes, strict=True):
                self.interpreter.resize_tensor_input(source["index"], list(shape))
            self.interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            wanted = " and ".join("x".join(map(str, shape)) for shape in shapes)
            raise Refused(f"it refuses inputs of {wanted}: {first_line(error)}") from error
        self.sources, self.sinks = _ends(self.interpreter)

    def close(self) -> None:
        """Free the interpreter."""
        del self.interpreter

    def taken(self) -> tuple[int, int]:
        """Return how many nodes a delegate took, and how many the file has; known after the first `run`."""
        count = node_count(self.interpreter)
        return count - len(nodes_left(self.interpreter)), count


def load_library(package: str, path: str, options: Mapping[str, str] | None = None) -> Delegate:
    """Return the delegate of the shared library at `path`, made with `options`.

    Raises InputError, with the loader's reason, when it does not load; a broken one may kill the process.
    """
    load = _interpreter_module(package).load_delegate
    try:
        # The packages' own loader leaves a half-made object behind, which fails at exit: check first.
        if not hasattr(ctypes.CDLL(path), "tflite_plugin_create_delegate"):
            raise InputError("it is no TensorFlow Lite delegate: no tflite_plugin_create_delegate")
        return load(path, dict(options or {}))
    except InputError:
        raise
    except Exception as error:  # OSError of the loader, ValueError of the delegate, ...
        raise InputError(first_line(error).removeprefix(f"{path}: ")) from error


def title(package: str) -> str:
    """Return the name by which pip installs a package."""
    return package.replace("_", "-")


def _ends(interpreter: Interpreter) -> tuple[list[TensorDetail], list[TensorDetail]]:
    """Return the details of the interpreter's inputs and of its outputs."""
    return interpreter.get_input_details(), interpreter.get_output_details()


def check_one_input_and_output(inputs: Sized, outputs: Sized) -> None:
    """Raise InputError unless there is one input and one output."""
    counts = f"{len(inputs)} and {len(outputs)}"
    expect(len(inputs) == len(outputs) == 1, "a file with one input and one output", counts)


def first_line(error: Exception) -> str:
    """Return the first line of the message of `error`."""
    lines = str(error).splitlines()
    return lines[0] if lines else f"no reason given ({type(error).__name__})"
