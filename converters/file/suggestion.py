"""Suggest a layout of a .tflite file that is likely to be fast, without measuring; what is suggested fits."""

from __future__ import annotations

from converters.base.errors import InputError
from converters.file.graph import Node, read_graph
from converters.file.layouts import Layout, Step, windowed
from converters.file.lowering import lower
from converters.file.phases import Phases

_FEW_CHANNELS = 4
_BEST_PHASES = (Phases(1, 4), Phases(1, 2))


def suggested(content: bytes) -> Layout:
    """Return a layout of the .tflite file `content` with several columns at once where channels are few.

    Only a CONV_2D of 4 input channels or fewer, all in one group, that moves by one column is changed, and
    only where `lower` takes the step; measure (converters.timing.tuning) to be sure. Raises InputError when
    it is no .tflite file.
    """
    nodes = windowed(read_graph(content))
    layout: Layout = (None,) * len(nodes)
    for position, node in enumerate(nodes):
        if _gains(node):
            layout = _with_step(content, layout, position)
    return layout


def _gains(node: Node) -> bool:
    if node.name != "CONV_2D" or node.options["strideW"] != 1:
        return False
    source, kernel = node.inputs[:2]
    # A group's kernel would be filled up with zeros for the channels of the others: more work, not less.
    return source is not None and kernel is not None and source.shape[3] == kernel.shape[3] <= _FEW_CHANNELS


def _with_step(content: bytes, layout: Layout, position: int) -> Layout:
    """Return `layout` with the most columns at `position` that fit there, as it is where none do."""
    for phases in _BEST_PHASES:
        tried = (*layout[:position], Step(phases, phases), *layout[position + 1 :])
        if fits(content, tried):
            return tried
    return layout


def fits(content: bytes, layout: Layout) -> bool:
    """Return whether the file `content` can be laid out by `layout`."""
    try:
        lower(content, layout=layout)
    except InputError:
        return False
    return True
