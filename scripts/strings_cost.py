"""What the wide net saves over 32x32 windows one by one: `python scripts/strings_cost.py [RUNTIME...]`.

Writes results/strings_cost.json: the multiply-accumulates per answer, counted from the files at each width
(C1 to S4, whose maps neighbouring windows share, and C5 on, which each window has of its own), and the time
per answer as a share of the time of a single window, in one run of `lenet-edge benchmark`, whose files take
turns.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runtime_argument import add_runtimes

from converters.base.errors import exit_status
from converters.base.files import check_writable, write_atomically, write_json
from converters.base.options import command_parser
from converters.file.resizing import resized
from converters.timing.profile_costs import costs
from lenet_edge.digits import geometry
from lenet_edge.digits.geometry import FIELD
from lenet_edge.packaged.files import content_of
from lenet_edge.packaged.names import WIDE

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "results" / "strings_cost.json"
SECONDS = 5
VARIANTS = ("float32", "int8")
"""What is timed: int8_qat has the operators of int8, in the same layout."""

WIDEST = 1024
SHOWN = (32, 64, 112, 128, 192, 256, 512, 1024)
TIMED = (112, 512)
"""The widths that are timed: the files' own, and the widest piece that StringReader computes at once."""

_OWN_LAYERS = 3  # C5, F6, OUTPUT

GOAL = 5.0
"""How many times fewer multiply-accumulates the issue asks for."""


def at_width(variant: str, width: int) -> bytes:
    """Return the packaged wide file of `variant` for pictures `width` columns wide."""
    return resized(content_of(f"{WIDE}_{variant}.tflite"), shape=(1, FIELD, width, 1))


def multiply_accumulates(width: int) -> dict[str, int]:
    """Return the multiply-accumulates of the wide file at `width`: all of them, and those up to S4."""
    nodes = [one.macs for one in costs(at_width("float32", width)) if one.macs]
    return {"all": sum(nodes), "shared": sum(nodes[:-_OWN_LAYERS])}


def operations() -> dict[str, Any]:
    """Return the multiply-accumulates at each width, and the width that first meets the goal (null: none)."""
    counts = {width: multiply_accumulates(width) for width in range(FIELD, WIDEST + 1, geometry.STEP)}
    alone = counts[FIELD]
    fewer = {
        width: {part: geometry.windows(width) * alone[part] / count[part] for part in count}
        for width, count in counts.items()
    }
    return {
        "one_window": alone,
        "widths": {
            str(width): {
                "answers": geometry.windows(width),
                "multiply_adds": counts[width],
                "an_answer": round(counts[width]["all"] / geometry.windows(width)),
                "times_fewer": {part: round(times, 3) for part, times in fewer[width].items()},
            }
            for width in SHOWN
        },
        "goal": GOAL,
        "goal_met_from_width": {
            part: next((width for width, times in fewer.items() if times[part] >= GOAL), None)
            for part in alone
        },
    }


def times(variant: str, runtimes: list[str]) -> dict[str, Any]:
    """Return the report of `lenet-edge benchmark` on one window, lenet5 as released, and wide pictures."""
    contents = {"one_window": at_width(variant, FIELD), "lenet5": content_of(f"lenet5_{variant}.tflite")}
    contents.update({f"wide_{width}": at_width(variant, width) for width in TIMED})
    with tempfile.TemporaryDirectory(prefix="lenet-edge-") as folder:
        for name, content in contents.items():
            write_atomically(Path(folder, f"{name}.tflite"), content)
        command = [sys.executable, "-m", "lenet_edge.benchmark", *(f"{name}.tflite" for name in contents)]
        for runtime in runtimes:
            command += ["--runtime", runtime]
        command += ["--seconds", str(SECONDS), "--json", "report.json"]
        subprocess.run(command, check=True, cwd=folder)
        return json.loads(Path(folder, "report.json").read_text())


def an_answer(result: dict[str, Any]) -> dict[str, Any]:
    """Return a benchmark's `result` as the time of one answer: a share of one window's by itself."""
    name = result["model"]
    answers = geometry.windows(int(name.removeprefix("wide_"))) if name.startswith("wide_") else 1
    share = {end: result["run_ratio"][end] / answers for end in ("value", "low", "high")}
    return {
        **{key: result[key] for key in ("model", "runtime", "version", "delegate", "taken", "nodes")},
        "answers": answers,
        "microseconds": result["run"]["p50"],
        "of_one_window": share,
        "times_quicker": 1 / share["value"],
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Count, time in the runtimes, and write results/strings_cost.json."""
    parser = command_parser(name="strings_cost.py", description=__doc__)
    add_runtimes(parser)
    runtimes = parser.parse_args(argv).runtimes
    check_writable(OUT)
    measured: dict[str, Any] = {"operations": operations(), "times": {}}
    for variant in VARIANTS:
        report = times(variant, runtimes)
        measured["machine"], measured["versions"] = report["machine"], report["versions"]
        measured["times"][variant] = [an_answer(result) for result in report["results"]]
    write_json(OUT, measured)
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="strings_cost.py"))
