"""Find a .tflite file, packaged or the user's own, and return its checked bytes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from converters.base.errors import expect


def released_folder() -> Path:
    """Return the folder of the released weights, models and manifest."""
    return Path(__file__).parents[1] / "released"


def packaged_models() -> dict[str, Any]:
    """Return the manifest entries of the packaged models by file name."""
    return json.loads((released_folder() / "manifest.json").read_text())["models"]


def packaged_name(model: str, packaged: Mapping[str, Any], *, net: str = "lenet5") -> str | None:
    """Return the file among `packaged` that `model` names; None if it names the user's own file.

    A precision of `net` ("int8_qat") always means the packaged file, even if the working folder has something
    of that name; "./int8_qat" is the user's. A packaged file's name ("lenet5_int8.tflite") means the user's
    file if the working folder has a file of that name, not a folder.
    """
    precision = f"{net}_{model}.tflite"
    if precision in packaged:
        return precision
    return model if model in packaged and not os.path.isfile(model) else None


def content_of(model: str | os.PathLike[str], *, net: str = "lenet5") -> bytes:
    """Return the bytes of `model`, named as in `packaged_name`, checked before native code reads them.

    Raises InputError if there is no such file, and like `checked_content`.
    """
    name, packaged = os.fspath(model), packaged_models()
    entry = packaged_name(name, packaged, net=net)
    path = released_folder() / entry if entry else Path(name)
    expect(path.is_file(), f"a .tflite file or one of {_names(packaged)}", name)
    return checked_content(path, packaged if entry else None)


def checked_content(path: Path, entries: dict[str, Any] | None) -> bytes:
    """Return the bytes of the .tflite file at `path`, checked before native code reads them.

    `entries`: a manifest's entries by file name, each with the file's sha256; None for a file without a
    manifest, whose contents are checked in Python instead. Raises InputError if the file is not a .tflite
    file, not in the manifest, has another hash or is not sound.
    """
    content = path.read_bytes()
    if entries is not None:
        got = "no entry for it: a file of your own belongs in another folder"
        expect(path.name in entries, f"{path.name} to be in the manifest", got)
        same = hashlib.sha256(content).hexdigest() == entries[path.name].get("sha256")
        expect(
            same, f"{path.name} to have the manifest's sha256", "another hash: convert or install it again"
        )
    expect(
        len(content) > 8 and content[4:8] == b"TFL3",
        f"{path.name} to be a .tflite file",
        "another kind of file",
    )
    if entries is None:
        from converters.file.soundness import (
            check_sound,  # packaged files start faster without it
        )

        check_sound(content, name=path.name)
    return content


def _names(packaged: dict[str, Any]) -> str:
    return ", ".join(name.removesuffix(".tflite") for name in packaged)
