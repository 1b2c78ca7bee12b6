"""Capture what native code writes to standard output and error, to read its messages."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path


class Log:
    """The file that native code's output goes to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start = 0

    def mark(self) -> None:
        """Begin a job: `of_job` leaves out what was written until now."""
        self._start = len(self.of_all())

    def of_all(self) -> str:
        """Return everything written so far."""
        return self._path.read_text(errors="replace")

    def of_job(self) -> str:
        """Return what was written since the last `mark`."""
        return self.of_all()[self._start :]


@contextlib.contextmanager
def captured() -> Iterator[Log]:
    """Send what this process writes to standard output and error to a temporary file; give it as a Log."""
    import tempfile  # slow to import, and only the GPU needs it

    handle, path = tempfile.mkstemp(prefix="lenet-edge-")
    _flush()
    kept = {number: os.dup(number) for number in (1, 2)}
    try:
        for number in kept:
            os.dup2(handle, number)
        yield Log(Path(path))
    finally:
        _flush()
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)
        os.close(handle)
        Path(path).unlink(missing_ok=True)


def _flush() -> None:
    """Write out what Python and C hold back: LiteRT prints its log through C's standard output."""
    sys.stdout.flush()
    ctypes.CDLL(None).fflush(None)
