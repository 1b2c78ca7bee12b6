"""Run on the emulated board and on this machine alike: scores of test digits and of the golden pictures.

Imports what a Pi has: NumPy and the runtime side of the package.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from converters.base.errors import exit_status
from converters.base.files import check_writable
from converters.base.options import command_parser
from lenet_edge.digits.mnist import pad, test_digits
from lenet_edge.packaged.files import packaged_models, released_folder
from lenet_edge.packaged.names import WIDE
from lenet_edge.runtime.classifier import Classifier

PACKAGES = {"tflite": "tflite-runtime", "litert": "ai-edge-litert"}


def facts(runtime: str) -> dict[str, str]:
    """Return where this runs: machine, Python, the runtime's version and NumPy's."""
    return {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "runtime": f"{PACKAGES[runtime]} {importlib.metadata.version(PACKAGES[runtime])}",
        "numpy": np.__version__,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Write DIGITS/FILE, GOLDEN/FILE and the facts."""
    parser = command_parser(name="sample.py", description=__doc__)
    parser.add_argument("runtime", choices=PACKAGES, help="what runs the files")
    parser.add_argument("count", type=int, metavar="COUNT", help="how many test digits")
    parser.add_argument("out", type=Path, metavar="FILE.npz", help="what to write")
    options = parser.parse_args(argv)
    check_writable(options.out)
    golden = json.loads((released_folder().parent / "golden" / "golden.json").read_text())
    pixels = np.array([one["pixels"] for one in golden["pictures"]], np.uint8).reshape(-1, 32, 32)
    digits = pad(test_digits().images[: options.count])
    arrays = {}
    for name in (name for name, entry in packaged_models().items() if entry["model"] != WIDE):
        classifier = Classifier(model=name, runtime=options.runtime)
        arrays[f"golden/{name}"] = classifier.scores(pixels)
        if name.startswith("lenet5_"):
            arrays[f"digits/{name}"] = classifier.scores(digits)
    np.savez(options.out, facts=np.array(json.dumps(facts(options.runtime))), **arrays)
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="sample.py"))
