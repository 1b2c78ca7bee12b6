"""Wheels for another machine: what the project's wheel asks for, at the versions of constraints.txt.

pip judges markers (python_version < "3.12") by the Python that it runs on, not by the one it installs for, so
they are judged here.
"""

from __future__ import annotations

import email
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from folders import key, made_once
from packaging.requirements import InvalidRequirement, Requirement

from converters.base.errors import InputError, expect

_OLDEST_GLIBC = 17  # of manylinux2014, the oldest that has wheels for ARM


@dataclass(frozen=True)
class Target:
    """What wheels must be for: `python` as "3.11", `machine` as uname tells it, glibc 2.`glibc`."""

    python: str
    machine: str
    glibc: int

    def environment(self, extra: str = "") -> dict[str, str]:
        """Return what markers are judged by, with the project's `extra`."""
        return {
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
            "platform_machine": self.machine,
            "sys_platform": "linux",
            "platform_system": "Linux",
            "os_name": "posix",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "extra": extra,
        }

    def options(self) -> list[str]:
        """Return pip's options that choose wheels for the target."""
        tags = [f"manylinux_2_{minor}_{self.machine}" for minor in range(self.glibc, _OLDEST_GLIBC - 1, -1)]
        platforms = [f"--platform={tag}" for tag in (*tags, f"manylinux2014_{self.machine}")]
        chosen = [f"--python-version={self.python}", "--implementation=cp", "--only-binary=:all:"]
        return [*platforms, *chosen]


def checked_wheel(path: Path) -> Path:
    """Return `path` if it is a wheel of this project; raise InputError otherwise."""
    expect(path.is_file(), "a wheel of this project (make wheel)", path)
    right = path.name.startswith("lenet_edge-") and path.suffix == ".whl" and zipfile.is_zipfile(path)
    expect(right, "a wheel of this project (make wheel)", path)
    return path


def unpacked(wheel: Path, cache: Path) -> Path:
    """Return a folder with the pure wheel's files."""
    name = f"wheel-{key(wheel.read_bytes().hex())}"

    def make(folder: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)

    return made_once(cache / name, make)


def requirements(package: Path, target: Target, *, extra: str) -> list[Requirement]:
    """Return what the unpacked wheel in `package` asks for on `target` with its `extra`."""
    (metadata,) = package.glob("*.dist-info/METADATA")
    lines = email.message_from_bytes(metadata.read_bytes()).get_all("Requires-Dist") or []
    return _applying(lines, target.environment(extra))


def pins(constraints: Path, target: Target) -> list[Requirement]:
    """Return the lines of `constraints` that hold on `target`."""
    lines = (line.split("#")[0].strip() for line in constraints.read_text().splitlines())
    return _applying(filter(None, lines), target.environment())


def _applying(lines: Iterable[str], environment: dict[str, str]) -> list[Requirement]:
    try:
        found = [Requirement(line) for line in lines]
    except InvalidRequirement as error:
        raise InputError(f"expected requirements, got: {str(error).splitlines()[0]}") from error
    return [one for one in found if one.marker is None or one.marker.evaluate(environment)]


def site(
    cache: Path,
    wanted: Sequence[Requirement],
    pinned: Sequence[Requirement],
    target: Target,
    *,
    alone: bool = False,
) -> Path:
    """Return a folder with the wheels of `wanted`, at the versions `pinned`, and what they depend on.

    `alone`: without what they depend on. Raises InputError, with pip's reason, when one has no wheel for the
    target.
    """
    names = sorted({_bare(one) for one in wanted})
    versions = sorted(_bare(one) for one in pinned)

    def make(folder: Path) -> None:
        constraints = folder / "constraints.txt"
        constraints.write_text("".join(f"{line}\n" for line in versions))
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        where = [
            *(["--no-deps"] if alone else []),
            "--no-compile",
            "--target",
            str(folder),
            "-c",
            str(constraints),
        ]
        command = [*pip, *where, *target.options(), *names]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
            reason = errors[-1].removeprefix("ERROR: ") if errors else "pip failed"
            raise InputError(f"expected wheels for {target.machine}, Python {target.python}, got: {reason}")

    return made_once(cache / f"site-{key(*names, *versions, *target.options())}", make)


def _bare(requirement: Requirement) -> str:
    """Return a requirement without its marker, which has been judged."""
    return f"{requirement.name}{requirement.specifier}"
