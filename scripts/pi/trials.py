"""Every trial that was asked for, one after the other, each step told in a line as it is done."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
from boards import PYTHON_PACKAGES, RUNTIMES, Board
from debian import glibc_of, python_of, userland
from emulated import Emulated
from judge import Judge
from packaging.requirements import Requirement
from trial import (
    MODEL,
    OF_EVERY_RUNTIME,
    OF_THE_ARCHITECTURE,
    ROOT,
    Outcome,
    answers,
    check_imports,
    judged,
    run_tests,
    sample,
    this_machine,
)
from wheels import Target, pins, requirements, site, unpacked

from converters.base.errors import InputError

_TOOLS = ("pytest", "hypothesis")

T = TypeVar("T")


class Trials:
    """Trials of `wheel`; `cache`: for all that is downloaded or made; `runtime`: one or "all".

    `release`: the codename of the boards' Debian, "" for this machine's own.
    """

    def __init__(self, wheel: Path, cache: Path, runtime: str, release: str) -> None:
        self._cache, self._release = cache, release
        self._runtimes = [name for name in RUNTIMES if runtime in ("all", name)]
        self._package = unpacked(wheel, cache)
        self._judge = Judge(self._package)
        self._here: dict[str, tuple[dict[str, np.ndarray], list]] = {}
        self._tested: set[str] = set()
        self._work = cache / "work"
        self._work.mkdir(exist_ok=True)

    def of(self, boards: Sequence[Board]) -> list[Outcome]:
        """Return the outcome of each runtime on each of `boards` that it has wheels for."""
        return [outcome for board in boards for outcome in self._of(board)]

    def _of(self, board: Board) -> Iterator[Outcome]:
        extra = list(PYTHON_PACKAGES.values()) if board.from_debian else []
        root = _reported(
            f"{board.arch}: userland",
            lambda: userland(self._cache, board.arch, release=self._release, extra=extra),
            lambda made: f"Debian's Python {python_of(made)}, glibc 2.{glibc_of(made)}",
        )
        target = Target(python_of(root), board.machine, glibc_of(root))
        for runtime in self._runtimes:
            wanted = requirements(self._package, target, extra=runtime)
            if runtime not in board.runtimes or RUNTIMES[runtime] not in {one.name for one in wanted}:
                reason = f"no wheel for {board.machine}, Python {target.python}"
                print(f"{board.name}: skipped: {RUNTIMES[runtime]} has {reason}")
                continue
            yield self._trial(board, runtime, root, target, wanted)

    def _trial(
        self, board: Board, runtime: str, root: Path, target: Target, wanted: list[Requirement]
    ) -> Outcome:
        outcome = Outcome(board.name, board.arch, RUNTIMES[runtime], target.python)
        pi = self._board(board, runtime, root, target, wanted)
        start = time.perf_counter()
        try:
            self._steps(pi, board, runtime, target, outcome)
        except (InputError, subprocess.TimeoutExpired) as error:
            outcome.why.append(str(error))
            print(f"{board.name}, {runtime}: {error}")
        outcome.seconds = time.perf_counter() - start
        return outcome

    def _board(
        self, board: Board, runtime: str, root: Path, target: Target, wanted: list[Requirement]
    ) -> Emulated:
        own = [one for one in wanted if not (board.from_debian and one.name in PYTHON_PACKAGES)]
        pinned = pins(ROOT / "constraints.txt", target)
        packages = _reported(
            f"{board.arch}, {runtime}: wheels",
            lambda: site(self._cache, own, pinned, target, alone=board.from_debian),
            lambda _: ", ".join(sorted({one.name for one in own})),
        )
        path = [self._package, packages]
        if board.from_debian:
            path.append(root / "usr" / "lib" / "python3" / "dist-packages")
        folder = self._cache / f"board-{board.cpu}-{root.name}"
        return Emulated(board, root, target.python, path=path, folder=folder)

    def _steps(self, pi: Emulated, board: Board, runtime: str, target: Target, outcome: Outcome) -> None:
        """Run every step of a trial, filling `outcome`."""
        title = f"{board.name}, {runtime}"
        with _timed(f"{title}: import: without TensorFlow"):
            check_imports(pi, self._package, self._work)
        scores, said = self._of_this_machine(runtime)
        with _timed(f"{title}: parity sample and golden pictures"):
            judged(outcome, self._judge, sample(pi.run, runtime, self._work / "pi.npz"), scores)
        with _timed(f"{title}: classify tests/data"):
            mine = answers(pi.run, runtime, self._judge, self._work)
            outcome.why += self._judge.answers(mine, said, MODEL)
        tests = self._tests(board, runtime)
        if tests:
            with _timed(f"{title}: {len(tests)} files of tests"):
                tools = site(
                    self._cache, [Requirement(name) for name in _TOOLS], self._pinned(target), target
                )
                outcome.tests, failed = run_tests(pi, tests, tools, self._work)
            outcome.why += failed

    def _pinned(self, target: Target) -> list[Requirement]:
        return pins(ROOT / "constraints.txt", target)

    def _tests(self, board: Board, runtime: str) -> list[str]:
        """Return the files of tests that have not run on this architecture, or not with this runtime."""
        found = []
        for name, files in ((board.arch, OF_THE_ARCHITECTURE), (f"{board.arch} {runtime}", OF_EVERY_RUNTIME)):
            if name not in self._tested:
                found += files
            self._tested.add(name)
        return found

    def _of_this_machine(self, runtime: str) -> tuple[dict[str, np.ndarray], list]:
        """Return this machine's sample and what it says of tests/data, found once."""
        if runtime not in self._here:
            run = this_machine(self._package)
            scores = sample(run, runtime, self._work / "here.npz")
            self._here[runtime] = scores, answers(run, runtime, self._judge, self._work)
        return self._here[runtime]


def _reported(what: str, make: Callable[[], T], words: Callable[[T], str]) -> T:
    """Return the result of `make`, described and timed in a printed line."""
    start = time.perf_counter()
    made = make()
    print(f"{what}: {words(made)}, {time.perf_counter() - start:.0f} s")
    return made


@contextmanager
def _timed(what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    print(f"{what}: done, {time.perf_counter() - start:.0f} s")
