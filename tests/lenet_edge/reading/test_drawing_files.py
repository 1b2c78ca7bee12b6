"""Where drawings go: files and folders are distinguished and checked before anything is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from converters.base.errors import InputError
from lenet_edge.picture.files import Picture
from lenet_edge.reading.drawing_files import DrawingFiles

PICTURE = Picture("scans/a.jpg", None, np.zeros((8, 8), np.uint8))


@pytest.mark.parametrize("name", ["drawn/", "drawn", "there", "there.jpg", "there.jpg/", "new.png/"])
def test_a_folder_is_one_that_is_there_or_a_name_without_a_suffix(tmp_path, name):
    for there in ("there", "there.jpg"):
        (tmp_path / there).mkdir()
    files = DrawingFiles(f"{tmp_path}/{name}")
    assert files.is_folder
    files.check_room(9)
    for _ in range(2):
        files.write(PICTURE, b"drawing")
    assert sorted(path.name for path in (tmp_path / name).iterdir()) == ["a-2.png", "a.png"]


@pytest.mark.parametrize("name", ["a.png", "A.PNG", "there.png"])
def test_a_name_that_ends_in_png_is_one_file(tmp_path, name):
    (tmp_path / "there.png").write_bytes(b"of yesterday")
    files = DrawingFiles(f"{tmp_path}/{name}")
    assert (tmp_path / "there.png").read_bytes() == b"of yesterday"
    files.check_room(1)
    with pytest.raises(
        InputError, match="expected --png DIR for more than one picture, got the file .*" + name
    ):
        files.check_room(2)
    files.write(PICTURE, b"drawing")
    assert (tmp_path / name).read_bytes() == b"drawing"
    with pytest.raises(InputError, match="expected --png DIR for more than one picture"):
        files.write(PICTURE, b"second")
    assert (tmp_path / name).read_bytes() == b"drawing"


@pytest.mark.parametrize("name", ["out.jpg", "out.tar.gz", "out.", "none/out.jpg"])
def test_another_suffix_is_refused_and_nothing_made(tmp_path, name):
    if name == "out.":  # has no suffix to Python, and is a folder
        assert DrawingFiles(f"{tmp_path}/{name}").is_folder
    else:
        with pytest.raises(
            InputError, match=r"expected --png FILE.png or a folder, which ends in /, got .*out"
        ):
            DrawingFiles(f"{tmp_path}/{name}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["none/a.png", "none/drawn", "none/drawn/", "file/a.png", "file/drawn", "file/"]
)
def test_an_unwritable_path_is_an_error_at_once_and_creates_nothing(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="none|file"):
        DrawingFiles(f"{tmp_path}/{name}")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
