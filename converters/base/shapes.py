"""Read the shapes of a model's inputs as a person writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from converters.base.errors import expect

Shapes: TypeAlias = Sequence[int] | Mapping[str, Sequence[int]]
"""A shape without the batch for a model's only input, or one for each input by its name."""


def shapes_of_texts(texts: Sequence[str]) -> Shapes | None:
    """Return the shapes that a person wrote: one "32x32x3", or "NAME=32x32x3" for each input; None for none.

    Raises InputError for text in another form, and for a name that comes twice.
    """
    found: dict[str, tuple[int, ...]] = {}
    for text in texts:
        name, _, sides = text.rpartition("=")
        expect(name not in found, "one shape for each input", text)
        found[name] = _shape(sides, text)
    if "" not in found:
        return found or None
    expect(len(found) == 1, "shapes of several inputs as NAME=32x32x3", ", ".join(texts))
    return found[""]


def _shape(sides: str, text: str) -> tuple[int, ...]:
    parts = sides.split("x")
    whole = all(part.isascii() and part.isdecimal() and int(part) > 0 for part in parts)
    expect(whole, "a shape like 32x32x3 or NAME=32x32x3, without the batch", text)
    return tuple(int(part) for part in parts)
