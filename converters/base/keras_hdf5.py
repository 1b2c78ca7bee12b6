"""Read and check HDF5 files of Keras without it: an .h5 model, and the weights within a .keras file."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, BinaryIO

from converters.base.errors import InputError, expect
from converters.base.installed import RUNTIMES
from converters.base.untyped import Json

MOST_BYTES = 2 << 30
"""What a model's weights may have in all; a mobile model has some 100 MB."""

MOST_TIMES = 100
"""How many times larger than in its file something may be. Keras does not compress its weights."""

SMALL = 1 << 20
"""What is smaller may be compressed any number of times."""

_DAMAGED = "an .h5 model of Keras", "another or a damaged one"


def read_hdf5_model(path: Path) -> tuple[str, dict[str, Json]]:
    """Return the version of Keras that saved the .h5 model `path`, and the model's configuration.

    Its sizes are checked as by `check_hdf5`; no value of a weight is read. Raises InputError for another
    file, a damaged one, or one of weights alone; OSError when it cannot be opened.
    """
    with path.open("rb") as stream:
        check_hdf5(stream, str(path))
        try:
            with _file(stream) as file:
                config, version = file.attrs.get("model_config"), file.attrs.get("keras_version", "1")
        except Exception as error:  # h5py's are of many kinds for a damaged file
            raise InputError(f"{path}: expected {_DAMAGED[0]}, got {_DAMAGED[1]}") from error
    expect(config is not None, f"{path} to hold a model (model.save)", "weights or other data alone")
    try:
        value = json.loads(_text(config))
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path}: expected {_DAMAGED[0]}, got {_DAMAGED[1]}") from error
    expect(isinstance(value, dict), f"{path} to be {_DAMAGED[0]}", _DAMAGED[1])
    return _text(version), value


def readable_by_keras_2(path: Path) -> BinaryIO:
    """Return a copy of the .h5 model `path` in which Keras 2 finds its custom objects.

    Keras 2 saves functions, and classes within layers, in the form of its .keras files. From an .h5 file it
    reads only their names.
    """
    copy = io.BytesIO(path.read_bytes())
    with _file(copy, "r+") as file:
        config = json.loads(_text(file.attrs["model_config"]))
        file.attrs["model_config"] = json.dumps(_with_names(config))
    copy.seek(0)
    return copy


def _with_names(config: Json) -> Json:
    """Return `config` with the registered name for a function and for the class of an object."""
    if isinstance(config, list):
        return [_with_names(one) for one in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "function":
        return config.get("config")
    named = {key: _with_names(value) for key, value in config.items()}
    if ">" in str(config.get("registered_name")):
        named["class_name"] = config["registered_name"]
    return named


def check_hdf5(stream: BinaryIO, name: str) -> None:
    """Raise InputError unless the HDF5 file in `stream` is sound by its headers: no value is read.

    Its weights are in this file itself, are numbers, and unpack to no more than the file can hold. `name`
    stands for the file in messages.
    """
    try:
        with _file(stream) as file:
            _check_links(file, name)
            sizes = [_checked_size(dataset, name) for dataset in _datasets(file)]
    except InputError:
        raise
    except Exception as error:  # h5py's are of many kinds for a damaged file
        raise InputError(f"{name}: expected {_DAMAGED[0]}, got {_DAMAGED[1]}") from error
    expect(sum(sizes) <= MOST_BYTES, f"{name} to unpack to {MOST_BYTES:,} bytes or less", f"{sum(sizes):,}")


def _check_links(file: Any, name: str) -> None:
    """Raise InputError when a name in `file` leads to another file."""
    import h5py

    found: list[str] = []
    file.visititems_links(
        lambda where, link: found.append(where) if isinstance(link, h5py.ExternalLink) else None
    )
    got = f"a link to another file at {', '.join(found)}"
    expect(not found, f"{name} to hold its weights itself", got)


def _datasets(file: Any) -> list[Any]:
    """Return each dataset of `file`, once."""
    import h5py

    found: list[Any] = []
    file.visititems(lambda _, thing: found.append(thing) if isinstance(thing, h5py.Dataset) else None)
    return found


def _checked_size(dataset: Any, name: str) -> int:
    """Return the bytes that `dataset` unpacks to."""
    outside = dataset.is_virtual or dataset.external
    expect(not outside, f"{name} to hold its weights itself", f"values in another file for {dataset.name}")
    expect(not dataset.dtype.hasobject, f"{name} to hold numbers", f"{dataset.dtype} in {dataset.name}")
    size, stored = int(dataset.nbytes), max(int(dataset.id.get_storage_size()), 1)
    got = f"{dataset.name!r} of {size:,} bytes in {stored:,}"
    fits = size <= max(SMALL, MOST_TIMES * stored)
    expect(fits, f"weights of {name} compressed {MOST_TIMES} times or less", got)
    return size


def _file(stream: BinaryIO, mode: str = "r") -> Any:
    try:
        import h5py
    except ModuleNotFoundError as error:
        install = RUNTIMES["tensorflow"].install
        raise InputError(f"expected h5py to read weights with, got none: {install}") from error
    return h5py.File(stream, mode)


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
