"""Quantise a float32 .tflite file with ai-edge-quantizer's static int8, in a Python that has nothing else.

python zoo_quantizer.py FLOAT32.tflite DATA.npz INT8.tflite; DATA has an array (n, ...) for each input.
"""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import numpy as np
from ai_edge_quantizer import quantizer, recipe


def main() -> None:
    """Write the file and print the version of ai-edge-quantizer."""
    source, data, out = sys.argv[1:]
    one = quantizer.Quantizer(source)
    one.load_quantization_recipe(recipe.static_wi8_ai8())
    with np.load(data) as arrays:
        inputs = {name: arrays[name] for name in arrays.files}
    count = len(next(iter(inputs.values())))
    samples = [{name: array[k][None] for name, array in inputs.items()} for k in range(count)]
    result = one.quantize(one.calibrate({"serving_default": samples}))
    Path(out).write_bytes(bytes(result.quantized_model))
    print(importlib.metadata.version("ai-edge-quantizer"))


if __name__ == "__main__":
    main()
