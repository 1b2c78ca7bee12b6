"""`python scripts/artefacts` (make release): everything that a release hands out, into build/release.

The wheel and the sdist, the .apk files, the page as one file, the .tflite files with their manifest and model
card, and SHA256SUMS. They are built in a clone of the commit, so that nothing else gets in. `--check` (make
release-check) builds them once more, in a clone elsewhere, and compares the bytes.

Status: 0 when all is there (and the same), 1 when two builds differ, 2 on bad input or a lacking tool.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from building import Recipe, build
from commit import dated_version, read_commit
from demos import check_keystore, lacking
from sums import SUMS, differences, read_sums

from converters.base.errors import InputError, exit_status, expect
from converters.base.files import check_folder
from converters.base.options import command_parser

NAME = "release"
ROOT = Path(__file__).resolve().parents[2]
RELEASE = ROOT / "build" / "release"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = command_parser(name="python scripts/artefacts", description=__doc__)
    add = parser.add_argument
    add("--check", action="store_true", help="build once more and compare with build/release")
    add("--allow-missing", action="store_true", help="leave out what this machine lacks the tools for")
    add(
        "--keystore",
        type=Path,
        metavar="FILE",
        help="sign the .apk files with its key (password: APK_KEYSTORE_PASSWORD); default: the debug key",
    )
    options = parser.parse_args(argv)
    version, commit = dated_version(ROOT), read_commit(ROOT)
    absent = lacking(ROOT)
    if absent and not options.allow_missing:
        raise InputError("; ".join([*absent.values(), "--allow-missing leaves out what needs it"]))
    if options.keystore:
        check_keystore(options.keystore)
    if options.check:
        expect((RELEASE / SUMS).is_file(), "build/release to compare with (make release)", "none")
    RELEASE.parent.mkdir(exist_ok=True)
    check_folder(RELEASE)
    recipe = Recipe(commit=commit, keystore=options.keystore, without=frozenset(absent))
    os.umask(0o022)  # the files' modes get into the archives
    for part, why in absent.items():
        print(f"{part}: left out: {why}")
    if options.check:
        return _check(recipe)
    build(recipe, ROOT, RELEASE)
    for name in (*read_sums(RELEASE), SUMS):
        print(f"build/release/{name}: {(RELEASE / name).stat().st_size:,} bytes")
    print(f"lenet-edge {version}, commit {commit.sha}")
    return 0


def _check(recipe: Recipe) -> int:
    """Build once more beside build/release, compare and say what differs."""
    again = RELEASE.with_name("release-again")
    build(recipe, ROOT, again)
    differ = differences(read_sums(RELEASE), read_sums(again))
    for line in differ:
        print(line)
    if not differ:
        print(f"{len(read_sums(RELEASE))} files, built twice: the same bytes")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    raise SystemExit(exit_status(main, name=NAME))
