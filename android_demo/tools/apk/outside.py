"""Programs that are not Python: run, and what they said told when they fail."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

PACKAGES = {
    "aapt2": "aapt",
    "apksigner": "apksigner",
    "java": "default-jdk",
    "javac": "default-jdk",
    "keytool": "default-jdk",
    "mvn": "maven",
    "zipalign": "zipalign",
}
"""The Debian package of each program."""


def run(*command: str | Path, env: Mapping[str, str] | None = None) -> str:
    """Return what `command` writes on standard output; end with what it says, no traces, if it fails."""
    program = str(command[0])
    if shutil.which(program) is None:
        package = PACKAGES.get(program, program)
        raise SystemExit(f"apk: expected {program} (Debian: apt-get install {package}), got none")
    done = subprocess.run(
        [str(part) for part in command], env={**os.environ, **(env or {})}, capture_output=True, text=True
    )
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        said = "\n".join([line for line in lines if not line.lstrip().startswith("at ")][:20])
        raise SystemExit(f"apk: expected {program} to succeed, got status {done.returncode}:\n{said}")
    return done.stdout
