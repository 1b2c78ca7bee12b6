"""`python -m lenet_edge.benchmark`: how long models take on this machine, and how much longer than the first.

All models are timed interleaved in one process for each runtime. TensorFlow is not needed.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from converters.base.errors import InputError, exit_status, expect
from converters.base.files import write_atomically, write_json
from converters.base.installed import RUNTIMES, choose, unusable_reason
from converters.runtimes.sessions import check_options
from lenet_edge.benchmarking.compare import compare_lines
from lenet_edge.benchmarking.measuring import Plan, measured
from lenet_edge.benchmarking.plot import check_plotting, draw
from lenet_edge.benchmarking.report import heading, read_report
from lenet_edge.benchmarking.table import (
    failure_lines,
    machine_lines,
    profile_lines,
    start_lines,
    timing_lines,
)
from lenet_edge.packaged.files import content_of, packaged_models, packaged_name

NAME = "lenet-edge benchmark"
MODELS = ("float32", "int8_qat", "stock_lenet5_float32.tflite", "stock_lenet5_int8.tflite")
"""The models that are timed when none is named."""

EPILOG = """\
examples:
  lenet-edge benchmark                             lenet5 and the stock net, float32 and int8
  lenet-edge benchmark int8_qat mine.tflite --json board.json --png board.png
  lenet-edge benchmark float32 --runtime all --threads 1,2,4 --profile
  lenet-edge benchmark --compare pi4.json pi5.json

p50, p90, p99: of computing alone, in microseconds; with i/o: handing the picture over and fetching the scores
as well. A ratio is to the first model, its interval holds the true one 95 times of 100. Load, first run and
memory are of fresh processes: memory is the most that such a process had, less what it has without the model.
Status: 0 when something was timed, 1 when nothing was, 2 on bad input.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.compare:
        expect(not options.models, "--compare without models", " ".join(options.models))
        first, second = (read_report(path) for path in options.compare)
        print("\n".join(compare_lines(first, second)))
        return 0
    if options.png:
        check_plotting()
    plan, absent = _plan(options)
    report = heading(plan.models, [NAME, *(sys.argv[1:] if argv is None else argv)])
    report["failures"] = absent
    print("\n".join([*machine_lines(report), *failure_lines(absent)]), flush=True)
    _measure(plan, report)
    if options.json:
        write_json(options.json, report)
    if options.png and report["results"]:
        write_atomically(options.png, draw(report))
    return 0 if report["results"] else 1


def _measure(plan: Plan, report: dict[str, Any]) -> None:
    """Measure `plan` into `report`, printing each runtime's tables as they come."""
    with tqdm(total=plan.steps, leave=False, disable=None, unit="step") as bar:
        for runtime in plan.runtimes:
            bar.set_description(RUNTIMES[runtime].title)
            answer = measured(plan, runtime, progress=bar.update)
            for key in ("results", "failures", "profiles"):
                report[key] += answer[key]
            bar.clear()
            print("\n".join(_lines(answer)), flush=True)


def _lines(answer: dict[str, Any]) -> list[str]:
    results = answer["results"]
    profiles = [line for one in answer["profiles"] for line in profile_lines(one)]
    return [*timing_lines(results), *start_lines(results), *profiles, *failure_lines(answer["failures"])]


def _plan(options: argparse.Namespace) -> tuple[Plan, list[dict[str, str]]]:
    """Return what is asked for, and the runtimes of `all` that are not here."""
    for threads in options.threads:
        for delegate in options.delegate or ["auto"]:
            check_options(delegate=delegate, threads=threads)
    expect(options.seconds > 0, "--seconds above 0", f"{options.seconds:g}")
    expect(not options.peers or Path(options.peers).is_dir(), "a folder of peers", options.peers)
    runtimes, absent = _runtimes(options.runtime or ["auto"])
    plan = Plan(
        models=_contents(options.models or MODELS),
        runtimes=runtimes,
        delegates=list(dict.fromkeys(options.delegate or ["auto"])),
        threads=options.threads,
        seconds=options.seconds,
        profile=options.profile,
        peers=os.path.abspath(options.peers) if options.peers else "",
    )
    return plan, absent


def _runtimes(names: Sequence[str]) -> tuple[list[str], list[dict[str, str]]]:
    if "all" not in names:
        reasons = {name: unusable_reason(name, alone=True) for name in names if name != "auto"}
        for name, reason in reasons.items():
            expect(not reason, f"the runtime {name}", reason)
        return list(dict.fromkeys(choose() if name == "auto" else name for name in names)), []
    reasons = {name: unusable_reason(name, alone=True) for name in RUNTIMES}
    there = [name for name, reason in reasons.items() if not reason]
    if not there:
        raise InputError(f"expected a TensorFlow Lite runtime, got none: {RUNTIMES['litert'].install}")
    absent = [{"model": "", "runtime": name, "reason": why} for name, why in reasons.items() if why]
    return there, absent


def _contents(models: Sequence[str]) -> dict[str, bytes]:
    """Return the models' contents by the names to show; one that is named twice is timed twice."""
    contents: dict[str, bytes] = {}
    seen: Counter[str] = Counter()
    for model in models:
        content, name = content_of(model), _shown(model)
        seen[name] += 1
        contents[name if seen[name] == 1 else f"{name} ({seen[name]})"] = content
    return contents


def _shown(model: str) -> str:
    return Path(packaged_name(model, packaged_models()) or model).stem


def _threads(text: str) -> list[int]:
    try:
        return list(dict.fromkeys(int(one) for one in text.split(",")))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected numbers like 1,2,4, got {shlex.quote(text)}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=NAME, description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    named = ", ".join(MODELS)
    add("models", nargs="*", metavar="MODEL", help=f"a packaged model or a .tflite file (default: {named})")
    add(
        "--runtime",
        action="append",
        choices=("auto", *RUNTIMES, "all"),
        help="may be given more than once; `all`: every one that is installed (default: the first)",
    )
    add(
        "--delegate",
        action="append",
        metavar="NAME|LIBRARY",
        help="auto, none, xnnpack, gpu, nnapi or a delegate's library; may be given more than once",
    )
    add("--threads", type=_threads, default=[1], metavar="N,N,...", help="numbers of threads (default: 1)")
    add(
        "--seconds",
        type=float,
        default=2.0,
        help="of measuring each model with each delegate and number of threads (default: %(default)g)",
    )
    add("--profile", action="store_true", help="tell also where the time goes, node by node")
    add("--peers", metavar="FOLDER", help="time the .onnx and .pte files of the same weights as well")
    add("--json", metavar="FILE", help="write everything that was measured")
    add("--png", metavar="FILE", help="draw it (needs matplotlib)")
    add("--compare", nargs=2, metavar=("A.json", "B.json"), help="lay two reports side by side")
    return parser


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
