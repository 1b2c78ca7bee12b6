"""Files to pictures as the model takes them: made in processes beside the one that classifies.

Processes and not threads: much of preparing a picture is Python between NumPy calls. On two processors,
12 photographs take 0.58 s in one process, 0.34 s in two, and 0.86 s in two threads of one.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from converters.base.errors import InputError
from lenet_edge.picture.files import (
    IDX_STARTS,
    Picture,
    Prepared,
    Source,
    picture_files,
    prepare,
    read_images,
)

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

T = TypeVar("T")
Recipe = Callable[..., Iterator[T]]
"""What makes of a file's pictures, given as `read_images` takes them, what a command works on."""

STANDARD_INPUT = "-"

FEW = 16
"""So many files are read before processes for them would have started."""

_AHEAD = 4  # files for each process that are begun before the first of them is asked for


@dataclass(frozen=True)
class PreparedPicture:
    """A picture as the model takes it; `index` counts the pictures of an IDX file or a camera, from 0."""

    name: str
    index: int | None
    prepared: Prepared


def files_of(sources: Iterable[str]) -> list[str | InputError]:
    """Return the files of `sources`, each a file, a folder or "-", and an error for each that is neither."""
    files: list[str | InputError] = []
    for source in sources:
        try:
            files += [source] if source == STANDARD_INPUT else map(os.fspath, picture_files(source))
        except InputError as error:
            files.append(error)
    return files


def decode_files(
    recipe: Recipe[T], files: Sequence[str | InputError], *, jobs: int = 1
) -> Iterator[T | InputError]:
    """Yield what `recipe`, a function of a module, makes of the pictures of `files`, in their order.

    In the place of a file that cannot be read stands its error. `jobs` processes work, a few files ahead of
    what has been asked for; one, or only a few files, and it is done here. Standard input, IDX files and what
    is no regular file are read here, once all before them has been yielded. Raises InputError when a process
    cannot be started or dies.
    """
    if jobs == 1 or len(files) <= FEW:
        for file in files:
            yield from _read(recipe, file)
    else:
        yield from _read_in_processes(recipe, files, jobs)


def prepared_pictures(source: Source, *, name: str | None = None) -> Iterator[PreparedPicture]:
    """Yield the pictures of `source`, which is as `read_images` takes it, as the model takes them."""
    return map(prepare_picture, read_images(source, name=name))


def prepare_picture(picture: Picture) -> PreparedPicture:
    """Find the digit on `picture` and bring it into the form that the model takes."""
    return PreparedPicture(picture.name, picture.index, prepare(picture.grey))


def _read(recipe: Recipe[T], file: str | InputError) -> Iterator[T | InputError]:
    if isinstance(file, InputError):
        yield file
        return
    try:
        if file == STANDARD_INPUT:
            yield from recipe(sys.stdin.buffer, name="standard input")
        else:
            yield from recipe(file)
    except InputError as error:
        yield error


def _read_in_processes(
    recipe: Recipe[T], files: Sequence[str | InputError], jobs: int
) -> Iterator[T | InputError]:
    from concurrent.futures import BrokenExecutor  # here, as it takes longer than to read a picture

    waiting: deque[Future[list[T | InputError]]] = deque()
    with _processes(jobs) as pool:
        try:
            for file in files:
                if isinstance(file, str) and _is_one_picture(file):
                    with _interrupts_held():  # a process may be started, and inherits it
                        waiting.append(pool.submit(_read_whole, recipe, file))
                    yield from _finished(waiting, most=_AHEAD * jobs)
                else:
                    yield from _finished(waiting, most=0)
                    yield from _read(recipe, file)
            yield from _finished(waiting, most=0)
        except BrokenExecutor as error:
            raise InputError("expected decoding to go on, got a process that died: try --jobs 1") from error


def _finished(waiting: deque[Future[list[T | InputError]]], *, most: int) -> Iterator[T | InputError]:
    """Yield what is done, from the first on, and wait until no more than `most` files are `waiting`."""
    while waiting and (len(waiting) > most or waiting[0].done()):
        yield from waiting.popleft().result()


def _read_whole(recipe: Recipe[T], file: str) -> list[T | InputError]:
    return list(_read(recipe, file))


def _is_one_picture(file: str) -> bool:
    """Return whether `file` is a regular file that is there, and no IDX file, which may hold thousands."""
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):
            return False
        with open(file, "rb") as stream:
            return stream.read(2) not in IDX_STARTS
    except (OSError, ValueError):
        return False  # `_read` says why


@contextlib.contextmanager
def _processes(jobs: int) -> Iterator[Executor]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    try:  # spawned: a copy of a process that runs an interpreter would inherit its locks
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_leave_with_parent)
    except (ImportError, OSError) as error:  # no semaphores, as on Android or without /dev/shm
        raise InputError(f"expected processes to decode with, got: {error} (try --jobs 1)") from error
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back: the process that classifies answers it, and not each process that decodes."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _leave_with_parent() -> None:
    """End this process when the one that started it ends, however it does."""
    import threading
    from multiprocessing import connection, parent_process

    parent = parent_process()
    assert parent is not None

    def leave() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=leave, daemon=True).start()
