"""Run one column in a process of its own; converters.runtimes.columns starts it.

python -m converters.runtimes.column_worker COLUMN FOLDER LIBRARY reads a job's name from each line of
standard input, runs FOLDER/JOB.tflite on FOLDER/JOB.inputs.npz, writes FOLDER/JOB.outputs.npz and answers
with a line of JSON: `scales` (of each output: scale and zero point) and fields of a Result, or
{"failure": ...}. LIBRARY is a delegate's, or empty; an empty
line only loads it. Its standard error is FOLDER/log, where the runtimes' messages are read. TensorFlow's
interpreter is imported for TensorFlow's columns only, and nothing else of TensorFlow.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from converters.base.arrays import Numbers, read_npz, shape_fits, shape_of_many
from converters.base.errors import InputError, expect
from converters.base.installed import RUNTIMES
from converters.base.native_log import Log
from converters.base.quiet import quieten_tensorflow
from converters.base.untyped import Json
from converters.runtimes.columns import COLUMNS, Column
from converters.runtimes.interpreter_alone import import_interpreter_alone
from converters.runtimes.interpreter_types import TensorDetail
from converters.runtimes.interpreters import first_line, load_library
from converters.runtimes.runners import Runner, runner
from converters.runtimes.stored_values import quantize


def main(column: Column, folder: Path) -> None:
    """Answer jobs until standard input ends."""
    answers = os.dup(1)
    os.dup2(2, 1)  # or what native code prints would be read as an answer
    log = Log(folder / "log")
    for line in sys.stdin:
        answer = _answer(column, folder / line.strip() if line.strip() else None, log)
        os.write(answers, (json.dumps(answer) + "\n").encode())


def _answer(column: Column, job: Path | None, log: Log) -> dict[str, Json]:
    log.mark()
    try:
        if job is None:
            load_library(column.package, column.library)
            return {}
        return _run(runner(column, job.with_suffix(".tflite").read_bytes(), log), job)
    except InputError as error:
        return {"failure": str(error)}
    except Exception as error:  # runtimes raise errors of any kind; each is an answer about this file
        return {"failure": f"{type(error).__name__}: {first_line(error)}"}


def _run(runtime: Runner, job: Path) -> dict[str, Json]:
    inputs = list(read_npz(job.with_suffix(".inputs.npz")).values())
    count = len(runtime.sources)
    expect(len(inputs) == count, f"samples for each of the file's {count} inputs", f"{len(inputs)} arrays")
    if any(map(_may_take, runtime.sources, inputs)):
        runtime.resize([(1, *one.shape[1:]) for one in inputs])
    stored = [_stored(one, source) for one, source in zip(inputs, runtime.sources, strict=True)]
    start = time.perf_counter()
    rows = [runtime.run([one[None] for one in sample]) for sample in zip(*stored, strict=True)]
    seconds = time.perf_counter() - start
    outputs = zip(*rows, strict=True) if rows else [[] for _ in runtime.sinks]
    arrays = [_rows(list(one), sink) for one, sink in zip(outputs, runtime.sinks, strict=True)]
    np.savez(job.with_suffix(".outputs.npz"), *arrays)
    quantizations = [sink["quantization"] for sink in runtime.sinks]
    return {
        "scales": [(float(scale), int(zero_point)) for scale, zero_point in quantizations],
        "seconds": seconds,
        **runtime.facts(),
    }


def _stored(inputs: Numbers, source: TensorDetail) -> Numbers:
    wanted = tuple(int(side) for side in source["shape"][1:])
    expect(inputs.shape[1:] == wanted, f"inputs of shape {shape_of_many(wanted)}", inputs.shape)
    return quantize(inputs, source)


def _rows(outputs: list[Numbers], sink: TensorDetail) -> Numbers:
    shape = tuple(int(side) for side in sink["shape"][1:])
    return np.array(outputs, sink["dtype"]).reshape(-1, *shape)


def _may_take(source: TensorDetail, inputs: Numbers) -> bool:
    """Return whether `inputs` have another size, which the file says it may be resized to."""
    shape = inputs.shape[1:]
    own, pattern = list(source["shape"][1:]), list(source.get("shape_signature", source["shape"])[1:])
    return list(shape) != own and shape_fits(shape, pattern)


if __name__ == "__main__":
    quieten_tensorflow()
    asked = COLUMNS[sys.argv[1]]
    if asked.package == RUNTIMES["tensorflow"].package:
        import_interpreter_alone()
    main(replace(asked, library=sys.argv[3]), Path(sys.argv[2]))
