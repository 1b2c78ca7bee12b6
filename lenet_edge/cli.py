"""`lenet-edge SUBCOMMAND`: the console script that runs one of the commands."""

from __future__ import annotations

import argparse
import functools
import importlib
import sys
from collections.abc import Sequence

from converters.base.errors import exit_status
from converters.base.options import command_parser
from lenet_edge import __version__

COMMANDS = {
    "convert": "write and check every .tflite from the packaged weights",
    "quantize": "fine-tune LeNet-5 or the strings' net for int8",
    "parity": "compare every file in every runtime with the original model",
    "classify": "read digits from pictures, without TensorFlow",
    "read": "read a line of digits from pictures, without TensorFlow",
    "bulk": "read an archive of pictures on one machine or many, with Ray",
    "doctor": "check which runtimes, delegates and cameras work on this machine",
    "benchmark": "time models on this machine, or compare two reports",
    "train": "train LeNet-5, the stock net or a teacher on MNIST",
    "photographs": "measure reading on drawn photographs of digits on paper",
}

_FIRST = """\
to begin:
  lenet-edge doctor              what this machine can run, and how to add what it lacks
  lenet-edge classify PICTURE    the digit in a picture
  lenet-edge read PICTURE        a line of digits"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the subcommand that `argv` names; return its exit status."""
    words = "\n".join(f"  {name:<12} {line}" for name, line in COMMANDS.items())
    subcommands = f"{_FIRST}\n\nsubcommands:\n{words}\n\nSee `lenet-edge SUBCOMMAND --help`."
    described = "LeNet-5 as printed in 1998, from Keras to int8 on the edge."
    parser = command_parser(name="lenet-edge", description=described, epilog=subcommands)
    parser.add_argument("--version", action="version", version=f"lenet-edge {__version__}")
    parser.add_argument(
        "command", nargs="?", choices=COMMANDS, metavar="SUBCOMMAND", help="one of the list below"
    )
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="passed to the subcommand")
    options = parser.parse_args(argv)
    if options.command is None:
        print(f"lenet-edge: expected a subcommand, got none\n\n{subcommands}", file=sys.stderr)
        return 2
    run = functools.partial(_run, options.command)
    return exit_status(run, options.arguments, name=f"lenet-edge {options.command}")


def _run(command: str, argv: Sequence[str] | None) -> int:
    """Run `command`, imported only here: `classify` must not wait for what `train` imports."""
    return importlib.import_module(f"lenet_edge.{command}").main(argv)


def script() -> None:
    """Run as the console script `lenet-edge`."""
    sys.exit(main())
