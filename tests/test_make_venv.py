"""`make` builds .venv whole or anew: an interrupted one is not trusted, and two makes take turns."""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "make_venv.py"
MAKE = runpy.run_path(str(SCRIPT))


class Fake:
    """Stands in for venv and pip: an environment whose python is this one; may be interrupted at a step."""

    def __init__(self, venv, *, interrupted_at=None):
        self.venv, self.interrupted_at, self.commands = venv, interrupted_at, []

    def __call__(self, command):
        self.commands.append(command[2])
        if len(self.commands) == self.interrupted_at:
            raise KeyboardInterrupt
        if command[2] == "venv":
            (self.venv / "bin").mkdir(parents=True)
            (self.venv / "bin" / "python").symlink_to(sys.executable)


class Slow(Fake):
    """Begins its first step, and does nothing until it may `go` on."""

    def __init__(self, venv):
        super().__init__(venv)
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, command):
        self.begun.set()
        assert self.go.wait(30)
        super().__call__(command)


def test_an_interrupted_environment_is_made_anew_and_a_whole_one_is_kept(tmp_path):
    venv = tmp_path / ".venv"
    for step in (1, 2, 3):
        with pytest.raises(KeyboardInterrupt):
            MAKE["make"]("tools", venv, Fake(venv, interrupted_at=step))
        assert not (venv / "tools").exists()
        again = Fake(venv)
        MAKE["make"]("tools", venv, again)
        assert again.commands == ["venv", "pip", "pip"], f"interrupted at step {step}"
        assert (venv / "tools").exists()
        later = Fake(venv)
        MAKE["make"]("tools", venv, later)
        assert later.commands == ["pip", "pip"]
        for stamp in ("made", "tools"):
            (venv / stamp).unlink()


def test_an_environment_that_this_script_has_not_finished_is_not_trusted(tmp_path):
    venv = tmp_path / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").write_text("a broken one")
    fake = Fake(venv)
    MAKE["make"]("tools", venv, fake)
    assert fake.commands == ["venv", "pip", "pip"]


def test_a_new_environment_says_how_large_it_is_and_pip_is_quiet_in_one_that_is_there(tmp_path, capsys):
    venv, quiet = tmp_path / ".venv", []

    class Noted(Fake):
        def __call__(self, command):
            super().__call__(command)
            quiet.append("--quiet" in command)

    for _ in range(2):
        MAKE["make"]("tools", venv, Noted(venv))
    assert quiet == [False, True, False, True, True]  # the first call makes the environment too
    assert (
        capsys.readouterr().out == f"installing TensorFlow and the tools into .venv, once: {MAKE['SIZE']}\n"
    )


def install(venv, package):
    folder = venv / "lib" / "python3.11" / "site-packages" / f"{package}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("")
    return folder / "RECORD"


def test_a_package_is_counted_once_when_it_is_there_as_a_whole(tmp_path):
    venv, report = tmp_path / ".venv", tmp_path / "report.json"
    install(venv, "pip-26.3").write_text("")
    watch = MAKE["Watch"](venv, report)
    assert watch.lines() == []
    record = install(venv, "numpy-1.26.4")
    assert watch.lines() == []
    record.write_text("")
    assert watch.lines() == ["installed 1: numpy 1.26.4"]
    report.write_text('{"install": [{}, {}]}')
    install(venv, "absl_py-2.3").write_text("")
    assert watch.lines() == ["installed 2 of 2: absl_py 2.3"]
    assert watch.lines() == []


@pytest.mark.parametrize(("unless", "said"), [(True, ""), (False, "installed 1: numpy 1.26.4\n")])
def test_what_is_installed_meanwhile_is_said_unless_pip_shows_it(tmp_path, capsys, unless, said):
    with MAKE["lines_of_installed"](tmp_path, tmp_path / "report.json", unless=unless):
        install(tmp_path, "numpy-1.26.4").write_text("")
    assert capsys.readouterr().out == said


def test_two_makes_take_turns_and_the_second_does_nothing_again(tmp_path):
    venv = tmp_path / ".venv"
    first, second = Slow(venv), Fake(venv)
    makes = [threading.Thread(target=MAKE["make"], args=("tools", venv, fake)) for fake in (first, second)]
    makes[0].start()
    assert first.begun.wait(30)
    makes[1].start()
    makes[1].join(0.3)
    assert makes[1].is_alive()  # it waits
    first.go.set()
    for make in makes:
        make.join(30)
    assert (first.commands, second.commands) == (["venv", "pip", "pip"], [])


