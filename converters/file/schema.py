"""Load the schema of .tflite files, as Python classes, from an installed package that has it.

LiteRT's where it is installed, since it is the newer one and needs no TensorFlow (a Raspberry Pi can read and
rewrite a file by it); TensorFlow's otherwise.
"""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from converters.base.errors import InputError
from converters.base.installed import RUNTIMES


def _load() -> ModuleType:
    if importlib.util.find_spec(RUNTIMES["litert"].package) is not None:
        return importlib.import_module("ai_edge_litert.schema_py_generated")
    if importlib.util.find_spec(RUNTIMES["tensorflow"].package) is not None:
        from converters.base.environment import schema

        return schema
    raise InputError(
        f"expected TensorFlow, or LiteRT for its schema, got neither: {RUNTIMES['tensorflow'].install}, "
        f"or to lay files out only: {RUNTIMES['litert'].install}"
    )


schema = _load()
"""The module with ModelT, SubGraphT, TensorT, BuiltinOperator and the rest."""
