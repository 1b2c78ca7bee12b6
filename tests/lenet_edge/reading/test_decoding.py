"""Files are decoded in order, in any process, and no further ahead than allowed."""

from __future__ import annotations

import contextlib
from concurrent.futures import BrokenExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from converters.base.errors import InputError
from lenet_edge.digits.idx import idx_bytes
from lenet_edge.digits.mnist import calibration_digits
from lenet_edge.reading import decoding
from lenet_edge.reading.decoding import (
    FEW,
    PreparedPicture,
    decode_files,
    jobs_for,
    list_files,
    prepared_pictures,
)

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture
def folder(tmp_path):
    """A folder of pictures: every third is broken, one holds two digits as IDX, one is a link to nothing."""
    digits = calibration_digits().images
    for number in range(2 * FEW):
        if number % 3:
            Image.fromarray(digits[number]).save(tmp_path / f"{number:02d}.png")
        else:
            (tmp_path / f"{number:02d}.png").write_bytes(b"no picture")
    (tmp_path / "05.idx").write_bytes(idx_bytes(digits[:2]))
    (tmp_path / "07.png").unlink()
    (tmp_path / "07.png").symlink_to(tmp_path / "nothing.png")
    return tmp_path


def read(files, *, jobs=1):
    return decode_files(prepared_pictures, files, jobs=jobs)


def described(item):
    if isinstance(item, InputError):
        return str(item)
    return item.name, item.index, item.prepared.picture.tobytes(), item.prepared.finding


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_file_has_its_result_in_order_though_some_are_broken(folder, jobs):
    files = list_files([str(folder), str(DATA / "5-small.png")])
    items = list(read(files, jobs=jobs))
    named = [str(item) if isinstance(item, InputError) else item.name for item in items]
    expected = [file for file in files for _ in range(2 if str(file).endswith(".idx") else 1)]
    assert len(named) == len(expected) == 2 * FEW + 3
    assert all(file in name for file, name in zip(expected, named, strict=True))
    wrong = [place for place, item in enumerate(items) if isinstance(item, InputError)]
    assert len(wrong) == len(range(0, 2 * FEW, 3)) + 1
    assert [item.index for item in items if "05.idx" in str(getattr(item, "name", ""))] == [0, 1]


def test_worker_processes_give_the_same_results(folder):
    files = list_files([str(folder)])
    alone, shared = (list(map(described, read(files, jobs=jobs))) for jobs in (1, 2))
    assert alone == shared


def test_folders_and_files_are_listed_in_order_with_errors_in_their_place(folder):
    files = list_files(["-", str(folder / "missing"), str(folder)])
    assert files[0] == "-"
    assert isinstance(files[1], InputError)
    assert files[2:] == sorted(map(str, folder.iterdir()))


def test_what_a_folder_skips_is_an_error_behind_its_pictures(tmp_path):
    for name in ("a.png", "b.txt"):
        (tmp_path / name).write_bytes(b"")
    first, second = list_files([str(tmp_path)])
    assert first == str(tmp_path / "a.png")
    assert str(second) == f"expected only pictures in {tmp_path}, got also b.txt: skipped"


class FakeFuture:
    def __init__(self, names: list[str], ready: bool) -> None:
        self._names, self._ready = names, ready

    def done(self):
        return self._ready

    def result(self):
        return self._names


class FakePool:
    """Submitted portions are done at once or only when waited for, according to `plan`."""

    def __init__(self, plan) -> None:
        self._plan, self.submitted, self.largest = iter(plan), 0, 0

    def submit(self, function, decoder, files):
        self.submitted += len(files)
        self.largest = max(self.largest, len(files))
        return FakeFuture(files, next(self._plan))


