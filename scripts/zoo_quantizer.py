"""Quantise a float32 .tflite file with ai-edge-quantizer: a child process of scripts/zoo.py.

It runs in an interpreter that has ai-edge-quantizer, and needs nothing of this project. It prints the version
of ai-edge-quantizer.
"""

from __future__ import annotations

import argparse
import contextlib
import io
from importlib import metadata
from pathlib import Path


def main() -> None:
    """Write OUT: FILE in int8, activations too, by the library's own recipe for that."""
    parser = argparse.ArgumentParser(
        prog="zoo_quantizer.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="float32 .tflite file")
    parser.add_argument(
        "samples", type=Path, metavar="SAMPLES", help=".npz file: inputs (n, ...) by their names"
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="where the int8 file goes")
    options = parser.parse_args()
    out: Path = options.out
    with contextlib.redirect_stdout(io.StringIO()):  # it prints a report
        out.write_bytes(quantized(options.file, options.samples))
    print(metadata.version("ai-edge-quantizer"))


def quantized(file: Path, samples: Path) -> bytes:
    """Return the float32 `file` in int8, its ranges found with `samples`."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import quantizer, recipe

    arrays = np.load(samples)
    (signature,) = Interpreter(str(file)).get_signature_list()
    rows = [
        {name: sample[None] for name, sample in zip(arrays.files, row, strict=True)}
        for row in zip(*(arrays[name] for name in arrays.files), strict=True)
    ]
    work = quantizer.Quantizer(str(file), recipe.static_wi8_ai8())
    return bytes(work.quantize(work.calibrate({signature: rows})).quantized_model)


if __name__ == "__main__":
    main()
