"""Which .tflite files of a folder are compared, each with the hash that its manifest promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from converters.base.errors import InputError, expect
from lenet_edge.packaged.files import checked_content

_PRECISIONS = ("float32", "float16", "dynamic", "int8", "qat")


def compared_files(folder: Path, *, net: str) -> dict[str, bytes]:
    """Return the .tflite files of `net` in `folder` by name, ordered by precision, the fine-tuned last.

    A file that the folder's manifest calls another net's is left out. Raises InputError when none is left,
    when the manifest is none of `convert`, and as `lenet_edge.packaged.files.checked_content`.
    """
    manifest = folder / "manifest.json"
    entries = _manifest(manifest) if manifest.is_file() else None
    models = {name: entry.get("model") for name, entry in (entries or {}).items()}
    there = (path for path in folder.glob("*.tflite") if models.get(path.name) in (None, net))
    paths = sorted(there, key=_rank)
    expect(paths, f".tflite files of {net} in {folder}", "none")
    return {path.name: checked_content(path, entries) for path in paths}


def _manifest(path: Path) -> dict[str, Any]:
    """Return the entries of a manifest by file name."""
    try:
        entries = dict(json.loads(path.read_text())["models"])
    except (ValueError, KeyError, TypeError) as error:
        raise _no_manifest(path) from error
    if not all(isinstance(entry, dict) for entry in entries.values()):
        raise _no_manifest(path)
    return entries


def _no_manifest(path: Path) -> InputError:
    return InputError(f"{path}: expected a manifest of `convert`, got another or a damaged file")


def _rank(path: Path) -> tuple[int, str]:
    """Return what sorts the files as their precisions are, and by name where they are alike."""
    places = (place for place, word in enumerate(_PRECISIONS) if word in path.stem)
    return max(places, default=len(_PRECISIONS)), path.name
