"""Small helpers for arrays: read untrusted .npz files, compare and print shapes, softmax, shares."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, SupportsInt, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import InputError

Numbers: TypeAlias = NDArray[np.number]
"""Values of any type of number, as a file stores them."""

_Floating = TypeVar("_Floating", bound=np.floating)


def read_npz(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Return the arrays of the .npz file at `path` by name; nothing in it is run (no pickle).

    Raises InputError when it is another or a damaged file, and OSError when it cannot be opened.
    """
    import zipfile  # here, as reading digits needs the rest of this module only

    with Path(path).open("rb") as stream:  # so that a missing file is reported as missing, not as damaged
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


def read_arrays(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Return the arrays of the .npz file at `path` by name, or that of a .npy file by the name "".

    Raises InputError for a file of another kind or a damaged one, and OSError when it cannot be opened.
    """
    if Path(path).suffix != ".npy":
        return read_npz(path)
    with Path(path).open("rb") as stream:
        try:
            return {"": np.lib.format.read_array(stream, allow_pickle=False)}
        except (ValueError, EOFError, OSError) as error:
            raise InputError(f"{path}: expected a .npy file, got another or a damaged one") from error


def shape_text(shape: Iterable[SupportsInt]) -> str:
    """Return `shape` as text: "1x28x28x6", or "scalar"."""
    return "x".join(str(int(side)) for side in shape) or "scalar"


def shape_of_many(shape: Iterable[int | None]) -> str:
    """Return the shape of any number of samples of `shape` as text: "(n, 28, 28)"."""
    return f"({', '.join(['n', *map(str, shape)])})"


def shape_fits(shape: Sequence[int], pattern: Sequence[int | None]) -> bool:
    """Return whether `shape` is one of `pattern`, in which a side of None or -1 may have any size."""
    return len(shape) == len(pattern) and all(
        free in (None, -1, side) for side, free in zip(shape, pattern, strict=True)
    )


def softmax(values: NDArray[_Floating]) -> NDArray[_Floating]:
    """Return the softmax over the last axis, in the type of `values`."""
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return (powers / powers.sum(axis=-1, keepdims=True)).astype(values.dtype, copy=False)


def percent(marks: NDArray[Any]) -> float:
    """Return the share of true `marks`, in percent, rounded to four decimals."""
    return round(100 * float(np.mean(marks)), 4)
