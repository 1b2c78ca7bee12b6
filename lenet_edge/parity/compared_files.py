"""Find the .tflite files to compare in a folder, and check each against the manifest's hash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from converters.base.errors import InputError, expect
from lenet_edge.packaged.files import checked_content

_PRECISIONS = ("float32", "float16", "dynamic", "int8", "qat")


def compared_files(folder: Path, *, net: str) -> dict[str, bytes]:
    """Return the .tflite files of `net` in `folder` by name, ordered by precision, fine-tuned ones last.

    Files that belong to another net by the folder's manifest are left out. Raises InputError if none is left,
    if `convert` did not write the manifest, and like `lenet_edge.packaged.files.checked_content`.
    """
    manifest = folder / "manifest.json"
    entries = _manifest(manifest) if manifest.is_file() else None
    models = {name: entry.get("model") for name, entry in (entries or {}).items()}
    candidates = (path for path in folder.glob("*.tflite") if models.get(path.name) in (None, net))
    paths = sorted(candidates, key=_rank)
    expect(paths, f".tflite files of {net} in {folder}", "none")
    return {path.name: checked_content(path, entries) for path in paths}


def _manifest(path: Path) -> dict[str, Any]:
    """Return the entries of a manifest by file name."""
    try:
        entries = dict(json.loads(path.read_text())["models"])
    except (ValueError, KeyError, TypeError) as error:
        raise _bad_manifest(path) from error
    if not all(isinstance(entry, dict) for entry in entries.values()):
        raise _bad_manifest(path)
    return entries


def _bad_manifest(path: Path) -> InputError:
    return InputError(f"{path}: expected a manifest of `convert`, got another or a damaged file")


def _rank(path: Path) -> tuple[int, str]:
    """Return a sort key: by precision, then by name."""
    places = (place for place, word in enumerate(_PRECISIONS) if word in path.stem)
    return max(places, default=len(_PRECISIONS)), path.name
