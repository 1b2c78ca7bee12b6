"""A progress bar on standard error that leaves the lines printed beside it whole."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tqdm import tqdm

FEW = 10
"""So few files need no bar."""


class Progress:
    """Counts `total` files on standard error if that is a terminal, they are more than a few and `wanted`."""

    def __init__(self, total: int, *, wanted: bool = True) -> None:
        self._bar: tqdm[NoReturn] | None = None
        if wanted and total > FEW and sys.stderr.isatty():
            from tqdm import tqdm  # here, as it takes a tenth of the time to read one picture

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
    def aside(self) -> Iterator[None]:
        """Take the bar away while something is printed."""
        if self._bar is None:
            yield
            return
        with self._bar.external_write_mode(file=sys.stdout):
            yield
