"""Describe how the operators of a .tflite file are laid out: steps, layouts as text, and their variations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from converters.base.errors import InputError, expect
from converters.file.graph import CONVERSIONS, Graph, Node, Tensor
from converters.file.phases import PLAIN, Phases

WINDOWED = ("CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D")
"""The operators that can be laid out."""

_MOST_PHASES = 8


class Step(NamedTuple):
    """How one operator is computed: the phases of its input and of its result."""

    source: Phases = PLAIN
    result: Phases = PLAIN

    def __str__(self) -> str:
        return f"{self.source}>{self.result}"


Layout = tuple["Step | None", ...]
"""A step for each operator of `windowed`, in order; None leaves it as it is."""


def windowed(graph: Graph) -> list[Node]:
    """Return the operators that a layout has a step for, in the order in which they run."""
    return [node for node in graph.nodes if node.name in WINDOWED]


def layout_of(text: str) -> Layout:
    """Return the layout that `text` describes, as `describe` does: "1x4>1x4 1x4>1x2 - 1x2>1x1".

    Raises InputError when it describes none.
    """
    return tuple(None if word == "-" else _step(word) for word in text.split())


def _step(word: str) -> Step:
    try:
        source, result = (Phases(*(int(count) for count in side.split("x"))) for side in word.split(">"))
    except (TypeError, ValueError) as error:
        raise InputError(f"expected a step of a layout like 1x4>1x2 or -, got {word}") from error
    expect(min(*source, *result) >= 1, "phases of 1 or more", word)
    return Step(source, result)


def describe(layout: Layout) -> str:
    """Return `layout` as text: a word for each operator, "-" where it is left as it is."""
    return " ".join("-" if step is None else str(step) for step in layout)


def variations(graph: Graph, layout: Layout, position: int) -> Iterator[Layout]:
    """Yield layouts that differ from `layout` in the operator at `position` and, where they must, the next.

    They may not fit; `lower` refuses those.
    """
    node, rest = windowed(graph)[position], layout[position + 2 :]
    source, result = node.inputs[0], node.outputs[0]
    assert source is not None
    follower = position + 1 < len(layout)
    yield (*layout[:position], None, *layout[position + 1 :])
    for phases in _phases(result.shape):
        for columns in _divisors(source.shape[2]):
            step = Step(Phases(1, columns), phases)
            if phases.rows == 1:
                yield (*layout[:position], step, *layout[position + 1 :])
            if follower and phases.positions > 1:
                absorbing = Step(phases, Phases(1, max(1, phases.columns // 2)))
                yield (*layout[:position], step, absorbing, *rest)


def _phases(shape: tuple[int, ...]) -> list[Phases]:
    return [
        Phases(rows, columns)
        for rows in (1, 2)
        for columns in _divisors(shape[2])
        if shape[1] % rows == 0 and rows * columns <= _MOST_PHASES
    ]


def _divisors(size: int) -> list[int]:
    return [count for count in range(1, _MOST_PHASES + 1) if size % count == 0]


def layout_between(plain: Graph, laid_out: Graph) -> Layout:
    """Return the layout that brings `plain` to the shapes of `laid_out`; no steps where there is none.

    Operators are matched in order, reshapes and conversions aside.
    """
    olds, news = ([n for n in g.nodes if n.name not in ("RESHAPE", *CONVERSIONS)] for g in (plain, laid_out))
    if len(olds) != len(news):
        return (None,) * len(windowed(plain))
    return tuple(_step_between(old, new) for old, new in zip(olds, news, strict=True) if old.name in WINDOWED)


def _step_between(old: Node, new: Node) -> Step | None:
    ends = [_phases_between(old.inputs[0], new.inputs[0]), _phases_between(old.outputs[0], new.outputs[0])]
    source, result = ends
    if source is None or result is None or (old.name == new.name and {source, result} == {PLAIN}):
        return None
    return Step(source, result)


def _phases_between(old: Tensor | None, new: Tensor | None) -> Phases | None:
    if old is None or new is None or len(old.shape) != 4 or len(new.shape) != 4 or 0 in new.shape:
        return None
    phases = Phases(old.shape[1] // new.shape[1], old.shape[2] // new.shape[2])
    return phases if min(phases) >= 1 and phases.shape(old.shape) == new.shape else None
