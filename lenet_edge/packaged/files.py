"""The packaged .tflite files, and any file by the name that people give it: its bytes, checked."""

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
    """Return the manifest's entries of the packaged models by file name."""
    return json.loads((released_folder() / "manifest.json").read_text())["models"]


def packaged_name(model: str, packaged: Mapping[str, Any], *, net: str = "lenet5") -> str | None:
    """Return the file among `packaged` that `model` names; None for one's own file.

    A precision of `net` ("int8_qat") always means the packaged file, whatever else has that name here:
    "./int8_qat" is one's own. A packaged file's name ("lenet5_int8.tflite") means one's own file where there
    is a file of that name in the working folder; a folder is none.
    """
    precision = f"{net}_{model}.tflite"
    if precision in packaged:
        return precision
    return model if model in packaged and not os.path.isfile(model) else None


def content_of(model: str | os.PathLike[str], *, net: str = "lenet5") -> bytes:
    """Return the bytes of `model`, named as for `packaged_name`, checked before native code sees them.

    Raises InputError when there is no such file, and as `checked_content`.
    """
    name, packaged = os.fspath(model), packaged_models()
    entry = packaged_name(name, packaged, net=net)
    path = released_folder() / entry if entry else Path(name)
    expect(path.is_file(), f"a .tflite file or one of {_known(packaged)}", name)
    return checked_content(path, packaged if entry else None)


def checked_content(path: Path, entries: dict[str, Any] | None) -> bytes:
    """Return the bytes of the .tflite file at `path`, checked as far as can be before native code sees them.

    `entries`: a manifest's, by file name, each with the sha256 that the file must have; None for a file
    without one, which is parsed and checked in Python instead. Raises InputError when it is no .tflite file,
    is not in the manifest, has another hash or is not sound.
    """
    content = path.read_bytes()
    if entries is not None:
        expect(path.name in entries, f"{path.name} to be in the manifest", "a file that it does not name")
        right = hashlib.sha256(content).hexdigest() == entries[path.name].get("sha256")
        expect(right, f"{path.name} to have the manifest's sha256", "another: make or install it again")
    expect(
        len(content) > 8 and content[4:8] == b"TFL3",
        f"{path.name} to be a .tflite file",
        "another kind of file",
    )
    if entries is None:
        from converters.file.soundness import (
            check_sound,  # not for our own files, whose start is quicker without
        )

        check_sound(content, name=path.name)
    return content


def _known(packaged: dict[str, Any]) -> str:
    return ", ".join(name.removesuffix(".tflite") for name in packaged)
