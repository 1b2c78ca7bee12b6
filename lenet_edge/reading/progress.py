"""A progress bar on standard error that does not garble the lines printed meanwhile."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tqdm import tqdm

FEW = 10
"""No bar is shown for this many files or fewer."""


class Progress:
    """Counts `total` files in a bar, if `wanted`, there are many and standard error is a terminal."""

    def __init__(self, total: int, *, wanted: bool = True) -> None:
        self._bar: tqdm[NoReturn] | None = None
        if wanted and total > FEW and sys.stderr.isatty():
            from tqdm import tqdm  # here: the import takes a tenth of the time to read a picture

            self._bar = tqdm(total=total, unit="file", leave=False, dynamic_ncols=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def count(self) -> None:
        """Count a file as done."""
        if self._bar is not None:
            self._bar.update()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Hide the bar while something is printed."""
        if self._bar is None:
            yield
            return
        with self._bar.external_write_mode(file=sys.stdout):
            yield
