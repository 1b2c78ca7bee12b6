"""Decode picture files and prepare them for the model, in worker processes if there are many.

Processes, not threads: much of preparing a picture is Python code between short calls of NumPy and OpenCV.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

from converters.base.errors import InputError
from lenet_edge.picture.files import (
    Picture,
    Prepared,
    Source,
    list_pictures,
    prepare,
    read_images,
    skipped_text,
)
from lenet_edge.picture.kinds import is_idx

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

T = TypeVar("T")
Decoder = Callable[..., Iterator[T]]
"""Turns a source, as `read_images` takes it, into the items that a command works on."""

STANDARD_INPUT = "-"

FEW = 16
"""No more files than this are read in one process: workers would take longer to start."""

_START = 32  # bytes that tell what a file is
_AHEAD = 2  # portions for each process that may be decoded ahead of the caller
_PORTION = 32  # files that are handed over to a process at once, at most
_PORTION_BYTES = 1 << 18  # of them, at most, or one file
_WORTH_A_PROCESS = 4096  # bytes: a smaller file is a drawn digit or has little to search

MOST_JOBS = 4
"""Processes at most, unless a number is given: each takes some 50 MB."""


@dataclass(frozen=True)
class PreparedPicture:
    """A picture ready for the model; `index` counts an IDX file's or camera's pictures from 0, else None."""

    name: str
    index: int | None
    prepared: Prepared


def list_files(sources: Iterable[str]) -> list[str | InputError]:
    """Return the files of `sources` (files, folders or "-"), with an error in place of one that has none.

    Behind a folder's pictures stands an error that names what was skipped in it.
    """
    files: list[str | InputError] = []
    for source in sources:
        try:
            if source == STANDARD_INPUT:
                files.append(source)
                continue
            listing = list_pictures(source)
            files += map(os.fspath, listing.files)
            if listing.skipped:
                files.append(
                    InputError(
                        f"expected only pictures in {source}, got also {skipped_text(listing)}: skipped"
                    )
                )
        except InputError as error:
            files.append(error)
    return files


def decode_files(
    decoder: Decoder[T], files: Sequence[str | InputError], *, jobs: int | None = 1
) -> Iterator[T | InputError]:
    """Yield the items that `decoder`, a module-level function, makes of `files`, in the order of the files.

    A file that cannot be read yields its error instead. `jobs` processes decode some files ahead, None for as
    many as there is work for; with one job or few files this process does it. Standard input, IDX files and
    special files are read in this process, after everything before them has been yielded. Raises InputError
    when a process cannot be started or dies.
    """
    jobs = jobs_for(files) if jobs is None else jobs
    if jobs == 1 or len(files) <= FEW:
        for file in files:
            yield from _read(decoder, file)
    else:
        yield from _read_in_processes(decoder, files, jobs)


def jobs_for(files: Iterable[str | InputError]) -> int:
    """Return in how many processes to decode `files`: each has work for longer than it takes to start."""
    large = sum(_size(file) >= _WORTH_A_PROCESS for file in files if isinstance(file, str))
    return max(1, min(MOST_JOBS, _processors(), -(-large // FEW)))


def _size(file: str) -> int:
    """Return a file's size in bytes, 0 if it has none."""
    try:
        return os.stat(file).st_size
    except (OSError, ValueError):
        return 0


def _processors() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def prepared_pictures(source: Source, *, name: str | None = None) -> Iterator[PreparedPicture]:
    """Yield the pictures of `source`, prepared for the model; arguments and errors as `read_images`."""
    return map(prepare_picture, read_images(source, name=name))


def prepare_picture(picture: Picture) -> PreparedPicture:
    """Find the digit on `picture` and bring it into the model's form."""
    return PreparedPicture(picture.name, picture.index, prepare(picture.grey))


def _read(decoder: Decoder[T], file: str | InputError) -> Iterator[T | InputError]:
    if isinstance(file, InputError):
        yield file
        return
    try:
        if file == STANDARD_INPUT:
            yield from decoder(sys.stdin.buffer, name="standard input")
        else:
            yield from decoder(file)
    except InputError as error:
        yield error


def _read_in_processes(
    decoder: Decoder[T], files: Sequence[str | InputError], jobs: int
) -> Iterator[T | InputError]:
    from concurrent.futures import BrokenExecutor  # here: the import takes longer than reading a picture

    waiting: deque[Future[list[T | InputError]]] = deque()
    with _processes(jobs) as pool:
        try:
            for portion in _portions(files):
                if isinstance(portion, list):
                    with _interrupts_blocked():  # this may start a process, which inherits the mask
                        waiting.append(pool.submit(_read_all, decoder, portion))
                    yield from _take_finished(waiting, most=_AHEAD * jobs)
                else:
                    yield from _take_finished(waiting, most=0)
                    yield from _read(decoder, portion)
            yield from _take_finished(waiting, most=0)
        except BrokenExecutor as error:
            raise InputError("expected workers to finish, got a process that died: try --jobs 1") from error


def _portions(files: Iterable[str | InputError]) -> Iterator[list[str] | str | InputError]:
    """Yield the files in portions for the processes; what they do not read, alone.

    To hand over a small file by itself takes longer than to decode it.
    """
    portion: list[str] = []
    room = _PORTION_BYTES
    for file in files:
        single = isinstance(file, str) and _holds_one_picture(file)
        if portion and (not single or len(portion) == _PORTION or room <= 0):
            yield portion
            portion, room = [], _PORTION_BYTES
        if isinstance(file, str) and single:
            portion.append(file)
            room -= _size(file)
        else:
            yield file
    if portion:
        yield portion


def _take_finished(waiting: deque[Future[list[T | InputError]]], *, most: int) -> Iterator[T | InputError]:
    """Yield finished results in order, and wait until at most `most` portions are `waiting`."""
    while waiting and (len(waiting) > most or waiting[0].done()):
        yield from waiting.popleft().result()


def _read_all(decoder: Decoder[T], files: list[str]) -> list[T | InputError]:
    return [item for file in files for item in _read(decoder, file)]


def _holds_one_picture(file: str) -> bool:
    """Return whether `file` is a readable regular file and not IDX, which may hold thousands of pictures."""
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):
            return False
        with open(file, "rb") as stream:
            return not is_idx(stream.read(_START))
    except (OSError, ValueError):
        return False  # `_read` reports the error


@contextlib.contextmanager
def _processes(jobs: int) -> Iterator[Executor]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    try:  # spawn, not fork: a fork would inherit the locks of a running interpreter
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_exit_with_parent)
    except (ImportError, OSError) as error:  # no semaphores, as on Android or without /dev/shm
        raise InputError(f"expected worker processes to start, got: {error} (try --jobs 1)") from error
    try:
        with _ended_by_sigterm():
            yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    # No work is left. A pool that is still ending when Python exits may print a traceback of a closed pipe.
    pool.shutdown()


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end this process as an exit does: else Python warns of the processes' semaphores."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block Ctrl-C here, so that workers started meanwhile ignore it: the main process handles it."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _exit_with_parent() -> None:
    """End this process when its parent ends, even if the parent is killed."""
    from multiprocessing import connection, parent_process

    parent = parent_process()
    assert parent is not None

    def leave() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=leave, daemon=True).start()
