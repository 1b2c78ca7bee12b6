"""Words as people write them."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Return `count` with its `noun`, whose plural ends in s: "1 file", "2,000 files"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
