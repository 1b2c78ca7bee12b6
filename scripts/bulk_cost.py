"""Measure what bulk reading costs: core-hours for a million pictures, and Ray beside `classify --jobs 2`.

.venv-bulk/bin/python scripts/bulk_cost.py     writes results/bulk.json (make bulk-test makes .venv-bulk)
.venv-bulk/bin/python scripts/bulk_cost.py --only two_nodes     measures one part anew, keeps the others

The pictures are copies of those in tests/data, and calibration digits as small PNG files.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from tqdm import tqdm

from converters.base.files import write_json
from converters.base.machine import machine
from lenet_edge.digits.mnist import calibration_digits

if TYPE_CHECKING:
    import psutil

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "results" / "bulk.json"
DATA = ROOT / "tests" / "data"
FEW = 40
"""Pictures of the shorter of two runs: what both take besides the pictures is the start."""

Contents = list[bytes]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a kind of picture costs one core: `seconds` a picture, and `core_hours` a million."""

    command: str
    pictures: int
    milliseconds: float
    core_hours: float


def photographs() -> Contents:
    """Return the photographs of digits in tests/data."""
    return [path.read_bytes() for path in sorted(DATA.glob("[0-9]-*"))]


def fields() -> Contents:
    """Return the pictures of amounts in tests/data."""
    return [path.read_bytes() for path in sorted(DATA.glob("amount-*"))]


def small_digits() -> Contents:
    """Return the calibration digits as PNG files of 28x28."""
    contents = []
    for image in calibration_digits().images:
        stream = io.BytesIO()
        Image.fromarray(image).save(stream, "png")
        contents.append(stream.getvalue())
    return contents


KINDS: dict[str, tuple[str, Callable[[], Contents], int]] = {
    "photographs of a digit": ("classify", photographs, 400),
    "fields, a line of digits on each": ("read", fields, 200),
    "digits in MNIST's form, PNG": ("classify", small_digits, 5000),
}
"""The command that reads a kind of picture, its pictures, and how many are read."""


def filled(folder: Path, contents: Contents, count: int) -> Path:
    """Return `folder` with `count` copies of `contents`, in turn."""
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number:07}.png").write_bytes(contents[number % len(contents)])
    return folder


