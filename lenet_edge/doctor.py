"""`lenet-edge doctor`: check what this machine can read digits with, and how to add what is missing."""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from converters.base.errors import exit_status
from converters.base.installed import RUNTIMES
from converters.base.machine import machine
from converters.base.options import command_parser
from converters.base.words import counted
from lenet_edge.reading.capabilities import Capability, find_all, try_libraries

NAME = "lenet-edge doctor"

EPILOG = """\
Each runtime reads 20 digits in its own process, so a crash is reported and stops nothing else. Status: 0 if a
runtime works, 1 if none does.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    facts = machine()
    libraries = try_libraries(options.delegate)  # first: a missing library must stop it at once
    print("reading digits in each runtime that is here ...", file=sys.stderr, flush=True)
    everything = itertools.chain(find_all(), libraries)
    if options.json:
        found = list(everything)
        described = {**facts, "python": platform.python_version(), "numpy": np.__version__}
        print(json.dumps({"machine": described, "found": [asdict(one) for one in found]}, indent=2))
    else:
        processors = counted(int(facts["processors"]), "processor")
        print(f"{facts['processor']}, {facts['architecture']}, {processors}")
        print(f"Python {platform.python_version()}, NumPy {np.__version__}\n", flush=True)
        found = [_printed(one) for one in everything]
    return 0 if any(one.works for one in found if one.what in RUNTIMES) else 1


def _printed(one: Capability) -> Capability:
    """Print what was found at once: TensorFlow takes seconds to try."""
    print(f"{'yes' if one.works else 'no ':<4}{one.what:<13}{one.text}", flush=True)
    return one


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name=NAME, description=__doc__, epilog=EPILOG)
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.add_argument(
        "--delegate",
        action="append",
        default=[],
        metavar="LIBRARY",
        help="also try a delegate's shared library",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
