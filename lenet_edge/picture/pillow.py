"""Pillow, imported when it is first used: a command says in a line that it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from converters.base.installed import Later

LIBRARY = Later("PIL.Image", title="Pillow", install="pip install pillow, or sudo apt install python3-pil")
if TYPE_CHECKING:
    from PIL import Image
else:
    Image = LIBRARY

__all__ = ["LIBRARY", "Image"]
