"""Put the environment's variables back: packages that are imported change those of somebody's program."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def kept_environment() -> Iterator[None]:
    """Leave the environment's variables as they were before the block."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)
