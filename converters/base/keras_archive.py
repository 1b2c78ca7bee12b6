"""Read the version and the custom objects of a .keras file, without Keras."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from converters.base.errors import InputError, expect
from converters.base.untyped import Json

_KERAS = ("keras", "tf_keras")


@dataclass(frozen=True, kw_only=True)
class CustomObject:
    """A custom class or function of a model, by the name that it is registered under ("package>Name").

    `module`: where a class was defined when the model was saved; functions are saved without one ("").
    """

    registered_name: str
    module: str

    @property
    def attribute(self) -> str:
        """Its own name, which a module has it under."""
        return self.registered_name.rpartition(">")[2]


def check_keras_archive(path: Path) -> None:
    """Raise InputError unless `path` is a .keras file of Keras 2, OSError when it cannot be read."""
    version = str(_read(path, "metadata.json").get("keras_version", "without a number"))
    expect(version.startswith("2."), f"{path} to be saved by tf_keras (Keras 2)", f"Keras {version}")


def custom_objects(path: Path) -> list[CustomObject]:
    """Return the custom classes and functions of the .keras file `path`, each once, in its order.

    Raises InputError for another or a damaged file.
    """
    return list(dict.fromkeys(_custom(_read(path, "config.json"))))


def _read(path: Path, name: str) -> dict[str, Json]:
    with path.open("rb"):
        pass  # so that a file which is missing or not readable is reported as such
    try:
        with zipfile.ZipFile(path) as archive:
            value = json.loads(archive.read(name))
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path}: expected a .keras file, got another or a damaged one") from error
    expect(isinstance(value, dict), f"{path} to be a .keras file", "another or a damaged one")
    return value


def _custom(config: Json) -> Iterator[CustomObject]:
    """Yield the custom objects in `config`, which nests dictionaries and lists as Keras writes them."""
    if isinstance(config, list):
        for item in config:
            yield from _custom(item)
    if not isinstance(config, dict):
        return
    kind, registered, inner = (config.get(key) for key in ("class_name", "registered_name", "config"))
    if kind == "function" and isinstance(inner, str) and ">" in inner:
        yield CustomObject(registered_name=inner, module="")
    elif kind != "function" and isinstance(registered, str):
        module = str(config.get("module") or "")
        if module.partition(".")[0] not in _KERAS:  # it registers only some of its own classes
            yield CustomObject(registered_name=registered, module=module)
    for value in config.values():
        yield from _custom(value)
