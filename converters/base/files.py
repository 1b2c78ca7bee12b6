"""Write files so that each is complete or absent, and check before the work that they can be written."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
from pathlib import Path
from typing import BinaryIO


def write_atomically(path: str | os.PathLike[str], content: bytes | str) -> Path:
    """Write `content` under a temporary name beside `path`, then rename it to `path`.

    Missing parent folders are made. A link stays: the file that it points to is replaced. Anything
    but a regular file (a pipe, /dev/stdout) is written to directly, since a rename would replace it. Raises
    OSError, naming `path`, when it cannot be written; nothing is left behind then.
    """
    path = Path(path)
    data = content.encode() if isinstance(content, str) else content
    try:
        if is_stream(path):
            with open_stream(path) as stream:
                stream.write(data)
        else:
            _replace(Path(os.path.realpath(path)), data)
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    return path


def write_json(path: str | os.PathLike[str], value: object) -> Path:
    """Write `value` as indented JSON with a final newline, atomically."""
    return write_atomically(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise OSError, naming `path`, unless a file can be written there: call it before the work.

    The folder must exist: one that was mistyped is not made.
    """
    if is_stream(path):
        if not os.access(path, os.W_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
        return
    real = Path(os.path.realpath(path))
    if real.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    _try_to_write(real.parent, path)


def check_folder(path: str | os.PathLike[str]) -> None:
    """Raise OSError, naming `path`, unless files can be written into that folder: asked before the work.

    A folder that is not there can be made in one that is.
    """
    real = Path(os.path.realpath(path))
    _try_to_write(real if real.exists() else real.parent, path)


def _try_to_write(folder: Path, path: str | os.PathLike[str]) -> None:
    """Raise OSError, naming `path` or a `folder` that is not there, when no file can be made in `folder`."""
    import tempfile  # here, as it takes a twentieth of the time in which a digit is read from a file

    try:
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except FileNotFoundError as error:
        raise OSError(error.errno, error.strerror, os.fspath(folder)) from error
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Make the folder `path`, with its parents, and return it: asked before the work is done.

    Raises OSError, naming `path`, when it cannot be made or no file can be written there.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    _try_to_write(path, path)
    return path


def is_stream(path: str | os.PathLike[str]) -> bool:
    """Return whether a rename onto `path` would cut something off.

    So it is with a pipe, a device and a terminal, and with the file that standard output or standard error
    goes to, by whatever name: /dev/stdout, or its own.
    """
    if _descriptor_of(path) is not None:
        return True
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def open_stream(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a `path` of `is_stream` to write to; what was written to standard output before stays there."""
    number = _descriptor_of(path)
    if number is None:
        return open(path, "wb")
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return os.fdopen(os.dup(number), "wb")


def _descriptor_of(path: str | os.PathLike[str]) -> int | None:
    """Return standard output's or standard error's number if `path` is where it goes, None otherwise."""
    with contextlib.suppress(OSError):
        found = os.stat(path)
        for number in (1, 2):
            with contextlib.suppress(OSError):
                if os.path.samestat(found, os.fstat(number)):
                    return number
    return None


def _replace(path: Path, data: bytes) -> None:
    import tempfile  # here, as above

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
