"""OpenCV, imported when it is first used: it takes as long to import as Pillow, and a Pi may lack it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from converters.base.installed import OPENCV, Later

LIBRARY = Later("cv2", title="OpenCV", install=OPENCV)
if TYPE_CHECKING:
    import cv2
else:
    cv2 = LIBRARY

__all__ = ["LIBRARY", "cv2"]
