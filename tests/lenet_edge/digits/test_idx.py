"""IDX files: any bytes give their array, or one line that names the file."""

from __future__ import annotations

import gzip
import math
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from converters.base.errors import InputError
from lenet_edge.digits import idx

NAME = "some-file-ubyte"
MEBIBYTE = 1 << 20
MOST = (1 << 32) - 1  # the largest size that a header can give
# Reading holds a piece of 1 MiB, what it has been joined to, and the reader's and zlib's own buffers.
FEW_PIECES = 8 * MEBIBYTE

no_deadline = settings(deadline=None)  # nothing here says how fast a machine is
arrays = npst.arrays(np.uint8, npst.array_shapes(min_dims=1, max_dims=5, min_side=0, max_side=6))


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def plain(data: bytes) -> bytes:
    return data


wrappings = st.sampled_from([plain, packed])


def header(*sizes: int, rank: int | None = None) -> bytes:
    return bytes([0, 0, 8, len(sizes) if rank is None else rank]) + np.array(sizes, ">u4").tobytes()


def read(data: bytes, **options: int) -> NDArray[np.uint8]:
    return idx.read_idx_bytes(data, name=NAME, **options)


def is_one_line(error: BaseException, *words: str) -> bool:
    message = str(error)
    return message.startswith("expected ") and "\n" not in message and all(word in message for word in words)


def assert_refused(data: bytes, *words: str, **options: int) -> None:
    with pytest.raises(InputError) as caught:
        read(data, **options)
    assert is_one_line(caught.value, NAME, *words), caught.value


def read_or_refused(data: bytes) -> NDArray[np.uint8] | None:
    """Return the array, or None for an InputError of one line with the name; all else goes through."""
    try:
        return read(data)
    except InputError as error:
        refusal = error
    assert is_one_line(refusal, NAME), refusal
    return None