@contextlib.contextmanager
def replaced(pool, one_picture=lambda file: True, size=0):
    """Replace the worker processes by `pool`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "_processes", lambda jobs: contextlib.nullcontext(pool))
        patch.setattr(decoding, "_holds_one_picture", one_picture)
        patch.setattr(decoding, "_size", lambda file: size)
        yield


LARGE = decoding._PORTION_BYTES


@given(st.lists(st.booleans(), min_size=FEW + 1, max_size=80), st.integers(2, 4), st.sampled_from([0, LARGE]))
def test_the_order_is_that_of_the_files_and_few_are_decoded_ahead(plan, jobs, size):
    files = [str(number) for number in range(len(plan))]
    pool, got = FakePool(plan), []
    with replaced(pool, size=size):
        for item in read(files, jobs=jobs):
            got.append(item)
            assert pool.submitted - len(got) <= (2 * jobs + 1) * pool.largest
    assert got == files


@pytest.mark.parametrize(("size", "together"), [(0, 32), (LARGE // 2 + 1, 2), (LARGE, 1), (9 * LARGE, 1)])
def test_small_files_are_handed_over_together(size, together):
    pool = FakePool([True] * 99)
    with replaced(pool, size=size):
        list(read(["a"] * 64, jobs=2))
    assert (pool.submitted, pool.largest) == (64, together)


def test_a_result_is_yielded_as_soon_as_it_is_ready():
    pool = FakePool([True] * 99)
    with replaced(pool, size=LARGE):
        assert next(read(["a"] * 99, jobs=4)) == "a"
    assert pool.submitted == 1


def test_a_file_that_may_block_is_read_after_all_earlier_results(monkeypatch):
    files = [*map(str, range(FEW)), "stream", "last"]
    pool, opened = FakePool([False] * len(files)), []
    monkeypatch.setattr(decoding, "_read", lambda decoder, file: opened.append(file) or iter([file]))
    with replaced(pool, one_picture=lambda file: file != "stream"):
        answers = read(files, jobs=2)
        assert [next(answers) for _ in range(FEW)] == files[:FEW]
        assert opened == []
        assert [*answers] == files[FEW:]


def test_an_idx_file_is_read_here_as_it_may_hold_thousands(folder):
    files, pool = list_files([str(folder)]), FakePool([True] * 99)
    with replaced(pool, one_picture=decoding._holds_one_picture):
        list(read(files, jobs=2))
    assert pool.submitted == len(files) - 2  # the link to nothing is read here too


def test_the_error_for_a_dead_process_says_what_helps():
    class Dead:
        def submit(self, function, decoder, file):
            raise BrokenExecutor

    with replaced(Dead()), pytest.raises(InputError, match="got a process that died: try --jobs 1"):
        list(read(["a"] * (FEW + 1), jobs=2))


def test_the_error_without_processes_says_what_helps(monkeypatch):
    def none(*_, **__):
        raise ImportError("no semaphores")

    monkeypatch.setattr("concurrent.futures.ProcessPoolExecutor", none)
    with pytest.raises(InputError, match=r"got: no semaphores \(try --jobs 1\)"):
        list(read(["a"] * (FEW + 1), jobs=2))


def test_processes_are_started_for_many_large_files_only(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "_processors", lambda: 3)
    files = [str(tmp_path / f"{number}.png") for number in range(3 * FEW)]
    for size, jobs in ((100, 1), (50_000, 3)):
        for file in files:
            Path(file).write_bytes(bytes(size))
        assert jobs_for(files) == jobs
        assert jobs_for(files[: FEW + 1]) == min(jobs, 2)
        assert jobs_for(files[:FEW]) == 1
    assert jobs_for(["-", InputError("none"), "missing", "\0"]) == 1
    started = []
    monkeypatch.setattr(
        decoding,
        "_processes",
        lambda jobs: started.append(jobs) or contextlib.nullcontext(FakePool([True] * 99)),
    )
    for wanted in (None, 2, 4):
        list(read(files, jobs=wanted))
    assert started == [3, 2, 4]


def test_few_files_start_no_process(monkeypatch):
    monkeypatch.setattr(decoding, "_processes", None)
    (picture,) = read([str(DATA / "5-small.png")], jobs=4)
    assert isinstance(picture, PreparedPicture)
    assert picture.prepared.picture.dtype == np.uint8
