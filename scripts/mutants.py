"""Plant faults in copies of the installed packages, one by one, and see that the tests find each of them.

.venv/bin/python scripts/mutants.py            all of scripts/planted_faults.py; writes results/mutants.json
.venv/bin/python scripts/mutants.py --only zero-point --only map-loss    these, and writes nothing
.venv/bin/python scripts/mutants.py --list     what they are

First the tests run without a fault: they must pass, or what fails would count as found. A run that was
stopped goes on where it stopped, if the tree is still at the same commit.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from planted_faults import FAULTS, Fault

import converters
import lenet_edge
from converters.base.errors import InputError, exit_status, expect
from converters.base.files import write_json
from converters.base.options import command_parser

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results" / "mutants.json"
PACKAGES = [Path(str(module.__file__)).parent for module in (converters, lenet_edge)]

_LIMIT = 600.0  # seconds for the tests of one fault: a fault may make a loop endless
_UNTOUCHED_LIMIT = 3600.0  # and for all of them without one
_FOUND_BY = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a planted fault: the test that found it, "" if none did; `seconds` until then."""

    name: str
    file: str
    meaning: str
    by: str
    seconds: float

    @property
    def found(self) -> bool:
        """Whether a test failed."""
        return bool(self.by)


def tried(fault: Fault) -> Outcome:
    """Return what the tests of `fault` say of copies of both packages with it.

    Raises InputError when its text does not stand once in its file.
    """
    with tempfile.TemporaryDirectory(prefix="lenet-edge-mutant-") as folder:
        _copy_to(Path(folder))
        _plant(fault, Path(folder))
        start = time.monotonic()
        by = failing(fault.tests, Path(folder), limit=_LIMIT)
        seconds = round(time.monotonic() - start, 1)
    return Outcome(name=fault.name, file=fault.file, meaning=fault.meaning, by=by, seconds=seconds)


def failing(tests: Sequence[str], packages: Path, *, limit: float, processes: int = 1) -> str:
    """Return the first of `tests` that fails with the packages in the folder `packages`, "" if none does.

    Tests that take longer than `limit` seconds fail. Raises InputError when pytest cannot run them.
    """
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    if processes > 1:
        command += ["-n", str(processes), "--dist", "loadfile"]
    environment = {**os.environ, "PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=ROOT / "tests",
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=limit,
        )
    except subprocess.TimeoutExpired:
        return f"the limit of {limit:g} s"
    if not done.returncode:
        return ""
    found = _FOUND_BY.search(done.stdout)
    if found is None:
        last = (done.stdout.strip().splitlines() or ["nothing said"])[-1]
        raise InputError(f"expected pytest to run {', '.join(tests)}, got status {done.returncode}: {last}")
    return found[1]


def _copy_to(folder: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))


def _plant(fault: Fault, folder: Path) -> None:
    path = folder / fault.file
    source = path.read_text()
    count = source.count(fault.text)
    expect(count == 1, f"the text of {fault.name} once in {fault.file}", f"{count} times")
    path.write_text(source.replace(fault.text, fault.becomes))


def _check_untouched(faults: Sequence[Fault], *, jobs: int) -> None:
    """Raise InputError unless the tests of `faults` pass without any."""
    tests = sorted({test for fault in faults for test in fault.tests})
    with tempfile.TemporaryDirectory(prefix="lenet-edge-untouched-") as folder:
        _copy_to(Path(folder))
        by = failing(tests, Path(folder), limit=_UNTOUCHED_LIMIT, processes=jobs)
    expect(not by, "tests that pass without a fault", f"{by} failing")


def _line(outcome: Outcome) -> str:
    verdict = outcome.by or "SURVIVED"
    return f"{outcome.name:<26}{outcome.seconds:>7.1f} s  {verdict}"


def _commit() -> str:
    """Return the commit that the tree is at, "+" behind it if files other than results have changed since."""
    named, changed = (
        subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
        for words in (
            ("rev-parse", "HEAD"),
            ("status", "--porcelain", "--untracked-files=no", "--", ".", ":!results"),
        )
    )
    return f"{named}{'+' if changed else ''}"


def _chosen(names: Sequence[str]) -> list[Fault]:
    known = {fault.name: fault for fault in FAULTS}
    for name in names:
        expect(name in known, f"--only one of {', '.join(known)}", name)
    return [known[name] for name in names] or list(FAULTS)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name="mutants", description=__doc__)
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="this fault (may be repeated)"
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="faults at once (default: 1)")
    parser.add_argument("--list", action="store_true", help="print the faults and plant none")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return 1 when a fault survives."""
    options = _parser().parse_args(argv)
    expect(options.jobs >= 1, "--jobs of 1 or more", options.jobs)
    faults = _chosen(options.only)
    if options.list:
        print("\n".join(f"{fault.name:<26}{fault.file}: {fault.meaning}" for fault in faults))
        return 0
    commit = _commit()
    outcomes = [] if options.only else _earlier(commit)
    faults = faults[len(outcomes) :]
    if not outcomes:
        _check_untouched(faults, jobs=options.jobs)
    with ThreadPoolExecutor(options.jobs) as pool:
        for outcome in pool.map(tried, faults):
            print(_line(outcome), flush=True)
            outcomes.append(outcome)
            if not options.only:
                _keep(outcomes, commit)
    survived = [outcome.name for outcome in outcomes if not outcome.found]
    print(f"{len(outcomes) - len(survived)} of {len(outcomes)} planted faults were found")
    return 1 if survived else 0


def _keep(outcomes: Sequence[Outcome], commit: str) -> None:
    rows = [{**asdict(outcome), "found": outcome.found} for outcome in outcomes]
    write_json(RESULTS, {"commit": commit, "faults": len(FAULTS), "mutants": rows})


def _earlier(commit: str) -> list[Outcome]:
    """Return the outcomes of a run at `commit` that was stopped, none if there is none, or it ended."""
    report = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    rows = report.get("mutants", [])
    if report.get("commit") != commit or commit.endswith("+") or len(rows) == len(FAULTS):
        return []
    names = [field.name for field in fields(Outcome)]
    return [Outcome(**{name: row[name] for name in names}) for row in rows]


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="mutants"))