@contextmanager
def memory_below(limit: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("idx")


@no_deadline
@given(array=arrays, wrap=wrappings)
def test_a_file_gives_back_its_array(folder: Path, array: NDArray[np.uint8], wrap: Callable) -> None:
    path = folder / NAME
    path.write_bytes(wrap(idx.idx_bytes(array)))
    got = idx.read_idx(path, rank=array.ndim)
    assert got.dtype == np.uint8
    assert got.flags.writeable
    np.testing.assert_array_equal(got, array, strict=True)


@no_deadline
@given(array=arrays, wrap=wrappings)
def test_bytes_give_back_their_array(array: NDArray[np.uint8], wrap: Callable) -> None:
    data = wrap(idx.idx_bytes(array))
    for form in (data, bytearray(data), memoryview(data)):
        np.testing.assert_array_equal(read(form), array, strict=True)


def test_the_bytes_are_those_of_the_format() -> None:
    # Written by hand from the description at the foot of the MNIST page.
    data = bytes.fromhex("0000 08 02 00000002 00000003") + b"\x00\x01\x02\xfd\xfe\xff"
    array = np.array([[0, 1, 2], [253, 254, 255]], np.uint8)
    assert idx.idx_bytes(array) == data
    np.testing.assert_array_equal(read(data), array)


def test_an_array_in_another_order_is_written_in_c_order() -> None:
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert idx.idx_bytes(np.asfortranarray(array)) == idx.idx_bytes(array)
    assert idx.idx_bytes(array[::-1, ::-1]) == idx.idx_bytes(array[::-1, ::-1].copy())


def test_a_file_of_several_chunks_is_read_completely(rng: np.random.Generator) -> None:
    array = rng.integers(0, 256, (3, MEBIBYTE - 1), np.uint8)
    for wrap in (plain, packed):
        np.testing.assert_array_equal(read(wrap(idx.idx_bytes(array))), array)


@pytest.mark.parametrize("rank", [1, 32])
def test_the_lowest_and_the_highest_rank(rank: int) -> None:
    array = np.full((1,) * rank, 7, np.uint8)
    np.testing.assert_array_equal(read(idx.idx_bytes(array)), array, strict=True)


@no_deadline
@given(array=arrays, wrap=wrappings, data=st.data())
def test_a_truncated_file_is_refused(array: NDArray[np.uint8], wrap: Callable, data: st.DataObject) -> None:
    whole = wrap(idx.idx_bytes(array))
    assert_refused(whole[: data.draw(st.integers(0, len(whole) - 1))])


@no_deadline
@given(array=arrays, extra=st.binary(min_size=1, max_size=40))
def test_bytes_left_over_are_refused(array: NDArray[np.uint8], extra: bytes) -> None:
    assert_refused(idx.idx_bytes(array) + extra, "left over")
    assert_refused(packed(idx.idx_bytes(array) + extra), "left over")


@no_deadline
@given(array=arrays, extra=st.binary(min_size=1, max_size=40))
@example(array=np.zeros(3, np.uint8), extra=b"\0")  # gzip allows zeros after its end,
@example(array=np.zeros(3, np.uint8), extra=packed(b""))  # and a further, here empty, member
@example(array=np.zeros(3, np.uint8), extra=packed(b"1"))
def test_bytes_after_the_gzip_data(array: NDArray[np.uint8], extra: bytes) -> None:
    got = read_or_refused(packed(idx.idx_bytes(array)) + extra)
    assert got is None or np.array_equal(got, array)


@no_deadline
@given(array=arrays, data=st.data())
def test_a_changed_header_byte(array: NDArray[np.uint8], data: st.DataObject) -> None:
    changed = bytearray(idx.idx_bytes(array))
    position = data.draw(st.integers(0, 3 + 4 * array.ndim))
    changed[position] ^= data.draw(st.integers(1, 255))
    got = read_or_refused(changed)
    assert got is None or idx.idx_bytes(got) == changed
    if position < 4:
        assert_refused(changed, rank=array.ndim)


@no_deadline
@given(array=arrays, data=st.data())
def test_a_changed_gzip_byte(array: NDArray[np.uint8], data: st.DataObject) -> None:
    changed = bytearray(packed(idx.idx_bytes(array)))
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    got = read_or_refused(changed)  # the right array where the byte tells the time or the system
    assert got is None or np.array_equal(got, array)


@no_deadline
@given(data=st.binary(max_size=80) | st.binary(max_size=60).map(lambda rest: b"\0\0\x08" + rest))
def test_any_bytes_give_their_array_or_an_error(data: bytes) -> None:
    got = read_or_refused(data)
    assert got is None or idx.idx_bytes(got) == data


@no_deadline
@given(data=st.binary(max_size=80).map(lambda rest: b"\x1f\x8b" + rest))
@example(data=b"\x1f\x8b")
@example(data=b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + b"n" * 50)  # a name without an end
def test_broken_gzip_data_is_refused(data: bytes) -> None:
    assert_refused(data)


@no_deadline
@given(sizes=st.lists(st.sampled_from([0, 1, 28, 1 << 16, 1 << 31, MOST]), max_size=40))
@example(sizes=[0, MOST, MOST, MOST])  # 0 values, of a shape that NumPy cannot hold
@example(sizes=[0] * 33)  # more dimensions than NumPy 1 holds
@example(sizes=[0] * 65)  # and NumPy 2
@example(sizes=[1 << 16] * 4)  # 2**64 values: 0 if it overflowed
def test_absurd_dimensions(sizes: list[int]) -> None:
    data = header(*sizes)
    with memory_below(FEW_PIECES):
        got = read_or_refused(data)
    assert got is None or (got.shape == tuple(sizes) and got.size == 0)
    if not sizes or len(sizes) > 32 or math.prod(sizes) > 0:
        assert got is None


def test_a_header_alone_does_not_allocate_its_array() -> None:
    for wrap in (plain, packed):
        with memory_below(FEW_PIECES):
            assert_refused(wrap(header(idx.DEFAULT_LIMIT) + b"few"), "got 3")


def test_more_values_than_the_limit_are_refused() -> None:
    assert read(idx.idx_bytes(np.zeros((5, 2), np.uint8)), limit=10).size == 10
    assert_refused(idx.idx_bytes(np.zeros((11, 1), np.uint8)), "10 values", limit=10)


def test_a_gzip_bomb_is_not_unpacked(folder: Path) -> None:
    bomb = packed(header(3) + bytes(64 * MEBIBYTE))
    promising = packed(header(64 * MEBIBYTE) + bytes(64 * MEBIBYTE))
    path = folder / NAME
    path.write_bytes(bomb)
    with memory_below(FEW_PIECES):
        assert_refused(bomb, "left over")
        assert_refused(promising, "values at most", limit=MEBIBYTE)
        with pytest.raises(InputError) as caught:
            idx.read_unzipped(path, limit=1_000)
    assert is_one_line(caught.value, NAME, "1000 bytes at most")


def test_another_type_code_or_rank_is_named() -> None:
    data = idx.idx_bytes(np.zeros((2, 2), np.uint8))
    assert_refused(data[:2] + b"\x0d" + data[3:], "0x08", "0x0d")
    assert_refused(data, "expected 3 dimensions", "got 2", rank=3)
    assert_refused(data, "expected 1 dimension in", "got 2", rank=1)
    assert_refused(b"", "an IDX file", "no bytes")
    assert_refused(b"\x89PNG\r\n", "an IDX file", "89 50 4e 47")


def test_the_content_of_a_file_is_returned_unzipped(folder: Path) -> None:
    path = folder / NAME
    for wrap in (plain, packed):
        path.write_bytes(wrap(b"content"))
        assert idx.read_unzipped(path, limit=7) == b"content"
        with pytest.raises(InputError, match="6 bytes at most"):
            idx.read_unzipped(path, limit=6)
    path.write_bytes(packed(b"content")[:-1])
    with pytest.raises(InputError) as caught:
        idx.read_unzipped(path, limit=7)
    assert is_one_line(caught.value, NAME, "whole gzip data")


def test_no_file_is_an_error_of_the_system(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        idx.read_idx(folder / "none")
    with pytest.raises(OSError, match="irectory"):
        idx.read_idx(folder)


@pytest.mark.parametrize(
    ("array", "got"),
    [
        (np.zeros(3, np.int8), "int8"),
        ([1, 2, 3], "list"),
        (np.zeros((), np.uint8), "0"),
        *([(np.broadcast_to(np.uint8(0), (0, 1 << 32)), "4294967296")] if sys.maxsize > MOST else []),
    ],
)
def test_what_no_idx_file_holds_is_not_written(array: object, got: str) -> None:
    with pytest.raises(InputError) as caught:
        idx.idx_bytes(array)  # type: ignore[arg-type]
    assert is_one_line(caught.value, got)
