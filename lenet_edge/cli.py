"""`lenet-edge SUBCOMMAND`: one console script over the modules that do the work."""

from __future__ import annotations

import argparse
import functools
import importlib
import sys
from collections.abc import Sequence

from converters.base.errors import exit_status
from lenet_edge import __version__

COMMANDS = {
    "convert": "write every .tflite from the packaged weights and check it",
    "quantize": "fine-tune LeNet-5 for int8",
    "parity": "every file in every runtime beside the original model",
    "classify": "read digits from pictures, without TensorFlow",
    "read": "read a line of digits from pictures, without TensorFlow",
    "doctor": "what this machine can read digits with, and what it lacks",
    "benchmark": "time models on this machine, or lay two reports side by side",
    "train": "train LeNet-5, the stock net or a teacher on MNIST",
    "photographs": "measure reading on drawn photographs of digits on paper",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the subcommand that `argv` names; return its exit status."""
    words = "\n".join(f"  {name:<12} {line}" for name, line in COMMANDS.items())
    subcommands = f"subcommands:\n{words}\n\n`lenet-edge SUBCOMMAND --help` tells more."
    parser = argparse.ArgumentParser(
        prog="lenet-edge",
        description="LeNet-5 as printed in 1998, from Keras to int8 on the edge.",
        epilog=subcommands,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"lenet-edge {__version__}")
    parser.add_argument(
        "command", nargs="?", choices=COMMANDS, metavar="SUBCOMMAND", help="one of those below"
    )
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="the subcommand's own")
    options = parser.parse_args(argv)
    if options.command is None:
        print(f"lenet-edge: expected a subcommand, got none\n\n{subcommands}", file=sys.stderr)
        return 2
    run = functools.partial(_run, options.command)
    return exit_status(run, options.arguments, name=f"lenet-edge {options.command}")


def _run(command: str, argv: Sequence[str] | None) -> int:
    """Run `command`, imported only now: `classify` must not wait for what `train` needs."""
    return importlib.import_module(f"lenet_edge.{command}").main(argv)


def script() -> None:
    """Be the console script `lenet-edge`."""
    sys.exit(main())
