"""What this machine can read digits with: each runtime and delegate is tried, cameras are looked for."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from converters.runtimes import gpu
from converters.runtimes.columns import COLUMNS, Column, Result, absence, delegate_column, run_column
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.packaged.files import content_of

_RUNTIMES = {"tflite": "tflite-runtime", "litert": "litert", "tensorflow": "tf.lite"}  # their columns
_MODELS = ("lenet5_float32.tflite", "lenet5_int8_qat.tflite")
_DIGITS = 20
_PATIENCE = 120.0  # seconds that a runtime may take
_CAMERAS = {
    "picamera2": "sudo apt install python3-picamera2 (Raspberry Pi OS)",
    "cv2": 'pip install "lenet-edge[camera]"',
}


@dataclass(frozen=True)
class Capability:
    """One thing that was looked for: whether it `works`, and what was found, or why not and what adds it."""

    what: str
    works: bool
    text: str


def try_runtimes() -> list[Capability]:
    """Let each runtime read some digits, in a process of its own: one that crashes is told as such."""
    return [_tried(name, COLUMNS[column]) for name, column in _RUNTIMES.items()]


def try_libraries(paths: Sequence[str]) -> list[Capability]:
    """Try delegates' shared libraries; InputError, before any is tried, for one that is no file."""
    columns = [delegate_column(path) for path in paths]
    return [_tried_library(column) for column in columns]


def find_others() -> list[Capability]:
    """Try the GPU, and look for NNAPI and for what reads cameras."""
    return [_gpu(), _nnapi(), *(_camera(package, line) for package, line in _CAMERAS.items())]


def _tried(name: str, column: Column) -> Capability:
    reason = absence(column)
    if reason:
        return Capability(name, False, reason)
    results = _results(column)
    failures = [result.failure for result in results.values() if result.failure]
    if failures:
        return Capability(name, False, failures[0])
    takes = ", ".join(_takes(model, result) for model, result in results.items())
    return Capability(name, True, f"{next(iter(results.values())).runtime}: {takes}")


def _results(column: Column) -> dict[str, Result]:
    files = {name: content_of(name) for name in _MODELS}
    pictures = pad(calibration_digits().images[:_DIGITS])[..., None].astype(np.float32)
    return run_column(column, files, dict.fromkeys(files, pictures), timeout=_PATIENCE)


def _takes(model: str, result: Result) -> str:
    precision = model.removeprefix("lenet5_").removesuffix(".tflite")
    if not result.taken:
        return f"{precision} without a delegate"
    return f"{precision} with {result.delegate} ({result.taken} of {result.nodes} nodes)"


def _gpu() -> Capability:
    reason = gpu.absence()
    if reason:
        return Capability("gpu", False, reason)
    result = _results(COLUMNS["litert-gpu"])[_MODELS[0]]
    return Capability("gpu", not result.failure, result.failure or result.delegate)


def _nnapi() -> Capability:
    """NNAPI is never found by Python: its runtimes for Android are Java's and Kotlin's."""
    return Capability("nnapi", False, "Android's own, and only for apps: see docs/delegates.md")


def _camera(package: str, install: str) -> Capability:
    there = importlib.util.find_spec(package) is not None
    text = "a camera can be read" if there else f"no camera without it: {install}"
    return Capability(package, there, text)


def _tried_library(column: Column) -> Capability:
    result = _results(column)[_MODELS[0]]
    works = not result.failure and bool(result.taken)
    return Capability(column.title, works, result.failure or _takes(_MODELS[0], result))
