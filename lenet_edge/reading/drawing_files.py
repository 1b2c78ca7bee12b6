"""Write the drawings of `lenet-edge read --png`: to one .png file, or to a folder."""

from __future__ import annotations

import os
from pathlib import Path

from converters.base.errors import expect
from converters.base.files import check_folder, check_writable, is_stream, write_atomically
from lenet_edge.picture.files import Picture

SUFFIX = ".png"


class DrawingFiles:
    """The output of drawings: `path` is a .png file for one picture, or a folder.

    A path is a folder if it exists as one, ends in a separator or has no suffix; a missing folder is created
    with the first drawing, if its parent exists. Raises InputError for another suffix and OSError, with the
    name, if it cannot be written.
    """

    def __init__(self, path: str) -> None:
        self._path, self._used = Path(path), set[str]()
        self.is_folder = _is_folder(path)
        if self.is_folder:
            check_folder(path)
        else:
            right = is_stream(path) or self._path.suffix.lower() == SUFFIX
            expect(right, f"--png FILE{SUFFIX} or a folder, which ends in {os.sep}", path)
            check_writable(path)

    def check_room(self, pictures: int) -> None:
        """Raise InputError if `path` is a single file and there is more than one of `pictures`."""
        enough = self.is_folder or pictures <= 1
        expect(enough, "--png DIR for more than one picture", f"the file {self._path}")

    def write(self, picture: Picture, content: bytes) -> None:
        """Write the PNG `content` for a picture; in a folder, a name already used gets a number.

        Raises InputError for a second picture in a single file, OSError if it cannot be written.
        """
        name = self._name(picture)
        self._used.add(name)
        self.check_room(len(self._used))
        write_atomically(self._path / (name + SUFFIX) if self.is_folder else self._path, content)

    def _name(self, picture: Picture) -> str:
        stem = Path(picture.name).stem + ("" if picture.index is None else f"-{picture.index}")
        names = (stem, *(f"{stem}-{number}" for number in range(2, len(self._used) + 3)))
        return next(name for name in names if name not in self._used)


def _is_folder(path: str) -> bool:
    """Return whether `path` means a folder."""
    ends = path.endswith(tuple(filter(None, (os.sep, os.altsep))))
    return ends or os.path.isdir(path) or not (Path(path).suffix or is_stream(path))
