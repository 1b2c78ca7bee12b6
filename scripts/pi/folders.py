"""Folders of the cache, which are there whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path


def key(*parts: str) -> str:
    """Return a short name for what is made of `parts`."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def made_once(folder: Path, make: Callable[[Path], object]) -> Path:
    """Return `folder`, filled by `make` under another name and renamed if it was not there."""
    if folder.is_dir():
        return folder
    part = folder.with_name(f"{folder.name}.part-{os.getpid()}")
    part.mkdir(parents=True)
    try:
        make(part)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder
