"""`python -m lenet_edge.benchmark`: time models on this machine and compare each with the first.

All models are timed interleaved, in one process for each runtime. TensorFlow is not needed.
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
from converters.base.options import command_parser, given_options, refuse_beside
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
"""The models that are timed by default."""

_OF_MEASURING = ("runtime", "delegate", "threads", "seconds", "profile", "peers", "json", "png")

EPILOG = """\
examples:
  lenet-edge benchmark                             lenet5 and the stock net, float32 and int8
  lenet-edge benchmark int8_qat mine.tflite --json board.json --png board.png
  lenet-edge benchmark float32 --runtime all --threads 1,2,4 --profile
  lenet-edge benchmark --compare pi4.json pi5.json

p50, p90, p99: inference alone, in microseconds; with i/o: including setting the input and reading the scores.
A ratio is to the first model, with its 95 % confidence interval. Load, first run and memory are measured in
fresh processes: memory is the peak, less that of a process without the model.
Status: 0 when something was timed, 1 when nothing was, 2 on bad input.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.compare:
        expect(not options.models, "--compare without models", " ".join(options.models))
        refuse_beside("--compare", _OF_MEASURING, given=given_options(parser, argv))
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
    """Raise InputError for options that are out of range, OSError for outputs that cannot be written."""
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
    """Measure `plan` into `report`; print each runtime's tables as soon as it is done."""
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
        help="may be repeated; `all`: every installed one (default: the first installed)",
    )
    add(
        "--delegate",
        action="append",
        metavar="NAME|LIBRARY",
        help=f"{DELEGATE_HELP}; may be repeated (default: auto)",
    )
    add("--threads", type=_threads, default=[1], metavar="N,N,...", help="thread counts (default: 1)")
    add(
        "--seconds",
        type=float,
        default=2.0,
        help="for each model with each delegate and thread count (default: %(default)g)",
    )
    add("--profile", action="store_true", help="also show where the time goes, node by node")
    add("--peers", metavar="FOLDER", help="also time the .onnx and .pte files of the same weights")
    add("--json", metavar="FILE", help="write all measurements")
    add("--png", metavar="FILE", help="draw a chart (needs matplotlib)")
    add("--compare", nargs=2, metavar=("A.json", "B.json"), help="compare two reports")
    return parser


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
