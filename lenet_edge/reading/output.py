"""Lines of text to standard output, each at once, or to a file, which is there whole or not at all."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import TextIO

from converters.base.files import check_writable, is_stream, write_atomically

ENCODING = "utf-8"
"""Of the files that are written."""


class Output:
    """Writes lines to `stream`, called `name` in errors; `answered` tells whether it was given an answer.

    `encoding`: what the stream writes text in; None is what the stream says itself. `headed`: what is
    appended to has its heading already.
    """

    def __init__(
        self, stream: TextIO, *, name: str, encoding: str | None = None, headed: bool = False
    ) -> None:
        self._stream, self._name = stream, name
        self._headed = headed
        self.encoding = encoding or stream.encoding
        self.answered = False

    def head(self, line: str) -> None:
        """Write a line above the answers, unless there is one."""
        if not self._headed:
            self._write(line)

    def put(self, line: str) -> None:
        """Write one line of an answer; raises OSError, naming what is written to, when that takes no more."""
        self.answered = True
        self._write(line)

    def _write(self, line: str) -> None:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except OSError as error:
            # Python would try again to write the rest when it closes the stream, and complain again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            raise OSError(error.errno, error.strerror, self._name) from error


@contextlib.contextmanager
def open_output(out: str | None, *, append: bool = False) -> Iterator[Output]:
    """Open the file `out`, or standard output (None).

    A file is written when all is done and at least one answer was put: until then its lines are kept in
    memory, and what was at `out` before stays as it was, after an error or Ctrl-C too. To `append`, or to
    write to a pipe or a device, each line is written at once. Raises OSError, naming `out`, when that cannot
    be.
    """
    if out is None:
        yield Output(sys.stdout, name="standard output")
        return
    check_writable(out)
    if append or is_stream(out):
        # "backslashreplace": a file's name may be no text at all
        with open(out, "a" if append else "w", encoding=ENCODING, errors="backslashreplace") as stream:
            yield Output(stream, name=out, headed=append and _has_content(out))
        return
    lines = io.StringIO()
    output = Output(lines, name=out, encoding=ENCODING)
    yield output
    if output.answered:
        write_atomically(out, lines.getvalue().encode(ENCODING, "backslashreplace"))


def _has_content(path: str) -> bool:
    return os.path.isfile(path) and os.path.getsize(path) > 0
