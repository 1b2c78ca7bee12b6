"""SHA256SUMS: written, read, compared."""

from __future__ import annotations

import hashlib
from pathlib import Path

SUMS = "SHA256SUMS"
"""What `sha256sum --check` reads."""


def write_sums(folder: Path) -> None:
    """Write the sha256 of every file in `folder` to SHA256SUMS there, by name."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.iterdir())
        if path.name != SUMS
    ]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def read_sums(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file that SHA256SUMS in `folder` names."""
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    return {name: sha256 for sha256, name in (line.split("  ", 1) for line in lines)}


def differences(first: dict[str, str], second: dict[str, str]) -> list[str]:
    """Return a line for each file that is not the same in two releases, or is in one of them only."""
    return [
        f"{name}: {'differs' if name in first and name in second else 'in one of the two builds only'}"
        for name in sorted({*first, *second})
        if first.get(name) != second.get(name)
    ]