def processor_seconds(words: Sequence[str]) -> float:
    """Return the processor time of a command and its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", *words], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def cost(command: str, contents: Contents, count: int, folder: Path) -> Cost:
    """Return what a picture costs: the difference of a long and a short run, so without the start."""
    times = []
    for pictures in (FEW, FEW + count):
        source = filled(folder / str(pictures), contents, pictures)
        times.append(processor_seconds([f"lenet_edge.{command}", str(source), "--jobs", "1", "--quiet"]))
    each = (times[1] - times[0]) / count
    return Cost(
        command=f"lenet-edge {command} --jobs 1",
        pictures=count,
        milliseconds=round(1000 * each, 3),
        core_hours=round(each * 1e6 / 3600, 2),
    )


class Memory:
    """Watches the memory of Ray's actors while a command runs: the most of one, early and late."""

    def __init__(self) -> None:
        self._seen: list[float] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def thirds(self) -> tuple[float, float]:
        """Return MiB: the most in the first third of the time in which there were actors, and in the last."""
        third = max(1, len(self._seen) // 3)
        return round(max(self._seen[:third])), round(max(self._seen[-third:]))

    def _watch(self) -> None:
        import psutil  # here: it is installed beside Ray only

        while not self._ended.wait(0.5):
            found = [_mebibytes(one) for one in psutil.process_iter(["cmdline"])]
            if any(found):
                self._seen.append(max(found))


def _mebibytes(process: psutil.Process) -> float:
    """Return the memory of one of Ray's actors, 0 of another process."""
    import psutil

    if "ray::MapWorker" not in " ".join(process.info["cmdline"] or []):
        return 0.0
    try:
        return float(process.memory_info().rss) / 2**20
    except psutil.NoSuchProcess:
        return 0.0


def wall_seconds(words: Sequence[str]) -> float:
    """Return how long a command takes."""
    start = time.monotonic()
    subprocess.run([sys.executable, "-m", *words], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def beside_classify(contents: Contents, count: int, folder: Path) -> dict[str, object]:
    """Return pictures a second and the start of `bulk` on Ray and of `classify`, two processes each."""
    found: dict[str, object] = {"pictures": count}
    sources = [filled(folder / str(number), contents, number) for number in (FEW, FEW + count)]
    for name in ("classify", "bulk"):
        times = []
        for source in sources:
            out = folder / f"out-{source.name}"
            more = [str(out), "--workers", "2", "--part", "100"] if name == "bulk" else ["--jobs", "2"]
            times.append(wall_seconds([f"lenet_edge.{name}", str(source), *more, "--quiet"]))
        rate = count / (times[1] - times[0])
        found[name] = {
            "pictures_a_second": round(rate, 1),
            "start_seconds": round(times[0] - FEW / rate, 1),
        }
    return found


def long_run(contents: Contents, count: int, folder: Path) -> dict[str, object]:
    """Return the memory of Ray's actors over many pictures, at the start and at the end."""
    source = filled(folder / "many", contents, count)
    with Memory() as memory:
        seconds = wall_seconds(
            ["lenet_edge.bulk", str(source), str(folder / "answers"), "--workers", "2", "--quiet"]
        )
    first, last = memory.thirds()
    return {"pictures": count, "seconds": round(seconds), "first_third_mib": first, "last_third_mib": last}


def two_nodes(contents: Contents, count: int, folder: Path) -> dict[str, object]:
    """Return how `bulk` reads on two simulated nodes of a processor each, and as one of them is lost."""
    from ray.cluster_utils import Cluster  # here: Ray is not installed where the tests import this script

    found: dict[str, object] = {"pictures": count}
    source = filled(folder / "source", contents, count)
    for lost in (False, True):
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        other = cluster.add_node(num_cpus=1)
        out = folder / f"lost-{lost}"
        words = ["lenet_edge.bulk", str(source), str(out), "--workers", "2", "--part", "20", "--quiet"]
        start = time.monotonic()
        running = subprocess.Popen([sys.executable, "-m", *words, "--address", cluster.address])
        while lost and len(list(out.glob("*.parquet"))) < 5 and running.poll() is None:
            time.sleep(0.02)
        if lost:
            cluster.remove_node(other, allow_graceful=False)
        if running.wait():
            raise SystemExit(f"expected bulk to read, got status {running.returncode}")
        seconds = round(time.monotonic() - start, 1)
        found["one_lost" if lost else "both"] = {"seconds": seconds, **answered(out)}
        cluster.shutdown()
    return found


def answered(out: Path) -> dict[str, int]:
    """Return how many answers are in a folder, and to how many pictures."""
    from pyarrow import parquet

    paths = parquet.read_table(out, columns=["path"])["path"].to_pylist()
    return {"answers": len(paths), "pictures_answered": len(set(paths))}


def costs(folder: Path) -> dict[str, dict[str, object]]:
    """Return what each kind of picture costs."""
    return {
        name: asdict(cost(command, contents(), count, folder / str(number)))
        for number, (name, (command, contents, count)) in enumerate(tqdm(KINDS.items(), unit="kind"))
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--many", type=int, default=200_000, metavar="N", help="pictures of the long run")
    parts: dict[str, Callable[[Path], object]] = {
        "cost": costs,
        "beside_classify": lambda folder: beside_classify(photographs(), 1000, folder),
        "two_nodes": lambda folder: two_nodes(photographs(), 1000, folder),
        "long_run": lambda folder: long_run(small_digits(), options.many, folder),
    }
    parser.add_argument("--only", choices=parts, metavar="PART", help=f"one of {', '.join(parts)}")
    options = parser.parse_args(argv)
    kept = json.loads(OUT.read_text()) if options.only else {}
    folder = Path(tempfile.mkdtemp(prefix="lenet-edge-bulk-"))
    try:
        measured = {name: part(folder / name) for name, part in parts.items() if options.only in (None, name)}
    finally:
        shutil.rmtree(folder)
    versions = {name: metadata.version(name) for name in ("lenet-edge", "ray", "pyarrow", "numpy")}
    write_json(OUT, {"versions": versions, "machine": machine(), **kept, **measured})


if __name__ == "__main__":
    main()
