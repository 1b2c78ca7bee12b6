"""Output files are complete or unchanged; streams and devices are written at once."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from lenet_edge import classify, read
from lenet_edge.reading.output import open_output

FIVE = Path(__file__).resolve().parents[2] / "data" / "5-small.png"
COMMANDS = {"classify": classify.main, "read": read.main}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def ended_by(error, out, **options):
    with open_output(str(out), **options) as output:
        output.write_answer("half")
        raise error


@pytest.mark.parametrize("form", [[], ["--json"]])
@pytest.mark.parametrize("command", COMMANDS)
def test_what_was_there_stays_when_nothing_could_be_read(tmp_path, command, form):
    out = tmp_path / "results"
    out.write_text("of yesterday\n")
    assert COMMANDS[command]([str(tmp_path / "none.png"), *form, "--out", str(out)]) == 2
    assert out.read_text() == "of yesterday\n"
    assert names(tmp_path) == ["results"]


def test_a_heading_alone_is_no_result(tmp_path):
    out = tmp_path / "results.csv"
    assert classify.main([str(tmp_path / "none.png"), "--csv", "--out", str(out)]) == 2
    assert names(tmp_path) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, SystemExit])
@pytest.mark.parametrize("there", [True, False])
def test_a_file_is_complete_or_unchanged(tmp_path, error, there):
    out = tmp_path / "results"
    if there:
        out.write_text("of yesterday\n")
    with pytest.raises(error):
        ended_by(error, out)
    assert names(tmp_path) == ["results"] * there
    assert not there or out.read_text() == "of yesterday\n"
    with open_output(str(out)) as output:
        output.write_answer("whole")
        assert not there or out.read_text() == "of yesterday\n"
    assert out.read_text() == "whole\n"
    assert names(tmp_path) == ["results"]


def test_a_file_that_some_files_failed_for_has_the_others(tmp_path):
    out = tmp_path / "results"
    assert classify.main([str(tmp_path / "none.png"), str(FIVE), "--out", str(out)]) == 1
    assert out.read_text().startswith(f"{FIVE}: 5  ")


def test_a_link_stays_and_what_it_points_to_is_written(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "results").write_text("of yesterday\n")
    (tmp_path / "link").symlink_to(tmp_path / "real" / "results")
    assert classify.main([str(FIVE), "--out", str(tmp_path / "link")]) == 0
    assert (tmp_path / "link").is_symlink()
    assert ": 5  " in (tmp_path / "real" / "results").read_text()


def test_a_pipe_stays_and_gets_each_answer(tmp_path):
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    assert classify.main([str(FIVE), "--out", str(pipe)]) == 0
    reader.join()
    assert got[0].startswith(f"{FIVE}: 5  ")
    assert pipe.is_fifo()


def test_what_is_appended_is_there_at_once(tmp_path):
    out = tmp_path / "results"
    out.write_text("of yesterday\n")
    with open_output(str(out), append=True) as output:
        output.write_answer("of today")
        assert out.read_text() == "of yesterday\nof today\n"
    with pytest.raises(KeyboardInterrupt):
        ended_by(KeyboardInterrupt, out, append=True)
    assert out.read_text() == "of yesterday\nof today\nhalf\n"


@pytest.mark.parametrize("append", [False, True])
def test_a_file_that_cannot_be_opened_is_an_error_before_any_answer(tmp_path, append):
    with pytest.raises(FileNotFoundError), open_output(str(tmp_path / "none" / "x"), append=append):
        pytest.fail("it was opened")
    assert names(tmp_path) == []


def test_a_name_that_is_no_text_is_written_all_the_same(tmp_path):
    with open_output(str(tmp_path / "results")) as output:
        output.write_answer("\udcff ü")
    assert (tmp_path / "results").read_bytes() == b"\\udcff \xc3\xbc\n"
