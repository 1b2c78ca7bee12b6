"""Arrays from .npz files that somebody else wrote."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np

from converters.errors import InputError


def read_npz(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Return the arrays of the .npz file at `path` by name; nothing in it is run (no pickle).

    Raises InputError when it is another or a damaged file, and OSError when it cannot be opened.
    """
    with Path(path).open("rb") as stream:  # a missing file is told as such, not as a bad one
        try:
            with np.load(stream, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except (
            AttributeError,  # Python 3.10, of a file that holds one array
            TypeError,
            ValueError,
            EOFError,
            OSError,
            KeyError,
            NotImplementedError,
            zipfile.BadZipFile,
        ) as error:
            raise InputError(f"{path}: expected a .npz file, got another or a damaged one") from error
