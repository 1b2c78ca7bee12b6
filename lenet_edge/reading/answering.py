"""Pictures answered one after the other: those that were named, those that arrive, those of a camera."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from converters.base.errors import InputError
from lenet_edge.picture.files import Picture
from lenet_edge.reading.camera import Camera, frames
from lenet_edge.reading.decoding import PreparedPicture, Recipe, decode_files, prepared_pictures
from lenet_edge.reading.digit_answer import Answer
from lenet_edge.reading.progress import Progress
from lenet_edge.reading.stop_signals import Stop
from lenet_edge.reading.watched_folder import watch

Say = Callable[[object], object]
"""What tells the person a line, on standard error."""


class _HasIndex(Protocol):
    """What is made of a picture: `index` counts an IDX file's, None for other files."""

    @property
    def index(self) -> int | None: ...


_Indexed = TypeVar("_Indexed", bound=_HasIndex)


@dataclass(frozen=True)
class Outcome:
    """How many pictures were `answered`, and how many files could not be read."""

    answered: int
    failed: int

    @property
    def status(self) -> int:
        """The command's: 0 when every file was read, 1 when some were not, 2 when none was."""
        if not self.failed:
            return 0
        return 1 if self.answered else 2


def answer_files(
    recipe: Recipe[_Indexed],
    files: Sequence[str | InputError],
    *,
    answer: Callable[[_Indexed], object],
    say: Say,
    jobs: int = 1,
    show_progress: bool = True,
) -> Outcome:
    """Let `answer` have what `recipe` makes of the pictures of `files`, one by one.

    What cannot be read is said and counted. `recipe`, `files` and `jobs` as for
    `lenet_edge.reading.decoding.decode_files`.
    """
    answered = failed = 0
    with Progress(len(files), wanted=show_progress) as progress:
        for item in decode_files(recipe, files, jobs=jobs):
            with progress.aside():
                if isinstance(item, InputError):
                    say(item)
                    failed += 1
                else:
                    answer(item)
                    answered += 1
            if isinstance(item, InputError) or not item.index:  # the first of its file
                progress.count()
    return Outcome(answered, failed)


def answer_arrivals(
    folder: str | os.PathLike[str],
    *,
    answer: Callable[[PreparedPicture], object],
    say: Say,
    remark: Say,
    existing: bool = False,
    most: int | None = None,
) -> None:
    """Let `answer` have the pictures that arrive in `folder`, until told to stop or `most` were answered.

    What cannot be read is said; `remark` gets what is said of the folder. `existing` and errors as for
    `lenet_edge.reading.watched_folder.watch`.
    """
    answered = 0
    with Stop() as stop:
        for path in watch(folder, stop=stop, say=remark, existing=existing):
            for item in decode_files(prepared_pictures, [path]):
                if isinstance(item, InputError):
                    say(item)
                else:
                    answer(item)
                    answered += 1
                if stop.asked or answered == most:
                    return


def answer_frames(
    camera: Camera,
    *,
    read: Callable[[Picture], Answer],
    write: Callable[[Answer], object],
    every: float,
    most: int | None = None,
    only_changes: bool = False,
) -> None:
    """Let `write` have what was read of a frame `every` so many seconds, until told to stop or `most` came.

    `only_changes`: not what is as it was in the frame before.
    """
    with Stop() as stop:
        last = None
        for number, frame in enumerate(frames(camera, every=every, stop=stop), 1):
            answer = read(frame)
            seen = (answer.digit, answer.prepared.finding)
            if not (only_changes and seen == last):
                write(answer)
            last = seen
            if number == most:
                return
