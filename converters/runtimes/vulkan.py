"""Choose the Vulkan driver of the GPU column: the user's, a graphics card's, or SwiftShader from Chromium.

SwiftShader computes on the CPU what a graphics card would. Its speed means nothing, but the GPU accelerator's
own kernels run. Debian 12's software driver (lavapipe) does not work: LiteRT fails on it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path

CHROMIUM = Path("/usr/lib/chromium")
"""Where Debian's chromium package has SwiftShader and a Vulkan loader."""

_CHOICES = ("VK_ICD_FILENAMES", "VK_DRIVER_FILES")
_DRIVERS = ("/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d")
_LOADER = "libvulkan.so.1"


def absence() -> str:
    """Return why there is no Vulkan driver and what would help, in a line; "" when there is one."""
    if sys.platform != "linux":
        return f"the GPU column is made for Linux, not {sys.platform}"
    if _chosen() or _has_card() or _swiftshader().exists():
        return ""
    return "no Vulkan driver: install Debian's chromium package, which has SwiftShader, or a graphics card's"


def use_driver() -> None:
    """Choose the driver of this process and load Vulkan; call it before the runtime is imported.

    Does nothing when there is none: the runtime reports that itself.
    """
    if not (_chosen() or _has_card()):
        os.environ["VK_ICD_FILENAMES"] = str(_swiftshader())
    # The runtime loads the Vulkan loader by its bare name and does not look in Chromium's folder, but finds
    # one that is loaded already.
    for loader in (_LOADER, str(CHROMIUM / _LOADER)):
        with contextlib.suppress(OSError):
            ctypes.CDLL(loader, mode=ctypes.RTLD_GLOBAL)
            return


def _chosen() -> bool:
    """Return whether the user has named a driver."""
    return any(os.environ.get(name) for name in _CHOICES)


def _has_card() -> bool:
    """Return whether there is a graphics card with a driver of its own."""
    cards = [*Path("/dev/dri").glob("renderD*"), *Path("/dev").glob("nvidia[0-9]*")]
    return bool(cards) and any(next(Path(folder).glob("*.json"), None) for folder in _DRIVERS)


def _swiftshader() -> Path:
    return CHROMIUM / "vk_swiftshader_icd.json"
