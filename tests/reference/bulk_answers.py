"""Run `lenet-edge bulk` and read what it wrote; needs pyarrow."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import psutil
from pyarrow import parquet

DATA = Path(__file__).resolve().parents[1] / "data"
DIGITS = sorted(DATA.glob("[0-9]-*"))


def bulk_command(*words):
    return [sys.executable, "-m", "lenet_edge.bulk", *map(str, words), "--workers", "2"]


def bulk(*words):
    return subprocess.run(bulk_command(*words), capture_output=True, text=True, timeout=300)


def rows(folder):
    """Return the answers in a folder by path, each of which must be there once."""
    table = parquet.read_table(folder).to_pylist()
    found = {row["path"]: row for row in table}
    assert len(found) == len(table)
    return found


def classified():
    """Return what `lenet-edge classify` answers to the digits in tests/data, by name."""
    command = [sys.executable, "-m", "lenet_edge.classify", *map(str, DIGITS), "--json", "--quiet"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return {Path(line["file"]).name: line for line in map(json.loads, lines)}


def many(folder, count):
    """Return `folder` with `count` copies of the digits in tests/data, a number before each name."""
    folder.mkdir()
    for number in range(count):
        digit = DIGITS[number % len(DIGITS)]
        (folder / f"{number:03}-{digit.name}").write_bytes(digit.read_bytes())
    return folder


def actors(parent):
    """Return the processes below `parent` in which Ray reads pictures: not those of another Ray."""
    found = []
    for process in psutil.Process(parent).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "ray::MapWorker" in " ".join(process.cmdline()):
                found.append(process)
    return found
