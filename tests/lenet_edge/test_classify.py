"""`lenet-edge classify`: what it writes, where, and how it ends."""

from __future__ import annotations

import contextlib
import csv
import fcntl
import importlib
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest

from converters.base.errors import exit_status
from lenet_edge import classify
from lenet_edge.packaged.files import released_folder
from lenet_edge.picture.files import picture_files
from lenet_edge.reading.decoding import FEW
from lenet_edge.reading.digit_output import COLUMNS

DATA = Path(__file__).resolve().parent.parent / "data"
COMMAND = [sys.executable, "-m", "lenet_edge.classify"]
FIVE = DATA / "5-small.png"


@pytest.fixture
def run(capsys):
    """Run the command in this process; return its status, output and errors."""

    def run(*arguments):
        status = exit_status(classify.main, [*map(str, arguments)], name=classify.NAME)
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def started():
    """Start the command in its own process, which is killed after a minute or with the test."""
    running: list[subprocess.Popen] = []
    timers: list[threading.Timer] = []

    def start(*arguments, **options):
        process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=options.pop("stderr", subprocess.PIPE),
            text=True,
            start_new_session=True,
            # A test run in the background may have been started to ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            **options,
        )
        running.append(process)
        timers.append(threading.Timer(60, _end, [process]))
        timers[-1].start()
        return process

    yield start
    for timer in timers:
        timer.cancel()
    for process in running:
        _end(process)
        process.wait()


def _end(process):
    """Kill a process and its children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def many(tmp_path):
    """More pictures than one process reads; beside the folder is a pipe without data, 99.png."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(FEW + 4):
        (folder / f"{number:02d}.png").symlink_to(FIVE)
    os.mkfifo(tmp_path / "99.png")
    return folder


def test_text_is_a_line_for_each_picture(run):
    status, out, err = run(FIVE, DATA / "blank-ruled.jpg")
    assert (status, err) == (0, "")
    five, blank = out.splitlines()
    assert five.startswith(f"{FIVE}: 5  9")
    assert blank == f"{DATA / 'blank-ruled.jpg'}: blank (nothing is written on it)"


def test_several_figures_come_with_the_command_that_reads_them(run):
    status, out, _ = run(DATA / "crowded-42.png", DATA / "blank-ruled.jpg")
    crowded, blank = out.splitlines()
    assert status == 0
    assert crowded.endswith(": crowded (2 separate figures; `lenet-edge read` reads several digits)")
    assert "lenet-edge read" not in blank


@pytest.mark.parametrize("command", ["classify", "read", "benchmark"])
def test_help_offers_no_delegate_that_cannot_be_had(capsys, command):
    with pytest.raises(SystemExit, match="0"):
        importlib.import_module(f"lenet_edge.{command}").main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "auto, none, xnnpack, gpu, or a delegate's" in text
    assert "NNAPI exists in Android's apps only: docs/delegates.md" in text
    assert "nnapi" not in text


def test_csv_and_json_agree(run):
    rows = list(csv.DictReader(run(DATA, "--csv")[1].splitlines()))
    facts = [json.loads(line) for line in run(DATA, "--json")[1].splitlines()]
    assert len(rows) == len(facts) == len(picture_files(DATA))
    for row, fact in zip(rows, facts, strict=True):
        assert tuple(row) == COLUMNS
        assert row["file"] == fact["file"]
        assert row["index"] == ""
        assert row["digit"] == ("" if fact["digit"] is None else str(fact["digit"]))
        assert row["probability"] == ("" if fact["digit"] is None else str(fact["probability"]))
        assert row["finding"] == fact.get("finding", "digit")
        assert row["reason"] == fact.get("reason", "")
        assert row["sure"] == str(fact["sure"]).lower()


@pytest.mark.parametrize("source", ["files", "watch"])
def test_a_digit_below_the_threshold_is_unsure(run, tmp_path, source):
    (tmp_path / "5.png").write_bytes(FIVE.read_bytes())
    from_there = (
        [tmp_path] if source == "files" else ["--watch", tmp_path, "--existing", "--count", "1", "--quiet"]
    )
    (fact,) = map(json.loads, run(*from_there, "--json")[1].splitlines())
    reached, missed = fact["probability"] - 1e-6, min(fact["probability"] + 1e-6, 1)
    for threshold, sure in ((reached, True), (missed, fact["probability"] == 1)):
        (fact,) = map(
            json.loads, run(*from_there, "--json", "--threshold", f"{threshold:.7f}")[1].splitlines()
        )
        assert fact["sure"] is sure


