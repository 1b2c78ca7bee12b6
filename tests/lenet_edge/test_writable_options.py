"""Every option that names what to write: what cannot be is one line that names it, before any work."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from converters.base.errors import exit_status

FIVE = str(Path(__file__).resolve().parents[1] / "data" / "5-small.png")
FILES = {
    "classify --out": ["classify", FIVE, "--out"],
    "classify --watch --out": ["classify", "--watch", ".", "--out"],
    "read --out": ["read", FIVE, "--out"],
    "read --png": ["read", FIVE, "--png"],
    "benchmark --json": ["benchmark", "--json"],
    "benchmark --png": ["benchmark", "--png"],
    "photographs --out": ["photographs", "--out"],
}
FOLDERS = {
    "read --png": ["read", FIVE, "--png"],
    "photographs --samples": ["photographs", "--samples"],
}
WORK = {
    "classify": ("Classifier",),
    "read": ("StringReader",),
    "benchmark": ("contents_by_name", "measure_runtime"),
    "photographs": ("Classifier", "held_out_digits"),
}


@pytest.fixture
def told(monkeypatch, capsys, tmp_path):
    """Return a function that runs a command, which must not begin to work, and what it said."""
    (tmp_path / "file").write_text("of yesterday\n")
    (tmp_path / "folder").mkdir()

    def run(command, path):
        name, *arguments = command
        module = importlib.import_module(f"lenet_edge.{name}")
        for work in WORK[name]:
            monkeypatch.setattr(module, work, None)
        assert exit_status(module.main, [*arguments, str(path)], name=module.NAME) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert err.startswith(f"{module.NAME}: ")
        assert {one.name for one in tmp_path.iterdir()} == {"file", "folder"}
        assert list((tmp_path / "folder").iterdir()) == []
        return err

    return run


@pytest.mark.parametrize("option", FILES)
def test_a_file_in_no_folder_is_told(told, tmp_path, option):
    assert told(FILES[option], tmp_path / "none" / "x.png") == (
        f"lenet-edge {option.split()[0]}: {tmp_path}/none: expected a file or folder, got nothing there\n"
    )


@pytest.mark.parametrize("option", FILES)
def test_a_file_in_what_is_no_folder_is_told(told, tmp_path, option):
    path = tmp_path / "file" / "x.png"
    assert told(FILES[option], path).endswith(f"{path}: expected a folder, got a file\n")


@pytest.mark.parametrize("option", [name for name in FILES if "png" not in name])
def test_a_folder_where_a_file_is_asked_for_is_told(told, tmp_path, option):
    path = tmp_path / "folder"
    assert told(FILES[option], path).endswith(f"{path}: expected a file, got a folder\n")


@pytest.mark.parametrize("option", FOLDERS)
def test_a_folder_in_no_folder_is_told(told, tmp_path, option):
    assert told(FOLDERS[option], tmp_path / "none" / "x").endswith(
        f"{tmp_path}/none: expected a file or folder, got nothing there\n"
    )


@pytest.mark.parametrize("option", FOLDERS)
def test_a_folder_in_what_is_no_folder_is_told(told, tmp_path, option):
    path = tmp_path / "file" / "x"
    assert told(FOLDERS[option], path).endswith(f"{path}: expected a folder, got a file\n")


@pytest.mark.parametrize("option", ["read --png", "benchmark --png"])
def test_a_drawing_that_is_no_png_is_told(told, tmp_path, option):
    assert "expected --png FILE.png" in told(FILES[option], tmp_path / "x.jpg")


def test_one_drawing_of_several_pictures_is_told(told, tmp_path):
    command = ["read", FIVE, FIVE, "--png"]
    assert "expected --png DIR for more than one picture" in told(command, tmp_path / "x.png")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--seed", "-1"], "expected --seed of 0 or more, got -1"),
        (["--jobs", "0"], "expected --jobs of 1 or more, got 0"),
        (["--count", "-1"], "expected --count of 0 to 5000, got -1"),
        (["--count", "5001"], "expected --count of 0 to 5000, got 5001"),
    ],
)
def test_what_photographs_cannot_do_is_one_line(told, tmp_path, arguments, line):
    assert (
        told(["photographs", *arguments, "--out"], tmp_path / "x.json") == f"lenet-edge photographs: {line}\n"
    )
