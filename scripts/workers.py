"""Measure what a second process brings to a training, each process on one core: as two machines of one core.

python scripts/workers.py --data MNIST     writes results/workers.json (a quarter of an hour; Linux)
python scripts/workers.py --data MNIST --only teacher     measures one training anew, keeps the others

Epochs are timed by the clock, from one row of the history to the next, so what the chief measures and writes
after each is in it; beside it the processor time of all processes together. One process and two take turns.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from converters.base.files import write_json
from converters.base.machine import machine

OUT = Path(__file__).resolve().parents[1] / "results" / "workers.json"
DIGITS = {
    "lenet5": 25_600,
    "lenet5 --batch-size 1024": 25_600,
    "teacher": 6_400,
    "teacher --batch-size 1024": 6_144,
}
"""The digits of an epoch by the net and its other options: epochs of some seconds, of whole batches."""

EPOCHS = 4
"""Of a run. The first is not timed: TensorFlow prepares its graph in it."""

CORES = {"one process": [[0]], "two processes": [[0], [1]], "one process on two cores": [[0, 1]]}
"""The cores of each process, by what is measured."""


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What an epoch takes: `seconds` by the clock, `processor_seconds` of all processes."""

    seconds: float
    processor_seconds: float


def free_addresses(count: int) -> list[str]:
    """Return addresses of this machine that nothing listens at."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return addresses


def started(
    words: Sequence[str], cores: Sequence[Sequence[int]], folder: Path
) -> list[subprocess.Popen[bytes]]:
    """Start a training in a process for each of `cores`, which it is bound to."""
    addresses = free_addresses(len(cores))
    processes = []
    for place, own in enumerate(cores):
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": place}}
        command = ["taskset", "-c", ",".join(map(str, own)), sys.executable, "-m", "lenet_edge.train", *words]
        processes.append(
            subprocess.Popen(
                [*command, "--out", str(folder / f"out-{place}"), "--threads", str(len(own))],
                env={**os.environ, "TF_CONFIG": json.dumps(task), "XDG_CACHE_HOME": str(folder.parent)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
    return processes


def processor_seconds(processes: Sequence[subprocess.Popen[bytes]]) -> float:
    """Return the processor time that `processes` have taken so far."""
    ticks = 0
    for process in processes:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # utime and stime, which proc(5) counts as 14 and 15
    return ticks / os.sysconf("SC_CLK_TCK")


def epochs_of(words: Sequence[str], cores: Sequence[Sequence[int]], folder: Path) -> list[Epoch]:
    """Run a training in `folder`; return its epochs but the first."""
    history = folder / "out-0" / "checkpoints" / "history.json"
    processes = started(words, cores, folder)
    marks: list[tuple[float, float]] = []
    while len(marks) < EPOCHS:
        if any(process.poll() for process in processes):
            raise SystemExit(f"expected every process to train, got {[one.poll() for one in processes]}")
        rows = len(json.loads(history.read_text())) if history.exists() else 0
        if rows > len(marks):
            marks.append((time.monotonic(), processor_seconds(processes)))
        time.sleep(0.005)
    for process in processes:
        process.wait()
    return [Epoch(seconds=b[0] - a[0], processor_seconds=b[1] - a[1]) for a, b in itertools.pairwise(marks)]


def measured(training: str, *, data: Path, repeats: int, folder: Path) -> dict[str, dict[str, float]]:
    """Return an epoch of `training` by what is measured: the median of all that were timed."""
    words = ["--model", *training.split(), "--data", str(data), "--limit", str(DIGITS[training])]
    words += ["--epochs", str(EPOCHS)]
    words += ["--passes", "1", "--gentle-passes", "0", "--verbose", "0"]
    found: dict[str, list[Epoch]] = {name: [] for name in CORES}
    for _ in tqdm(range(repeats), desc=training, unit="turn"):
        for name, cores in CORES.items():
            home = Path(tempfile.mkdtemp(dir=folder))
            found[name] += epochs_of(words, cores, home)
    return {
        name: {
            field: round(statistics.median(asdict(epoch)[field] for epoch in epochs), 3)
            for field in Epoch.__dataclass_fields__
        }
        for name, epochs in found.items()
    }


def compared(epochs: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Return how many times as fast as one process the others are, and how much more two compute."""
    one, two = epochs["one process"], epochs["two processes"]
    fast = {name: round(one["seconds"] / epoch["seconds"], 2) for name, epoch in epochs.items()}
    more = round(two["processor_seconds"] / one["processor_seconds"], 2)
    return {"times_as_fast": fast, "processor_time_of_two": more}


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="the folder with MNIST")
    add("--repeats", type=int, default=3, metavar="N", help="turns (default: %(default)s)")
    add("--only", choices=DIGITS, metavar="TRAINING", help=f"one of {', '.join(map(repr, DIGITS))}")
    options = parser.parse_args(argv)
    nets = json.loads(OUT.read_text())["nets"] if options.only else {}
    folder = Path(tempfile.mkdtemp(prefix="lenet-edge-workers-"))
    try:
        for name in [options.only] if options.only else DIGITS:
            epochs = measured(name, data=options.data.resolve(), repeats=options.repeats, folder=folder)
            nets[name] = {"digits": DIGITS[name], "epoch": epochs, **compared(epochs)}
    finally:
        shutil.rmtree(folder)
    load = round(os.getloadavg()[2], 1)
    nets = {name: nets[name] for name in DIGITS if name in nets}
    report = {"machine": machine(), "load_of_15_minutes": load, "repeats": options.repeats, "nets": nets}
    write_json(OUT, report)


if __name__ == "__main__":
    main()
