"""SIGTERM and Ctrl-C as a wish to stop after the picture at hand, for commands that run until told to end."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from types import FrameType

_LOOK = 0.25  # seconds between two looks at the wish while resting

_Handler = Callable[[int, FrameType | None], object] | int | None


class Stop:
    """While it is entered, SIGTERM and SIGINT set `asked`; a second one does what it did before."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, _Handler] = {}

    def __enter__(self) -> Stop:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        signal.signal(number, self._before[number])

    def rest(self, seconds: float) -> None:
        """Do nothing for `seconds`, or until asked to stop."""
        end = time.monotonic() + seconds
        while not self.asked and (left := end - time.monotonic()) > 0:
            time.sleep(min(_LOOK, left))
