"""`python scripts/pi WHEEL`: the project's wheel on Raspberry Pis that QEMU emulates.

For each board a userland is made of Debian's packages and wheels for its processor. On it run: the import
without TensorFlow, the tests of the runtime side, `lenet-edge classify` on tests/data, the golden pictures
and 200 test digits by each released lenet5, judged by the tolerance of docs/parity.md. Neither root nor a
change of this machine is needed, but for QEMU (Debian's qemu-user-static).

Status: 0 when all is within, 1 when something is out, 2 on bad input, 77 when this machine cannot emulate.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from boards import ARCHES, BOARDS, RUNTIMES, Board
from debian import absent_tools
from wheels import checked_wheel

from converters.base.errors import InputError, exit_status
from converters.base.files import check_writable, write_json
from converters.base.options import command_parser

NAME = "pi"
SKIPPED = 77
"""The status that says "not run here", as automake has it."""

ROOT = Path(__file__).resolve().parents[2]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    wheel = checked_wheel(options.wheel)
    if options.json:
        check_writable(options.json)
    boards = [
        board
        for board in BOARDS
        if (options.board == board.number if options.board else options.arch in ("all", board.arch))
    ]
    lacking = _lacking(boards)
    if lacking:
        if options.require:
            raise InputError(lacking)
        print(f"{NAME}: skipped: {lacking}")
        return SKIPPED
    # TensorFlow is loaded behind these, to judge by: not for a line of help.
    from table import table
    from trials import Trials

    outcomes = Trials(wheel, options.cache, options.runtime, options.release).of(boards)
    print(f"\n{table(outcomes)}")
    if options.json:
        write_json(options.json, {"wheel": wheel.name, "results": [asdict(one) for one in outcomes]})
    return 1 if any(one.why for one in outcomes) else 0


def _lacking(boards: Sequence[Board]) -> str:
    """Return what this machine lacks to emulate `boards`, in a line; "" when nothing."""
    emulators = sorted({board.emulator for board in boards if shutil.which(board.emulator) is None})
    if emulators:
        return f"expected {', '.join(emulators)}, got none: apt-get install qemu-user-static"
    tools = absent_tools()
    return f"expected a Debian or Ubuntu with {', '.join(tools)}, got none" if tools else ""


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name="python scripts/pi", description=__doc__)
    add = parser.add_argument
    add("wheel", type=Path, metavar="WHEEL", help="the project's wheel (make wheel)")
    add("--arch", choices=(*ARCHES, "all"), default="arm64", help="as Debian says (default: %(default)s)")
    add("--board", choices=[one.number for one in BOARDS], help="one Raspberry Pi, whatever its --arch")
    add("--runtime", choices=(*RUNTIMES, "all"), default="all", help="(default: %(default)s)")
    add("--release", default="", metavar="CODENAME", help="of the boards' Debian (default: this machine's)")
    add(
        "--cache",
        type=Path,
        default=ROOT / "build" / "pi",
        metavar="DIR",
        help="what was downloaded and unpacked, used again (default: build/pi)",
    )
    add("--json", type=Path, metavar="FILE", help="write what was measured")
    add("--require", action="store_true", help="end with status 2, not 77, where this machine cannot emulate")
    return parser


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    raise SystemExit(exit_status(main, name=NAME))
