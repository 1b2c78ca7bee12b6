"""What machine a measurement was made on; nothing that names it or its owner."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def machine() -> dict[str, str | int]:
    """Return the operating system, the architecture, the processor's model and how many there are."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": _processor() or "unknown",
        "processors": os.cpu_count() or 0,
    }


def _processor() -> str:
    """Return the processor's model as the system tells it, "" if it does not (Linux on ARM has none)."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    models = (line.split(":", 1)[1].strip() for line in lines if line.startswith(("model name", "Model")))
    return next(models, "")
