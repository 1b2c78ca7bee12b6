"""Read and check a .keras file without Keras: its version, its sizes, its configuration."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from converters.base.errors import InputError, expect
from converters.base.keras_hdf5 import MOST_BYTES, MOST_TIMES, SMALL, check_hdf5
from converters.base.untyped import Json

_WEIGHTS = "model.weights.h5"
_MOST_OF_JSON = 64 << 20
_DAMAGED = "expected a .keras file, got another or a damaged one"


def read_keras_archive(path: Path) -> tuple[str, dict[str, Json]]:
    """Return the version of Keras that saved the .keras file `path`, and the model's configuration.

    The configuration is without what the model was compiled with, which is not loaded. The sizes of all
    members, and of the weights within, are checked by their headers before one is unpacked. Raises
    InputError for another or a damaged file; OSError when it cannot be opened.
    """
    with path.open("rb"):
        pass  # so that a file which is missing or not readable is reported as such
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(path, archive.infolist())
            version = str(_read(archive, "metadata.json").get("keras_version", "without a number"))
            config = _read(archive, "config.json")
            weights = io.BytesIO(archive.read(_WEIGHTS))
    except InputError:
        raise
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        EOFError,
        KeyError,
        ValueError,
        TypeError,
        NotImplementedError,
        RuntimeError,  # a member with a password; RecursionError
        zlib.error,
    ) as error:
        raise InputError(f"{path}: {_DAMAGED}") from error
    check_hdf5(weights, f"{_WEIGHTS} of {path}")
    return version, {key: value for key, value in config.items() if key != "compile_config"}


def _read(archive: zipfile.ZipFile, name: str) -> dict[str, Json]:
    expect(
        archive.getinfo(name).file_size <= _MOST_OF_JSON,
        f"{name} of {_MOST_OF_JSON:,} bytes or less in {archive.filename}",
        f"{archive.getinfo(name).file_size:,}",
    )
    value = json.loads(archive.read(name))
    expect(isinstance(value, dict), f"{archive.filename} to be a .keras file", "another or a damaged one")
    return value


def _check_sizes(path: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    """Raise InputError when the members are too large, as the header states them; nothing is unpacked."""
    size = sum(member.file_size for member in members)
    expect(size <= MOST_BYTES, f"{path} to unpack to {MOST_BYTES:,} bytes or less", f"{size:,}")
    for member in members:
        packed = max(member.compress_size, 1)
        fits = member.file_size <= max(SMALL, MOST_TIMES * packed)
        got = f"{member.filename!r} of {member.file_size:,} bytes in {packed:,}"
        expect(fits, f"members of {path} compressed {MOST_TIMES} times or less", got)
