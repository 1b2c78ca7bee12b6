"""Load a .tflite file into the interpreter of any of the packages, with a delegate's library or without."""

from __future__ import annotations

import ctypes
import importlib
import warnings
from collections.abc import Callable, Mapping, Sequence, Sized
from enum import Enum

from converters.base.arrays import Numbers
from converters.base.errors import InputError, expect
from converters.base.untyped import Delegate
from converters.runtimes.execution_plan import node_count, nodes_left
from converters.runtimes.interpreter_types import Interpreter, TensorDetail

PLAIN = "BUILTIN_WITHOUT_DEFAULT_DELEGATES"
"""The resolver that leaves out XNNPACK, the delegate that every package brings and uses unasked."""


def parts(package: str) -> tuple[Callable[..., Interpreter], type[Enum], str]:
    """Return the Interpreter, the OpResolverType and the version of a runtime's `package`, imported now."""
    if package == "tensorflow":
        from converters.base.environment import tf

        return tf.lite.Interpreter, tf.lite.experimental.OpResolverType, tf.__version__
    module = importlib.import_module(f"{package}.interpreter")
    return module.Interpreter, module.OpResolverType, importlib.import_module(package).__version__


class Refused(InputError):
    """A runtime refuses a file; the message is its own reason."""


class Loaded:
    """A .tflite file in an interpreter, its tensors allocated.

    `package` is the interpreter's ("tflite_runtime", "ai_edge_litert", "tensorflow"), `resolver` an
    OpResolverType's name, `library` a delegate of `load_library`. `source` and `sink` tell shape, dtype and
    quantization of the two ends. Raises Refused when the runtime refuses the file; a
    damaged file may kill the process.
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
        interpreter, resolvers, self.version = parts(package)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "tf.lite.Interpreter is deprecated"
            try:
                self.interpreter = interpreter(
                    model_content=content,
                    num_threads=threads,
                    experimental_op_resolver_type=resolvers[resolver],
                    experimental_delegates=[library] if library else None,
                )
                self.interpreter.allocate_tensors()
            except (ValueError, RuntimeError) as error:
                raise Refused(f"{title(package)} refuses it: {first_line(error)}") from error
        self.source, self.sink = ends(self.interpreter)

    def run(self, stored: Numbers) -> Numbers:
        """Return the output (...) for one input (1, ...), both as the file stores them."""
        self.interpreter.set_tensor(self.source["index"], stored)
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.sink["index"])[0]

    def resize(self, shape: Sequence[int]) -> None:
        """Take inputs of `shape` from now on; `source` and `sink` tell the new ones.

        Raises Refused when the runtime or its delegate cannot; it cannot be used afterwards.
        """
        try:
            self.interpreter.resize_tensor_input(self.source["index"], list(shape))
            self.interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise Refused(f"it refuses inputs of {'x'.join(map(str, shape))}: {first_line(error)}") from error
        self.source, self.sink = ends(self.interpreter)

    def close(self) -> None:
        """Free the interpreter."""
        del self.interpreter

    def taken(self) -> tuple[int, int]:
        """Return how many nodes a delegate took, and how many the file has; true after the first `run`."""
        count = node_count(self.interpreter)
        return count - len(nodes_left(self.interpreter)), count


def load_library(package: str, path: str, options: Mapping[str, str] | None = None) -> Delegate:
    """Return the delegate of the shared library at `path`, made with `options`.

    Raises InputError, with the loader's reason, when it does not load; a broken one may kill the process.
    """
    if package == "tensorflow":
        from converters.base.environment import tf

        load = tf.lite.experimental.load_delegate
    else:
        load = importlib.import_module(f"{package}.interpreter").load_delegate
    try:
        # The packages' own loader leaves half an object behind, which complains at exit: find out before.
        if not hasattr(ctypes.CDLL(path), "tflite_plugin_create_delegate"):
            raise InputError("it is no TensorFlow Lite delegate: no tflite_plugin_create_delegate")
        return load(path, dict(options or {}))
    except InputError:
        raise
    except Exception as error:  # OSError of the loader, ValueError of the delegate, ...
        raise InputError(first_line(error).removeprefix(f"{path}: ")) from error


def title(package: str) -> str:
    """Return a package's name as pip has it."""
    return package.replace("_", "-")


def ends(interpreter: Interpreter) -> tuple[TensorDetail, TensorDetail]:
    """Return the details of the interpreter's one input and one output; InputError if there are others."""
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    one_of_each(inputs, outputs)
    return inputs[0], outputs[0]


def one_of_each(inputs: Sized, outputs: Sized) -> None:
    """Raise InputError unless there is one input and one output."""
    counts = f"{len(inputs)} and {len(outputs)}"
    expect(len(inputs) == len(outputs) == 1, "a file with one input and one output", counts)


def first_line(error: Exception) -> str:
    """Return the first line of what `error` says."""
    lines = str(error).splitlines()
    return lines[0] if lines else f"no reason given ({type(error).__name__})"
