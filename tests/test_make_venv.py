"""`make` builds .venv whole or anew: an interrupted one is not trusted, and two makes take turns."""

from __future__ import annotations

import runpy
import subprocess
import sys
import threading
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
    venv, begun, go = tmp_path / ".venv", threading.Event(), threading.Event()

    class Slow(Fake):
        def __call__(self, command):
            begun.set()
            assert go.wait(30)
            super().__call__(command)

    first, second = Slow(venv), Fake(venv)
    makes = [threading.Thread(target=MAKE["make"], args=("tools", venv, fake)) for fake in (first, second)]
    makes[0].start()
    assert begun.wait(30)
    makes[1].start()
    makes[1].join(0.3)
    assert makes[1].is_alive()  # it waits
    go.set()
    for make in makes:
        make.join(30)
    assert (first.commands, second.commands) == (["venv", "pip", "pip"], [])


def test_another_python_is_refused_in_a_line(tmp_path):
    code = (
        "import runpy, sys; sys.version_info = (3, 9, 0)\n"
        f"sys.argv = ['make_venv.py', 'tools', {str(tmp_path / '.venv')!r}]\n"
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "expected Python 3.10 to 3.13, got 3.9: make PYTHON=python3.12\n"
