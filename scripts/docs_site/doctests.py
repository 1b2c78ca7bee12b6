"""An extension of griffe: the lines of a docstring that begin with >>> become a block of code."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

BLOCK = re.compile(r"^>>> .*(?:\n(?:>>>|\.\.\.|[^\s>]).*)*", re.MULTILINE)
"""A prompt and all lines up to the next empty one."""


def fenced(docstring: str) -> str:
    """Return a docstring with its examples as fenced code."""
    return BLOCK.sub(lambda found: f"```pycon\n{found[0]}\n```", docstring)


class Doctests(Extension):
    """Fences the examples of every object that griffe has read."""

    def on_instance(self, *, obj: Object, **_: Any) -> None:
        """Take an object that has been read."""
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)
