"""Write lines to standard output at once, or to a file in one step at the end."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import BinaryIO, TextIO

from converters.base.files import check_writable, is_stream, open_stream, write_atomically

ENCODING = "utf-8"
"""The encoding of output files."""


class Output:
    """Writes lines to `stream`, which errors call `name`; `answered` is set by the first answer.

    `encoding`: of the text, the stream's own if None. `has_heading`: the file appended to already has its
    heading.
    """

    def __init__(
        self, stream: TextIO, *, name: str, encoding: str | None = None, has_heading: bool = False
    ) -> None:
        self._stream, self._name = stream, name
        self._has_heading = has_heading
        self.encoding = encoding or stream.encoding
        self.answered = False

    def write_heading(self, line: str) -> None:
        """Write the heading line, unless the file already has one."""
        if not self._has_heading:
            self._write(line)

    def write_answer(self, line: str) -> None:
        """Write one line of an answer; raises OSError, with the name of the output, if that fails."""
        self.answered = True
        self._write(line)

    def _write(self, line: str) -> None:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except OSError as error:
            # Closing the stream would try to write the rest again, and fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            raise OSError(error.errno, error.strerror, self._name) from error


@contextlib.contextmanager
def open_output(out: str | None, *, append: bool = False) -> Iterator[Output]:
    """Open the file `out`, or standard output (None).

    A file is written at the end, if there is at least one answer: until then its lines are kept in memory,
    and an older file stays as it was, even after an error or Ctrl-C. With `append`, and for a pipe or device,
    each line is written at once. Raises OSError, with the name, if `out` cannot be written.
    """
    if out is None:
        yield Output(sys.stdout, name="standard output")
        return
    check_writable(out)
    if append or is_stream(out):
        # "backslashreplace": a file's name may not be valid text
        with io.TextIOWrapper(_open_at_end(out), encoding=ENCODING, errors="backslashreplace") as stream:
            yield Output(stream, name=out, has_heading=append and _has_content(out))
        return
    lines = io.StringIO()
    output = Output(lines, name=out, encoding=ENCODING)
    yield output
    if output.answered:
        write_atomically(out, lines.getvalue().encode(ENCODING, "backslashreplace"))


def _open_at_end(path: str) -> BinaryIO:
    return open_stream(path) if is_stream(path) else open(path, "ab")


def _has_content(path: str) -> bool:
    return os.path.isfile(path) and os.path.getsize(path) > 0
