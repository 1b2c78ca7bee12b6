"""Find what in a saved Keras model's configuration is code, or names code to be run, without Keras.

Keras rebuilds a model from its configuration by the names in it: a module that is imported, a function or
class of that module, an operation of TensorFlow. What is needed for that is on a list here; anything else
that could run code or touch files is told.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator

from converters.base.untyped import Json

KERAS = ("keras", "tf_keras")
"""The packages that Keras 2 names as the home of its own classes."""

_HOMES_OF_FUNCTIONS = ("activations", "constraints", "initializers", "losses", "metrics", "regularizers")
_PLAIN_VALUES = ("__tensor__", "__numpy__", "__bytes__")
_OPERATION_KEYS = {"TFOpLambda": "function", "ClassMethod": "cls_symbol"}
_HOMES_OF_OPERATIONS = (
    "__operators__",
    "bitwise",
    "image",
    "linalg",
    "math",
    "nn",
    "quantization",
    "ragged",
    "random",
    "sets",
    "signal",
    "sparse",
    "strings",
)
_OPERATIONS_WITH_EFFECTS = (
    "import_graph_def",
    "load_file_system_library",
    "load_library",
    "load_op_library",
    "matching_files",
    "numpy_function",
    "print",
    "py_func",
    "py_function",
    "read_file",
    "write_file",
)
_LAMBDA_KEYS = ("function_type", "mask_type", "output_shape_type")


def code_in(config: Json) -> Iterator[str]:
    """Yield in words each thing in `config` that is code, or names code beyond Keras's own layers.

    `config` nests dictionaries and lists as Keras writes them. Classes and functions of other packages than
    Python's own are not told: they come from modules that a person names (converters.base.keras_archive).
    """
    if isinstance(config, list):
        for item in config:
            yield from code_in(item)
    if not isinstance(config, dict):
        return
    yield from filter(None, [_code(config)])
    for value in config.values():
        yield from code_in(value)


def _code(config: dict[str, Json]) -> str:
    """Return what in this one dictionary is code, "" if nothing is."""
    kind, inner = config.get("class_name"), config.get("config")
    if kind == "__lambda__" or any(config.get(key) == "lambda" for key in _LAMBDA_KEYS):
        return "the bytecode of a lambda function"
    if not isinstance(kind, str) or kind in _PLAIN_VALUES:
        return ""
    module = str(config.get("module") or "")
    if kind == "__typespec__":
        return "" if _root(module) == "tensorflow" else f"the type {config.get('spec_name')} of {module}"
    if kind == "function":
        return f"the function {inner} of {module}" if _is_foreign_function(str(inner), module) else ""
    if kind in _OPERATION_KEYS and isinstance(inner, dict):
        operation = str(inner.get(_OPERATION_KEYS[kind]))
        return "" if _is_plain_operation(operation) else f"the operation {operation} of TensorFlow"
    # A class's name begins with a capital; Keras would take a function by such an entry too.
    plain = kind[:1].isupper() and "." not in kind
    foreign = module and (_is_pythons(module) or (_root(module) in KERAS and not plain))
    return f"{kind} of {module}" if foreign else ""


def _root(module: str) -> str:
    return module.partition(".")[0]


def _is_pythons(module: str) -> bool:
    return _root(module) in sys.stdlib_module_names and module != "__main__"


def _is_foreign_function(name: str, module: str) -> bool:
    """Return whether a function is Python's own, or one of Keras's that is no part of a model."""
    if module == "builtins":  # where Keras puts its own functions and registered ones, "package>name"
        return hasattr(builtins, name.partition(".")[0])
    if _root(module) in KERAS:  # "os.system" would be the os that such a module has imported
        return "." in name or not set(module.split(".")) & set(_HOMES_OF_FUNCTIONS)
    return _is_pythons(module)


def _is_plain_operation(name: str) -> bool:
    """Return whether an operation of TensorFlow only computes: it reads and writes no file."""
    home, _, last = name.removeprefix("compat.v1.").rpartition(".")
    if not home:
        return last not in _OPERATIONS_WITH_EFFECTS
    return _root(home) in _HOMES_OF_OPERATIONS
