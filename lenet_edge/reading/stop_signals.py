"""SIGTERM and Ctrl-C as a request to stop after the current picture, for commands that run on and on."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from types import FrameType

_POLL = 0.25  # seconds between two checks while waiting

_Handler = Callable[[int, FrameType | None], object] | int | None


class StopSignals:
    """A context manager: a first SIGTERM or SIGINT sets `requested`, a second has its usual effect."""

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[int, _Handler] = {}

    def __enter__(self) -> StopSignals:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._request)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        signal.signal(number, self._before[number])

    def wait(self, seconds: float) -> None:
        """Wait for `seconds`, or until a stop is requested."""
        end = time.monotonic() + seconds
        while not self.requested and (left := end - time.monotonic()) > 0:
            time.sleep(min(_POLL, left))
