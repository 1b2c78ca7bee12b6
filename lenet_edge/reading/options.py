"""The options that `read` and `classify` share: input, output and model."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable

from converters.base.errors import expect
from converters.base.files import check_writable
from converters.base.installed import RUNTIMES
from converters.runtimes.sessions import DELEGATES, Report
from lenet_edge.picture.pillow import LIBRARY
from lenet_edge.reading.decoding import MOST_JOBS

Add = Callable[..., argparse.Action]
"""`add_argument` of a parser or of one of its groups."""

DELEGATE_HELP = (
    f"{', '.join(DELEGATES)}, or a delegate's shared library; NNAPI exists in Android's apps only: "
    "docs/delegates.md"
)


def add_images(add: Add, *, nargs: str) -> None:
    """Add the IMAGE arguments; `nargs` as for argparse."""
    add(
        "images",
        nargs=nargs,
        metavar="IMAGE",
        help="a PNG, JPEG, TIFF, PGM, BMP, GIF, WebP, HEIC or IDX file, a folder, or - for standard input",
    )


def add_jobs(add: Add) -> None:
    """Add --jobs, for `lenet_edge.reading.decoding`."""
    add(
        "--jobs",
        type=int,
        metavar="N",
        help="processes that decode when there are many files (default: one for each processor, at most "
        f"{MOST_JOBS}, and one alone for small pictures)",
    )


def check_reading(*, threshold: float | None, jobs: int | None, out: str | None) -> None:
    """Raise InputError for options out of range or without Pillow, OSError for an unwritable --out."""
    expect(threshold is None or 0 <= threshold <= 1, "--threshold of 0 to 1", threshold)
    expect(jobs is None or jobs >= 1, "--jobs of 1 or more", jobs)
    LIBRARY.check()
    if out is not None:
        check_writable(out)


def add_results(
    parser: argparse.ArgumentParser, *, drawn: str, json: str, csv: str = "", out: str = ""
) -> Add:
    """Add the output options; return the group's `add_argument`.

    `drawn`: what --show draws; `json` and `csv`: the fields, "" for no --csv; `out`: the end of the help of
    --out. The options set `form` to "text", "json" or "csv".
    """
    group = parser.add_argument_group("output")
    forms = group.add_mutually_exclusive_group()
    parser.set_defaults(form="text")
    help_of = {"json": f"one JSON object a line: {json}", "csv": csv}
    for form in [name for name, text in help_of.items() if text]:
        forms.add_argument(f"--{form}", action="store_const", const=form, dest="form", help=help_of[form])
    forms.add_argument(
        "--show", action="store_true", help=f"draw each {drawn} as the model sees it (in text only)"
    )
    add = group.add_argument
    add("--out", metavar="FILE", help=f"write to a file at the end; until then an older file stays{out}")
    add("--quiet", action="store_true", help="no progress bar and no status messages")
    add("--verbose", action="store_true", help="report on standard error what runs the model")
    return add


def add_session_options(add: Add, *, model: str, default: str) -> None:
    """Add --model, described by `model`, with its `default`, and the runtime options."""
    add("--model", default=default, metavar="NAME|FILE", help=f"{model} (default: %(default)s)")
    add_runtime(add)
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
        help="option of a delegate's library; may be repeated",
    )
    add(
        "--require-delegate",
        action="store_true",
        help="stop if the delegate does not run (default: report it and run without)",
    )
    add("--threads", type=int, default=1, metavar="N", help="threads of the runtime (default: %(default)s)")


def delegate_options(pairs: Iterable[str]) -> dict[str, str]:
    """Parse the options of a delegate's library, KEY=VALUE each; InputError for any other form."""
    options = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        expect(key and equals, "--delegate-option KEY=VALUE", pair)
        options[key] = value
    return options


def add_runtime(add: Add) -> None:
    """Add --runtime."""
    add(
        "--runtime",
        choices=("auto", *RUNTIMES),
        default="auto",
        help=f"the runtime (default: the first installed of {', '.join(RUNTIMES)})",
    )


def report_runtime(report: Report, *, log: Callable[[object], object], verbose: bool) -> None:
    """Log what runs the model if `verbose`, otherwise only a delegate that was requested but does not run."""
    if verbose:
        log(report)
    elif report.reason:
        log(f"{report.asked} does not run: {report.reason}")
