"""Load a saved Keras model whose custom layers are in modules that a person names."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from converters.base.environment import keras
from converters.base.errors import InputError
from converters.base.keras_archive import CustomObject, check_keras_archive, custom_objects
from converters.base.untyped import KerasModel

_EXPECTED = "expected a model that Keras can load (custom layers need --import)"
_LONGEST_REASON = 200


def load_model(path: Path, *, modules: Sequence[str] = (), trust_code: bool = False) -> KerasModel:
    """Return the Keras 2 model of the .keras file `path`; nothing in the file itself is run.

    `modules` are imported by their names; they register the custom layers of the model. A package may load
    them only when they are asked for, so each custom class and function is asked for by its name.
    `trust_code`: lambda functions in the file may run, and modules that it names are imported. Raises
    InputError: a module that cannot be imported, code in the file, custom classes and functions that no
    module has (they are named), or a model that Keras cannot load.
    """
    check_keras_archive(path, trust_code=trust_code)
    imported = [_imported(name) for name in modules]
    wanted = custom_objects(path)
    for custom in _missing(wanted, ()):
        for module in imported:
            _ask_for(module, custom)
    missing = _what_is_missing(_missing(wanted, imported))
    # Keras would import the modules that the file names.
    if missing and not trust_code:
        raise InputError(f"{path}: {_EXPECTED}, {missing}")
    try:
        return keras.models.load_model(path, compile=False, safe_mode=not trust_code)
    except (TypeError, ValueError, KeyError, OSError) as error:
        raise InputError(f"{path}: {_EXPECTED}, {missing or f'got: {_first_line(error)}'}") from error


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (ImportError, ValueError) as error:  # ValueError: an empty name
        raise InputError(f"expected --import to name a module, got {name}: {error}") from error


def _ask_for(module: ModuleType, custom: CustomObject) -> None:
    """Let `module` load the object by its name, if it has it; it registers itself then."""
    try:
        getattr(module, custom.attribute, None)
    except ImportError as error:
        raise InputError(
            f"expected --import {module.__name__} to load {custom.attribute}, got: {error}"
        ) from error


def _missing(wanted: Sequence[CustomObject], imported: Sequence[ModuleType]) -> list[CustomObject]:
    """Return what is neither registered nor of one of the modules `imported` or within them."""
    homes = tuple(f"{module.__name__}." for module in imported)
    return [
        one
        for one in wanted
        if keras.saving.get_registered_object(one.registered_name) is None
        and not f"{one.module}.".startswith(homes)
    ]


def _what_is_missing(missing: Sequence[CustomObject]) -> str:
    """Return the end of a message that names what is missing and what helps; "" when nothing is."""
    if not missing:
        return ""
    names = ", ".join(dict.fromkeys(one.attribute for one in missing))
    modules = dict.fromkeys(one.module for one in missing if one.module)
    advice = " ".join(f"--import {module}" for module in modules or ["MODULE, which registers it"])
    return f"got one with {names}, which no module registers: {advice}"


def _first_line(error: Exception) -> str:
    lines = (line for line in str(error).splitlines() if line.strip())
    return next(lines, "no reason given")[:_LONGEST_REASON]
