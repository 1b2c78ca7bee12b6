"""Read pictures from files as grey arrays: PNG, JPEG, PGM and others, IDX, folders, standard input.

Pillow decodes the `FORMATS`, `lenet_edge.digits.idx` decodes IDX. The header is checked before anything is
decoded; a file that is no picture, broken or too large is an InputError of one line with its name.
`lenet_edge.picture.digit` then prepares the picture for the model.
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

from converters.base.errors import InputError, expect
from lenet_edge.digits.idx import read_idx_bytes
from lenet_edge.picture.digit import check_shape, prepare
from lenet_edge.picture.findings import Prepared
from lenet_edge.picture.kinds import HEIC, is_idx, other_kind
from lenet_edge.picture.pillow import Image

__all__ = ["FORMATS", "Picture", "Prepared", "picture_files", "prepare", "read_images"]

FORMATS = ("PNG", "JPEG", "TIFF", "PPM", "BMP", "GIF", "WEBP")
"""Pillow's names of the formats that are read; PPM covers PBM, PGM and PPM."""

_KINDS = f"{', '.join(FORMATS)} or IDX"

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".tif", ".tiff", ".pgm", ".ppm", ".pbm", ".pnm", ".bmp", ".gif"),
    *(".webp", ".heic", ".heif", ".idx"),
)
"""The suffixes of pictures in a folder, besides MNIST's names (...-idx3-ubyte); IDX may end in .gz too.

HEIC is read if pillow-heif is installed."""

MOST_PIXELS = 50_000_000
MOST_BYTES = 1 << 28

_PNG = b"\x89PNG\r\n\x1a\n"
_NAMED = 3  # files that a message names
_DECODED_SIDE = 800  # pixels: larger pictures are reduced to this side while or after decoding
_COLOURED = ("RGB", "P", "CMYK", "YCbCr")  # modes of Pillow's
_LITTLE = 40  # grey levels: a picture with less contrast is looked at by its colours
_HIDDEN = 0.3  # of the contrast on black: with less of it on white, the ink is white
_ORIENTATION = 0x0112  # the EXIF tag
_TRANSPOSITIONS = {  # the names of Pillow's, by the tag's value
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


Source = str | os.PathLike[str] | BinaryIO
"""A file's path or a binary stream."""


@dataclass(frozen=True)
class Picture:
    """One picture: `grey` is uint8 (h, w), 0 black to 255 white, upright.

    `index` counts the pictures of an IDX file from 0; it is None for other files. One pixel stands for
    `factor` x `factor` pixels of the file.
    """

    name: str
    index: int | None
    grey: NDArray[np.uint8]
    factor: int = 1


@dataclass(frozen=True)
class Listing:
    """What a path names: the `files` that may be pictures, and the names of those `skipped` in the folder."""

    files: list[Path]
    skipped: list[str]


def picture_files(path: str | os.PathLike[str]) -> list[Path]:
    """Return `path`, or if it is a folder the pictures directly in it; errors as `list_pictures`."""
    return list_pictures(path).files


def list_pictures(path: str | os.PathLike[str]) -> Listing:
    """Return `path`, or if it is a folder the files directly in it that may be pictures, sorted by name.

    Visible files with another name are skipped, and so is what is no file: a pipe would be waited for.
    Folders and hidden files are left out. Raises InputError if `path` does not exist, or is a folder that
    cannot be read or has no pictures.
    """
    path = Path(path)
    try:
        if not path.is_dir():
            expect(path.exists(), f"a picture or a folder at {path}", "nothing there")
            return Listing([path], [])
        shown = sorted(file for file in path.iterdir() if not (file.name.startswith(".") or file.is_dir()))
        # A link to nothing is kept, to be reported by its name.
        files = [one for one in shown if is_picture_name(one.name) and (one.is_file() or not one.exists())]
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"expected to read {path}, got: {_reason(error)}") from error
    skipped = sorted({file.name for file in shown} - {file.name for file in files})
    expect(files, f"pictures in {path}", _several(skipped) or "none")
    return Listing(files, skipped)


def skipped_text(listing: Listing) -> str:
    """Return in words what a folder's listing skipped; "" if nothing."""
    return _several(listing.skipped)


