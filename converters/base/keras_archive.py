"""Read and check a .keras file without Keras: its version, its sizes, its custom objects, code in it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from converters.base.errors import InputError, expect
from converters.base.keras_code import KERAS, code_in
from converters.base.untyped import Json

_MOST_BYTES = 2 << 30
"""What the members of a .keras file may have in all; a mobile model has some 100 MB."""

_MOST_TIMES = 100
"""How much larger than in the file a member may be. Keras does not pack its weights."""

_SMALL = 1 << 20
"""Members that are smaller may be packed as well as they can."""


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


def check_keras_archive(path: Path, *, trust_code: bool = False) -> None:
    """Raise InputError unless `path` is a .keras file of Keras 2 that holds no code and names none.

    `trust_code`: code is no fault. Only the names and sizes of its members, its metadata and its
    configuration are read. Raises OSError when it cannot be opened.
    """
    version = str(_read(path, "metadata.json").get("keras_version", "without a number"))
    expect(version.startswith("2."), f"{path} to be saved by tf_keras (Keras 2)", f"Keras {version}")
    if not trust_code:
        code = next(code_in(_configuration(path)), "")
        expect(not code, f"{path} to be a model without code (--trust-code runs what is in it)", code)


def custom_objects(path: Path) -> list[CustomObject]:
    """Return the custom classes and functions of the .keras file `path`, each once, in its order.

    Raises InputError for another or a damaged file.
    """
    return list(dict.fromkeys(_custom(_configuration(path))))


def _configuration(path: Path) -> dict[str, Json]:
    """Return the model's configuration without what it was compiled with, which is not loaded."""
    config = _read(path, "config.json")
    return {key: value for key, value in config.items() if key != "compile_config"}


def _read(path: Path, name: str) -> dict[str, Json]:
    with path.open("rb"):
        pass  # so that a file which is missing or not readable is reported as such
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(path, archive.infolist())
            value = json.loads(archive.read(name))
    except InputError:
        raise
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        TypeError,
        NotImplementedError,
        RecursionError,
    ) as error:
        raise InputError(f"{path}: expected a .keras file, got another or a damaged one") from error
    expect(isinstance(value, dict), f"{path} to be a .keras file", "another or a damaged one")
    return value


def _check_sizes(path: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    """Raise InputError when the members are too large, as the header states them; nothing is unpacked."""
    size = sum(member.file_size for member in members)
    expect(size <= _MOST_BYTES, f"{path} to unfold to {_MOST_BYTES:,} bytes or less", f"{size:,}")
    for member in members:
        packed = max(member.compress_size, 1)
        fits = member.file_size <= max(_SMALL, _MOST_TIMES * packed)
        got = f"{member.filename!r} of {member.file_size:,} bytes in {packed:,}"
        expect(fits, f"members of {path} packed {_MOST_TIMES} times or less", got)


def _custom(config: Json) -> Iterator[CustomObject]:
    """Yield the custom objects in `config`, which nests dictionaries and lists as Keras writes them."""
    if isinstance(config, list):
        for item in config:
            yield from _custom(item)
    if not isinstance(config, dict):
        return
    yield from filter(None, [_custom_object(config)])
    for value in config.values():
        yield from _custom(value)


def _custom_object(config: dict[str, Json]) -> CustomObject | None:
    """Return the custom class or function that this one dictionary stands for, None if for none."""
    kind, registered, inner = (config.get(key) for key in ("class_name", "registered_name", "config"))
    module = str(config.get("module") or "")
    keras_own = module.partition(".")[0] in KERAS  # it registers only some of its own classes
    if not isinstance(kind, str) or kind.startswith("__") or keras_own:
        return None
    if kind != "function":
        name = registered if isinstance(registered, str) else kind if module else ""
        return CustomObject(registered_name=name, module=module) if name else None
    if not isinstance(inner, str) or (module == "builtins" and ">" not in inner):
        return None
    return CustomObject(registered_name=inner, module="" if module == "builtins" else module)
