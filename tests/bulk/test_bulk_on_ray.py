"""`lenet-edge bulk` on Ray: every picture answered once, as by `classify`, also where a process is killed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pandas
import pyarrow as pa
import pytest
from bulk_answers import DATA, DIGITS, actors, bulk, bulk_command, classified, many, rows
from pyarrow import parquet


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A folder of pictures, one of them broken, with a tar, a cut tar and a Parquet shard."""
    root = tmp_path_factory.mktemp("archive")
    (root / "deep" / "er").mkdir(parents=True)
    for path in DIGITS:
        (root / "deep" / "er" / path.name).write_bytes(path.read_bytes())
    (root / "deep" / "broken.png").write_bytes(b"no picture")
    (root / "notes.txt").write_text("not read")
    with tarfile.open(root / "shard.tar", "w") as shard:
        for path in DIGITS[:3]:
            shard.add(path, f"in/{path.name}")
    content = (root / "shard.tar").read_bytes()
    (root / "cut.tar").write_bytes(content[: len(content) * 2 // 3])
    files = {"path": [path.name for path in DIGITS[:2]], "bytes": [path.read_bytes() for path in DIGITS[:2]]}
    parquet.write_table(pa.table(files), root / "shard.parquet")
    return root


@pytest.fixture(scope="module")
def answered(archive, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "answers"
    return bulk(archive, out, "--part", 4), out


def test_every_picture_is_answered_once_as_by_classify(archive, answered):
    done, out = answered
    assert done.returncode == 1, done.stderr
    found = rows(out)
    for name, line in classified().items():
        row = found[f"{archive}/deep/er/{name}"]
        assert (row["digits"], row["sure"]) == (str(line["digit"]), line["sure"])
        assert row["probability"] == pytest.approx(line["probability"], abs=1e-4)  # printed with four places
    for path in DIGITS[:3]:
        assert found[f"{archive}/shard.tar/in/{path.name}"]["digits"] == path.name[0]
    for path in DIGITS[:2]:
        assert found[f"{archive}/shard.parquet/{path.name}"]["digits"] == path.name[0]
    assert not [path for path in found if path.endswith(".txt")]


def test_what_cannot_be_read_is_a_row_with_its_reason(archive, answered):
    done, out = answered
    found = rows(out)
    reasons = {path: row["reason"] for path, row in found.items() if row["finding"] == "unreadable"}
    assert set(reasons) == {f"{archive}/deep/broken.png", f"{archive}/cut.tar"}
    assert all(reasons.values())
    assert f"{len(found)} pictures read, 2 of them unreadable" in done.stderr


def test_what_has_its_answers_is_not_read_again(archive, answered):
    _, out = answered
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    (archive / "late.png").write_bytes(DIGITS[0].read_bytes())
    done = bulk(archive, out, "--part", 4)
    (archive / "late.png").unlink()
    assert done.returncode == 0, done.stderr
    assert "1 picture read, 0 of them unreadable" in done.stderr
    after = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert after.items() > before.items()
    assert rows(out)[f"{archive}/late.png"]["digits"] == DIGITS[0].name[0]


def test_a_process_that_is_killed_loses_and_doubles_nothing(tmp_path):
    source, out = many(tmp_path / "many", 120), tmp_path / "answers"
    words = bulk_command(source, out, "--part", "10", "--quiet")
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as running:
        while not list(out.glob("*.parquet")) and running.poll() is None:
            time.sleep(0.05)
        os.kill(actors(running.pid)[0].pid, signal.SIGKILL)
        _, said = running.communicate(timeout=300)
    assert running.returncode == 0, said
    assert {Path(path).name[4] for path in rows(out)} == {row["digits"] for row in rows(out).values()}
    assert len(rows(out)) == 120


def test_a_worker_that_fails_is_one_line(archive, tmp_path):
    """OUT is taken away as soon as it is there: nothing can be written."""
    out = tmp_path / "answers"
    words = [
        sys.executable,
        "-m",
        "lenet_edge.bulk",
        archive,
        out,
        "--part",
        "1",
        "--workers",
        "1",
        "--quiet",
    ]
    with subprocess.Popen([*map(str, words)], stderr=subprocess.PIPE, text=True) as running:
        while not list(out.glob("*.parquet")) and running.poll() is None:
            time.sleep(0.02)
        shutil.rmtree(out, ignore_errors=True)
        out.write_text("a file now")
        _, said = running.communicate(timeout=300)
    assert running.returncode == 2
    assert re.search("^lenet-edge bulk: expected workers to finish, got: .+$", said, re.MULTILINE), said
    assert "Traceback" not in said


def test_the_function_for_spark_answers_data_frames():
    """As Spark calls it; all of docs/many-machines.md but the line that needs a cluster."""
    page = (DATA.parents[1] / "docs" / "many-machines.md").read_text()
    (code,) = [one for one in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "mapInPandas" in one]
    names = {}
    exec(compile(code.rpartition("\n\n\n")[0], "many-machines.md", "exec"), names)
    lines = sorted(DATA.glob("amount-*"))
    frame = pandas.DataFrame({"path": map(str, lines), "content": [path.read_bytes() for path in lines]})
    (answers,) = names["read"]([frame])
    assert list(answers["digits"]) == [path.stem.split("-")[1] for path in lines]
    assert [column.split()[0] for column in names["columns"].split(", ")] == list(answers.columns)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none", "out"], "expected a folder, a .tar or a .parquet, got nothing at .*/none"),
        (["empty", "out"], "expected pictures, .tar or .parquet files, got none in .*/empty"),
        (
            ["file://none/there", "out"],
            "expected what pyarrow opens, got file://none/there: .*",
        ),
        (["data", "out", "--model", "none.tflite"], ".*none.tflite.*"),
        (["data", "full"], "expected an empty folder, or one that this command made, at .*/full, got .*"),
        (["data", "data/out"], "expected an OUT outside of SOURCE, got .*/data/out"),
        (
            ["data", "other"],
            "expected a new folder, or the options of the answers in .*/other, .*True.*",
        ),
    ],
)
def test_bad_input_is_one_line(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("empty", "full", "data", "other"):
        (tmp_path / folder).mkdir()
    (tmp_path / "full" / "a.txt").write_text("mine")
    (tmp_path / "data" / "a.png").write_bytes(DIGITS[0].read_bytes())
    (tmp_path / "other" / "_lenet-edge-bulk.json").write_text('{"line": true}')
    done = bulk(*words)
    assert done.returncode == 2
    assert re.fullmatch(f"lenet-edge bulk: {message}\n", done.stderr), done.stderr
