"""Make .venv for the Makefile, step by step: `tools`, `wheel`, `installed`.

One make at a time works on it, and a step that another make has done meanwhile is not done again. An
interrupted `tools` leaves a mark behind: the environment may be broken then, so the next make begins anew.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIZE = "3 GB on disk, 3 to 6 minutes"
"""Of what is installed, measured on two processors with an empty cache, idle and busy."""

_SECONDS = 1.0
"""Between two looks into the environment."""

Run = Callable[[list[str]], object]


class Watch:
    """The packages in the environment `venv` that have been installed since this was made.

    `report`: the file of `pip install --report`, which pip writes before it installs anything.
    """

    def __init__(self, venv: Path, report: Path) -> None:
        self._venv, self._report = venv, report
        self._seen = self._installed()
        self._count = 0

    def lines(self) -> list[str]:
        """Return a line for each package that has been installed since the last call."""
        new = sorted(self._installed() - self._seen)
        self._seen |= set(new)
        lines = []
        for folder in new:
            self._count += 1
            name, _, version = folder.removesuffix(".dist-info").partition("-")
            lines.append(f"installed {self._count}{self._of_all()}: {name} {version}")
        return lines

    def _installed(self) -> set[str]:
        """Return the folders of the packages that are there as a whole: RECORD is written last."""
        records = self._venv.glob("lib/python*/site-packages/*.dist-info/RECORD")
        return {record.parent.name for record in records}

    def _of_all(self) -> str:
        try:
            return f" of {len(json.loads(self._report.read_text())['install'])}"
        except (OSError, ValueError):  # not written yet, or not as a whole
            return ""


@contextlib.contextmanager
def lines_of_installed(venv: Path, report: Path, *, unless: bool) -> Iterator[None]:
    """Print a line for each package that is installed in `venv` meanwhile, `unless` pip shows its bar."""
    if unless:
        yield
        return
    watch, ended = Watch(venv, report), threading.Event()

    def look() -> None:
        more = True
        while more:
            more = not ended.wait(_SECONDS)
            for line in watch.lines():
                print(line, flush=True)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def tools(venv: Path, run: Run) -> None:
    """Make the environment if need be and install what constraints.txt pins of the extra `dev`."""
    making, python = venv / "making", str(venv / "bin" / "python")
    anew = making.exists() or not (venv / "made").exists()
    if anew:
        print(f"installing TensorFlow and the tools into {venv.name}, once: {SIZE}", flush=True)
        shutil.rmtree(venv, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(venv)])
    making.touch()
    pip = [python, "-m", "pip", "install", "-c", str(ROOT / "constraints.txt")]
    run([*pip, "--quiet", "--upgrade", "pip>=24"])
    list_wanted = [python, str(ROOT / "scripts" / "requirements.py"), "dev"]
    wanted = subprocess.run(list_wanted, stdout=subprocess.PIPE, text=True, check=True)
    requirements, report = venv / "requirements.txt", venv / "report.json"
    requirements.write_text(wanted.stdout)
    report.unlink(missing_ok=True)
    # Of an environment that is there, pip says of each package that it is there: a hundred lines.
    quiet = [] if anew else ["--quiet"]
    with lines_of_installed(venv, report, unless=anew and sys.stdout.isatty()):
        run([*pip, *quiet, "--report", str(report), "-r", str(requirements)])
    (venv / "made").touch()
    making.unlink()


def wheel(venv: Path, run: Run) -> None:
    """Build dist/*.whl from the tree as it is."""
    for old in (ROOT / "dist", *(ROOT / "build").glob("lib"), *(ROOT / "build").glob("bdist.*")):
        shutil.rmtree(old, ignore_errors=True)
    run([str(venv / "bin" / "python"), "-m", "build", "--quiet", "--wheel", "--no-isolation", str(ROOT)])


def installed(venv: Path, run: Run) -> None:
    """Install the wheel: what is tested is what people get."""
    wheels = [str(path) for path in (ROOT / "dist").glob("*.whl")]
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    run([*pip, "--no-deps", "--force-reinstall", *wheels])


STEPS = {"tools": tools, "wheel": wheel, "installed": installed}
"""Each writes a stamp of its name into the environment, last of all."""


def make(step: str, venv: Path, run: Run) -> None:
    """Do `step` for `venv` alone, then write its stamp; nothing where another make has just done it."""
    asked = time.time()
    venv.parent.mkdir(parents=True, exist_ok=True)
    with venv.with_name(f"{venv.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"another make is at work on {venv.name}: waiting for it", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = venv / step
        if stamp.exists() and stamp.stat().st_mtime >= asked:
            return
        STEPS[step](venv, run)
        stamp.touch()


def run_checked(command: list[str]) -> None:
    """Run `command`; CalledProcessError, with what it said on standard error, when it fails.

    Where we are ended, so is the command: it must not work on an environment that the next make removes.
    """
    said = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace") as process:
        assert process.stderr
        try:
            for line in process.stderr:
                said.append(line)
                sys.stderr.write(line)
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, stderr="".join(said))


_UNREACHED = re.compile(r"connection broken by (.*): /simple/([^/]+)/")
"""What pip says of a package that it could not ask the index about; in the end it speaks of conflicts."""


def told(command: list[str], status: int, said: str) -> str:
    """Return a line for `command`, which ended with `status` and `said` this on standard error."""
    unreached = _UNREACHED.search(said)
    if unreached:
        reason = re.search(r"\[Errno -?\d+\] ([^'\")]+)", unreached[1])
        return (
            f"expected a network to install {unreached[2]} from, got: {reason[1] if reason else unreached[1]}"
        )
    return f"expected {' '.join(command[:4])} ... to work, got status {status}"


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("venv", type=Path, metavar="VENV", help="the folder of the environment")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        make(options.step, options.venv.resolve(), run_checked)
    except subprocess.CalledProcessError as error:
        print(told(error.cmd, error.returncode, error.stderr or ""), file=sys.stderr)
        return 2
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}"
        print(f"expected a checkout that can be written to, got {reason}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: the next make goes on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
