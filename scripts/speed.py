"""Measure layouts beside the stock net into results/speed.json: `python scripts/speed.py [RUNTIME...]`.

Every layout is a file of the same weights; all of a precision are timed interleaved by `lenet-edge
benchmark`. The machine should have nothing else to do.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runtime_argument import add_runtimes

from converters.base.errors import exit_status
from converters.base.files import check_writable, write_atomically, write_json
from converters.base.options import command_parser
from converters.file.layouts import describe, layout_of
from converters.file.lowering import lower
from converters.file.suggestion import suggested
from lenet_edge.packaged.files import content_of
from lenet_edge.packaged.layouts import default_layout

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "results" / "speed.json"
SECONDS = 5
PRECISIONS = ("float32", "int8_qat")

LAYOUTS = {
    "two_columns": "1x2>1x2 - - - -",
    "four_columns": "1x4>1x4 - - - -",
    "four_columns_and_s2": "1x4>1x4 1x4>1x2 - - -",
    "blocks": "1x1>2x2 2x2>1x1 - 1x1>1x1 -",
    "dense_poolings": "- 1x1>1x1 - 1x1>1x1 -",
}
"""lenet5's layouts that are measured, by file name; the plain one and the released one come besides."""


def files(precision: str) -> dict[str, tuple[bytes, str]]:
    """Return the files to measure, the stock net first: content and layout by name."""
    from converters.model.folding import fold  # these load TensorFlow
    from lenet_edge.converting.files import convert_one
    from lenet_edge.packaged.models import fine_tuned_model, released_model

    stock = content_of(f"stock_lenet5_{precision.removesuffix('_qat')}.tflite")
    stock_layout = suggested(stock)
    if precision == "float32":
        plain = convert_one(fold(released_model("lenet5")), precision="float32").content
    else:
        plain = convert_one(fine_tuned_model(), precision="int8").content
    found = {
        "stock": (stock, ""),
        "stock_lowered": (lower(stock, layout=stock_layout), describe(stock_layout)),
        "plain": (plain, ""),
        "released": (content_of(precision), default_layout("lenet5", precision)),
    }
    for name, text in LAYOUTS.items():
        found[name] = (lower(plain, layout=layout_of(text)), text)
    return found


def benchmark(folder: Path, names: list[str], runtimes: list[str], *more: str) -> dict[str, Any]:
    """Return the report of `lenet-edge benchmark` on the files `names` of `folder`."""
    report = folder / "report.json"
    command = [sys.executable, "-m", "lenet_edge.benchmark", *(f"{name}.tflite" for name in names)]
    for runtime in runtimes:
        command += ["--runtime", runtime]
    command += [*more, "--seconds", str(SECONDS), "--json", str(report)]
    subprocess.run(command, check=True, cwd=folder)
    return json.loads(report.read_text())


def main(argv: Sequence[str] | None = None) -> int:
    """Measure both precisions in the runtimes, and the released files and the stock ones node by node."""
    parser = command_parser(name="speed.py", description=__doc__)
    add_runtimes(parser)
    runtimes = parser.parse_args(argv).runtimes
    check_writable(OUT)
    measured: dict[str, Any] = {"precisions": {}}
    for precision in PRECISIONS:
        found = files(precision)
        with tempfile.TemporaryDirectory(prefix="lenet-edge-") as folder:
            for name, (content, _) in found.items():
                write_atomically(Path(folder, f"{name}.tflite"), content)
            report = benchmark(Path(folder), list(found), runtimes)
            profiles = benchmark(Path(folder), ["stock", "released"], ["litert"], "--profile")["profiles"]
        measured["machine"], measured["versions"] = report["machine"], report["versions"]
        measured["precisions"][precision] = {
            "layouts": {name: layout for name, (_, layout) in found.items()},
            "models": report["models"],
            "results": report["results"],
            "profiles": profiles,
        }
    write_json(OUT, measured)
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="speed.py"))
