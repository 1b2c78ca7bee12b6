"""The commit that a release is made of: is the tree clean, when was it made, what does its changelog say."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from converters.base.errors import InputError, expect


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit: its hash `sha`, and when it was made, in `seconds` since 1970: every file's time."""

    sha: str
    seconds: int


def read_commit(root: Path) -> Commit:
    """Return the commit that `root` has checked out; raise InputError when files there differ from it."""
    changed = git("status", "--porcelain", folder=root).splitlines()
    expect(not changed, "every change committed", f"{len(changed)} not, such as {changed[0:1]}")
    sha, seconds = git("log", "-1", "--format=%H %ct", folder=root).split()
    return Commit(sha=sha, seconds=int(seconds))


def dated_version(root: Path) -> str:
    """Return the package's version; raise InputError unless CHANGELOG.md begins with it and its date."""
    text = (root / "lenet_edge" / "__init__.py").read_text(encoding="utf-8")
    version = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    expect(version, "__version__ in lenet_edge/__init__.py", "none")
    assert version
    first = re.search(r"^## .*$", (root / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    heading = first[0] if first else "none"
    dated = re.fullmatch(rf"## \[{re.escape(version[1])}\] - \d{{4}}-\d\d-\d\d", heading)
    expect(dated, f"CHANGELOG.md to begin with ## [{version[1]}] - YEAR-MONTH-DAY", heading)
    return version[1]


def clone(root: Path, commit: Commit, folder: Path) -> None:
    """Check `commit` of the repository at `root` out into the new folder `folder`."""
    git("clone", "--quiet", "--shared", "--no-checkout", str(root), str(folder), folder=root)
    git("checkout", "--quiet", "--detach", commit.sha, folder=folder)


def git(*arguments: str, folder: Path) -> str:
    """Return what git says in `folder`; raise InputError, in git's words, when it fails."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise InputError("expected git, got none") from error
    said = done.stderr.strip().splitlines()
    expect(not done.returncode, "a clone of the repository", f"{said[-1] if said else done.returncode}")
    return done.stdout