def test_the_packaged_threshold_is_that_of_the_file_that_reads(run, monkeypatch):
    asked = []
    monkeypatch.setattr(classify, "answer_files", lambda *_, answer, **__: pytest.fail("not read here"))
    real = classify.digit_threshold
    monkeypatch.setattr(classify, "digit_threshold", lambda sha256: asked.append(real(sha256)) or sys.exit())
    released = json.loads((released_folder() / "thresholds.json").read_text())["files"]
    for precision in ("float32", "int8_qat"):
        with pytest.raises(SystemExit):
            run(FIVE, "--precision", precision)
        assert asked.pop() == released[f"lenet5_{precision}.tflite"]["unsure_below"]
    with pytest.raises(SystemExit):
        run(FIVE, "--model", "stock_lenet5")
    assert asked == [0.0]


def test_the_answers_are_the_same_with_processes_and_without(run, many):
    (many / "03.png").unlink()
    (many / "03.png").write_bytes(b"no picture")
    alone, shared = (run(many, "--json", "--jobs", jobs) for jobs in (1, 2))
    assert alone == shared
    status, out, err = shared
    assert (status, len(out.splitlines())) == (1, FEW + 3)
    assert err.startswith(f"lenet-edge classify: {many / '03.png'}: expected a picture")
    assert len(err.splitlines()) == 1


