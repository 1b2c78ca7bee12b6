"""Measure nets that nobody here trained, by every route to int8: results/zoo.json, for docs/zoo.md.

Each net is folded, converted, and compared with what TensorFlow's converter alone makes of it,
tensorflow-model-optimization where it takes it, and ai-edge-quantizer where --quantizer-python is given. A
net is measured in a process of its own, each route within a time limit: one that ends the process is a row
like any other.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata
from multiprocessing.connection import Connection
from pathlib import Path

from tqdm import tqdm
from zoo_nets import CALIBRATION, FILES, NETS, TESTED, net
from zoo_routes import ROUTES, TRAINING_PASSES, Outcome, Subject, late, taken

from converters.base.errors import exit_status, expect
from converters.base.files import check_writable, write_json
from converters.base.machine import machine
from converters.base.options import command_parser
from converters.base.untyped import Json

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "results" / "zoo.json"
_GRACE = 10  # seconds in which a route can say by itself that it is late


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is measured of a net: its `name`, the `folder` of the trained ones, the `routes` in order."""

    name: str
    folder: Path
    routes: tuple[str, ...]
    python: Path | None
    limit: float


@dataclass(kw_only=True)
class Row:
    """What the routes made of a net, and what decides it: versions, the machine, seconds that a route had."""

    limit_seconds: float
    parameters: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    routes: dict[str, Outcome] = field(default_factory=dict)

    def as_json(self) -> dict[str, Json]:
        """Return the same for a file."""
        return {
            "parameters": self.parameters,
            "versions": dict(self.versions),
            "machine": machine(),
            "limit_seconds": self.limit_seconds,
            "routes": {route: outcome.as_json() for route, outcome in self.routes.items()},
        }


def measure(task: Task, sender: Connection) -> None:
    """Send the net's parameters and the versions, and then the outcome of each route."""
    from converters.base.quiet import quieten_tensorflow

    quieten_tensorflow()
    from converters.base.environment import versions  # loads TensorFlow

    subject = Subject(net=net(task.name, task.folder), python=task.python, limit=task.limit)
    library = "tensorflow-model-optimization"
    sender.send((int(subject.net.model.count_params()), {**versions(), library: metadata.version(library)}))
    for route in task.routes:
        sender.send(taken(route, subject))


def measured(task: Task) -> Row:
    """Return what each route makes of a net; the process is begun anew behind a route that ended it."""
    row = Row(limit_seconds=task.limit)
    while left := tuple(route for route in task.routes if route not in row.routes):
        add_routes(row, replace(task, routes=left))
    return row


def add_routes(row: Row, task: Task) -> None:
    """Add to `row` what routes of `task` make of the net in one process, up to one that ends it."""
    spawning = multiprocessing.get_context("spawn")
    receiver, sender = spawning.Pipe(duplex=False)
    process = spawning.Process(target=measure, args=(task, sender))
    process.start()
    sender.close()  # the process has it: when that ends, the pipe does
    left = list(task.routes)
    try:
        row.parameters, row.versions = receiver.recv()
        while left and receiver.poll(task.limit + _GRACE):
            row.routes[left[0]] = receiver.recv()
            left.pop(0)
        if left:
            row.routes[left[0]] = Outcome(failed=late(task.limit))
    except EOFError:
        process.join()
        row.routes[left[0]] = Outcome(failed=f"the process ended with status {process.exitcode}")
    finally:
        process.kill()
        process.join()


def check_quantizer(python: Path | None) -> None:
    """Raise InputError unless `python`, if given, is an interpreter that imports ai-edge-quantizer."""
    if python is None:
        return
    wanted = f"{python} to be a Python with ai-edge-quantizer"
    expect(os.access(python, os.X_OK) and not python.is_dir(), wanted, "no program there")
    done = subprocess.run([python, "-c", "import ai_edge_quantizer"], capture_output=True, text=True)
    expect(not done.returncode, wanted, next(reversed(done.stderr.strip().splitlines()), "no reason given"))


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the nets and write the results after each."""
    parser = command_parser(name="zoo.py", description=__doc__)
    add = parser.add_argument
    add("--zoo", type=Path, metavar="DIR", help="folder with MLPerf Tiny's .h5 files")
    add("--net", choices=[*NETS, *FILES], action="append", help="only this one (repeatable)", metavar="NAME")
    add("--limit", type=float, default=600, metavar="S", help="seconds of a route (default: %(default)s)")
    add("--quantizer-python", type=Path, metavar="PATH", help="a Python with ai-edge-quantizer")
    options = parser.parse_args(argv)
    expect(options.limit > 0, "--limit of more than 0 seconds", options.limit)
    check_writable(OUT)
    names = options.net or [*NETS, *(FILES if options.zoo else ())]
    wanted = [FILES[name] for name in names if name in FILES]
    missing = [file for file in wanted if not options.zoo or not (options.zoo / file).is_file()]
    expect(not missing, "--zoo DIR with " + ", ".join(wanted), "no " + ", ".join(missing))
    check_quantizer(options.quantizer_python)

    routes = tuple(one for one in ROUTES if one != "ai-edge-quantizer" or options.quantizer_python)
    nets: dict[str, Json] = json.loads(OUT.read_text())["nets"] if OUT.exists() else {}
    for name in tqdm(names, unit="net"):
        task = Task(
            name=name,
            folder=options.zoo or Path(),
            routes=routes,
            python=options.quantizer_python,
            limit=options.limit,
        )
        nets[name] = measured(task).as_json()
        write_json(
            OUT,
            {
                "command": "python scripts/zoo.py --zoo MLPERF_TINY --quantizer-python PYTHON",
                "calibration": CALIBRATION,
                "tested": TESTED,
                "tfmot_passes": TRAINING_PASSES,
                "nets": {one: nets[one] for one in (*NETS, *FILES) if one in nets},
            },
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="zoo.py"))
