"""Time the same weights in ONNX Runtime and ExecuTorch, next to the .tflite file they come from.

scripts/bench_peers.py writes NAME.onnx and NAME.pte for NAME.tflite. Each takes the same pixels and must give
the same scores; a peer that fails or gives other scores is not timed but listed with the reason.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from converters.runtimes.sessions import Session
from converters.timing.measuring import Load, Ready
from lenet_edge.digits.geometry import middle
from lenet_edge.digits.mnist import calibration_digits, pad

TOLERANCE = 1e-5
"""The largest difference in scores that a different order of float32 sums can explain."""

_DIGITS = 100
_INSTALL = "make bench-peers"


class Peer(NamedTuple):
    """A runtime's `title`, the `package` to import, and `open`, from a file to a function of the input."""

    title: str
    package: str
    open: Callable[[Path, int], Callable[[NDArray[Any]], NDArray[Any]]]


def _onnx_runtime(path: Path, threads: int) -> Callable[[NDArray[Any]], NDArray[Any]]:
    package = importlib.import_module("onnxruntime")
    options = package.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    session = package.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda stored: session.run(None, {name: stored})[0]


def _executorch(path: Path, threads: int) -> Callable[[NDArray[Any]], NDArray[Any]]:
    torch = importlib.import_module("torch")
    # One thread pool serves the whole process; by default it has one thread for each processor.
    importlib.import_module("executorch.extension.pybindings.portable_lib")._unsafe_reset_threadpool(threads)
    program = importlib.import_module("executorch.runtime").Runtime.get().load_program(path)
    method = program.load_method("forward")
    return lambda stored: method.execute([torch.from_numpy(stored)])[0].numpy()


PEERS = {
    ".onnx": Peer("ONNX Runtime", "onnxruntime", _onnx_runtime),
    ".pte": Peer("ExecuTorch", "executorch", _executorch),
}
"""The peers by file suffix."""


def peer_loads(
    folder: Path, contents: Mapping[str, bytes], *, runtime: str, threads: int
) -> tuple[dict[tuple[str, str], Load], dict[tuple[str, str], str]]:
    """Return a loader for each peer of `contents`, by model and title, and why others are left out."""
    loads: dict[tuple[str, str], Load] = {}
    reasons: dict[tuple[str, str], str] = {}
    for name, content in contents.items():
        for suffix, peer in PEERS.items():
            path, key = folder / f"{name}{suffix}", (name, peer.title)
            if not path.exists():
                continue
            reason = _exclusion_reason(peer, path, content, runtime=runtime, threads=threads)
            if reason:
                reasons[key] = reason
            else:
                loads[key] = partial(_load, peer, path, content, runtime=runtime, threads=threads)
    if not (loads or reasons):
        reasons["", "peers"] = f"{folder} holds no peer of these models: {_INSTALL}"
    return loads, reasons


def largest_difference(
    one: Callable[[NDArray[Any]], NDArray[Any]], other: Callable[[NDArray[Any]], NDArray[Any]], side: int
) -> float:
    """Return the largest difference between two functions' scores on 100 digits of `side` pixels."""
    return max(
        float(np.abs(one(p[None]).ravel() - other(p[None]).ravel()).max()) for p in _inputs(_DIGITS, side)
    )


def _inputs(count: int, side: int) -> NDArray[np.float32]:
    """Return the first `count` calibration digits, float32 (count, side, side, 1)."""
    return middle(pad(calibration_digits().images[:count]), side=side)[..., None].astype(np.float32)


def _exclusion_reason(peer: Peer, path: Path, content: bytes, *, runtime: str, threads: int) -> str:
    """Return why the peer cannot be timed, "" if it can."""
    try:
        importlib.import_module(peer.package)
    except ImportError as error:
        return f"{peer.title} does not import ({error}): {_INSTALL}"
    session = Session(content, runtime=runtime)
    try:
        apart = largest_difference(peer.open(path, threads), session.run, int(session.source["shape"][1]))
    except Exception as error:  # each package has its own exceptions: any of them rules the peer out
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return "" if apart <= TOLERANCE else f"its scores are {apart:.2g} off the .tflite file's"


def _load(peer: Peer, path: Path, content: bytes, *, runtime: str, threads: int) -> Ready:
    run = peer.open(path, threads)
    side = int(Session(content, runtime=runtime).source["shape"][1])
    stored = _inputs(1, side)
    run(stored)
    report = {"runtime": peer.title, "version": importlib.metadata.version(peer.package)}
    return Ready(partial(run, stored), None, report)
