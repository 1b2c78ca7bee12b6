"""Lines of text, each written out at once: to standard output or to a file."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO


class Output:
    """Writes lines to `stream`, called `name` in errors."""

    def __init__(self, stream: TextIO, *, name: str) -> None:
        self._stream, self._name = stream, name

    @property
    def encoding(self) -> str | None:
        """What the stream writes text in, as far as it says."""
        return self._stream.encoding

    def put(self, line: str) -> None:
        """Write one line; raises OSError, naming what is written to, when that takes no more."""
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except OSError as error:
            # Python would try again to write the rest when it closes the stream, and complain again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            raise OSError(error.errno, error.strerror, self._name) from error


@contextlib.contextmanager
def opened(out: str | None, *, append: bool = False) -> Iterator[tuple[TextIO, str]]:
    """Open the file `out`, written anew or appended to, or standard output (None): the stream and its name.

    Raises OSError when the file cannot be opened.
    """
    if out is None:
        yield sys.stdout, "standard output"
        return
    # "backslashreplace": a file's name may be no text at all
    with open(out, "a" if append else "w", encoding="utf-8", errors="backslashreplace") as stream:
        yield stream, out
