"""Measure the memory that a .tflite file needs on a microcontroller, with TensorFlow Lite Micro itself."""

from __future__ import annotations

import numpy as np

from converters.base.errors import InputError, expect
from converters.file.graph import read_graph
from converters.runtimes.columns import COLUMNS, run_column
from converters.runtimes.interpreters import reason_alone


def arena_bytes(content: bytes) -> int:
    """Return the smallest arena, in steps of 16 bytes, in which TensorFlow Lite Micro runs `content`.

    The search starts at what its recording allocator counts. The interpreter is the one for 64-bit desktop
    machines; a 32-bit board's pointers are half as wide, so there it is an upper bound for the reference
    kernels, while optimised ones (CMSIS-NN, ESP-NN) may want buffers of their own. Raises InputError: no
    .tflite file, one that TensorFlow Lite Micro cannot run (with its reason), or the package
    tflite-micro is not installed.
    """
    graph = read_graph(content)
    counts = f"{len(graph.inputs)} and {len(graph.outputs)}"
    expect(len(graph.inputs) == len(graph.outputs) == 1, "a file with one input and one output", counts)
    zeros = np.zeros((1, *graph.inputs[0].shape[1:]), np.float32)
    result = run_column(COLUMNS["micro"], {"model": content}, {"model": zeros})["model"]
    if result.arena_bytes is None:
        reason = reason_alone(result.failure) or "it did not report its arena"
        raise InputError(f"expected a .tflite file that TensorFlow Lite Micro runs, got: {reason}")
    return result.arena_bytes
