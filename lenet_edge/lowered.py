"""The layouts that the packaged models are converted in: the same function in quicker kernels."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from converters.errors import InputError, expect
from converters.layouts import Layout, describe, layout_of
from lenet_edge.mnist import calibration_digits, pad

_PROVEN_DIGITS = 50
_FLOAT64_SUMS = 1e-9  # what sums of some 400 terms of float64 differ by in another order, with much to spare

PLAIN = "plain"
"""The word for no layout."""

LAYOUTS = {
    # C1 computes four pixels of a row at once; measured best on x86 in LiteRT (docs/lowering.md).
    "lenet5": "1x4>1x4 - - - -",
    # the baseline of every comparison: as everybody converts it
    "stock_lenet5": "- - - -",
}
"""The default layout by model."""


def layout_for(name: str, asked: str | None) -> Layout:
    """Return the layout of model `name`: `asked` as text, "plain", or None for the default.

    Raises InputError when `asked` describes no layout.
    """
    count = len(layout_of(LAYOUTS[name]))
    if asked == PLAIN:
        return (None,) * count
    layout = layout_of(asked or LAYOUTS[name])
    expect(
        len(layout) == count, f"a layout of {count} steps for {name}", f"{len(layout)}: {describe(layout)}"
    )
    return layout


def tuned(content: bytes, *, runtime: str) -> Layout:
    """Return the quickest layout of `content` in `runtime` on this machine; converters.lower finds it.

    It runs in a process of its own: tflite-runtime dies in one that has loaded TensorFlow. Its progress goes
    to standard error. Raises InputError when it fails, which it has told by then.
    """
    with tempfile.TemporaryDirectory(prefix="lenet-edge-") as folder:
        path = Path(folder, "model.tflite")
        path.write_bytes(content)
        command = [sys.executable, "-m", "converters.lower", str(path), "--tune", "--runtime", runtime]
        done = subprocess.run([*command, "--only-layout"], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise InputError(f"expected converters.lower to find a layout, got status {done.returncode}")
    return layout_of(done.stdout.strip())


def lowered(content: bytes, *, layout: Layout) -> tuple[bytes, dict[str, Any]]:
    """Return the .tflite file `content` laid out and proven the same, with its part of a manifest's entry.

    Both are run in exact arithmetic on some of the calibration digits. Raises InputError when the layout does
    not fit, or would change a score.
    """
    from converters.lowering import lower
    from converters.manifest import describe as facts_of

    if not any(layout):
        return content, facts_of(content)
    result = lower(content, layout=layout)
    _check_same(content, result)
    return result, {**facts_of(result), "layout": describe(layout)}


def _check_same(content: bytes, result: bytes) -> None:
    """Raise InputError unless both give the same scores: the same bytes in int8."""
    from converters.arithmetic import outputs_of
    from converters.graph import read_graph

    graph = read_graph(content)
    margin = (32 - graph.inputs[0].shape[1]) // 2
    seen = slice(margin, 32 - margin)
    digits = pad(calibration_digits().images[:_PROVEN_DIGITS])[:, seen, seen, None].astype(np.float32)
    difference = np.abs(outputs_of(graph, digits) - outputs_of(read_graph(result), digits)).max()
    allowed = 0 if graph.outputs[0].scales.size else _FLOAT64_SUMS
    expect(difference <= allowed, "a layout that changes no score", f"a difference of {difference:.1e}")