def test_when_no_file_can_be_read_the_status_is_2(run, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    status, out, err = run(tmp_path, tmp_path / "none")
    assert (status, out, len(err.splitlines())) == (2, "", 2)


def test_answers_come_before_later_files_can_be_read(started, many):
    process = started(many, many.parent / "99.png", "--jobs", "2")
    first = [process.stdout.readline() for _ in range(FEW + 4)]
    assert all(": 5  " in line for line in first)
    (many.parent / "99.png").write_bytes(FIVE.read_bytes())
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert out.startswith(f"{many.parent / '99.png'}: 5  ")


def test_ctrl_c_leaves_what_was_read_and_one_line(started, many):
    process = started(many, many.parent / "99.png", "--jobs", "2")
    first = [process.stdout.readline() for _ in range(FEW + 4)]
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process
    out, err = process.communicate()
    assert (process.returncode, out, err) == (130, "", "lenet-edge classify: interrupted\n")
    assert all(first)


def test_sigterm_ends_it_without_a_word(started, many):
    process = started(many, many.parent / "99.png", "--jobs", "2")
    first = [process.stdout.readline() for _ in range(FEW + 4)]
    process.terminate()
    out, err = process.communicate()
    assert (process.returncode, out, err) == (128 + signal.SIGTERM, "", "")
    assert all(first)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_the_work_is_done_with_closed_standard_streams(tmp_path, closed):
    out = tmp_path / "out.json"
    line = f'exec "$@" {closed}'
    command = [
        "sh",
        "-c",
        line,
        "sh",
        *COMMAND,
        str(FIVE),
        str(tmp_path / "none.png"),
        "--json",
        "--out",
        str(out),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert json.loads(out.read_text())["digit"] == 5
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == (0 if "2>&-" in closed else 1)
    shown = subprocess.run(["sh", "-c", line, "sh", *COMMAND, str(FIVE), "-"], capture_output=True, text=True)
    assert shown.returncode == 1
    assert "Traceback" not in shown.stderr


def test_no_process_outlives_a_command_that_is_killed(started, many):
    process = started(many, many.parent / "99.png", "--jobs", "2")
    assert [process.stdout.readline() for _ in range(FEW + 4)]
    process.kill()
    out, _ = process.communicate()  # which waits until the last process has let go of standard output
    assert out == ""


def test_a_closed_pipe_ends_it_quietly(started, many):
    reader, writer = os.pipe()
    os.close(reader)
    process = started(many, many.parent / "99.png", "--jobs", "2", stdout=writer)
    os.close(writer)
    assert process.stderr.read() == ""
    assert process.wait() == 128 + signal.SIGPIPE


def test_a_full_disk_is_one_line(run, started):
    status, out, err = run(FIVE, "--out", "/dev/full")
    line = "expected room on the device, got a full one\n"
    assert (status, out, err) == (2, "", f"lenet-edge classify: /dev/full: {line}")
    with open("/dev/full", "w") as full:
        process = started(FIVE, stdout=full)
    assert process.communicate()[1] == f"lenet-edge classify: standard output: {line}"
    assert process.returncode == 2


def test_an_output_file_is_overwritten(run, tmp_path):
    out = tmp_path / "results.csv"
    for _ in range(2):
        assert run(FIVE, "--csv", "--out", out) == (0, "", "")
    (row,) = csv.DictReader(out.read_text().splitlines())
    assert (row["file"], row["digit"]) == (str(FIVE), "5")


def test_an_output_file_that_cannot_be_written_is_an_error(run, tmp_path):
    status, _, err = run(FIVE, "--out", tmp_path / "none" / "results.csv")
    assert (status, err.count("\n")) == (2, 1)
    assert "expected a file or folder, got nothing there" in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_watch_ends_with_0_on_a_signal_and_appends_its_results(started, tmp_path, number):
    inbox, out = tmp_path / "inbox", tmp_path / "results.csv"
    inbox.mkdir()
    for name in ("a.png", "b.png"):
        process = started("--watch", inbox, "--csv", "--out", out)
        assert process.stderr.readline() == f"lenet-edge classify: watching {inbox}\n"
        (inbox / "broken.png").write_bytes(b"no picture")
        assert "broken.png: expected a picture" in process.stderr.readline()
        (inbox / "broken.png").unlink()
        (inbox / name).write_bytes(FIVE.read_bytes())
        while f"{name},," not in out.read_text():
            assert process.poll() is None
        process.send_signal(number)
        assert process.communicate() == ("", "")
        assert process.returncode == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [(Path(row["file"]).name, row["digit"]) for row in rows] == [("a.png", "5"), ("b.png", "5")]


def test_a_watch_stops_after_count_pictures(run, tmp_path):
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / name).write_bytes(FIVE.read_bytes())
    status, out, err = run("--watch", tmp_path, "--existing", "--count", "2", "--quiet")
    assert (status, len(out.splitlines()), err) == (0, 2, "")


@pytest.mark.parametrize("name", ["answer_prepared", "_log"])
def test_a_signal_stops_a_watch_after_the_current_picture(run, tmp_path, monkeypatch, name):
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(FIVE.read_bytes() if name == "answer_prepared" else b"none")
    real = getattr(classify, name)

    def stopping(*arguments, **options):
        os.kill(os.getpid(), signal.SIGTERM)
        return real(*arguments, **options)

    monkeypatch.setattr(classify, name, stopping)
    status, out, err = run("--watch", tmp_path, "--existing", "--quiet")
    assert (status, len((out + err).splitlines())) == (0, 1)


def test_the_bar_does_not_garble_answers(started, many):
    (many / "03.png").unlink()
    (many / "03.png").write_bytes(b"no picture")
    terminal, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("4H", 24, 200, 0, 0))  # rows, columns
    process = started(many, "--jobs", "2", stdout=inner, stderr=inner)
    os.close(inner)
    shown = b""
    while part := _read(terminal):
        shown += part
    os.close(terminal)
    assert process.wait() == 1
    assert b"file/s" in shown or b"s/file" in shown
    lines = [line.rsplit("\r", 1)[-1] for line in shown.decode().split("\r\n")]
    answers = [line for line in lines if "expected" in line or ": 5  " in line]
    assert [line.split(": ")[0] for line in answers if ": 5  " in line] == [
        str(many / f"{number:02d}.png") for number in range(FEW + 4) if number != 3
    ]
    assert answers[3].startswith(f"lenet-edge classify: {many / '03.png'}: expected a picture")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # a terminal ends like this when all writers have closed it
        return b""


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "expected one of IMAGE..., --watch DIR and --camera, got none"),
        (
            ["a.png", "--watch", "."],
            "expected one of IMAGE..., --watch DIR and --camera, got IMAGE and --watch",
        ),
        (["a.png", "--count", "3"], "expected --count with --watch or --camera, got IMAGE..."),
        (["--camera", "--count", "0"], "expected --count of 1 or more, got 0"),
        (["a.png", "--existing"], "expected --existing with --watch, got none"),
        (["a.png", "--jobs", "0"], "expected --jobs of 1 or more, got 0"),
        (["--camera", "--every", "-1"], "expected --every of 0 seconds or more, got -1.0"),
        (["--camera", "--every", "nan"], "expected --every of 0 seconds or more, got nan"),
        (["a.png", "--threshold", "1.5"], "expected --threshold of 0 to 1, got 1.5"),
        (["a.png", "--threshold", "nan"], "expected --threshold of 0 to 1, got nan"),
        (["a.png", "--threads", "0"], "expected 1 to 1024 threads, got 0"),
        (["a.png", "--delegate-option", "x"], "expected --delegate-option KEY=VALUE, got x"),
        (
            ["a.png", "--model", "mine.tflite", "--precision", "int8"],
            "expected --precision with a model of lenet5, stock_lenet5 only, got mine.tflite",
        ),
        (["--watch", "/none"], "expected a folder to watch, got /none, which is not one"),
    ],
)
def test_bad_options_are_one_line_errors(run, arguments, line):
    assert run(*arguments) == (2, "", f"lenet-edge classify: {line}\n")


