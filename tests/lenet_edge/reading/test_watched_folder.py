"""A watched folder: each picture once, and only when it is complete."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.base.errors import InputError
from lenet_edge.reading import watched_folder
from lenet_edge.reading.watched_folder import Arrivals, list_pictures, watch


class Script:
    """Stop signals that run one step at each wait, and then request a stop."""

    def __init__(self, *steps) -> None:
        self._steps, self.requested = list(steps), False

    def wait(self, seconds):
        if self._steps:
            self._steps.pop(0)()
        self.requested = not self._steps


def nothing():
    pass


def watched(folder, *steps, existing=False):
    """Return the reported names and the messages; `steps` run between the listings."""
    messages: list[str] = []
    paths = watch(folder, stop=Script(*steps), log=messages.append, existing=existing)
    return [os.path.basename(path) for path in paths], messages


def test_a_growing_file_is_reported_once_it_stops_growing():
    arrivals = Arrivals()
    listings = [{"a.png": (size, time)} for size, time in ((10, 1), (20, 2), (20, 3), (20, 3), (20, 3))]
    assert [arrivals.complete(listing) for listing in listings] == [[], [], [], ["a.png"], []]


def test_an_empty_file_is_waited_for():
    arrivals = Arrivals()
    listings = [{"a.png": (0, 1)}, {"a.png": (0, 1)}, {"a.png": (5, 1)}, {"a.png": (5, 1)}]
    assert [arrivals.complete(listing) for listing in listings] == [[], [], [], ["a.png"]]


def test_a_rewritten_file_is_reported_again():
    arrivals = Arrivals({"a.png": (5, 1)})
    listings = [{"a.png": (5, 1)}, {"a.png": (5, 2)}, {"a.png": (5, 2)}, {"a.png": (5, 2)}]
    assert [arrivals.complete(listing) for listing in listings] == [[], [], ["a.png"], []]


def test_files_are_reported_in_order_of_modification():
    arrivals = Arrivals()
    listing = {"b.png": (5, 1), "a.png": (5, 2), "c.png": (5, 1)}
    assert [arrivals.complete(listing), arrivals.complete(listing)] == [[], ["b.png", "c.png", "a.png"]]


stamps = st.tuples(st.integers(0, 2), st.integers(0, 2))
folders = st.dictionaries(st.sampled_from("abcd"), stamps, max_size=4)


@given(folders, st.lists(folders, max_size=12))
def test_a_file_is_reported_once_per_content_after_two_equal_listings(known, listings):
    arrivals, before, reported = Arrivals(known), known, dict(known)
    for listing in listings:
        names = arrivals.complete(listing)
        settled = {name for name, stamp in listing.items() if stamp[0] and before.get(name) == stamp}
        reported = {name: stamp for name, stamp in reported.items() if name in listing}
        assert set(names) == {name for name in settled if reported.get(name) != listing[name]}
        assert len(set(names)) == len(names)
        reported |= {name: listing[name] for name in names}
        before = listing


def test_files_that_are_gone_are_forgotten():
    arrivals = Arrivals()
    for number in range(50):
        listing = {f"{number}.png": (5, number)}
        arrivals.complete(listing)
        assert arrivals.complete(listing) == [f"{number}.png"]
        assert all(len(kept) <= 1 for kept in vars(arrivals).values())


def test_only_pictures_that_are_regular_files_are_listed(tmp_path):
    for name in ("a.png", ".b.png", "c.txt", "d.png.part"):
        (tmp_path / name).write_bytes(b"12345")
    (tmp_path / "e.png").mkdir()
    os.mkfifo(tmp_path / "f.png")
    (tmp_path / "g.png").symlink_to(tmp_path / "nothing")
    assert {name: size for name, (size, _) in list_pictures(tmp_path).items()} == {"a.png": 5}


@pytest.mark.parametrize(("existing", "reported"), [(False, ["new.png"]), (True, ["old.png", "new.png"])])
def test_existing_files_are_left_out_unless_requested(tmp_path, existing, reported):
    (tmp_path / "old.png").write_bytes(b"old")
    os.utime(tmp_path / "old.png", ns=(1, 1))

    def arrive():
        (tmp_path / "new.png").write_bytes(b"new")

    names, messages = watched(tmp_path, arrive, nothing, nothing, existing=existing)
    assert (sorted(names), messages) == (sorted(reported), [f"watching {tmp_path}"])


def test_a_file_renamed_into_the_folder_is_reported(tmp_path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / ".half.png").write_bytes(b"whole")
    names, _ = watched(
        inbox, nothing, lambda: (inbox / ".half.png").rename(inbox / "a.png"), nothing, nothing
    )
    assert names == ["a.png"]


def test_a_missing_folder_is_logged_once_and_waited_for(tmp_path):
    inbox, away = tmp_path / "inbox", tmp_path / "away"
    inbox.mkdir()
    (inbox / "old.png").write_bytes(b"old")

    def back():
        away.rename(inbox)
        (inbox / "new.png").write_bytes(b"new")

    names, messages = watched(inbox, lambda: inbox.rename(away), nothing, back, nothing, nothing)
    assert names == ["new.png"]
    assert messages == [
        f"watching {inbox}",
        f"{inbox} cannot be read (No such file or directory): waiting for it",
        f"watching {inbox} again",
    ]


def test_a_file_that_goes_while_the_folder_is_listed_is_left_out(tmp_path, monkeypatch):
    class Entry:
        name = "a.png"

        def is_file(self):
            return True

        def stat(self):
            raise FileNotFoundError

    class Entries(list):
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(watched_folder.os, "scandir", lambda folder: Entries([Entry()]))
    assert list_pictures(tmp_path) == {}


def test_a_folder_that_never_existed_is_bad_input(tmp_path):
    with pytest.raises(InputError, match="expected a folder to watch, got .*/none, which is not one"):
        watched(tmp_path / "none")
