"""Load MNIST: the training, held-out, calibration and test digits.

The 10,000 test digits and 500 calibration digits are part of the package. The 60,000 training digits come
from the caller's folder, the folder in the environment variable LENET_EDGE_DATA, or the cache folder;
otherwise they are downloaded into the cache folder. Every file from outside the package is checked by the
md5 of its unzipped bytes.

Nothing may be fitted, calibrated or selected on the test digits: the held-out and the calibration digits
are for that.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import os
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import InputError, expect
from lenet_edge.digits.geometry import FIELD, MNIST_SIDE
from lenet_edge.digits.idx import read_idx, read_idx_bytes, read_unzipped

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
"""The mirrors of the files NAME.gz, tried in this order."""

PIXELS = (0.0, 255.0)
"""The range of a pixel: paper to ink."""

DATA_VARIABLE = "LENET_EDGE_DATA"
MIRROR_VARIABLE = "LENET_EDGE_MIRROR"
"""Environment variables: a folder with the files; the address of the only mirror to use."""

_TRAINING_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
SPLIT_SEED = 1998
TRAINING = 55_000
HELD_OUT = 5_000
"""The split of the 60,000 training digits: for training, and for selecting and fitting."""

CALIBRATION_PER_CLASS = 50

_TIMEOUT = 30.0  # seconds without data from a mirror


class MnistFile(NamedTuple):
    """The size in bytes and the md5 of one of the four files, unzipped."""

    size: int
    md5: str


FILES = {
    "train-images-idx3-ubyte": MnistFile(47_040_016, "6bbc9ace898e44ae57da46a324031adb"),
    "train-labels-idx1-ubyte": MnistFile(60_008, "a25bea736e30d166cdddb491f175f624"),
    "t10k-images-idx3-ubyte": MnistFile(7_840_016, "2646ac647ad5339dbf082846283269ea"),
    "t10k-labels-idx1-ubyte": MnistFile(10_008, "27ae3e4e09519cfbb04c329615203637"),
}


class Digits(NamedTuple):
    """Digits with their labels.

    `images` is uint8 of shape (n, 28, 28), 0 for paper to 255 for ink; `labels` is uint8 of shape (n,),
    0 to 9.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def training_digits(*, data: str | os.PathLike[str] | None = None) -> Digits:
    """Return the 55,000 training digits, in a fixed shuffled order.

    `data` is a folder with the two training files, plain or gzipped; None looks in the places that the
    module's docstring lists. Raises InputError if a named folder lacks a file, a file is not the published
    one, or no mirror has it.
    """
    images, labels = _from_files(_TRAINING_FILES, data)
    chosen = _split()[HELD_OUT:]
    return Digits(images[chosen], labels[chosen])


def held_out_digits(*, data: str | os.PathLike[str] | None = None) -> Digits:
    """Return the 5,000 digits held out from the training files, for selecting and fitting.

    `data` and errors as for `training_digits`.
    """
    images, labels = _from_files(_TRAINING_FILES, data)
    chosen = _split()[:HELD_OUT]
    return Digits(images[chosen], labels[chosen])


def test_digits(*, data: str | os.PathLike[str] | None = None) -> Digits:
    """Return the 10,000 test digits (t10k) in the published order: the packaged ones, or those in `data`.

    Errors as for `training_digits`.
    """
    if data is None:
        return _packaged("t10k")
    return _from_files(("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"), data)


def calibration_digits() -> Digits:
    """Return the 500 packaged calibration digits, 50 of each class, all among the training digits."""
    return _packaged("calibration")


# Otherwise pytest would collect this function in each test module that imports it.
test_digits.__test__ = False  # type: ignore[attr-defined]


