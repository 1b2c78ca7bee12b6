"""Programs that build: run, and what they said told when they fail."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from converters.base.errors import InputError

_OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
"""What a make that called us would hand to the make that we call."""


def run(*command: str | Path, env: Mapping[str, str] | None = None) -> None:
    """Run `command`; raise InputError with the last lines that it wrote when it fails."""
    words = [str(part) for part in command]
    inherited = {name: value for name, value in os.environ.items() if name not in _OF_MAKE}
    done = subprocess.run(
        words, env={**inherited, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        said = "\n".join(done.stdout.strip().splitlines()[-15:])
        line = " ".join(words[:4])
        raise InputError(f"expected {line} ... to work, got status {done.returncode}:\n{said}")
