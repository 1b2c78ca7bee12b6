"""A userland of another architecture from Debian's packages, without root and with apt's own checks.

apt runs with folders of its own, for an empty machine of that architecture, and takes the sources and keys of
this one: it checks signatures and hashes as ever.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from folders import key, made_once

from converters.base.errors import InputError, expect
from converters.base.files import write_atomically

PACKAGES = "packages.txt"
"""In the userland: the file names of the packages that it was made of, which have the versions."""

_TOOLS = ("apt-get", "apt-cache", "dpkg-deb")


class Apt:
    """apt for an empty machine of the architecture `arch`, everything under `folder`.

    `release`: a Debian release's codename, "" for this machine's own.
    """

    def __init__(self, folder: Path, arch: str, *, release: str = "") -> None:
        self.folder, self.arch = folder.resolve(), arch
        text = configuration(self.folder, arch, own_sources=bool(release))
        self._configuration = write_atomically(self.folder / "apt.conf", text)
        write_atomically(self.folder / "status", "")
        if release:
            _copy_sources(self.folder / "etc", release)
        for name in ("state/lists/partial", "cache/archives/partial"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def update(self) -> str:
        """Fetch the lists of packages; return what apt complains of: a source may lack the architecture."""
        return self._run("apt-get", "update").stderr

    def python(self) -> str:
        """Return this Debian's Python, as "3.11"; raise InputError when no source has the architecture."""
        complaints = self.update()
        said = self._run("apt-cache", "show", "python3-minimal").stdout
        versions = re.findall(r"^Version: (3\.\d+)", said, re.MULTILINE)
        if not versions:
            reason = " ".join(complaints.split()) or "none for it"
            raise InputError(f"expected apt sources with {self.arch} (Debian's are), got: {reason}")
        return versions[0]

    def download(self, packages: Sequence[str]) -> list[Path]:
        """Download `packages` and what they depend on; return the files."""
        shutil.rmtree(self.folder / "cache" / "archives")
        (self.folder / "cache" / "archives" / "partial").mkdir(parents=True)
        done = self._run(
            "apt-get", "install", "--download-only", "--yes", "--no-install-recommends", *packages
        )
        if done.returncode:
            raise InputError(f"expected apt to deliver {' '.join(packages)}, got: {_last(done.stderr)}")
        return sorted((self.folder / "cache" / "archives").glob("*.deb"))

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        program, *arguments = command
        line = [program, "-c", str(self._configuration), "-q", *arguments]
        return subprocess.run(line, capture_output=True, text=True, check=False)


def configuration(folder: Path, arch: str, *, own_sources: bool = False) -> str:
    """Return apt's configuration: another architecture, another place, none of this machine's hooks.

    `own_sources`: read those in `folder`/etc instead of this machine's.
    """
    sources = [
        f'Dir::Etc::sourcelist "{folder}/etc/sources.list";',
        f'Dir::Etc::sourceparts "{folder}/etc/sources.list.d";',
    ]
    hooks = ("APT::Update::Pre-Invoke", "APT::Update::Post-Invoke", "APT::Update::Post-Invoke-Success")
    return "\n".join(
        [
            *(f"#clear {name};" for name in (*hooks, "APT::Architectures")),
            f'APT::Architecture "{arch}";',
            f'APT::Architectures {{ "{arch}"; }};',
            f'Dir::State "{folder}/state";',
            f'Dir::State::status "{folder}/status";',
            f'Dir::Cache "{folder}/cache";',
            *(sources if own_sources else []),
            'Acquire::Languages "none";',
            'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";',
            "",
        ]
    )


def _copy_sources(etc: Path, release: str, *, machine: Path = Path("/etc/apt")) -> None:
    """Copy this machine's sources to `etc`, each with `release` where it names this machine's release.

    Their keys stay where they are, and apt refuses a release that none of them has signed.
    """
    own = platform.freedesktop_os_release().get("VERSION_CODENAME")
    expect(own, "a machine whose release has a codename, for --release", "none")
    shutil.rmtree(etc, ignore_errors=True)
    files = [machine / "sources.list", *machine.glob("sources.list.d/*")]
    (etc / "sources.list.d").mkdir(parents=True)
    for file in filter(Path.is_file, files):
        (etc / file.relative_to(machine)).write_text(re.sub(rf"\b{own}\b", release, file.read_text()))


def absent_tools() -> list[str]:
    """Return which of the programs that this module calls are not here."""
    return [name for name in _TOOLS if shutil.which(name) is None]


def userland(cache: Path, arch: str, *, release: str = "", extra: Sequence[str] = ()) -> Path:
    """Return a folder with Debian's Python for `arch`, C++'s library and the packages `extra`.

    `release`: a codename, "" for this machine's own. Made once; `make clean` makes it anew. Raises
    InputError when apt does not deliver.
    """

    def make(folder: Path) -> None:
        apt = Apt(cache / f"apt-{arch}-{release or 'own'}", arch, release=release)
        files = apt.download([f"python{apt.python()}", "libstdc++6", *extra])
        for file in files:
            subprocess.run(["dpkg-deb", "-x", str(file), str(folder)], check=True)
        for name in ("bin", "lib"):
            if not (folder / name).exists():  # from Debian 13 on base-files has these links
                (folder / name).symlink_to(f"usr/{name}")
        (folder / PACKAGES).write_text("".join(f"{file.name}\n" for file in files))

    return made_once(cache / f"userland-{arch}-{key(release, *extra)}", make)


def python_of(root: Path) -> str:
    """Return the Python of a userland, as "3.11"."""
    (found,) = re.findall(r"^python(3\.\d+)_", (root / PACKAGES).read_text(), re.MULTILINE)
    return found


def glibc_of(root: Path) -> int:
    """Return the minor version of a userland's C library: 36 of glibc 2.36."""
    (found,) = re.findall(r"^libc6_2\.(\d+)", (root / PACKAGES).read_text(), re.MULTILINE)
    return int(found)


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"
