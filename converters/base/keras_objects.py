"""Find the custom layers and functions that a saved Keras model names, without Keras."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from converters.base.keras_code import dictionaries_in, is_of_keras
from converters.base.untyped import Json


@dataclass(frozen=True, kw_only=True)
class CustomObject:
    """A custom class or function of a model, by the name that it is registered under ("package>Name").

    `module`: where a class was defined when the model was saved; functions and what an .h5 file holds are
    saved without one ("").
    """

    registered_name: str
    module: str

    @property
    def attribute(self) -> str:
        """Its own name, which a module has it under."""
        return self.registered_name.rpartition(">")[2]

    @property
    def is_certain(self) -> bool:
        """Whether it is custom for certain; a plain name without a module may be one of Keras's own."""
        return bool(self.module) or ">" in self.registered_name


def custom_objects_in(config: Json) -> list[CustomObject]:
    """Return the custom classes and functions in a model's configuration, each once, in its order."""
    return list(dict.fromkeys(_found(config)))


def _found(config: Json) -> Iterator[CustomObject]:
    yield from filter(None, map(_custom_object, dictionaries_in(config)))


def _custom_object(config: dict[str, Json]) -> CustomObject | None:
    """Return the class or function that this one dictionary stands for, None for none or one of Keras's."""
    kind, inner = config.get("class_name"), config.get("config")
    module = str(config.get("module") or "")
    if not isinstance(kind, str) or kind.startswith("__"):
        return None
    if kind == "function":
        # Keras saves functions, its own too, as those of "builtins".
        home = "" if module == "builtins" else module
        return None if not isinstance(inner, str) or is_of_keras(home) else _named(inner, home)
    if is_of_keras(module):  # it registers only some of its own classes
        return None
    registered = config.get("registered_name", kind)
    return _named(registered if isinstance(registered, str) else kind, module)


def _named(name: str, module: str) -> CustomObject | None:
    return CustomObject(registered_name=name, module=module) if name else None
