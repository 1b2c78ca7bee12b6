"""What an .apk's bytes are: code, native libraries, models, resources."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path


def sizes(apk: Path) -> dict[str, object]:
    """Return the bytes in `apk`, compressed or not: in all and by part; `other` is padding and signature."""
    with zipfile.ZipFile(apk) as content:
        parts = {info.filename: info.compress_size for info in content.infolist()}
    native = {name.removeprefix("lib/"): size for name, size in parts.items() if name.startswith("lib/")}
    dex = sum(size for name, size in parts.items() if name.endswith(".dex"))
    models = sum(size for name, size in parts.items() if name.endswith(".tflite"))
    whole = apk.stat().st_size
    return {
        "bytes": whole,
        "dex": dex,
        "native": native,
        "models": models,
        "resources": sum(parts.values()) - dex - models - sum(native.values()),
        "other": whole - sum(parts.values()),
    }


def write(weights: dict[str, dict[str, object]], version: str, path: Path) -> None:
    """Write `weights`, by the .apk's name, of the package's `version` to `path`."""
    path.write_text(json.dumps({"version": version, "apks": weights}, indent=2) + "\n")
