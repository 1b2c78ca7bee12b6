"""Find the TensorFlow Lite runtimes that can be used here, and what installs the others."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import NamedTuple

import numpy as np

from converters.base.errors import InputError, expect


class Runtime(NamedTuple):
    """A runtime: its Python `package`, its `title` for people, and the command that `install`s it."""

    package: str
    title: str
    install: str


RUNTIMES = {
    "litert": Runtime("ai_edge_litert", "ai-edge-litert", 'pip install "lenet-edge[litert]"'),
    "tflite": Runtime("tflite_runtime", "tflite-runtime", 'pip install "lenet-edge[tflite]"'),
    "tensorflow": Runtime("tensorflow", "TensorFlow", 'pip install "lenet-edge[train]"'),
}
"""The runtimes by name, in the order in which they are tried: LiteRT has XNNPACK for int8 too."""


class Later:
    """A module that is imported when something of it is first used.

    InputError, in a line that says what installs it, if it is not there.
    """

    def __init__(self, module: str, *, title: str, install: str) -> None:
        self._module, self._title, self._install = module, title, install

    def __getattr__(self, name: str) -> object:
        try:
            value = getattr(importlib.import_module(self._module), name)
        except ModuleNotFoundError as error:
            raise InputError(self._absence()) from error
        setattr(self, name, value)
        return value

    def _absence(self) -> str:
        return f"expected {self._title}, got none: {self._install}"

    def check(self) -> None:
        """Raise InputError if the module's package is not installed; nothing is imported."""
        if importlib.util.find_spec(self._module.partition(".")[0]) is None:
            raise InputError(self._absence())


OPENCV = "pip install opencv-python-headless, or sudo apt install python3-opencv (Raspberry Pi OS)"
"""How to install OpenCV, which finds digits on a page and reads cameras."""

_LAST_OF_TFLITE = (3, 11)  # the last Python that tflite-runtime has wheels for


def unusable_reason(name: str, *, alone: bool = False) -> str:
    """Return why the runtime `name` cannot be used in this process and what helps, in a line; "" when it can.

    `alone`: it will be used in a process of its own. The runtime is not imported.
    """
    runtime = RUNTIMES[name]
    if importlib.util.find_spec(runtime.package) is None:
        if name == "tflite" and sys.version_info[:2] > _LAST_OF_TFLITE:
            python, last = (".".join(map(str, one)) for one in (sys.version_info[:2], _LAST_OF_TFLITE))
            instead = f"it ends with Python {last}, this is {python}; instead: {RUNTIMES['litert'].install}"
            return f"{runtime.title} is not installed: {instead}"
        return f"{runtime.title} is not installed: {runtime.install}"
    if name == "tflite" and int(np.__version__.split(".")[0]) >= 2:
        return f"tflite-runtime dies with NumPy {np.__version__}: pip install 'numpy<2'"
    if name == "tflite" and not alone and _tensorflow_came_first():
        return "tflite-runtime dies in a process that has loaded TensorFlow: use it in one of its own"
    return ""


def _tensorflow_came_first() -> bool:
    """Return whether TensorFlow's native library is loaded and tflite-runtime's, which then fails, is not."""
    return "tensorflow" in sys.modules and "tflite_runtime.interpreter" not in sys.modules


def choose(name: str = "auto") -> str:
    """Return the runtime to use: `name` itself or, for "auto", the first that can be used.

    Raises InputError: another name, or a runtime that cannot be used, with the reason.
    """
    expect(name in ("auto", *RUNTIMES), f"a runtime of auto, {', '.join(RUNTIMES)}", name)
    reasons = {one: unusable_reason(one) for one in (RUNTIMES if name == "auto" else [name])}
    for one, reason in reasons.items():
        if not reason:
            return one
    if name != "auto":
        raise InputError(f"expected the runtime {name}, got: {reasons[name]}")
    there = [reason for reason in reasons.values() if "is not installed" not in reason]
    # tflite-runtime ends with NumPy 1 too.
    old = sys.version_info[:2] <= _LAST_OF_TFLITE and np.__version__.startswith("1.")
    advice = there[0] if there else RUNTIMES["tflite" if old else "litert"].install
    raise InputError(f"expected a TensorFlow Lite runtime, got none: {advice}")
