"""Bad input ends in one line and a status; files are whole or not there."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading

import pytest

from converters.base.errors import InputError, TemporaryFailure, exit_status, expect
from converters.base.files import check_folder, check_writable, make_folder, write_atomically, write_json


def raising(error):
    def main(argv):
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (InputError("expected a, got b"), 2, "name: expected a, got b"),
        (TemporaryFailure("expected a, got b: again"), 75, "name: expected a, got b: again"),
        (KeyboardInterrupt(), 130, "name: interrupted"),
        (KeyboardInterrupt("go on with --resume"), 130, "name: interrupted: go on with --resume"),
        (OSError(errno.ENOSPC, "x", "out"), 2, "name: out: expected room on the device, got a full one"),
        (PermissionError(errno.EACCES, "x", "out"), 2, "name: out: expected permission to open it, got none"),
        (
            FileNotFoundError(errno.ENOENT, "x", "f"),
            2,
            "name: f: expected a file or folder, got nothing there",
        ),
    ],
)
def test_failures_become_a_line_and_a_status(capsys, error, status, line):
    assert exit_status(raising(error), [], name="name") == status
    assert capsys.readouterr().err == line + "\n"


def test_faults_of_ours_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        exit_status(raising(ZeroDivisionError()), [], name="name")


def test_a_closed_pipe_is_no_fault():
    code = (
        "from converters.base.errors import exit_status; import sys\n"
        "def main(argv):\n    [print('x' * 1000) for _ in range(1000)]\n    return 0\n"
        "sys.exit(exit_status(main, [], name='n'))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141


def test_expect_says_both_sides():
    expect(True, "a", "b")
    with pytest.raises(InputError, match="^expected 1, got 2$"):
        expect(False, "1", 2)


def test_files_are_written_whole_with_ordinary_rights(tmp_path):
    path = write_atomically(tmp_path / "new" / "file", b"content")
    assert path.read_bytes() == b"content"
    assert os.listdir(path.parent) == ["file"]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = write_atomically(tmp_path / "file", "old")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_json_ends_with_a_newline(tmp_path):
    assert write_json(tmp_path / "a.json", {"ü": 1}).read_text() == '{\n  "ü": 1\n}\n'


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    target, link = tmp_path / "folder" / "target", tmp_path / "link"
    target.parent.mkdir()
    target.write_text("old")
    link.symlink_to(target)
    write_atomically(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "made")
    write_atomically(dangling, "new")
    assert dangling.is_symlink()
    assert (tmp_path / "made").read_text() == "new"


def test_a_pipe_is_written_to_and_stays_one(tmp_path):
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_atomically(pipe, b"content")
    reader.join(10)
    assert read == [b"content"]
    assert pipe.is_fifo()


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "said.txt"])
@pytest.mark.parametrize("into_a_file", [False, True])
def test_standard_output_by_any_name_keeps_what_was_written_before_and_after(tmp_path, path, into_a_file):
    code = (
        "from converters.base.files import write_atomically; print('before')\n"
        f"write_atomically({path!r}, 'content\\n'); print('after')"
    )
    if not into_a_file:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=tmp_path, text=True)
        assert done.stderr == ""
        own = (tmp_path / path).read_text() if path == "said.txt" else ""
        assert done.stdout == ("before\nafter\n" if own else "before\ncontent\nafter\n")
        return
    said = tmp_path / "said.txt"
    with said.open("w") as stream:
        subprocess.run([sys.executable, "-c", code], stdout=stream, cwd=tmp_path, check=True)
    assert said.read_text() == "before\ncontent\nafter\n"
    assert os.listdir(tmp_path) == ["said.txt"]


@pytest.mark.parametrize("write", [lambda path: write_atomically(path, "x"), check_writable])
def test_what_cannot_be_written_is_named_and_not_its_temporary_file(tmp_path, write):
    for path in (tmp_path, tmp_path / "file" / "below", "/proc/nothing"):
        (tmp_path / "file").write_text("")
        with pytest.raises(OSError, match=r".") as caught:
            write(path)
        assert str(caught.value.filename) in (str(path), os.path.dirname(path))


def test_whether_a_file_can_be_written_is_asked_without_a_trace(tmp_path):
    check_writable(tmp_path / "new.json")
    check_writable(os.devnull)
    with pytest.raises(FileNotFoundError) as caught:
        check_writable(tmp_path / "mistyped" / "new.json")
    assert caught.value.filename == str(tmp_path / "mistyped")
    assert os.listdir(tmp_path) == []


def test_a_folder_to_write_to_is_made_with_its_parents_and_left_empty(tmp_path):
    assert make_folder(tmp_path / "new" / "out") == tmp_path / "new" / "out"
    assert make_folder(tmp_path / "new") == tmp_path / "new"
    assert os.listdir(tmp_path / "new" / "out") == []


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below", "/proc/out", "/proc"):
        with pytest.raises(OSError, match=r".") as caught:
            make_folder(path)
        assert caught.value.filename == str(path)


def test_whether_a_folder_can_be_written_into_is_asked_without_a_trace(tmp_path):
    (tmp_path / "file").touch()
    check_folder(tmp_path)
    check_folder(tmp_path / "new")
    for path, named in (("file", "file"), ("file/new", "file/new"), ("mistyped/new", "mistyped")):
        with pytest.raises(OSError, match=r".") as caught:
            check_folder(tmp_path / path)
        assert caught.value.filename == str(tmp_path / named)
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_in_which_nothing_can_be_written_is_named(tmp_path, monkeypatch):
    """Root may write anywhere, so the system's answer is put on."""

    def refused(**options):
        raise PermissionError(errno.EACCES, "x", f"{options['dir']}/tmp123")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refused)
    with pytest.raises(PermissionError, match=f"'{tmp_path}'$"):
        make_folder(tmp_path)
