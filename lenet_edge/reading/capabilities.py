"""Find out what this machine can read digits with: try runtimes and delegates, look for libraries."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from converters.base.installed import OPENCV
from converters.runtimes import gpu
from converters.runtimes.columns import COLUMNS, Column, Result, absence, delegate_column, run_column
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.packaged.files import content_of

_RUNTIMES = {"litert": "litert", "tflite": "tflite-runtime", "tensorflow": "tf.lite"}  # name and column
_MODELS = ("lenet5_float32.tflite", "lenet5_int8_qat.tflite")
_DIGITS = 20
_TIMEOUT = 120.0  # seconds for one runtime
_LIBRARIES = {
    "picamera2": "sudo apt install python3-picamera2 (Raspberry Pi OS)",
    "cv2": OPENCV,
}

_WITH = {"picamera2": "can read a camera", "cv2": "can find digits on a page, and read a camera"}


@dataclass(frozen=True)
class Capability:
    """One checked item: whether it `works`, and what was found, or why not and how to add it."""

    what: str
    works: bool
    text: str


def find_all() -> Iterator[Capability]:
    """Yield what this machine has, each as soon as it and those before it are known.

    The runtimes, by their names, the GPU, NNAPI, OpenCV and camera libraries. Each runtime reads some digits
    in its own process, so that a crash is reported as such; all of them side by side.
    """
    tries: list[Callable[[], Capability]] = [
        *(functools.partial(_try_runtime, name, COLUMNS[column]) for name, column in _RUNTIMES.items()),
        _try_gpu,
    ]
    with ThreadPoolExecutor(len(tries)) as pool:
        for found in [pool.submit(one) for one in tries]:
            yield found.result()
    yield _nnapi()
    for package, install in _LIBRARIES.items():
        yield _find_library(package, install)


def try_libraries(paths: Sequence[str]) -> list[Capability]:
    """Try delegates' shared libraries; InputError, before any is tried, if one is not a file."""
    columns = [delegate_column(path) for path in paths]
    return [_try_library(column) for column in columns]


def _try_runtime(name: str, column: Column) -> Capability:
    reason = absence(column)
    if reason:
        return Capability(name, False, reason)
    results = _run_models(column)
    failures = [result.failure for result in results.values() if result.failure]
    if failures:
        return Capability(name, False, failures[0])
    delegates = ", ".join(_delegate_text(model, result) for model, result in results.items())
    return Capability(name, True, f"{next(iter(results.values())).runtime}: {delegates}")


def _run_models(column: Column) -> dict[str, Result]:
    files = {name: content_of(name) for name in _MODELS}
    pictures = pad(calibration_digits().images[:_DIGITS])[..., None].astype(np.float32)
    return run_column(column, files, dict.fromkeys(files, pictures), timeout=_TIMEOUT)


def _delegate_text(model: str, result: Result) -> str:
    precision = model.removeprefix("lenet5_").removesuffix(".tflite")
    if not result.taken:
        return f"{precision} without a delegate"
    return f"{precision} with {result.delegate} ({result.taken} of {result.nodes} nodes)"


def _try_gpu() -> Capability:
    reason = gpu.absence()
    if reason:
        return Capability("gpu", False, reason)
    result = _run_models(COLUMNS["litert-gpu"])[_MODELS[0]]
    return Capability("gpu", not result.failure, result.failure or result.delegate)


def _nnapi() -> Capability:
    """NNAPI cannot be used from Python: on Android, TensorFlow Lite is a Java library."""
    return Capability("nnapi", False, "for Android apps only: see docs/delegates.md")


def _find_library(package: str, install: str) -> Capability:
    installed = importlib.util.find_spec(package) is not None
    text = _WITH[package] if installed else f"not installed: {install}"
    return Capability(package, installed, text)


def _try_library(column: Column) -> Capability:
    result = _run_models(column)[_MODELS[0]]
    works = not result.failure and bool(result.taken)
    return Capability(column.title, works, result.failure or _delegate_text(_MODELS[0], result))
