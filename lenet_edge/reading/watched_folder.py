"""Pictures that arrive in a folder, each once it is whole.

The folder is listed every half second, which works on network folders too. A file is whole when its size and
the time of its last change were the same in two lists.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

from converters.base.errors import expect
from lenet_edge.picture.files import is_picture_name
from lenet_edge.reading.stop_signals import Stop

PERIOD = 0.5
"""Seconds between two lists of the folder."""

Stamp = tuple[int, int]
"""A file's size in bytes and the time of its last change in nanoseconds."""


class Arrivals:
    """Tells from one list of a folder to the next which files are new and whole.

    `known`: files that are not news unless they change. Files that are gone are forgotten.
    """

    def __init__(self, known: Mapping[str, Stamp] | None = None) -> None:
        self._told = dict(known or {})
        self._last = dict(known or {})

    def whole(self, listed: Mapping[str, Stamp]) -> list[str]:
        """Return the names in `listed`, the folder as it is now, that became whole since the last time."""
        names = [
            name
            for name, stamp in listed.items()
            # an empty file is one that is about to be written
            if stamp[0] and self._last.get(name) == stamp and self._told.get(name) != stamp
        ]
        self._last = dict(listed)
        self._told = {name: stamp for name, stamp in self._told.items() if name in listed}
        self._told |= {name: listed[name] for name in names}
        return sorted(names, key=lambda name: (listed[name][1], name))


def watch(
    folder: str | os.PathLike[str], *, stop: Stop, say: Callable[[str], object], existing: bool = False
) -> Iterator[str]:
    """Yield the path of each picture that arrives in `folder`, the oldest first, until asked to `stop`.

    Files that were there at the start are left alone unless `existing`. A folder that is gone is said, with
    `say`, and waited for. Raises InputError when there is no such folder at the start.
    """
    expect(os.path.isdir(folder), "a folder to watch", f"{os.fspath(folder)}, which is none")
    arrivals = Arrivals(None if existing else listed(folder))
    say(f"watching {os.fspath(folder)}")
    gone = False
    while not stop.asked:
        try:
            names = arrivals.whole(listed(folder))
        except OSError as error:
            if not gone:
                say(f"{os.fspath(folder)} cannot be read ({error.strerror}): waiting for it")
            gone, names = True, []
        else:
            if gone:
                say(f"watching {os.fspath(folder)} again")
            gone = False
        yield from (os.path.join(folder, name) for name in names)
        stop.rest(PERIOD)


def listed(folder: str | os.PathLike[str]) -> dict[str, Stamp]:
    """Return the pictures in `folder` by name; hidden files and what is no regular file are left out.

    Raises OSError when the folder cannot be read.
    """
    stamps: dict[str, Stamp] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_picture_name(entry.name):
                try:
                    if entry.is_file():
                        status = entry.stat()
                        stamps[entry.name] = (status.st_size, status.st_mtime_ns)
                except FileNotFoundError:
                    continue  # gone since
    return stamps