def test_a_make_that_waits_for_another_says_so(tmp_path, capfd):
    venv = tmp_path / ".venv"
    slow = Slow(venv)
    first = threading.Thread(target=MAKE["make"], args=("tools", venv, slow))
    first.start()
    assert slow.begun.wait(30)
    second = threading.Thread(target=MAKE["make"], args=("tools", venv, Fake(venv)))
    second.start()
    said = ""
    while not said and second.is_alive():
        said = capfd.readouterr().err
    slow.go.set()
    for make in (first, second):
        make.join(30)
    assert said == "another make is at work on .venv: waiting for it\n"


WITH_PYTHON = SCRIPT.with_name("with_python.sh")


def with_python(python, *arguments):
    command = ["sh", str(WITH_PYTHON), str(python), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.9", "3.14", "3.100"])
def test_another_python_is_refused_in_a_line(tmp_path, version):
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho {version}\n")
    python.chmod(0o755)
    done = with_python(python, SCRIPT)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"expected Python 3.10 to 3.13, got {version}: make PYTHON=python3.12\n"


def test_a_python_that_is_not_there_or_does_not_run_is_refused_in_a_line(tmp_path):
    none, broken = tmp_path / "none", tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho an error >&2\nexit 127\n")
    broken.chmod(0o755)
    for python, got in ((none, f"no {none}"), (broken, f"{broken}, which does not run")):
        done = with_python(python, SCRIPT)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"expected Python 3.10 to 3.13, got {got}: make PYTHON=python3.12\n"


def test_this_python_runs_the_script_with_its_arguments(tmp_path):
    script = tmp_path / "two words.py"
    script.write_text("import sys; print(sys.argv[1:])")
    done = with_python(sys.executable, script, "a b", "c")
    assert (done.returncode, done.stdout) == (0, "['a b', 'c']\n")


def test_the_pythons_that_make_takes_are_those_of_the_package():
    text = (SCRIPT.parents[1] / "pyproject.toml").read_text()
    assert 'requires-python = ">=3.10,<3.14"' in text
    assert "3.1[0-3])" in WITH_PYTHON.read_text()


PIP = ["PYTHON", "-m", "pip", "install", "--quiet"]
RETRYING = (
    "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by '{}': /simple/numpy/\n"
    "ERROR: Cannot install numpy>=1 because these package versions have conflicting dependencies.\n"
)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (
            "NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>: Failed to "
            "establish a new connection: [Errno -3] Temporary failure in name resolution')",
            "Temporary failure in name resolution",
        ),
        (
            "ProxyError('Cannot connect to proxy.', OSError(111, 'refused'))",
            "'ProxyError('Cannot connect to proxy.', OSError(111, 'refused'))'",
        ),
    ],
)
def test_without_a_network_the_line_names_what_could_not_be_had(broken, reason):
    line = MAKE["told"](PIP, 1, RETRYING.format(broken))
    assert line == f"expected a network to install numpy from, got: {reason}"


def test_any_other_failure_names_the_command():
    line = MAKE["told"](PIP, 1, "ERROR: No space left on device\n")
    assert line == "expected PYTHON -m pip install ... to work, got status 1"


def test_what_a_command_says_is_shown_and_kept(capfd):
    with pytest.raises(subprocess.CalledProcessError) as failed:
        MAKE["run_checked"]([sys.executable, "-c", "import sys; print('no', file=sys.stderr); sys.exit(3)"])
    assert (failed.value.returncode, failed.value.stderr) == (3, "no\n")
    assert capfd.readouterr().err == "no\n"


ENDED = """
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
make = runpy.run_path(sys.argv[1])
make["main"].__globals__["make"] = lambda *_: make["run_checked"](
    ["sh", "-c", "echo $$ >&2; exec sleep 60"]
)
sys.argv[1:] = ["tools", ".venv"]
sys.exit(make["main"]())
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_what_is_run_ends_with_the_make_that_ran_it(tmp_path, number, status):
    command = [sys.executable, "-c", ENDED, str(SCRIPT)]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        child = int(process.stderr.readline())
        process.send_signal(number)
        assert process.wait(30) == status
    for _ in range(100):  # who adopts it takes a moment to bury it
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the command goes on")


def test_a_checkout_that_cannot_be_written_to_is_refused_in_a_line(tmp_path):
    (tmp_path / "file").write_text("")
    venv = tmp_path / "file" / ".venv"  # root may write anywhere, but not below a file
    done = subprocess.run([sys.executable, SCRIPT, "tools", venv], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(f"expected a checkout that can be written to, got {tmp_path}")
    assert len(done.stderr.splitlines()) == 1
