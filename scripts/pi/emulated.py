"""A Python that believes to be on a Raspberry Pi: QEMU emulates the processor, calls go to this kernel.

QEMU looks for a path in the board's folder first and then on this machine, so that the tests' files and the
wheels are seen where they are, and /proc/cpuinfo is the board's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from boards import Board

from converters.base.files import write_atomically

_CORES = "0-3\n"


class Emulated:
    """The Python `python` ("3.11") of the userland `root` on `board`, with the packages in folders `path`.

    `folder` takes the board's own files; the bytecode that is compiled on it stays there too.
    """

    def __init__(self, board: Board, root: Path, python: str, *, path: Sequence[Path], folder: Path) -> None:
        self.path = [part.resolve() for part in path]
        self._folder, self._root = folder.resolve(), root.resolve()
        self._link_userland()
        write_atomically(self._folder / "proc" / "cpuinfo", board.cpuinfo())
        for name in ("possible", "present"):
            write_atomically(self._folder / "sys" / "devices" / "system" / "cpu" / name, _CORES)
        # The tests start sys.executable, which must lead into the emulator again.
        self.executable = write_atomically(self._folder / "python", self._script(board, python))
        self.executable.chmod(0o755)

    def run(
        self, arguments: Sequence[str | Path], *, cwd: Path, more: Sequence[Path] = (), timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run Python with `arguments`; `more` are folders with packages for this time."""
        path = os.pathsep.join(map(str, [*self.path, *(part.resolve() for part in more)]))
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONNOUSERSITE": "1"}
        environment["PYTHONPYCACHEPREFIX"] = str(self._folder / "bytecode")
        return subprocess.run(
            [self.executable, *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def _link_userland(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for name in ("bin", "etc", "lib", "usr"):
            link = self._folder / name
            if not link.is_symlink():
                link.symlink_to(self._root / name)

    def _script(self, board: Board, python: str) -> str:
        libraries = os.pathsep.join(str(self._root / name) for name in board.libraries)
        variables = {"PYTHONHOME": str(self._root / "usr"), "LD_LIBRARY_PATH": libraries}
        given = " ".join(f"-E '{name}={value}'" for name, value in variables.items() if value)
        emulator = f"'{shutil.which(board.emulator)}' -cpu {board.cpu} -0 \"$0\" -L '{self._folder}'"
        # -S: this machine's site-packages are no part of the board's.
        program = f"'{self._root}/usr/bin/python{python}' -s -S"
        return f'#!/bin/sh\nexec {emulator} {given} {program} "$@"\n'
