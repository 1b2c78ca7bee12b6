"""Pictures from files: PNG, JPEG, PGM and their like, IDX files, folders, standard input, as grey arrays.

What is read is Pillow's for the formats of `FORMATS` and `lenet_edge.digits.idx`'s for IDX. The header is
looked at before anything is decoded, and a file that is none, is broken or is too large is an InputError of
one line that names it. The form that the model sees is `lenet_edge.picture.digit`'s.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from converters.base.errors import InputError, expect
from lenet_edge.digits.idx import read_idx_bytes
from lenet_edge.picture.digit import Prepared, check_shape, prepare

__all__ = ["FORMATS", "Picture", "Prepared", "picture_files", "prepare", "read_images"]

FORMATS = ("PNG", "JPEG", "PPM", "BMP", "GIF", "WEBP")
"""Pillow's names of what is read; PPM is PBM, PGM and PPM."""

SUFFIXES = (".png", ".jpg", ".jpeg", ".pgm", ".ppm", ".pbm", ".pnm", ".bmp", ".gif", ".webp", ".idx")
"""Which files of a folder are taken, beside MNIST's own names (...-idx3-ubyte), IDX with .gz or without."""

IDX_STARTS = (b"\0\0", b"\x1f\x8b")
"""The first two bytes of an IDX file, plain or gzipped."""

MOST_PIXELS = 50_000_000
MOST_BYTES = 1 << 28

_DECODED_SIDE = 800  # pixels: a larger picture is reduced to that side while or after it is decoded
_ORIENTATION = 0x0112  # the EXIF tag
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


Source = str | os.PathLike[str] | BinaryIO
"""A file by its path, or a binary stream."""


@dataclass(frozen=True)
class Picture:
    """One picture: `grey` is uint8 (h, w), 0 black to 255 white, upright.

    `index` counts the pictures of an IDX file from 0; it is None for other files. A pixel stands for
    `factor` x `factor` of the file's.
    """

    name: str
    index: int | None
    grey: NDArray[np.uint8]
    factor: int = 1


def picture_files(path: str | os.PathLike[str]) -> list[Path]:
    """Return `path` alone, or if it is a folder the pictures in it (not in folders inside it), by name.

    Raises InputError when there is nothing at `path`, the folder cannot be read or has no picture in it.
    """
    path = Path(path)
    try:
        if not path.is_dir():
            expect(path.exists(), f"a picture or a folder at {path}", "nothing there")
            return [path]
        files = sorted(file for file in path.iterdir() if is_picture_name(file.name) and not file.is_dir())
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"expected to read {path}, got: {_reason(error)}") from error
    expect(files, f"pictures in {path}", "none")
    return files


def read_images(source: Source, *, name: str | None = None, line: bool = False) -> Iterator[Picture]:
    """Read the picture of `source`, a file or a binary stream, or each picture of an IDX file.

    Large pictures come reduced, to no less than 800 pixels on their longer side, or on the shorter if they
    hold a `line`, which may be of any length; `name` is what they and errors are called (default: the path).
    Transparent parts are white, the EXIF orientation is followed, 16 bits become 8. Raises InputError, before
    anything is yielded, for a file that is none of `FORMATS`, is broken, cut off, above 50 million pixels or
    256 MiB, smaller or longer than `prepare` or `find_line` takes, or cannot be opened.
    """
    if isinstance(source, (str, os.PathLike)):
        name = name or os.fspath(source)
        try:
            with open(source, "rb") as stream:
                content = stream.read(MOST_BYTES + 1)
        except (OSError, ValueError) as error:
            raise InputError(f"expected to read {name}, got: {_reason(error)}") from error
    else:
        name = name or "the stream"
        content = source.read(MOST_BYTES + 1)
    expect(len(content) <= MOST_BYTES, f"{MOST_BYTES} bytes at most in {name}", "more")
    yield from _pictures(content, name, line)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def is_picture_name(name: str) -> bool:
    """Return whether a file called `name` counts as a picture in a folder; hidden files do not."""
    plain = name.lower().removesuffix(".gz")
    kinds = SUFFIXES if plain == name.lower() else (".idx",)
    return plain.endswith((*kinds, "idx3-ubyte")) and not name.startswith(".")


def _pictures(content: bytes, name: str, line: bool) -> Iterator[Picture]:
    if content[:2] in IDX_STARTS:
        images = read_idx_bytes(content, name=name, rank=3)
        with _naming(name):
            check_shape(images.shape[2], images.shape[1], line=line)
            expect(images.shape[1] * images.shape[2] <= MOST_PIXELS, f"{MOST_PIXELS} pixels at most", "more")
        for index, image in enumerate(images):
            yield Picture(name, index, image)
    else:
        yield Picture(name, None, *_decoded(content, name, line))


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Put `name` in front of an InputError's line."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _decoded(content: bytes, name: str, line: bool) -> tuple[NDArray[np.uint8], int]:
    with _naming(name), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own, on odd metadata and on sizes that are checked here
        image = _opened(content)
        expect(image.width * image.height <= MOST_PIXELS, f"{MOST_PIXELS} pixels at most", _size(image))
        check_shape(*image.size, line=line)
        try:
            return _upright_grey(image, side=min if line else max)
        except InputError:
            raise
        except MemoryError:
            raise InputError(f"expected room in memory for {_size(image)} pixels, got none") from None
        except Exception as error:  # a decoder raises whatever the damage makes it trip over
            reason = " ".join(str(error).split()) or type(error).__name__
            raise InputError(f"expected a whole {image.format} file, got a broken one ({reason})") from error


def _opened(content: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError:
        raise InputError(f"expected {MOST_PIXELS} pixels at most, got far more") from None
    except Exception as error:  # as above: broken headers raise many kinds
        kinds = ", ".join(FORMATS)
        raise InputError(f"expected a picture ({kinds} or IDX), got {_start(content)}") from error


def _start(content: bytes) -> str:
    return f"a file that begins with bytes {content[:4].hex(' ')}" if content else "an empty file"


def _size(image: Image.Image) -> str:
    return f"{image.width}x{image.height}"


def _upright_grey(
    image: Image.Image, *, side: Callable[[Iterable[int]], int]
) -> tuple[NDArray[np.uint8], int]:
    """Return `image` in grey with its `side` reduced, and how many times."""
    orientation, width = _orientation(image), image.width
    scale = _DECODED_SIDE / side(image.size)
    if scale < 1:  # JPEG can be decoded at a half, a quarter or an eighth of its size, in grey
        image.draft("L", (int(image.width * scale), int(image.height * scale)))
    factor = round(width / image.width)
    grey = _grey(image)
    times = max(1, side(grey.size) // _DECODED_SIDE)
    grey = grey.reduce(times)
    turn = _TURNS.get(orientation)
    return np.asarray(grey if turn is None else grey.transpose(turn)), factor * times


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # broken metadata leave the picture as it lies, as every viewer does
        return 1


def _grey(image: Image.Image) -> Image.Image:
    """Return `image` in eight bits of grey."""
    expect(image.mode != "F", "8 or 16 bits a channel", "floating point")
    if image.mode.startswith("I"):  # 16 bits, in Pillow's several ways
        values = np.asarray(image).astype(np.int64)
        return Image.fromarray((np.clip(values, 0, 65535) // 257).astype(np.uint8))
    # Not image.has_transparency_data: the Pillow of Debian 12, on 32-bit Pis, is older than that.
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA"):
        colours = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), colours).convert("L")
    return image.convert("L")
