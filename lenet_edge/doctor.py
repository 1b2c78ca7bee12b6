"""`lenet-edge doctor`: what this machine can read digits with, and what would add what it lacks."""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from converters.base.errors import exit_status
from converters.base.machine import machine
from converters.runtimes import gpu
from converters.runtimes.columns import COLUMNS, Column, Result, absence, delegate_column, run_column
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.packaged.files import content_of

NAME = "lenet-edge doctor"

_RUNTIMES = {"tflite": "tflite-runtime", "litert": "litert", "tensorflow": "tf.lite"}  # their columns
_MODELS = ("lenet5_float32.tflite", "lenet5_int8_qat.tflite")
_DIGITS = 20
_CAMERAS = {
    "picamera2": "sudo apt install python3-picamera2 (Raspberry Pi OS)",
    "cv2": 'pip install "lenet-edge[camera]"',
}

EPILOG = """\
Each runtime reads 20 digits in a process of its own, so that one that crashes is told as such. Status: 0 when
a runtime works, 1 when none does.
"""


class Line(NamedTuple):
    """One thing that was looked for: whether it `works`, and what was found, or why not and what adds it."""

    what: str
    works: bool
    text: str


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    facts = machine()
    runtimes = [_runtime(name, COLUMNS[column]) for name, column in _RUNTIMES.items()]
    lines = [*runtimes, _gpu(), _nnapi(), *(_camera(*camera) for camera in _CAMERAS.items())]
    lines += [_library(path) for path in options.delegate]
    if options.json:
        described = {**facts, "python": platform.python_version(), "numpy": np.__version__}
        print(json.dumps({"machine": described, "found": [line._asdict() for line in lines]}, indent=2))
    else:
        print(f"{facts['processor']}, {facts['architecture']}, {facts['processors']} processors")
        print(f"Python {platform.python_version()}, NumPy {np.__version__}\n")
        for line in lines:
            print(f"{'yes' if line.works else 'no ':<4}{line.what:<13}{line.text}")
    return 0 if any(line.works for line in runtimes) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=NAME, description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.add_argument(
        "--delegate",
        action="append",
        default=[],
        metavar="LIBRARY",
        help="try a delegate's shared library too",
    )
    return parser


def _runtime(name: str, column: Column) -> Line:
    reason = absence(column)
    if reason:
        return Line(name, False, reason)
    results = _results(column)
    failures = [result.failure for result in results.values() if result.failure]
    if failures:
        return Line(name, False, failures[0])
    takes = ", ".join(_takes(model, result) for model, result in results.items())
    return Line(name, True, f"{next(iter(results.values())).runtime}: {takes}")


def _results(column: Column) -> dict[str, Result]:
    files = {name: content_of(name) for name in _MODELS}
    pictures = pad(calibration_digits().images[:_DIGITS])[..., None].astype(np.float32)
    return run_column(column, files, dict.fromkeys(files, pictures), timeout=120)


def _takes(model: str, result: Result) -> str:
    precision = model.removeprefix("lenet5_").removesuffix(".tflite")
    if not result.taken:
        return f"{precision} without a delegate"
    return f"{precision} with {result.delegate} ({result.taken} of {result.nodes} nodes)"


def _gpu() -> Line:
    column = COLUMNS["litert-gpu"]
    reason = gpu.absence()
    if reason:
        return Line("gpu", False, reason)
    result = _results(column)[_MODELS[0]]
    return Line("gpu", not result.failure, result.failure or result.delegate)


def _nnapi() -> Line:
    """NNAPI is never found by Python: its runtimes for Android are Java's and Kotlin's."""
    return Line("nnapi", False, "Android's own, and only for apps: see docs/delegates.md")


def _camera(package: str, install: str) -> Line:
    there = importlib.util.find_spec(package) is not None
    return Line(package, there, "a camera can be read" if there else f"no camera without it: {install}")


def _library(path: str) -> Line:
    column = delegate_column(path)
    result = _results(column)[_MODELS[0]]
    works = not result.failure and bool(result.taken)
    return Line(column.title, works, result.failure or _takes(_MODELS[0], result))


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