def test_a_delegate_that_does_not_run_is_reported_once_and_not_used(run):
    status, out, err = run(FIVE, FIVE, "--delegate", "nnapi")
    assert (status, len(out.splitlines())) == (0, 2)
    assert err.startswith("lenet-edge classify: nnapi does not run: NNAPI is Android's")
    assert len(err.splitlines()) == 1


def test_a_required_delegate_that_does_not_run_is_an_error(run):
    status, out, err = run(FIVE, "--delegate", "nnapi", "--require-delegate")
    assert (status, out) == (2, "")
    assert err.startswith("lenet-edge classify: expected the delegate nnapi to run, got NNAPI is Android's")


def test_verbose_reports_what_runs_the_model(run):
    status, _, err = run(FIVE, "--verbose", "--threads", "2", "--delegate", "none")
    assert (status, len(err.splitlines())) == (0, 1)
    assert err.endswith(", no delegate\n")


def test_options_of_a_delegate_reach_it_by_name(run, monkeypatch):
    asked = {}

    def recorded(**options):
        asked.update(options)
        raise SystemExit

    monkeypatch.setattr(classify, "Classifier", recorded)
    with pytest.raises(SystemExit):
        run(FIVE, "--delegate", "/lib/d.so", "--delegate-option", "a=b=c", "--delegate-option", "d=")
    assert (asked["delegate"], asked["delegate_options"]) == ("/lib/d.so", {"a": "b=c", "d": ""})


@pytest.mark.parametrize(
    ("arguments", "model"),
    [
        ([], "lenet5_int8_qat.tflite"),
        (["--model", "stock_lenet5"], "stock_lenet5_int8.tflite"),
        (["--model", "stock_lenet5", "--precision", "float16"], "stock_lenet5_float16.tflite"),
        (["--model", "mine.tflite"], "mine.tflite"),
    ],
)
def test_the_model_is_named_or_a_file(run, monkeypatch, arguments, model):
    asked = {}
    real = classify.Classifier

    def recorded(**options):
        asked.update(options)
        return real()

    monkeypatch.setattr(classify, "Classifier", recorded)
    assert run(FIVE, *arguments)[0] == 0
    assert asked["model"] == model


def test_a_digit_is_drawn_beneath_its_line(run):
    _, out, _ = run(FIVE, "--show")
    assert len(out.splitlines()) == 1 + 16


def test_options_may_stand_between_pictures(run):
    status, out, _ = run(FIVE, "--jobs", "1", FIVE)
    assert (status, len(out.splitlines())) == (0, 2)
