"""Import TensorFlow's interpreter without the rest of TensorFlow, which takes seconds to import."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType

INTERPRETER = "tensorflow.lite.python.interpreter"
"""The module of TensorFlow's interpreter."""


def import_interpreter_alone() -> None:
    """Import the interpreter so that `load_package` finds it, with an empty package in TensorFlow's place.

    Only for a process of our own that uses nothing else of TensorFlow. In a version of TensorFlow where the
    interpreter cannot be imported alone, nothing is left behind, and `load_package` imports all of it.
    """
    from importlib import metadata  # here: the import takes a tenth of a command's start

    package, before = ModuleType("tensorflow"), set(sys.modules)
    spec = importlib.util.find_spec("tensorflow")
    folders = list((spec and spec.submodule_search_locations) or ())
    try:
        vars(package).update(__path__=folders, __version__=metadata.version("tensorflow"))
        sys.modules["tensorflow"] = package
        importlib.import_module(INTERPRETER)
    except Exception:  # of any kind: the modules expect the package to be there
        for name in set(sys.modules) - before:
            if name.partition(".")[0] == "tensorflow":
                del sys.modules[name]
