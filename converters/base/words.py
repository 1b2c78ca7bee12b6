"""Words about numbers."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Return `count` and its noun: "1 file", "2 files", "10,000 files"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
