"""The layouts that the packaged models are converted in: the same function in quicker kernels."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from converters.base.errors import InputError, expect
from lenet_edge.digits.geometry import middle
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.packaged.names import WIDE

if TYPE_CHECKING:
    from converters.file.layouts import Layout

_PROVEN_DIGITS = 50
_FLOAT64_SUMS = 1e-9  # what sums of some 400 terms of float64 differ by in another order, with much to spare

PLAIN = "plain"
"""The word for no layout."""

_FOUR_COLUMNS, _TWO_COLUMNS = "1x4>1x4 - - - -", "1x2>1x2 - - - -"
_AS_CONVERTED = "- - - -"


def default_layout(name: str, precision: str) -> str:
    """Return the layout that a packaged file is made in.

    C1 computes four pixels of a row at once, measured best on x86 in LiteRT (docs/lowering.md); two in the
    float32 file, where the zeros of four would take it over 253,000 bytes. stock_lenet5, the baseline of
    every comparison, is as everybody converts it.
    """
    if name != "lenet5":
        return _AS_CONVERTED
    return _TWO_COLUMNS if precision == "float32" else _FOUR_COLUMNS


def layout_for(name: str, precision: str, *, asked: str | None = None) -> Layout:
    """Return the layout of model `name`: `asked` as text, "plain", or None for the default.

    The wide one has none: a layout's RESHAPE would fix the width. Raises InputError when `asked` describes no
    layout for it.
    """
    from converters.file.layouts import layout_of

    if name == WIDE:
        expect(asked in (None, PLAIN), f"no layout for {name}, which any width fits", asked)
        return ()
    default = layout_of(default_layout(name, precision))
    if asked == PLAIN:
        return (None,) * len(default)
    layout = layout_of(asked) if asked else default
    expect(len(layout) == len(default), f"a layout of {len(default)} steps for {name}", len(layout))
    return layout


def tuned(content: bytes, *, runtime: str) -> Layout:
    """Return the quickest layout of `content` in `runtime` on this machine; converters.lower finds it.

    It runs in a process of its own: tflite-runtime dies in one that has loaded TensorFlow. Its progress goes
    to standard error. Raises InputError when it fails, which it has told by then.
    """
    from converters.file.layouts import layout_of

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
    from converters.file.layouts import describe
    from converters.file.lowering import lower
    from converters.file.manifest import describe as facts_of

    if not any(layout):
        return content, facts_of(content)
    result = lower(content, layout=layout)
    _check_same(content, result)
    return result, {**facts_of(result), "layout": describe(layout)}


def _check_same(content: bytes, result: bytes) -> None:
    """Raise InputError unless both give the same scores: the same bytes in int8."""
    from converters.file.graph import read_graph
    from converters.proof.exact_arithmetic import ideal_outputs

    graph = read_graph(content)
    pictures = middle(pad(calibration_digits().images[:_PROVEN_DIGITS]), side=graph.inputs[0].shape[1])
    digits = pictures[..., None].astype(np.float32)
    difference = np.abs(ideal_outputs(graph, digits) - ideal_outputs(read_graph(result), digits)).max()
    allowed = 0 if graph.outputs[0].scales.size else _FLOAT64_SUMS
    expect(difference <= allowed, "a layout that changes no score", f"a difference of {difference:.1e}")
