"""The layouts of the packaged models: the same function in faster kernels."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import InputError, expect
from lenet_edge.digits.geometry import middle
from lenet_edge.digits.mnist import Digits, calibration_digits, pad
from lenet_edge.digits.side_by_side import side_by_side
from lenet_edge.packaged.files import packaged_models
from lenet_edge.packaged.names import WIDE

if TYPE_CHECKING:
    from converters.file.graph import Graph
    from converters.file.layouts import Layout

_COMPARED_DIGITS = 50
_REORDERED_SUMS = 1e-9  # a generous bound on reordering float64 sums of some 400 terms

PLAIN = "plain"
"""The name of no layout."""

_FOUR_COLUMNS, _TWO_COLUMNS = "1x4>1x4 - - - -", "1x2>1x2 - - - -"
_AS_CONVERTED, _WIDE_AS_CONVERTED = "- - - -", "- - - - - - -"

OPEN_WIDTH = "1x1>1x2 1x2>1x1 - - - - -"
"""The layout of the wide model's released files: it needs no RESHAPE, which would fix the width."""

_COMPARED_WIDTHS = (32, 112, 117, 272)


def default_layout(name: str, precision: str) -> str:
    """Return the layout of a packaged file, as text.

    C1 computes four pixels of a row at once, the fastest on x86 in LiteRT (docs/lowering.md); two in the
    float32 file, where four are faster on one processor and slower on another. stock_lenet5, the baseline of
    every comparison, stays as the converter leaves it. The wide model has the layout of its released files.
    """
    if name == WIDE:
        return str(packaged_models().get(f"{WIDE}_{precision}.tflite", {}).get("layout", _WIDE_AS_CONVERTED))
    if name != "lenet5":
        return _AS_CONVERTED
    return _TWO_COLUMNS if precision == "float32" else _FOUR_COLUMNS


def layout_for(name: str, precision: str, *, asked: str | None = None) -> Layout:
    """Return the layout of model `name`: `asked` as text, "plain", or None for the default.

    Raises InputError if `asked` is not a layout of the model.
    """
    from converters.file.layouts import layout_of

    default = layout_of(default_layout(name, precision))
    if asked == PLAIN:
        return (None,) * len(default)
    layout = layout_of(asked) if asked else default
    expect(len(layout) == len(default), f"a layout of {len(default)} steps for {name}", len(layout))
    return layout


def tuned(content: bytes, *, runtime: str) -> Layout:
    """Return the fastest layout of `content` in `runtime` on this machine, as measured by converters.lower.

    It runs in its own process: tflite-runtime crashes in one that has loaded TensorFlow. It prints its
    progress and errors to standard error. Raises InputError if it fails.
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
    """Return the .tflite file `content` in `layout`, with its part of a manifest entry.

    Both files are run in exact arithmetic on some calibration digits. Raises InputError if the layout does
    not fit, or changes a score.
    """
    from converters.file.layouts import describe
    from converters.file.lowering import lower
    from converters.file.manifest import describe as facts_of

    if not any(layout):
        return content, facts_of(content)
    result = lower(content, layout=layout)
    _check_same_scores(content, result)
    return result, {**facts_of(result), "layout": describe(layout)}


def _check_same_scores(content: bytes, result: bytes) -> None:
    """Raise InputError unless both files give the same scores, in int8 byte for byte."""
    from converters.file.graph import read_graph
    from converters.proof.exact_arithmetic import ideal_outputs

    graph, other = read_graph(content), read_graph(result)
    allowed = 0 if graph.outputs[0].scales.size else _REORDERED_SUMS
    for pictures in _compared(graph):
        difference = np.abs(ideal_outputs(graph, pictures) - ideal_outputs(other, pictures)).max()
        expect(difference <= allowed, "a layout that changes no score", f"a difference of {difference:.1e}")


def _compared(graph: Graph) -> Iterator[NDArray[np.float32]]:
    """Yield pictures to compare on, (n, height, width, 1): of several widths where the file takes those."""
    digits = calibration_digits()
    some = Digits(digits.images[:_COMPARED_DIGITS], digits.labels[:_COMPARED_DIGITS])
    if graph.inputs[0].resizable:
        for width in _COMPARED_WIDTHS:
            yield side_by_side(some, width=width)[0][..., None].astype(np.float32)
    else:
        yield middle(pad(some.images), side=graph.inputs[0].shape[1])[..., None].astype(np.float32)
