"""The options of commands that run a .tflite file: in what, with which delegate, in how many processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from converters.errors import expect
from converters.runtimes import RUNTIMES
from converters.sessions import DELEGATES, Report

Add = Callable[..., object]
"""`add_argument` of a parser or of a group of it."""

_MOST_JOBS = 4  # of those that nobody asked for: each takes some 50 MB


def add_running(add: Add) -> None:
    """Add the options that a reader's constructor takes beside its model."""
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
        help=f"{', '.join(DELEGATES)}, or a delegate's shared library (default: %(default)s)",
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


def add_jobs(add: Add) -> None:
    """Add --jobs, for `lenet_edge.reading`."""
    add(
        "--jobs",
        type=int,
        default=min(_MOST_JOBS, _processors()),
        metavar="N",
        help="processes that decode when there are many files (default: the processors, "
        f"{_MOST_JOBS} at most: %(default)s)",
    )


def delegate_options(pairs: Iterable[str]) -> dict[str, str]:
    """Return the options of a delegate's library, each given as KEY=VALUE; InputError for one that is not."""
    options = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        expect(key and equals, "--delegate-option KEY=VALUE", pair)
        options[key] = value
    return options


def say_report(report: Report, *, say: Callable[[object], None], verbose: bool) -> None:
    """Say what runs a file if `verbose`, and else only that what was asked for does not."""
    if verbose:
        say(report)
    elif report.reason:
        say(f"{report.asked} does not run: {report.reason}")


def _processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
