"""Find what in a saved Keras model's configuration is code, or names code to be run, without Keras.

Keras rebuilds a model from its configuration by the names in it: a module that is imported, a function or
class of that module, an operation of Keras or TensorFlow. What is needed for that is on a list here. Anything
else that could run code or touch files is reported.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator

from converters.base.untyped import Json

KERAS = ("keras", "tf_keras")
"""The packages that Keras 3 and Keras 2 name as the home of their own classes."""

_HOMES_OF_FUNCTIONS = (
    "activations",
    "constraints",
    "initializers",
    "losses",
    "metrics",
    "ops",
    "random",
    "regularizers",
)
_HOMES_OF_CLASSES = (
    *_HOMES_OF_FUNCTIONS,
    "distillation",
    "dtype_policies",
    "engine",
    "layers",
    "legacy",
    "mixed_precision",
    "models",
    "optimizers",
    "quantizers",
)
_INNER_PACKAGES = ("api", "src", "_tf_keras", "__internal__", "_legacy")
"""What stands between "keras" and the home in the names of Keras's own modules."""

_CODE_OR_FILES = {
    "DenseFeatures": "files that it reads",
    "SequenceFeatures": "files that it reads",
    "TFSMLayer": "another model that it loads",
    "TorchModuleWrapper": "a pickle that it loads",
}
"""Layers of Keras that a configuration makes load something."""

_LOOKUPS = ("IndexLookup", "IntegerLookup", "StringLookup", "TextVectorization")
_SPECIAL = (
    "__bytes__",
    "__ellipsis__",
    "__keras_tensor__",
    "__numpy__",
    "__slice__",
    "__tensor__",
    "__tuple__",
)
_HOMES_OF_TYPES = ("tensorflow.python.framework.", "tensorflow.python.ops.ragged.")
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
_BYTECODE = "the bytecode of a lambda function"


def code_in(config: Json) -> Iterator[str]:
    """Yield in words what in `config` is code, or names code beyond Keras's own layers, each thing once.

    `config` nests dictionaries and lists as Keras writes them. Classes and functions of packages other than
    Python's own are not reported: they come from modules that a person names (converters.base.keras_objects).
    """
    yield from dict.fromkeys(filter(None, map(_code, dictionaries_in(config))))


def dictionaries_in(config: Json) -> Iterator[dict[str, Json]]:
    """Yield each dictionary in `config`, however deep, in the order in which they are written."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting.extend(reversed(value.values()))
        elif isinstance(value, list):
            waiting.extend(reversed(value))


def is_of_keras(module: str) -> bool:
    """Return whether `module` is of either Keras."""
    return _root(module) in KERAS


def _code(config: dict[str, Json]) -> str:
    """Return what in this one dictionary is code, "" if nothing is."""
    if any(key.endswith("_type") and value == "lambda" for key, value in config.items()):
        return _BYTECODE
    if "class_name" not in config:
        return ""
    kind, module = config["class_name"], config.get("module")
    if not isinstance(kind, str) or not isinstance(module, str | None):
        return f"an object of the class {kind!r} of {module!r}"
    if kind.startswith("__"):
        return _special_code(config, kind, module or "")
    if kind == "function":
        return _function_code(config.get("config"), module or "")
    return _class_code(config, kind, module or "")


def _special_code(config: dict[str, Json], kind: str, module: str) -> str:
    """Return what is code in an entry of a kind that Keras has a name of its own for: "__numpy__"."""
    if kind == "__lambda__":
        return _BYTECODE
    if kind == "__typespec__":
        name = str(config.get("spec_name"))
        plain = name.isidentifier() and name.endswith("Spec") and config.get("registered_name") is None
        return "" if plain and module.startswith(_HOMES_OF_TYPES) else f"the type {name} of {module}"
    return "" if kind in _SPECIAL else f"an object of the class {kind!r} of {module!r}"


def _function_code(name: Json, module: str) -> str:
    foreign = not isinstance(name, str) or _is_foreign_function(name, module)
    return f"the function {name} of {module}" if foreign else ""


def _class_code(config: dict[str, Json], kind: str, module: str) -> str:
    """Return what is code in the entry of the class `kind`; without a module in an .h5 file."""
    inner = config.get("config")
    options = inner if isinstance(inner, dict) else {}
    if not module or is_of_keras(module):
        if kind in _CODE_OR_FILES:
            return f"{kind}, with {_CODE_OR_FILES[kind]}"
        if kind == "Lambda" and any(_is_bytecode(options.get(key)) for key in ("function", "mask")):
            return _BYTECODE
        if kind in _LOOKUPS and any(isinstance(options.get(k), str) for k in ("vocabulary", "idf_weights")):
            return f"{kind}, with files that it reads"
        if kind in _OPERATION_KEYS:
            operation = str(options.get(_OPERATION_KEYS[kind]))
            return "" if _is_plain_operation(operation) else f"the operation {operation} of TensorFlow"
    if not module:
        return ""
    if is_of_keras(module):
        # A class's name begins with a capital; Keras would take a function by such an entry too.
        plain = kind[:1].isupper() and "." not in kind and _home(module) in ("", *_HOMES_OF_CLASSES)
        return "" if plain else f"{kind} of {module}"
    # Keras asks for a registered class by this name and, where there is none, imports the module.
    named = isinstance(config.get("registered_name", kind), str)
    return f"{kind} of {module}" if _is_pythons(module) or not named else ""


def _is_bytecode(function: Json) -> bool:
    """Return whether a function of a Lambda layer in an .h5 file is one: code, defaults, closure."""
    return isinstance(function, list) and any(isinstance(part, str) for part in function)


def _root(module: str) -> str:
    return module.partition(".")[0]


def _home(module: str) -> str:
    """Return the part of Keras that one of its modules belongs to, "layers" for "keras.src.layers.core"."""
    parts = [part for part in module.split(".")[1:] if part not in _INNER_PACKAGES]
    return parts[0] if parts else ""


def _is_pythons(module: str) -> bool:
    return _root(module) in sys.stdlib_module_names and module != "__main__"


def _is_foreign_function(name: str, module: str) -> bool:
    """Return whether a function is Python's own, or one of Keras's that is no part of a model."""
    if module == "builtins":  # where Keras puts its own functions and registered ones, "package>name"
        return hasattr(builtins, name.partition(".")[0])
    if is_of_keras(module):  # "os.system" would be the os that such a module has imported
        return "." in name or _home(module) not in _HOMES_OF_FUNCTIONS
    return _is_pythons(module)


def _is_plain_operation(name: str) -> bool:
    """Return whether an operation of TensorFlow only computes: it reads and writes no file."""
    home, _, last = name.removeprefix("compat.v1.").rpartition(".")
    if not home:
        return last not in _OPERATIONS_WITH_EFFECTS
    return _root(home) in _HOMES_OF_OPERATIONS
