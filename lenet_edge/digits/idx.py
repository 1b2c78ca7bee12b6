"""IDX, the file format of MNIST: unsigned bytes in an array of any rank, plain or gzipped.

An IDX file is two zero bytes, a type code (8 for unsigned bytes), the rank, one big-endian 32-bit
size per dimension, and then the values in C order (described at the foot of the MNIST page by
LeCun, Cortes and Burges).
"""

from __future__ import annotations

import gzip
import io
import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import InputError, expect

UNSIGNED_BYTE = 8
"""The IDX type code of unsigned bytes, the only one read here."""

MAX_RANK = 32
"""The most dimensions that every supported NumPy can hold."""

DEFAULT_LIMIT = 1 << 28
"""The default limit on values: 256 MiB, over five times MNIST's largest file."""

_CHUNK = 1 << 20


def read_idx(
    path: str | os.PathLike[str], *, rank: int | None = None, limit: int = DEFAULT_LIMIT
) -> NDArray[np.uint8]:
    """Read the unsigned-byte IDX file at `path`, plain or gzipped (recognised by its first two bytes).

    `rank` is the number of dimensions required (None: any from 1 to 32), `limit` the most values to
    read. Returns a writable uint8 array of the header's shape. Memory grows with the bytes in the file,
    not with the sizes in the header.

    Raises InputError, with the file's name, if it is no such file, is truncated, has extra bytes, has
    another rank or more than `limit` values, or is broken gzip; OSError if it cannot be opened.
    """
    with open(path, "rb") as file:
        return _read(file, name=os.fspath(path), rank=rank, limit=limit)


def read_idx_bytes(
    data: bytes | bytearray | memoryview, *, name: str, rank: int | None = None, limit: int = DEFAULT_LIMIT
) -> NDArray[np.uint8]:
    """Read unsigned-byte IDX `data`, plain or gzipped, as `read_idx` does; errors call it `name`."""
    return _read(io.BufferedReader(io.BytesIO(data)), name=name, rank=rank, limit=limit)  # type: ignore[arg-type]


def read_unzipped(path: str | os.PathLike[str], *, limit: int) -> bytes:
    """Return the content of the file at `path`, unzipped if it is gzipped, at most `limit` bytes.

    Raises InputError, with the file's name, if there is more or the gzip data is broken.
    """
    name = os.fspath(path)
    with open(path, "rb") as file, _gzip_errors(name):
        content = _read_up_to(_unzip(file), limit + 1)
    expect(len(content) <= limit, f"{limit} bytes at most (unzipped) in {name}", "more")
    return bytes(content)


def idx_bytes(array: NDArray[np.uint8]) -> bytes:
    """Return the plain IDX file that holds `array`, uint8 and of rank 1 to 32.

    Raises InputError for another type or rank, or a dimension of 2**32 or more.
    """
    expect(isinstance(array, np.ndarray) and array.dtype == np.uint8, "a uint8 array", _kind(array))
    expect(1 <= array.ndim <= MAX_RANK, f"1 to {MAX_RANK} dimensions", array.ndim)
    expect(max(array.shape) < 1 << 32, "dimensions below 2**32", array.shape)
    header = bytes([0, 0, UNSIGNED_BYTE, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.tobytes()


def _kind(value: object) -> str:
    return f"{value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__


def _read(file: io.BufferedReader, *, name: str, rank: int | None, limit: int) -> NDArray[np.uint8]:
    with _gzip_errors(name):
        stream = _unzip(file)
        shape = _read_shape(stream, name=name, rank=rank, limit=limit)
        count = math.prod(shape)
        # One byte more than needed: it detects extra bytes and makes gzip verify its checksum.
        values = _read_up_to(stream, count + 1)
    expect(len(values) >= count, f"{count} values for shape {shape} in {name}", len(values))
    expect(len(values) == count, f"{count} values for shape {shape} in {name}", "bytes left over")
    return np.frombuffer(values, np.uint8).reshape(shape)


def _read_shape(stream: BinaryIO, *, name: str, rank: int | None, limit: int) -> tuple[int, ...]:
    magic = _read_up_to(stream, 4)
    expect(len(magic) == 4 and magic[:2] == b"\0\0", f"an IDX file in {name}", _start(magic))
    expect(
        magic[2] == UNSIGNED_BYTE,
        f"IDX type code 0x08 (unsigned bytes) in {name}",
        f"0x{magic[2]:02x}",
    )
    dimensions = magic[3]
    if rank is not None:
        expect(dimensions == rank, f"{rank} dimension{'s' * (rank != 1)} in {name}", dimensions)
    expect(1 <= dimensions <= MAX_RANK, f"1 to {MAX_RANK} dimensions in {name}", dimensions)
    sizes = _read_up_to(stream, 4 * dimensions)
    expect(
        len(sizes) == 4 * dimensions,
        f"an IDX header of {4 + 4 * dimensions} bytes in {name}",
        4 + len(sizes),
    )
    shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
    # A size of 0 must not hide another size that NumPy cannot hold.
    expect(
        math.prod(max(size, 1) for size in shape) <= limit,
        f"{limit} values at most in {name}",
        f"shape {shape}",
    )
    return shape


def _start(magic: bytes | bytearray) -> str:
    return f"one that begins with bytes {bytes(magic).hex(' ')}" if magic else "no bytes"


def _unzip(file: io.BufferedReader) -> BinaryIO:
    if file.peek(2)[:2] == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    return file


def _read_up_to(stream: BinaryIO, count: int) -> bytearray:
    """Read `count` bytes, or as many as there are, without allocating memory for missing ones."""
    content = bytearray()
    while len(content) < count:
        chunk = stream.read(min(_CHUNK, count - len(content)))
        if not chunk:
            break
        content += chunk
    return content


@contextmanager
def _gzip_errors(name: str) -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"expected whole gzip data in {name}, got a broken file ({error})") from error
