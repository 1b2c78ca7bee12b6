"""Watch a folder and yield each picture that arrives, once it is complete.

The folder is listed every half second, which also works on network folders. A file is complete when its size
and modification time are the same in two successive listings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

from converters.base.errors import expect
from lenet_edge.picture.files import is_picture_name
from lenet_edge.reading.stop_signals import StopSignals

PERIOD = 0.5
"""Seconds between two listings of the folder."""

Stamp = tuple[int, int]
"""A file's size in bytes and its modification time in nanoseconds."""


class Arrivals:
    """Finds the files that are new and complete in successive listings of a folder.

    `known`: files to leave out unless they change. Files that are gone are forgotten.
    """

    def __init__(self, known: Mapping[str, Stamp] | None = None) -> None:
        self._reported = dict(known or {})
        self._previous = dict(known or {})

    def complete(self, listing: Mapping[str, Stamp]) -> list[str]:
        """Return the newly complete files of `listing`, the folder's present content, oldest first."""
        names = [
            name
            for name, stamp in listing.items()
            # an empty file is about to be written
            if stamp[0] and self._previous.get(name) == stamp and self._reported.get(name) != stamp
        ]
        self._previous = dict(listing)
        self._reported = {name: stamp for name, stamp in self._reported.items() if name in listing}
        self._reported |= {name: listing[name] for name in names}
        return sorted(names, key=lambda name: (listing[name][1], name))


def watch(
    folder: str | os.PathLike[str], *, stop: StopSignals, log: Callable[[str], object], existing: bool = False
) -> Iterator[str]:
    """Yield the path of each picture that arrives in `folder`, oldest first, until a `stop` signal.

    Files already there at the start are yielded only if `existing`. If the folder disappears, that is logged
    and the watch waits for it. Raises InputError when there is no such folder at the start.
    """
    expect(os.path.isdir(folder), "a folder to watch", f"{os.fspath(folder)}, which is not one")
    arrivals = Arrivals(None if existing else list_pictures(folder))
    log(f"watching {os.fspath(folder)}")
    gone = False
    while not stop.requested:
        try:
            names = arrivals.complete(list_pictures(folder))
        except OSError as error:
            if not gone:
                log(f"{os.fspath(folder)} cannot be read ({error.strerror}): waiting for it")
            gone, names = True, []
        else:
            if gone:
                log(f"watching {os.fspath(folder)} again")
            gone = False
        yield from (os.path.join(folder, name) for name in names)
        stop.wait(PERIOD)


def list_pictures(folder: str | os.PathLike[str]) -> dict[str, Stamp]:
    """Return the stamps of the pictures in `folder` by name; only regular, visible files.

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
                    continue  # deleted in the meantime
    return stamps
