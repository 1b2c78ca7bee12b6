"""Describe the machine that a measurement was made on, without naming it or its owner."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from converters.base.untyped import Json


def machine() -> dict[str, str | int]:
    """Return the operating system, the architecture, the processor's model and how many there are."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": _processor() or "unknown",
        "processors": os.cpu_count() or 0,
    }


def speed_facts(*, root: Path = Path("/")) -> dict[str, Json]:
    """Return what determines this machine's speed now; None for what the system does not report.

    `board`: a single-board computer's model. `memory_bytes`. `governor`: how the processors' frequency is
    chosen, each kind once ("performance", "ondemand"). `frequency_khz`: the least, the greatest and the
    present one of the first processor. `turbo`: whether it may go beyond its nominal frequency.
    `celsius`: the hottest sensor. `load`: processes that wanted a processor in the last minute.

    `root`: where /proc and /sys are looked for.
    """
    processors = root / "sys/devices/system/cpu"
    return {
        "board": _text(root / "proc/device-tree/model"),
        "memory_bytes": _memory(root),
        "governor": _governor(processors),
        "frequency_khz": _frequencies(processors / "cpu0/cpufreq"),
        "turbo": _turbo(processors),
        "celsius": _celsius(root),
        "load": _number(_text(root / "proc/loadavg"), 1),
    }


def _processor() -> str:
    """Return the processor's model as the system reports it, "" if it does not (as Linux on ARM)."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    models = (line.split(":", 1)[1].strip() for line in lines if line.startswith(("model name", "Model")))
    return next(models, "")


def _text(path: Path) -> str | None:
    """Return the content of one of the system's small files; None when it is missing or unreadable."""
    try:
        return path.read_text(errors="replace").strip("\0\n ") or None
    except OSError:
        return None


def _number(text: str | None, scale: float) -> float | None:
    """Return the first word of `text` as a number, times `scale`; None when it is none."""
    try:
        return float((text or "").split()[0]) * scale
    except (IndexError, ValueError):
        return None


def _memory(root: Path) -> int | None:
    total = _number((_text(root / "proc/meminfo") or "").removeprefix("MemTotal:"), 1024)
    return None if total is None else round(total)


def _governor(processors: Path) -> str | None:
    found = {_text(path) for path in processors.glob("cpu[0-9]*/cpufreq/scaling_governor")}
    return ", ".join(sorted(filter(None, found))) or None


def _frequencies(folder: Path) -> dict[str, int] | None:
    names = {"least": "cpuinfo_min_freq", "greatest": "cpuinfo_max_freq", "present": "scaling_cur_freq"}
    found = {key: _number(_text(folder / name), 1) for key, name in names.items()}
    return {key: round(value) for key, value in found.items() if value is not None} or None


def _turbo(processors: Path) -> bool | None:
    boost, no_turbo = _text(processors / "cpufreq/boost"), _text(processors / "intel_pstate/no_turbo")
    if boost is not None:
        return boost == "1"
    return None if no_turbo is None else no_turbo == "0"


def _celsius(root: Path) -> float | None:
    found = (_number(_text(p), 0.001) for p in (root / "sys/class/thermal").glob("thermal_zone*/temp"))
    return max((value for value in found if value is not None), default=None)
