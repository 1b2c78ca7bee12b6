"""One runtime on one emulated board: what is run there, and what it must give."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from emulated import Emulated
from judge import Judge

from converters.base.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
DIGITS = 200
MODEL = "lenet5_int8_qat.tflite"
"""What `classify` reads tests/data with, so that it does not matter which is its default."""

OF_EVERY_RUNTIME = ("lenet_edge/runtime/test_classifier.py", "lenet_edge/test_golden.py")
OF_THE_ARCHITECTURE = (
    "converters/base/test_errors_and_files.py",
    "lenet_edge/picture/test_drawing.py",
    "lenet_edge/digits/test_idx.py",
    "lenet_edge/picture/test_files.py",
    "lenet_edge/picture/test_digit.py",
    "lenet_edge/picture/test_strokes.py",
)
"""The tests of the runtime side, in tests/: those that use a runtime, and those that none changes."""

_SLOW = (
    "tests/lenet_edge/picture/test_files.py::test_too_many_pixels_are_refused_by_the_header",
    "tests/lenet_edge/picture/test_digit.py::test_a_larger_mnist_digit_comes_back_nearly_as_it_was",
    "tests/lenet_edge/picture/test_digit.py::test_paper_rules_and_shadows_make_no_difference",
    "tests/lenet_edge/picture/test_digit.py::test_strokes_that_lie_on_rules_or_are_parallel_to_them_stay",
)
"""Tests of large pictures, half a minute each under emulation; `classify` runs the same code there."""

_OF_THIS_MACHINE = ("tests/lenet_edge/test_golden.py::test_every_runtime_is_within_the_limits[litert-gpu]",)
"""A Vulkan driver of this machine's shows through, QEMU having one file system, and cannot be loaded."""

_IMPORTS = """
import importlib.util, lenet_edge.runtime.classifier
assert importlib.util.find_spec("tensorflow") is None, "expected no TensorFlow, got one"
print(lenet_edge.runtime.classifier.__file__)
"""
_TIMEOUT = 900.0  # seconds: ten times what the slowest step takes

Run = Callable[..., subprocess.CompletedProcess[str]]


@dataclass
class Outcome:
    """What a trial gave, as the table and --json tell it; `why`: what is out, a line each."""

    board: str
    arch: str
    runtime: str
    python: str = ""
    numpy: str = ""
    digits: int = DIGITS
    files: int = 0
    used: float = 0.0
    differ: int = 0
    tests: str = "not run"
    seconds: float = 0.0
    why: list[str] = field(default_factory=list)


def this_machine(package: Path) -> Run:
    """Return how Python is run on this machine with the unpacked wheel in `package`."""

    def run(
        arguments: Sequence[str | Path], *, cwd: Path, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(package.resolve())},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


def answers(run: Run, runtime: str, judge: Judge, cwd: Path) -> list[dict[str, Any]]:
    """Return what `classify --json` says of tests/data; raise InputError when it fails."""
    pictures = sorted((ROOT / "tests" / "data").iterdir())
    options = ["--json", "--runtime", runtime, "--model", judge.released(MODEL).resolve()]
    done = run(["-m", "lenet_edge.classify", *options, *pictures], cwd=cwd, timeout=_TIMEOUT)
    _check(done, "classify")
    return [json.loads(line) for line in done.stdout.splitlines()]


def sample(run: Run, runtime: str, out: Path) -> dict[str, np.ndarray]:
    """Return what sample.py writes; raise InputError when it fails."""
    program = Path(__file__).with_name("sample.py")
    done = run([program, runtime, str(DIGITS), out.resolve()], cwd=out.parent, timeout=_TIMEOUT)
    _check(done, "the parity sample")
    with np.load(out, allow_pickle=False) as arrays:
        return dict(arrays)


def check_imports(pi: Emulated, package: Path, cwd: Path) -> None:
    """Raise InputError unless the runtime side is imported from `package` and there is no TensorFlow."""
    done = pi.run(["-c", _IMPORTS], cwd=cwd, timeout=_TIMEOUT)
    _check(done, "the import")
    if not done.stdout.startswith(str(package.resolve())):
        raise InputError(f"expected the wheel's lenet_edge on the board, got {done.stdout.strip()}")


def run_tests(pi: Emulated, tests: Sequence[str], tools: Path, cwd: Path) -> tuple[str, list[str]]:
    """Return pytest's count ("31 passed") and the tests that failed, a line each."""
    files = [ROOT / "tests" / name for name in tests]
    options = ["-q", "-p", "no:cacheprovider", "-p", "few_examples", "--hypothesis-profile=few", "--tb=line"]
    options += [f"--deselect={name}" for name in (*_SLOW, *_OF_THIS_MACHINE)]
    more = [tools, Path(__file__).parent]
    done = pi.run(["-m", "pytest", *options, *files], cwd=cwd, more=more, timeout=_TIMEOUT)
    counts = re.findall(r"\d+ (?:passed|skipped|failed|errors?)", _last_line(done.stdout))
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if done.returncode and not failed:
        failed = [f"pytest ended with status {done.returncode}: {_last_line(done.stderr or done.stdout)}"]
    return ", ".join(counts), failed


def judged(
    outcome: Outcome, judge: Judge, found: dict[str, np.ndarray], here: dict[str, np.ndarray]
) -> Outcome:
    """Fill `outcome` from two samples, the board's and this machine's."""
    facts = json.loads(str(found["facts"]))
    outcome.python, outcome.runtime, outcome.numpy = (facts[name] for name in ("python", "runtime", "numpy"))
    verdict = judge.digits(_part(found, "digits/"), _part(here, "digits/"))
    outcome.files, outcome.used, outcome.differ = verdict.files, verdict.used, verdict.differ
    outcome.why += [*verdict.why, *judge.golden(_part(found, "golden/"))]
    return outcome


def _part(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): rows for name, rows in arrays.items() if name.startswith(prefix)}


def _check(done: subprocess.CompletedProcess[str], what: str) -> None:
    if done.returncode:
        said = _last_line(done.stderr)
        raise InputError(f"expected {what} to end with status 0, got {done.returncode}: {said}")


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "nothing said"
