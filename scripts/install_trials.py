"""`python scripts/install_trials.py RELEASE --json results/install.json`: do the wheel and the sdist install?

For each Python, each in an empty environment: pip installs the file of the folder RELEASE with an extra,
without constraints, as people do, and `lenet-edge classify` reads a picture of a 0. With the extra `train`,
`lenet-edge convert` writes a file, too. For the other extras (heic, plot, ray, micro) pip only finds
what they need. Rows of other Pythons in the JSON file are kept. It needs the network, and 3 GB
of disk at a time.

Status: 0 when each was as README.md promises, 1 when not, 2 on bad input.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from converters.base.errors import InputError, exit_status, expect
from converters.base.files import check_writable, write_json
from converters.base.options import command_parser

NAME = "install_trials.py"
ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "tests" / "data" / "0-ballpoint.png"

TRIED = {"wheel": ("tflite", "litert", "train"), "sdist": ("tflite",)}
"""What each file is installed with; a digit is read."""

RESOLVED = ("heic", "plot", "ray", "micro")
"""What pip only finds the packages for."""

VERSIONS_OF = ("numpy", "opencv-python-headless", "tflite-runtime", "ai-edge-litert", "tensorflow")


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What came of a `file` ("wheel" or "sdist") with an `extra` on a `python`, as "3.12.1".

    `went` is whether it went as it should, `said` what was read or, else, what was said; `mebibytes` is the
    environment's size and `versions` those of what matters in it, both empty where pip only resolved.
    """

    python: str
    file: str
    extra: str
    went: bool
    said: str
    mebibytes: int | None = None
    versions: dict[str, str] | None = None


def tried(python: Path, version: str, path: Path, file: str, extra: str) -> Trial:
    """Install `path` with `extra` for `python` in an environment of its own, and let it read."""
    about = {"python": version, "file": file, "extra": extra}
    with tempfile.TemporaryDirectory(prefix="lenet-edge-") as folder:
        run = Runner(Path(folder))
        try:
            run(python, "-m", "venv", "env")
            run("env/bin/python", "-m", "pip", "install", "--quiet", f"{path}[{extra}]")
            if extra == "train":
                convert = ("convert", "--model", "stock_lenet5", "--precision", "float32", "--no-check")
                run("env/bin/lenet-edge", *convert, "--out", "files")
            answer = json.loads(run("env/bin/lenet-edge", "classify", PICTURE, "--json"))
            listed = json.loads(run("env/bin/python", "-m", "pip", "list", "--format=json"))
        except Failure as failure:
            return Trial(**about, went=False, said=str(failure))
        size = sum(file.lstat().st_size for file in (Path(folder) / "env").rglob("*"))
        return Trial(
            **about,
            went=answer["digit"] == 0 and answer["sure"],
            said=f"reads {answer['digit']}{'' if answer['sure'] else ', unsure'}",
            mebibytes=round(size / 2**20),
            versions={one["name"]: one["version"] for one in listed if one["name"] in VERSIONS_OF},
        )


def resolved(python: Path, version: str, path: Path, extras: Sequence[str]) -> Iterator[Trial]:
    """Let pip find what `path` needs with each of `extras`, without installing it."""
    with tempfile.TemporaryDirectory(prefix="lenet-edge-") as folder:
        run = Runner(Path(folder))
        run(python, "-m", "venv", "env")
        for extra in extras:
            about = {"python": version, "file": "wheel", "extra": extra}
            try:
                run("env/bin/python", "-m", "pip", "install", "--quiet", "--dry-run", f"{path}[{extra}]")
                yield Trial(**about, went=True, said="resolves")
            except Failure as failure:
                yield Trial(**about, went=False, said=str(failure))


class Failure(Exception):
    """A command that failed: its last line."""


class Runner:
    """Runs commands in a folder, where relative programs are looked for too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, program: str | Path, *arguments: str | Path) -> str:
        """Return what the command writes on standard output; raise Failure with its last error else."""
        command = [str(self._folder / program), *map(str, arguments)]  # an absolute program stays
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True)
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.strip() and "notice" not in line]
            raise Failure(lines[-1] if lines else f"status {done.returncode}")
        return done.stdout


def version_of(python: Path) -> str:
    """Return the version of `python`, as "3.12.1"; raise InputError when it does not run."""
    ask = "import platform; print(platform.python_version())"
    try:
        done = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise InputError(f"expected a Python, got {python}") from error
    return done.stdout.strip()


def _only(release: Path, pattern: str) -> Path:
    found = sorted(release.glob(pattern))
    expect(len(found) == 1, f"one {pattern} in {release} (make release)", len(found))
    return found[0].resolve()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = command_parser(name=NAME, description=__doc__)
    add = parser.add_argument
    add("release", type=Path, metavar="RELEASE", help="the folder that `make release` wrote")
    add("--python", type=Path, action="append", metavar="PYTHON", help="path of a Python (may be repeated)")
    add("--extra", action="append", metavar="EXTRA", help="only this extra (may be repeated)")
    add("--json", type=Path, required=True, metavar="FILE", help="write the rows to FILE")
    options = parser.parse_args(argv)
    files = {"wheel": _only(options.release, "*.whl"), "sdist": _only(options.release, "*.tar.gz")}
    pythons = {version_of(python): python for python in options.python or [Path(sys.executable)]}
    check_writable(options.json)
    went = True
    for version, python in pythons.items():
        for trial in _trials(python, version, files, options.extra):
            print(f"{version} {trial.file}[{trial.extra}]: {trial.said}")
            _keep(trial, options.json)
            went = went and trial.went
    return 0 if went else 1


def _keep(trial: Trial, path: Path) -> None:
    """Write `trial` to the JSON file `path` in place of one of the same Python, file and extra."""
    rows = json.loads(path.read_text())["trials"] if path.exists() else []
    kept = [row for row in rows if _order(row) != _order(asdict(trial))]
    write_json(path, {"trials": sorted([*kept, asdict(trial)], key=_order)})


def _order(row: dict[str, str]) -> tuple[list[int], str, str]:
    return [int(part) for part in row["python"].split(".")], row["file"], row["extra"]


def _trials(python: Path, version: str, files: dict[str, Path], only: list[str] | None) -> Iterator[Trial]:
    for file, extras in TRIED.items():
        for extra in extras:
            if not only or extra in only:
                yield tried(python, version, files[file], file, extra)
    yield from resolved(python, version, files["wheel"], [one for one in RESOLVED if not only or one in only])


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    raise SystemExit(exit_status(main, name=NAME))
