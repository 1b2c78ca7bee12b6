"""Run a .tflite digit reader where there is no TensorFlow: on a Pi, in a script, behind `classify`."""

from __future__ import annotations

import hashlib
import importlib
import importlib.resources
import importlib.util
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.errors import InputError, expect
from converters.quantised import dequantise, quantise
from converters.quiet import quiet

DEFAULT_MODEL = "int8"
"""The packaged lenet5 that is used when none is named: the smallest, and as right as float32."""

RUNTIMES = {
    "tflite": ("tflite_runtime.interpreter", 'pip install "lenet-edge[tflite]"'),
    "litert": ("ai_edge_litert.interpreter", 'pip install "lenet-edge[litert]"'),
    "tensorflow": ("tensorflow.lite", 'pip install "lenet-edge[train]"'),
}
"""Each runtime's module and the line that installs it, in the order in which they are tried."""

_FIELD = 32


class Classifier:
    """Ten scores for a picture of a digit, from a .tflite file.

    `model`: a packaged lenet5's precision ("float32", "float16", "dynamic", "int8"), a packaged file's
    name, or the path of any .tflite that takes 32x32x1 or 28x28x1 pixels and gives ten values. `runtime`:
    "tflite", "litert", "tensorflow", or "auto", the first of these that is installed. Use it from one
    thread at a time. Raises InputError: no runtime (the line says which pip command helps), tflite-runtime
    beside NumPy 2, no such file, none that is a .tflite, a packaged file whose sha256 is not the manifest's.

    >>> Classifier().scores(pictures).argmax(axis=1)  # pictures: uint8 (n, 32, 32)
    """

    def __init__(self, *, model: str | os.PathLike[str] = DEFAULT_MODEL, runtime: str = "auto") -> None:
        content = _content(model)
        self.runtime = _installed(runtime)
        self._interpreter = _interpreter(content, self.runtime, os.fspath(model))
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        expect(
            len(inputs) == len(outputs) == 1,
            "a model with one input and one output",
            f"{len(inputs)}, {len(outputs)}",
        )
        self._source, self._sink = inputs[0], outputs[0]
        shape, classes = list(self._source["shape"]), list(self._sink["shape"])
        fits = shape in ([1, 32, 32, 1], [1, 28, 28, 1]) and classes == [1, 10]
        expect(fits, "a model from 1x32x32x1 or 1x28x28x1 to 1x10", f"{_by(shape)} to {_by(classes)}")

    def scores(self, pictures: NDArray[Any]) -> NDArray[np.float32]:
        """Return the scores (n, 10) of `pictures` (n, 32, 32), 0 for paper to 255 for ink.

        A model of 28x28 sees the middle. Raises InputError for another shape or values.
        """
        expect(
            pictures.ndim == 3 and pictures.shape[1:] == (_FIELD, _FIELD),
            "pictures (n, 32, 32)",
            pictures.shape,
        )
        margin = (_FIELD - int(self._source["shape"][1])) // 2
        pixels = pictures[:, margin : _FIELD - margin, margin : _FIELD - margin, None]
        stored = quantise(pixels.astype(np.float32), self._source)
        rows = [self._run(one[None]) for one in stored]
        return np.stack(rows) if rows else np.zeros((0, 10), np.float32)

    def _run(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        self._interpreter.set_tensor(self._source["index"], pixels)
        self._interpreter.invoke()
        return dequantise(self._interpreter.get_tensor(self._sink["index"])[0], self._sink)


def released_folder() -> Path:
    """Return the folder of the released weights, models and manifest."""
    return Path(str(importlib.resources.files("lenet_edge") / "released"))


def packaged_models() -> dict[str, Any]:
    """Return the manifest's entries of the packaged models by file name."""
    return json.loads((released_folder() / "manifest.json").read_text())["models"]


def _content(model: str | os.PathLike[str]) -> bytes:
    """Return the bytes of `model`, checked as far as can be before native code sees them."""
    name = os.fspath(model)
    packaged = packaged_models()
    entry = next(
        (n for n in (name, f"lenet5_{name}.tflite") if n in packaged and not os.path.exists(name)), None
    )
    path = released_folder() / entry if entry else Path(name)
    expect(path.is_file(), f"a .tflite file or one of {_known(packaged)}", name)
    return checked_content(path, packaged if entry else None)


def checked_content(path: Path, entries: dict[str, Any] | None) -> bytes:
    """Return the bytes of the .tflite file at `path`, checked as far as can be before native code sees them.

    `entries`: a manifest's, by file name, each with the sha256 that the file must have; None for a file
    without one. Raises InputError when it is no .tflite file, is not in the manifest or has another hash.
    """
    content = path.read_bytes()
    if entries is not None:
        expect(path.name in entries, f"{path.name} to be in the manifest", "a file that it does not name")
        right = hashlib.sha256(content).hexdigest() == entries[path.name].get("sha256")
        expect(right, f"{path.name} to have the manifest's sha256", "another: make or install it again")
    expect(
        len(content) > 8 and content[4:8] == b"TFL3",
        f"{path.name} to be a .tflite file",
        "another kind of file",
    )
    return content


def _known(packaged: dict[str, Any]) -> str:
    return ", ".join(name.removesuffix(".tflite") for name in packaged)


def _installed(runtime: str) -> str:
    """Return the runtime to use; nothing is imported yet."""
    expect(runtime in ("auto", *RUNTIMES), f"a runtime of auto, {', '.join(RUNTIMES)}", runtime)
    names = list(RUNTIMES) if runtime == "auto" else [runtime]
    found = [name for name in names if _is_there(RUNTIMES[name][0].split(".")[0])]
    usable = [name for name in found if name != "tflite" or not (_numpy_2() or _tensorflow_came_first())]
    if usable:
        return usable[0]
    if found:
        advice = "tflite-runtime with NumPy 1 (it dies with NumPy 2): pip install 'numpy<2'"
        expect(not _numpy_2(), advice, np.__version__)
        raise InputError(
            "expected tflite-runtime in a process without TensorFlow (it dies behind it), got both"
        )
    hint = RUNTIMES[names[0]][1] if runtime != "auto" else RUNTIMES["litert" if _numpy_2() else "tflite"][1]
    raise InputError(f"expected a TensorFlow Lite runtime, got none: {hint}")


def _is_there(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _tensorflow_came_first() -> bool:
    """Return whether TensorFlow's native library is loaded and tflite-runtime's, which then fails, is not."""
    return "tensorflow" in sys.modules and "tflite_runtime.interpreter" not in sys.modules


def _numpy_2() -> bool:
    return int(np.__version__.split(".")[0]) >= 2


def _interpreter(content: bytes, runtime: str, name: str) -> Any:
    module = _import(runtime)
    try:
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "tf.lite.Interpreter is deprecated"
            interpreter = module.Interpreter(model_content=content, num_threads=1)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else "no reason given"
        raise InputError(
            f"expected {name} to be a .tflite file that {runtime} runs, got: {reason}"
        ) from error
    return interpreter


def _import(runtime: str) -> Any:
    if runtime == "tensorflow":
        from converters.environment import tf

        return tf.lite
    return importlib.import_module(RUNTIMES[runtime][0])


def _by(shape: list[Any]) -> str:
    return "x".join(str(int(side)) for side in shape)
