"""Load a saved model in the Keras that saved it; its custom layers come from modules that a person names."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from converters.base.errors import InputError, expect, said_first
from converters.base.keras_hdf5 import readable_by_keras_2
from converters.base.keras_objects import CustomObject
from converters.base.kerases import KERAS_3, check_backend, import_keras
from converters.base.model_files import ModelFile, check_model_file
from converters.base.untyped import KerasModel
from converters.layers.definition import defined_class, register_functions
from converters.model.saved_model import SavedModel, load_saved_model

_EXPECTED = "expected a model that Keras can load (custom layers need --import)"
_LONGEST_REASON = 200


def load_model(
    path: Path,
    *,
    modules: Sequence[str] = (),
    custom_objects: Mapping[str, object] | None = None,
    trust_code: bool = False,
) -> KerasModel | SavedModel:
    """Return the model of a .keras, .h5 or .hdf5 file in the Keras that saved it, or that of a SavedModel.

    Nothing in the file itself is run. `modules`: names of modules with the model's custom layers; they are
    imported. A package may load its names lazily, so each custom class and function is looked up by name. A
    layer that is written once for both Kerases (converters.layers.definition) is made for the Keras of the
    file. `custom_objects`: classes and functions by the names in the file, as for keras.models.load_model.
    `trust_code`: lambda functions in the file may run, and modules that it names are imported. The model runs
    on TensorFlow, whatever backend it was saved under. A model that `fine_tune` or `quantize_aware` made must
    be in an .h5 file.

    Raises InputError: a file that is no model, or a damaged one; a module that cannot be imported; code in
    the file; custom classes and functions that no module has (they are named); a Keras that is not installed,
    or that has another backend than TensorFlow in this process; a model that Keras cannot load.
    """
    file = check_model_file(path, trust_code=trust_code)
    if file.is_saved_model:
        return load_saved_model(path, trust_code=trust_code)
    keras = import_keras(file.keras)
    check_backend(keras)
    homes = [_imported(name) for name in modules]
    if trust_code:
        homes += _named_in(file)
    with _with_what_rounds(file):
        model = _loaded(file, keras, homes, dict(custom_objects or {}), trust_code=trust_code)
    expect(isinstance(model, keras.Model), f"{path} to be a model", type(model).__name__)
    return model


def _with_what_rounds(file: ModelFile) -> contextlib.AbstractContextManager[object]:
    """Let Keras find the classes of a fine-tuned model that are not its own: the library's, and ours."""
    if not file.is_fine_tuned:
        return contextlib.nullcontext()
    # Slow to import, and only files of such models need it. What else we have registers itself then.
    from converters.model.quantize_configs import tfmot
    from converters.model.twin_operations import KerasOperation

    return tfmot.quantization.keras.quantize_scope({"converters>KerasOperation": KerasOperation})


def _loaded(
    file: ModelFile,
    keras: ModuleType,
    homes: Sequence[ModuleType],
    given: Mapping[str, object],
    *,
    trust_code: bool,
) -> KerasModel:
    """Return the model of `file`; its custom classes and functions are `given` or in the modules `homes`."""
    found = {**_objects_of(file, keras, homes, given), **given}
    missing = [one for one in file.custom_objects if one.is_certain and not _is_known(one, keras, found)]
    if missing:
        raise InputError(f"{file.path}: {_EXPECTED}, {_what_is_missing(missing)}")
    try:
        with _silent(), _source(file) as source:
            return keras.models.load_model(
                source, custom_objects=found, compile=False, safe_mode=not trust_code
            )
    except Exception as error:  # of many kinds: a configuration may hold anything
        raise InputError(f"{file.path}: {_EXPECTED}, {_reason(error, file, keras)}") from error


@contextlib.contextmanager
def _source(file: ModelFile) -> Iterator[Any]:
    """Give what Keras is to load: the path, or an HDF5 file that Keras 2 can read."""
    if file.keras == KERAS_3 or file.path.suffix == ".keras":
        yield file.path
        return
    import h5py  # comes with Keras

    with h5py.File(readable_by_keras_2(file.path), "r") as opened:
        yield opened


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (ImportError, ValueError) as error:  # ValueError: an empty name
        raise InputError(f"expected --import to name a module, got {name}: {error}") from error


