"""Run many .tflite files in child processes: one serves until a file ends it, and its end is that file's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_CHILD = """
import importlib, resource, signal, sys
import numpy as np
package, resolver, folder, start, end = sys.argv[1:]
module = importlib.import_module(package + ".interpreter")
kernels = {"experimental_op_resolver_type": getattr(module.OpResolverType, resolver)}
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

def outcome(content):
    try:
        interpreter = module.Interpreter(model_content=content, num_threads=1, **kernels)
        interpreter.allocate_tensors()
        for detail in interpreter.get_input_details():
            interpreter.set_tensor(detail["index"], np.full(detail["shape"], 99, detail["dtype"]))
        interpreter.invoke()
        for detail in interpreter.get_output_details():
            interpreter.get_tensor(detail["index"])
    except (ValueError, RuntimeError):
        return "raised"
    return "ran"

for number in range(int(start), int(end)):
    print(number, end=" ", flush=True)
    signal.alarm(30)
    print(outcome(open(f"{folder}/{number}", "rb").read()), flush=True)
"""


def outcomes(package: str, resolver: str, folder: Path, count: int) -> list[str]:
    """Return what became of each file, `folder`/0 to `count` - 1: "ran", "raised" or how its process ended.

    `package`: "tflite_runtime" or "ai_edge_litert"; `resolver`: a name of its OpResolverType.
    """
    found: list[str] = []
    while len(found) < count:
        command = [sys.executable, "-c", _CHILD, package, resolver, str(folder)]
        command += [str(len(found)), str(count)]
        done = subprocess.run(command, capture_output=True, text=True)
        lines = [line.split() for line in done.stdout.splitlines()]
        assert lines, done.stderr
        found += [line[1] if len(line) > 1 else f"{line[0]} ended with {done.returncode}" for line in lines]
    return found
