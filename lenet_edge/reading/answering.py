"""Loops that read one picture after another: from files, from a watched folder, from a camera."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from converters.base.errors import InputError
from lenet_edge.picture.files import Picture
from lenet_edge.reading.camera import Camera, frames
from lenet_edge.reading.decoding import Decoder, PreparedPicture, decode_files, prepared_pictures
from lenet_edge.reading.digit_answer import Answer
from lenet_edge.reading.progress import Progress
from lenet_edge.reading.stop_signals import StopSignals
from lenet_edge.reading.watched_folder import watch

Log = Callable[[object], object]
"""Prints a message on standard error."""


class _HasIndex(Protocol):
    """A decoded picture; `index` counts the pictures of an IDX file from 0, None for other files."""

    @property
    def index(self) -> int | None: ...


_Indexed = TypeVar("_Indexed", bound=_HasIndex)


@dataclass(frozen=True)
class Outcome:
    """How many pictures were answered, and how many files could not be read."""

    answered: int
    failed: int

    @property
    def status(self) -> int:
        """The exit status: 0 if every file was read, 1 if some could not be read, 2 if none could."""
        if not self.failed:
            return 0
        return 1 if self.answered else 2


def answer_files(
    decoder: Decoder[_Indexed],
    files: Sequence[str | InputError],
    *,
    answer: Callable[[_Indexed], object],
    log: Log,
    jobs: int | None = 1,
    show_progress: bool = True,
) -> Outcome:
    """Decode the pictures of `files` and pass each to `answer`; return the counts.

    Errors are logged and counted. `decoder`, `files` and `jobs` as for
    `lenet_edge.reading.decoding.decode_files`.
    """
    answered = failed = 0
    with Progress(len(files), wanted=show_progress) as progress:
        for item in decode_files(decoder, files, jobs=jobs):
            with progress.paused():
                if isinstance(item, InputError):
                    log(item)
                    failed += 1
                else:
                    answer(item)
                    answered += 1
            if isinstance(item, InputError) or not item.index:  # an IDX file counts once
                progress.count()
    return Outcome(answered, failed)


def answer_watched_folder(
    folder: str | os.PathLike[str],
    *,
    answer: Callable[[PreparedPicture], object],
    log: Log,
    log_status: Log,
    existing: bool = False,
    limit: int | None = None,
) -> None:
    """Pass each picture that arrives in `folder` to `answer`, until a stop signal or `limit` pictures.

    Files that cannot be read are logged; `log_status` gets messages on the folder itself. `existing` and
    errors as for `lenet_edge.reading.watched_folder.watch`.
    """
    answered = 0
    with StopSignals() as stop:
        for path in watch(folder, stop=stop, log=log_status, existing=existing):
            for item in decode_files(prepared_pictures, [path]):
                if isinstance(item, InputError):
                    log(item)
                else:
                    answer(item)
                    answered += 1
                if stop.requested or answered == limit:
                    return


def answer_frames(
    camera: Camera,
    *,
    read: Callable[[Picture], Answer],
    write: Callable[[Answer], object],
    every: float,
    limit: int | None = None,
    only_changes: bool = False,
) -> None:
    """Read a frame `every` so many seconds and `write` its answer, until a stop signal or `limit` frames.

    `only_changes`: write only answers that differ from the one before. Errors as for `Camera.frame`.
    """
    with StopSignals() as stop:
        previous = None
        for number, frame in enumerate(frames(camera, every=every, stop=stop), 1):
            answer = read(frame)
            current = (answer.digit, answer.prepared.finding)
            if not (only_changes and current == previous):
                write(answer)
            previous = current
            if number == limit:
                return
