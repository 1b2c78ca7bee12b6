"""Answer bad input alike in every command: a line on standard error and status 2."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Sequence

from converters.base.quiet import quieten_tensorflow

_TEMPORARY = 75


class InputError(ValueError):
    """Bad input from the person who called; the message is one line, "expected ..., got ..."."""


class TemporaryFailure(Exception):
    """Something outside cut the work short; the same command goes on with it. The message is one line."""


def expect(condition: object, expected: str, got: object) -> None:
    """Raise `InputError` ("expected EXPECTED, got GOT") unless `condition` holds."""
    if not condition:
        raise InputError(f"expected {expected}, got {got}")


def _os_error_line(error: OSError) -> str:
    reasons = {
        errno.ENOSPC: "expected room on the device, got a full one",
        errno.EFBIG: "expected room on the device, got a limit on the size of files",
        errno.EDQUOT: "expected room on the device, got a used-up quota",
        errno.EACCES: "expected permission to open it, got none",
        errno.EROFS: "expected a writable file system, got a read-only one",
        errno.ENOENT: "expected a file or folder, got nothing there",
        errno.EISDIR: "expected a file, got a folder",
        errno.EEXIST: "expected a folder, got a file",
        errno.ENOTDIR: "expected a folder, got a file",
    }
    reason = reasons.get(error.errno or 0, error.strerror or str(error))
    return f"{error.filename}: {reason}" if error.filename else reason


def said_first(error: BaseException) -> str:
    """Return the first line of an error's message that says something, or the error's type."""
    lines = (line.strip() for line in str(error).splitlines())
    return next(filter(None, lines), type(error).__name__)


def exit_status(
    main: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None = None, *, name: str
) -> int:
    """Run the command `main(argv)`, TensorFlow kept quiet; turn its failures into one line and a status.

    `InputError` and `OSError` give status 2, Ctrl-C gives 130 (a KeyboardInterrupt's own words, what can be
    done now, stand in the line) and a reader that closed the pipe gives 141 (128 + SIGPIPE).
    `TemporaryFailure` gives 75, as in sysexits.h. Anything else is a fault of ours and keeps its traceback.
    """
    quieten_tensorflow()
    _open_closed_streams()
    try:
        return main(argv)
    except BrokenPipeError:
        # Python would flush stdout again at exit and complain; give it somewhere to flush to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except InputError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{name}: {_os_error_line(error)}", file=sys.stderr)
        return 2
    except TemporaryFailure as error:
        print(f"{name}: {error}", file=sys.stderr)
        return _TEMPORARY
    except KeyboardInterrupt as error:
        print(": ".join(filter(None, [name, "interrupted", str(error)])), file=sys.stderr)
        return 130


def _open_closed_streams() -> None:
    """Open what the shell closed (`>&-`) as the null device: no file opened later must take its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
            if opened != number and not _is_open(number):
                os.dup2(opened, number)
            setattr(sys, name, os.fdopen(opened, "w" if number else "r"))


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
