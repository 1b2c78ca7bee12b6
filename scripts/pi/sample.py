"""Run on the emulated board and on this machine alike: scores of test digits and of the golden pictures.

Imports what a Pi has: NumPy and the runtime side of the package. Arguments: the runtime, how many digits,
and the .npz to write.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import sys
from pathlib import Path

import numpy as np

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


def main(runtime: str, count: int, out: Path) -> None:
    """Write DIGITS/FILE, GOLDEN/FILE and the facts."""
    golden = json.loads((released_folder().parent / "golden" / "golden.json").read_text())
    pixels = np.array([one["pixels"] for one in golden["pictures"]], np.uint8).reshape(-1, 32, 32)
    digits = pad(test_digits().images[:count])
    arrays = {}
    for name in (name for name, entry in packaged_models().items() if entry["model"] != WIDE):
        classifier = Classifier(model=name, runtime=runtime)
        arrays[f"golden/{name}"] = classifier.scores(pixels)
        if name.startswith("lenet5_"):
            arrays[f"digits/{name}"] = classifier.scores(digits)
    np.savez(out, facts=np.array(json.dumps(facts(runtime))), **arrays)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
