"""The options of commands that run a .tflite file: in what, with which delegate, in how many processes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from converters.base.errors import InputError, expect
from converters.base.installed import RUNTIMES
from converters.runtimes.sessions import DELEGATES, Report
from lenet_edge.reading.batch import Recipe, files_of, read_by
from lenet_edge.reading.progress import Progress

Add = Callable[..., object]
"""`add_argument` of a parser or of a group of it."""


class _HasIndex(Protocol):
    """What is made of a picture: `index` counts an IDX file's, None for other files."""

    @property
    def index(self) -> int | None: ...


_Indexed = TypeVar("_Indexed", bound=_HasIndex)

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


def constructed_by(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the options of `add_running` give to a reader's constructor."""
    return {
        "runtime": options.runtime,
        "delegate": options.delegate,
        "delegate_options": delegate_options(options.delegate_option),
        "threads": options.threads,
        "require_delegate": options.require_delegate,
    }


def add_jobs(add: Add) -> None:
    """Add --jobs, for `lenet_edge.reading.batch`."""
    add(
        "--jobs",
        type=int,
        default=min(_MOST_JOBS, _processors()),
        metavar="N",
        help="processes that decode when there are many files (default: the processors, "
        f"{_MOST_JOBS} at most: %(default)s)",
    )


def answer_all(
    recipe: Recipe[_Indexed],
    options: argparse.Namespace,
    *,
    answered: Callable[[_Indexed], object],
    say: Callable[[object], None],
) -> int:
    """Have what `recipe` makes of options.images answered, one by one; return the exit status.

    What cannot be read is said. `recipe` and options.jobs as for `lenet_edge.reading.batch.read_by`.
    """
    files = files_of(options.images)
    done = failed = 0
    with Progress(len(files), wanted=not options.quiet) as progress:
        for item in read_by(recipe, files, jobs=options.jobs):
            with progress.aside():
                if isinstance(item, InputError):
                    say(item)
                    failed += 1
                else:
                    answered(item)
                    done += 1
            if isinstance(item, InputError) or not item.index:  # the first of its file
                progress.count()
    if failed:
        return 1 if done else 2
    return 0


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