def pad(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pad digits (n, 28, 28) with zeros to the paper's field, (n, 32, 32) (page 7)."""
    margin = (FIELD - MNIST_SIDE) // 2
    return np.pad(images, ((0, 0), (margin, margin), (margin, margin)))


def read_digits(images: str | os.PathLike[str], labels: str | os.PathLike[str]) -> Digits:
    """Read the digits of any IDX file of `images` (n, 28, 28) and its file of `labels` (n,).

    Raises InputError if either is no IDX file, their counts differ or a label is above 9.
    """
    return _digits(read_idx(images, rank=3), read_idx(labels, rank=1), (os.fspath(images), os.fspath(labels)))


def choose_calibration(digits: Digits) -> Digits:
    """Choose the calibration digits: 50 of each class, from a fixed seed, in the order of `digits`."""
    generator = np.random.default_rng(SPLIT_SEED)
    chosen = np.sort(
        np.concatenate(
            [
                generator.choice(np.flatnonzero(digits.labels == label), CALIBRATION_PER_CLASS, replace=False)
                for label in range(10)
            ]
        )
    )
    return Digits(digits.images[chosen], digits.labels[chosen])


def find_file(name: str, *, data: str | os.PathLike[str] | None = None) -> Path:
    """Return the path of the file `name` of `FILES`, plain or gzipped; download it if it is nowhere.

    Raises InputError if a folder named by `data` or LENET_EDGE_DATA lacks the file, or no mirror has it. Only
    a downloaded file's content is checked here.
    """
    expect(name in FILES, f"one of {', '.join(FILES)}", name)
    folder = _named_folder(data)
    if folder is None:
        return _in_folder(cache_folder(), name) or _download(name)
    found = _in_folder(folder, name)
    if found is None:
        raise InputError(f"expected {name} or {name}.gz in {folder}, got neither")
    return found


def check_training_files(*, data: str | os.PathLike[str] | None = None) -> None:
    """Raise InputError if a folder named as for `find_file` does not exist or lacks a training file.

    Nothing is downloaded or read.
    """
    if _named_folder(data) is not None:
        for name in _TRAINING_FILES:
            find_file(name, data=data)


def read_file(path: str | os.PathLike[str], name: str) -> NDArray[np.uint8]:
    """Read `path`, which must be the file `name` of `FILES`, plain or gzipped.

    Returns uint8, (n, 28, 28) for images and (n,) for labels. Raises InputError with both md5s for another
    file.
    """
    expect(name in FILES, f"one of {', '.join(FILES)}", name)
    size, md5 = FILES[name]
    content = read_unzipped(path, limit=size)
    _check_md5(content, md5, os.fspath(path))
    return read_idx_bytes(content, name=os.fspath(path))


def cache_folder() -> Path:
    """Return the folder for downloads: what `pooch.os_cache("lenet-edge")` gives, without pooch."""
    home = Path(os.path.expanduser("~"))
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"
        return Path(local) / "lenet-edge" / "lenet-edge" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "lenet-edge"
    return Path(os.environ.get("XDG_CACHE_HOME", "").strip() or home / ".cache") / "lenet-edge"


def _named_folder(data: str | os.PathLike[str] | None) -> Path | None:
    """Return the folder in `data` or LENET_EDGE_DATA, None without either; InputError if it is no folder."""
    # An empty variable counts as unset; an empty `data` is a mistake, not a request to download.
    for folder, named_by in ((data, "data"), (os.environ.get(DATA_VARIABLE) or None, DATA_VARIABLE)):
        if folder is not None:
            is_folder = os.fspath(folder) and Path(folder).is_dir()
            expect(is_folder, f"{named_by} to be a folder", os.fspath(folder) or "an empty name")
            return Path(folder)
    return None


def _from_files(names: tuple[str, str], data: str | os.PathLike[str] | None) -> Digits:
    # Find both before reading either, so that a missing file is reported at once.
    paths = [find_file(name, data=data) for name in names]
    images, labels = (read_file(path, name) for path, name in zip(paths, names, strict=True))
    return _digits(images, labels, names)


def _split() -> NDArray[np.int64]:
    return np.random.default_rng(SPLIT_SEED).permutation(TRAINING + HELD_OUT)


def _packaged(stem: str) -> Digits:
    folder = importlib.resources.files("lenet_edge") / "data"
    names = (f"{stem}-images-idx3-ubyte.gz", f"{stem}-labels-idx1-ubyte.gz")
    images, labels = (read_idx_bytes((folder / name).read_bytes(), name=name) for name in names)
    return _digits(images, labels, names)


def _digits(images: NDArray[np.uint8], labels: NDArray[np.uint8], names: tuple[str, str]) -> Digits:
    images_name, labels_name = names
    expect(
        images.shape[1:] == (MNIST_SIDE, MNIST_SIDE),
        f"images of 28x28 in {images_name}",
        f"shape {images.shape}",
    )
    expect(
        labels.shape == images.shape[:1],
        f"{len(images)} labels in {labels_name}, one for each image of {images_name}",
        f"shape {labels.shape}",
    )
    expect(not np.any(labels > 9), f"labels from 0 to 9 in {labels_name}", labels.max(initial=0))
    return Digits(images, labels)


def _check_md5(content: bytes, md5: str, name: str) -> None:
    got = hashlib.md5(content, usedforsecurity=False).hexdigest()
    expect(got == md5, f"unzipped md5 {md5} of {name}", got)


def _in_folder(folder: Path, name: str) -> Path | None:
    candidates = (folder / name, folder / f"{name}.gz")
    return next((path for path in candidates if path.is_file()), None)


def _mirrors() -> tuple[str, ...]:
    mirror = os.environ.get(MIRROR_VARIABLE)
    if not mirror:
        return MIRRORS
    expect(mirror.startswith(("https://", "http://")), f"{MIRROR_VARIABLE} to be an http address", mirror)
    return (mirror if mirror.endswith("/") else f"{mirror}/",)


def _download(name: str) -> Path:
    """Download `name`.gz into the cache folder from the first mirror with the right file."""
    instead = f"put {name} (plain or .gz) in a folder and name it by --data or {DATA_VARIABLE}"
    try:
        from pooch import HTTPDownloader
    except ImportError:
        raise InputError(
            f"expected pooch to download {name}, got no such package: install lenet-edge[train], or {instead}"
        ) from None
    mirrors = _mirrors()
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    fetch = HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=_TIMEOUT)
    failures = []
    for mirror in mirrors:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as temporary:
            path = Path(temporary) / f"{name}.gz"
            try:
                fetch(f"{mirror}{name}.gz", os.fspath(path), None)
                read_file(path, name)
            except (OSError, ValueError) as error:  # requests raises OSErrors, InputError is a ValueError
                failures.append(f"{mirror} ({_reason(error)})")
                continue
            return path.replace(folder / path.name)
    raise InputError(f"expected to download {name}, got nothing from {', '.join(failures)}: {instead}")


def _reason(error: Exception) -> str:
    """Return why a download failed, in a few words where requests has a paragraph."""
    reasons = {
        "SSLError": "no trusted certificate",
        "ProxyError": "no connection through the proxy",
        "ConnectTimeout": "no connection",
        "ConnectionError": "no connection",
        "ReadTimeout": "no answer",
    }
    return reasons.get(type(error).__name__) or " ".join(str(error).split())
