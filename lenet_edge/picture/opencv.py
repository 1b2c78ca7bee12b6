"""Import OpenCV, or say how to install it: it takes as long to import as Pillow, and a Pi may lack it."""

from __future__ import annotations

from converters.base.errors import InputError
from converters.base.installed import OPENCV

try:
    import cv2
except ModuleNotFoundError as error:
    raise InputError(f"expected OpenCV, got none: {OPENCV}") from error

__all__ = ["cv2"]
