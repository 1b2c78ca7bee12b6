"""Python code in a process of its own, where nobody has chosen a Keras."""

from __future__ import annotations

import os
import subprocess
import sys


def run_python(code: str, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `code` with `arguments`; TF_USE_LEGACY_KERAS is set only if it is one of `variables`."""
    environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={**environment, **variables})
