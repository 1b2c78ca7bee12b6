"""`python -m lenet_edge.benchmark`: how long models take on this machine, and how much longer than the first.

All models are timed interleaved in one process for each runtime. TensorFlow is not needed.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from converters.base.errors import exit_status, expect
from converters.base.files import check_writable, is_stream, write_atomically, write_json
from converters.base.installed import RUNTIMES
from converters.base.options import command_parser
from converters.runtimes.sessions import check_options
from lenet_edge.benchmarking.choosing import choose_runtimes, contents_by_name
from lenet_edge.benchmarking.comparison import compare_lines
from lenet_edge.benchmarking.json_types import Answer, Report
from lenet_edge.benchmarking.measuring import Plan, measure_runtime
from lenet_edge.benchmarking.plot import check_plotting, draw
from lenet_edge.benchmarking.report import heading, read_report
from lenet_edge.benchmarking.table import (
    failure_lines,
    machine_lines,
    profile_lines,
    start_lines,
    timing_lines,
)
from lenet_edge.reading.options import DELEGATE_HELP

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
    options = _parser().parse_args(argv)
    if options.compare:
        expect(not options.models, "--compare without models", " ".join(options.models))
        first, second = (read_report(path) for path in options.compare)
        print("\n".join(compare_lines(first, second)))
        return 0
    _check(options)
    runtimes = choose_runtimes(options.runtime or ["auto"])
    plan = Plan(
        models=contents_by_name(options.models or MODELS),
        runtimes=runtimes.names,
        delegates=list(dict.fromkeys(options.delegate or ["auto"])),
        threads=options.threads,
        seconds=options.seconds,
        profile=options.profile,
        peers=os.path.abspath(options.peers) if options.peers else "",
    )
    report = heading(plan.models, [NAME, *(sys.argv[1:] if argv is None else argv)])
    report["failures"] = runtimes.failures
    print("\n".join([*machine_lines(report), *failure_lines(report["failures"])]), flush=True)
    _measure(plan, report)
    if options.json:
        write_json(options.json, report)
    if options.png and report["results"]:
        write_atomically(options.png, draw(report))
    return 0 if report["results"] else 1


def _check(options: argparse.Namespace) -> None:
    """Raise InputError or OSError for options that are out of range, and for what cannot be written."""
    for threads in options.threads:
        for delegate in options.delegate or ["auto"]:
            check_options(delegate=delegate, threads=threads)
    expect(options.seconds > 0, "--seconds above 0", f"{options.seconds:g}")
    expect(not options.peers or Path(options.peers).is_dir(), "a folder of peers", options.peers)
    if options.png:
        check_plotting()
        right = is_stream(options.png) or Path(options.png).suffix.lower() == ".png"
        expect(right, "--png FILE.png", options.png)
    for path in filter(None, (options.json, options.png)):
        check_writable(path)


def _measure(plan: Plan, report: Report) -> None:
    """Measure `plan` into `report`, printing each runtime's tables as they come."""
    with tqdm(total=plan.steps, leave=False, disable=None, unit="step") as bar:
        for runtime in plan.runtimes:
            bar.set_description(RUNTIMES[runtime].title)
            answer = measure_runtime(plan, runtime, progress=bar.update)
            report["results"] += answer["results"]
            report["failures"] += answer["failures"]
            report["profiles"] += answer["profiles"]
            bar.clear()
            print("\n".join(_lines(answer)), flush=True)


def _lines(answer: Answer) -> list[str]:
    results = answer["results"]
    profiles = [line for one in answer["profiles"] for line in profile_lines(one)]
    return [*timing_lines(results), *start_lines(results), *profiles, *failure_lines(answer["failures"])]


def _threads(text: str) -> list[int]:
    try:
        return list(dict.fromkeys(int(one) for one in text.split(",")))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected numbers like 1,2,4, got {shlex.quote(text)}") from None


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name=NAME, description=__doc__, epilog=EPILOG)
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
        help=f"{DELEGATE_HELP}; may be given more than once (default: auto)",
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
