"""Words as people write them."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Return `count` with its `noun`, whose plural ends in s: "1 file", "2,000 files"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def printable(text: str, encoding: str | None) -> str:
    """Return `text`, with any file name in it, escaped for one line of a terminal with `encoding`."""
    escaped = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
    return escaped.encode(encoding or "ascii", "backslashreplace").decode(encoding or "ascii")