def _several(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def read_images(source: Source, *, name: str | None = None, line: bool = False) -> Iterator[Picture]:
    """Yield the picture of `source`, a file or a binary stream, or each picture of an IDX file.

    Large pictures are reduced, to at least 800 pixels on the longer side, or with `line`, for a line of any
    length, on the shorter. `name` is used for the pictures and in errors (default: the path). Transparent
    parts become white, the EXIF orientation is applied, 16 bits become 8. Raises InputError, before anything
    is yielded, for a file that cannot be opened, has none of the `FORMATS`, is broken or truncated, has more
    than 50 million pixels or 256 MiB, or a shape that `prepare` or `find_line` does not take.
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
    yield from _read_content(content, name, line)


def _words(error: Exception) -> str:
    """Return an error's words in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def is_picture_name(name: str) -> bool:
    """Return whether a file called `name` in a folder is a picture; hidden files are not."""
    plain = name.lower().removesuffix(".gz")
    kinds = SUFFIXES if plain == name.lower() else (".idx",)
    return plain.endswith((*kinds, "idx3-ubyte")) and not name.startswith(".")


def _read_content(content: bytes, name: str, line: bool) -> Iterator[Picture]:
    if is_idx(content):
        images = read_idx_bytes(content, name=name, rank=3)
        with _errors_naming(name):
            check_shape(images.shape[2], images.shape[1], line=line)
            expect(images.shape[1] * images.shape[2] <= MOST_PIXELS, f"{MOST_PIXELS} pixels at most", "more")
        for index, image in enumerate(images):
            yield Picture(name, index, image)
    else:
        yield Picture(name, None, *_decode(content, name, line))


@contextmanager
def _errors_naming(name: str) -> Iterator[None]:
    """Prefix an InputError's message with `name`."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _decode(content: bytes, name: str, line: bool) -> tuple[NDArray[np.uint8], int]:
    with _errors_naming(name), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from Pillow, on odd metadata and on sizes, which are checked here
        image = _open(content)
        expect(image.width * image.height <= MOST_PIXELS, f"{MOST_PIXELS} pixels at most", _size(image))
        check_shape(*image.size, line=line)
        side = min if line else max
        try:
            coloured = image.mode in _COLOURED  # before it is decoded in grey
            grey, factor = _upright_grey(image, side=side)
            if coloured and np.ptp(grey) < _LITTLE:
                by_colour, _ = _upright_grey(_open(content), side=side, by_colour=True)
                grey = max(grey, by_colour, key=np.ptp)
            return grey, factor
        except InputError:
            raise
        except MemoryError:
            raise InputError(f"expected memory for {_size(image)} pixels, got too little") from None
        except Exception as error:  # broken data makes decoders raise all kinds of exceptions
            raise InputError(
                f"expected a whole {image.format} file, got a broken one ({_words(error)})"
            ) from error


def _open(content: bytes) -> Image.Image:
    kind = other_kind(content)
    if kind == HEIC:
        return _open_heic(content)
    expect(not kind, f"a picture ({_KINDS})", f"{kind}: convert it to PNG or JPEG")
    try:
        if content.startswith(_PNG):
            # A digit in MNIST's form is a PNG file: `Image.open` would first import five formats' plugins.
            from PIL.PngImagePlugin import PngImageFile

            return PngImageFile(io.BytesIO(content))
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError:
        raise InputError(f"expected {MOST_PIXELS} pixels at most, got far more") from None
    except Exception as error:  # as above: all kinds of exceptions
        raise InputError(f"expected a picture ({_KINDS}), got {_start(content)}") from error


def _open_heic(content: bytes) -> Image.Image:
    """Open a picture as iPhones take them, by an optional package; it is upright already."""
    try:
        import pillow_heif
    except ModuleNotFoundError:
        raise InputError('expected what reads HEIC, got none: pip install "lenet-edge[heic]"') from None
    try:
        opened = pillow_heif.open_heif(io.BytesIO(content))
        pixels = opened.size[0] * opened.size[1]
        expect(pixels <= MOST_PIXELS, f"{MOST_PIXELS} pixels at most", f"{opened.size[0]}x{opened.size[1]}")
        image: Image.Image = opened.to_pillow()
    except InputError:
        raise
    except Exception as error:  # as above: all kinds of exceptions
        raise InputError(f"expected a whole HEIC file, got a broken one ({_words(error)})") from error
    image.info.pop("exif", None)  # its orientation has been followed
    return image


def _start(content: bytes) -> str:
    return f"a file that begins with bytes {content[:4].hex(' ')}" if content else "an empty file"


def _size(image: Image.Image) -> str:
    return f"{image.width}x{image.height}"


def _upright_grey(
    image: Image.Image, *, side: Callable[[Iterable[int]], int], by_colour: bool = False
) -> tuple[NDArray[np.uint8], int]:
    """Return `image` in grey, upright, with its `side` reduced, and the factor.

    `by_colour`: grey tells what differs most in colour, not what is brighter.
    """
    orientation, width = _orientation(image), image.width
    scale = _DECODED_SIDE / side(image.size)
    if scale < 1:  # JPEG can be decoded at a half, a quarter or an eighth of its size, in grey
        image.draft("RGB" if by_colour else "L", (int(image.width * scale), int(image.height * scale)))
    factor = round(width / image.width)
    times = max(1, side(image.size) // _DECODED_SIDE)
    grey = _along_contrast(image.convert("RGB").reduce(times)) if by_colour else _grey(image).reduce(times)
    turn = _TRANSPOSITIONS.get(orientation)
    return np.asarray(grey if turn is None else grey.transpose(Image.Transpose[turn])), factor * times


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # with broken metadata the picture stays as stored, as in every viewer
        return 1


def _grey(image: Image.Image) -> Image.Image:
    """Return `image` as 8-bit grey."""
    expect(image.mode != "F", "8 or 16 bits a channel", "floating point")
    if image.mode.startswith("I"):  # 16 bits, for which Pillow has several modes
        values = np.asarray(image).astype(np.int64)
        return Image.fromarray((np.clip(values, 0, 65535) // 257).astype(np.uint8))
    # Not image.has_transparency_data: Pillow in Debian 12, on 32-bit Pis, does not have it yet.
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA"):
        return _on_paper(image.convert("RGBA"))
    return image.convert("L")


def _along_contrast(image: Image.Image) -> Image.Image:
    """Return an RGB picture as grey, 128 for the mean, along the axis of the colours that differ most."""
    pixels = np.asarray(image, np.float32).reshape(-1, 3)
    away = pixels - pixels.mean(axis=0)
    _, axes = np.linalg.eigh(away.T @ away)
    grey = (away @ axes[:, -1] + 128).clip(0, 255).astype(np.uint8)
    return Image.fromarray(grey.reshape(image.height, image.width))


def _on_paper(image: Image.Image) -> Image.Image:
    """Return a partly transparent picture on white, or on black where its ink would not be seen on white."""
    on_white, on_black = (
        Image.alpha_composite(Image.new("RGBA", image.size, paper), image).convert("L")
        for paper in ("white", "black")
    )
    return on_black if _contrast(on_white) < _HIDDEN * _contrast(on_black) else on_white


def _contrast(grey: Image.Image) -> int:
    """Return the difference between a picture's brightest and darkest grey."""
    return int(np.ptp(np.asarray(grey)))
