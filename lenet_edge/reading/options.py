"""The options that `read` and `classify` have in common: what is read, what is written, what runs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable

from converters.base.errors import expect
from converters.base.installed import RUNTIMES
from converters.runtimes.sessions import DELEGATES, Report

Add = Callable[..., argparse.Action]
"""`add_argument` of a parser or of a group of it."""

DELEGATE_HELP = (
    f"{', '.join(DELEGATES)}, or a delegate's shared library; NNAPI exists in Android's apps only: "
    "docs/delegates.md"
)

_MOST_JOBS = 4  # of those that nobody asked for: each takes some 50 MB


def add_images(add: Add, *, nargs: str) -> None:
    """Add IMAGE, as often as `nargs` says."""
    add(
        "images",
        nargs=nargs,
        metavar="IMAGE",
        help="a PNG, JPEG, PGM, BMP, GIF, WebP or IDX file, a folder of them, or - for standard input",
    )


def add_jobs(add: Add) -> None:
    """Add --jobs, for `lenet_edge.reading.decoding`."""
    add(
        "--jobs",
        type=int,
        default=min(_MOST_JOBS, _processors()),
        metavar="N",
        help="processes that decode when there are many files (default: the processors, "
        f"{_MOST_JOBS} at most: %(default)s)",
    )


def add_results(
    parser: argparse.ArgumentParser, *, drawn: str, json: str, csv: str = "", out: str = ""
) -> Add:
    """Add how answers are written; return what adds more of the same group.

    `drawn`: what --show draws; `json` and `csv`: the fields, "" for no --csv; `out`: what is told of --out
    besides. The chosen `form` is "text", "json" or "csv".
    """
    group = parser.add_argument_group("what is written")
    forms = group.add_mutually_exclusive_group()
    parser.set_defaults(form="text")
    told = {"json": f"one JSON object a line: {json}", "csv": csv}
    for form in [name for name, text in told.items() if text]:
        forms.add_argument(f"--{form}", action="store_const", const=form, dest="form", help=told[form])
    forms.add_argument(
        "--show", action="store_true", help=f"draw each {drawn} as the model sees it (in text only)"
    )
    add = group.add_argument
    add("--out", metavar="FILE", help=f"write to a file once all is read; until then an older one stays{out}")
    add("--quiet", action="store_true", help="no progress bar and no remarks")
    add("--verbose", action="store_true", help="say on standard error what runs the model")
    return add


def add_session_options(add: Add, *, model: str, default: str) -> None:
    """Add --model, with its `default` and what it takes in words, and the rest that a reader takes."""
    add("--model", default=default, metavar="NAME|FILE", help=f"{model} (default: %(default)s)")
    add(
        "--runtime",
        choices=("auto", *RUNTIMES),
        default="auto",
        help="what runs the model (default: the first that is installed)",
    )
    add(
        "--delegate",
        default="auto",
        metavar="NAME|LIBRARY",
        help=f"{DELEGATE_HELP} (default: %(default)s)",
    )
    add(
        "--delegate-option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="for a delegate's library; may be given several times",
    )
    add(
        "--require-delegate",
        action="store_true",
        help="read nothing when the delegate does not run (default: say so and do without)",
    )
    add("--threads", type=int, default=1, metavar="N", help="of the runtime (default: %(default)s)")


def delegate_options(pairs: Iterable[str]) -> dict[str, str]:
    """Return the options of a delegate's library, each given as KEY=VALUE; InputError for one that is not."""
    options = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        expect(key and equals, "--delegate-option KEY=VALUE", pair)
        options[key] = value
    return options


def report_runtime(report: Report, *, say: Callable[[object], object], verbose: bool) -> None:
    """Say what runs a file if `verbose`, and else only that what was asked for does not."""
    if verbose:
        say(report)
    elif report.reason:
        say(f"{report.asked} does not run: {report.reason}")


def _processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
