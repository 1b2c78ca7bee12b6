"""The .apk files and the page: what they need of this machine, and how they are built in a clone."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from outside import run

from converters.base.errors import InputError, expect

PASSWORD = "APK_KEYSTORE_PASSWORD"
_ANDROID = {"zipalign": "zipalign", "apksigner": "apksigner", "keytool": "default-jdk"}
"""The Debian package of each tool that tools/apk needs beyond those of tools/maven.sh."""


def lacking(root: Path) -> dict[str, str]:
    """Return why a part of the release ("apk", "page") cannot be built here, for each that cannot."""
    checks = {
        "apk": ["android_demo/tools/maven.sh", "--version"],
        "page": ["web_demo/tools/npm.sh", "node"],
    }
    found = {}
    for part, command in checks.items():
        done = subprocess.run([root / command[0], *command[1:]], capture_output=True, text=True)
        if done.returncode:
            found[part] = (done.stderr.strip().splitlines() or [f"{command[0]} failed"])[0]
    absent = [name for name in _ANDROID if shutil.which(name) is None]
    if absent and "apk" not in found:
        packages = " ".join(dict.fromkeys(_ANDROID[name] for name in absent))
        found["apk"] = f"android: expected {' '.join(absent)} (Debian: apt-get install {packages}), got none"
    return found


def check_keystore(keystore: Path) -> None:
    """Raise InputError unless keytool opens `keystore` with the password in APK_KEYSTORE_PASSWORD."""
    expect(keystore.is_file(), "a keystore", keystore)
    expect(os.environ.get(PASSWORD), f"{keystore}'s password in {PASSWORD}", "none")
    command = ["keytool", "-list", "-keystore", str(keystore), "-storepass:env", PASSWORD]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = done.stdout.strip().splitlines() or [f"status {done.returncode}"]
        raise InputError(f"expected {keystore} to open with the password in {PASSWORD}, got {said[0]}")


def apks(tree: Path, keystore: Path | None) -> list[Path]:
    """Build the .apk files of `tree`, signed with `keystore` or the debug key; return them."""
    arguments = ["--keystore", str(keystore.resolve())] if keystore else []
    _make(tree, "apk", f"ARGS={shlex.join(arguments).replace('$', '$$')}")
    return sorted((tree / "android_demo" / "build" / "apk").glob("lenet-edge-*.apk"))


def page(tree: Path) -> list[Path]:
    """Build the page of `tree` as one file; return it."""
    # The package that writes the page's models is the one installed here, of the same commit.
    venv = os.path.relpath(sys.prefix, tree)
    _make(tree, "web", f"VENV={venv}", f"--assume-old={venv}/installed")
    return [tree / "web_demo" / "lenet-edge.html"]


def _make(tree: Path, *arguments: str) -> None:
    run("make", "--directory", tree, *arguments)
