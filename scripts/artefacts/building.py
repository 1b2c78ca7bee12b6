"""Builds a release in a clone of its commit and puts it in place whole."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from commit import Commit, clone
from demos import apks, page
from outside import run
from sdist import with_times
from sums import write_sums

from converters.base.errors import expect

PAPERS = ("MODEL_CARD.md", "CHANGELOG.md", "LICENSE", "NOTICE")
"""What goes with the models, to be read."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What to build: of which `commit`, signed by which `keystore` (None: the debug key), `without` what."""

    commit: Commit
    keystore: Path | None
    without: frozenset[str]


def build(recipe: Recipe, root: Path, release: Path) -> None:
    """Build the release of the repository at `root` into `release`, which is made anew.

    The clone lies in a folder of another name each time, beside `release`.
    """
    with tempfile.TemporaryDirectory(dir=release.parent, prefix="release-of-") as folder:
        tree, out = Path(folder) / "tree", Path(folder) / "out"
        out.mkdir()
        print(f"clone of {recipe.commit.sha[:12]}")
        clone(root, recipe.commit, tree)
        environment = {"SOURCE_DATE_EPOCH": str(recipe.commit.seconds)}
        run(sys.executable, tree / "scripts" / "readme.py", "--check")
        print("wheel and sdist")
        run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, tree, env=environment)
        for sdist in out.glob("*.tar.gz"):
            with_times(sdist, recipe.commit.seconds)
        print("models")
        models(tree, out)
        for part, make in (("apk", lambda: apks(tree, recipe.keystore)), ("page", lambda: page(tree))):
            if part not in recipe.without:
                print(part)
                for path in make():
                    shutil.copyfile(path, out / path.name)
        (out / "COMMIT").write_text(f"{recipe.commit.sha}\n", encoding="utf-8")
        write_sums(out)
        shutil.rmtree(release, ignore_errors=True)
        os.rename(out, release)


def models(tree: Path, out: Path) -> None:
    """Copy the .tflite files, each as the manifest says, and what goes with them from `tree` to `out`."""
    released = tree / "lenet_edge" / "released"
    manifest = json.loads((released / "manifest.json").read_text(encoding="utf-8"))["models"]
    for name, entry in manifest.items():
        content = (released / name).read_bytes()
        same = hashlib.sha256(content).hexdigest() == entry["sha256"]
        expect(same, f"{name} of manifest.json's sha256", "another")
        (out / name).write_bytes(content)
    facts = [released / name for name in ("manifest.json", "thresholds.json")]
    for path in (*facts, *(tree / name for name in PAPERS)):
        shutil.copyfile(path, out / path.name)
