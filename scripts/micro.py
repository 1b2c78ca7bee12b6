"""Write results/micro.json: what the files of `convert --target micro` need on a microcontroller.

Bytes, operators and arena of each, the arena's two parts as TensorFlow Lite Micro records them, and the same
for lenet5 laid out as the other targets have it: a microcontroller does not get that, as it is larger.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from converters.base.errors import exit_status, expect
from converters.base.files import check_writable, write_json
from converters.base.options import command_parser
from converters.file.layouts import describe
from converters.file.lowering import lower
from converters.file.manifest import describe as facts_of
from converters.runtimes.columns import COLUMNS, absence
from converters.runtimes.micro import arena_bytes
from lenet_edge.packaged.layouts import layout_for

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "results" / "micro.json"
MODELS = ("lenet5", "stock_lenet5")

# In a process of its own: the library is told from what it prints, and clashes with TensorFlow's.
RECORD = """
import sys, tflite_micro
tflite_micro.runtime.Interpreter.from_file(sys.argv[1], arena_size=int(sys.argv[2])).print_allocations()
print(tflite_micro.__version__)
"""


def converted(folder: Path) -> dict[str, bytes]:
    """Return the files that the command gives, by name, and lenet5's laid out."""
    names = [word for name in MODELS for word in ("--model", name)]
    command = [sys.executable, "-m", "lenet_edge.convert", "--target", "micro", "--no-check", *names]
    subprocess.run([*command, "--out", str(folder)], check=True, stdout=subprocess.DEVNULL)
    files = {path.stem: path.read_bytes() for path in sorted(folder.glob("*.tflite"))}
    layout = layout_for("lenet5", "int8")
    return {**files, f"lenet5_micro, {describe(layout)}": lower(files["lenet5_micro"], layout=layout)}


def measured(content: bytes, folder: Path) -> tuple[dict[str, Any], str]:
    """Return a file's facts, and the version of the runtime that told them."""
    path = folder / "measured.tflite"
    path.write_bytes(content)
    arena = arena_bytes(content)
    command = [sys.executable, "-c", RECORD, str(path), str(arena)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    parts = dict(re.findall(r"Arena allocation (head|tail) (\d+) bytes", done.stdout + done.stderr))
    expect(set(parts) == {"head", "tail"}, "the arena's head and tail", done.stderr)
    facts = facts_of(content)
    kept = {key: facts[key] for key in ("bytes", "sha256", "operators")}
    sizes = {"tensor_bytes": int(parts["head"]), "table_bytes": int(parts["tail"])}
    return {**kept, "arena_bytes": arena, **sizes}, done.stdout.split()[-1]


def main(argv: Sequence[str] | None = None) -> int:
    """Convert, measure, write."""
    command_parser(name="micro.py", description=__doc__).parse_args(argv)
    check_writable(OUT)
    reason = absence(COLUMNS["micro"])
    expect(not reason, "tflite-micro", reason)
    with tempfile.TemporaryDirectory(prefix="lenet-edge-") as name:
        folder = Path(name)
        files, runtime = {}, ""
        for title, content in converted(folder).items():
            files[title], runtime = measured(content, folder)
            print(f"{title}: {files[title]['bytes']:,} bytes, arena {files[title]['arena_bytes']:,}")
    from converters.base.environment import versions  # loads TensorFlow

    write_json(OUT, {"versions": {**versions(), "tflite-micro": runtime}, "files": files})
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="micro.py"))