def _named_in(file: ModelFile) -> list[ModuleType]:
    """Import the modules that a trusted file names, as far as they are there."""
    found = []
    for name in dict.fromkeys(one.module for one in file.custom_objects if one.module):
        with contextlib.suppress(ImportError):
            found.append(importlib.import_module(name))
    return found


def _objects_of(
    file: ModelFile, keras: ModuleType, homes: Sequence[ModuleType], given: Mapping[str, object]
) -> dict[str, object]:
    """Return what the modules `homes` have of the file's custom objects and do not register themselves."""
    wanted = [one for one in file.custom_objects if one.registered_name not in given]
    for one in wanted:  # a definition anywhere in a package registers itself when its module is imported
        for home in homes:
            _own(home, one)
    register_functions(keras)
    found = {}
    for one in wanted:
        if _is_known(one, keras, {}):
            continue
        thing = next(filter(None, (_own(home, one) for home in homes)), None)
        if thing is not None:
            found[one.registered_name] = thing
    return found


def _own(home: ModuleType, custom: CustomObject) -> Any:
    """Return the class or function that `home` has by the object's name, None unless it is its own.

    What a module has imported from elsewhere is not its own: a file could name `os.system` by it. The module
    that the file names is asked too, if it is part of `home`.
    """
    inside = f"{custom.module}.".startswith(f"{home.__name__}.")
    places = [home.__name__, *([custom.module] if inside else [])]
    for place in places:
        thing = _attribute(place, custom.attribute, home)
        own = f"{getattr(thing, '__module__', '')}.".startswith(f"{home.__name__}.")
        if own and (inspect.isclass(thing) or inspect.isfunction(thing)):
            return thing
    return None


def _attribute(module: str, name: str, home: ModuleType) -> Any:
    """Return the attribute of a module that is `home` or part of it; None when there is none."""
    try:
        return getattr(sys.modules.get(module) or importlib.import_module(module), name, None)
    except ImportError as error:
        if module != home.__name__:
            return None  # the file's module may be gone from the package since
        raise InputError(f"expected --import {module} to load {name}, got: {error}") from error


def _is_known(custom: CustomObject, keras: ModuleType, found: Mapping[str, object]) -> bool:
    """Return whether Keras finds the object by its name in the file: registered, given, or its own."""
    name = custom.registered_name
    return (
        name in found
        or keras.saving.get_registered_object(name) is not None
        or defined_class(name, keras) is not None
        or (not custom.is_certain and hasattr(keras.layers, name))
    )


def _what_is_missing(missing: Sequence[CustomObject]) -> str:
    """Return the end of a message that names what is missing and what helps."""
    names = ", ".join(dict.fromkeys(one.attribute for one in missing))
    modules = dict.fromkeys(one.module for one in missing if one.module)
    advice = " ".join(f"--import {module}" for module in modules or ["MODULE, which registers it"])
    return f"got one with {names}, which no module registers: {advice}"


def _reason(error: Exception, file: ModelFile, keras: ModuleType) -> str:
    """Return the end of a message for what Keras raised: the custom object that it does not know, if one."""
    named = re.search(r"(?:Unknown \w+|Could not locate \w+):? '(\w+)'", str(error))
    unknown = [one for one in file.custom_objects if named and one.registered_name == named[1]]
    if not unknown:
        return f"got: {said_first(error)[:_LONGEST_REASON]}"
    operations = getattr(keras, "ops", None)
    if hasattr(operations, _in_snake_case(unknown[0].attribute)):
        return f"got an .h5 file with keras.ops.{_in_snake_case(unknown[0].attribute)}: save it as .keras"
    return _what_is_missing(unknown)


def _in_snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep what Keras prints while it loads out of a command's output."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
