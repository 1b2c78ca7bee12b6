"""Silence native code."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Discard what native code writes to standard error: log lines of no use to a person."""
    kept, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(sink)


def quieten_tensorflow() -> None:
    """Keep TensorFlow's advice out of a command's output: of its native code, and Python's on slow callbacks.

    Only for a process that is ours, before TensorFlow is imported.
    """
    import logging  # here: a program without TensorFlow starts without it

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
