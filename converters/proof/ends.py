"""Find which input and output of a file is which of its model's, and refuse a file of another shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from converters.base.arrays import shape_fits, shape_text
from converters.base.errors import expect
from converters.file.graph import Graph, Tensor
from converters.file.signature import end_names
from converters.proof.model_answers import ModelAnswers

Shape = tuple[int | None, ...]


@dataclass(frozen=True, kw_only=True)
class Ends:
    """The model's names of a file's inputs and outputs, in the file's order."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def ends_of(content: bytes, graph: Graph, answers: ModelAnswers) -> Ends:
    """Return the ends of the file `content`, whose graph is `graph`, beside the model that gave `answers`.

    They are matched by the names in the file's signature: the model's, or numbers that the converter gave.
    With other names they are matched by shape, if each shape fits one name only. Raises InputError for a file
    with other shapes, which cannot be of this model, and for one whose ends cannot be told apart.
    """
    names = end_names(content)
    wanted, got = _texts(answers, graph)
    same_count = len(graph.inputs) == len(answers.inputs) and len(graph.outputs) == len(answers.outputs)
    expect(same_count, f"a file from {wanted}", got)
    ends = Ends(
        inputs=_named(graph.inputs, names, list(answers.inputs), answers.shapes),
        outputs=_named(graph.outputs, names, list(answers.outputs), answers.shapes),
    )
    for tensor, name in zip((*graph.inputs, *graph.outputs), (*ends.inputs, *ends.outputs), strict=True):
        expect(_fits(tensor, answers.shapes[name]), f"a file from {wanted}", got)
    return ends


def _texts(answers: ModelAnswers, graph: Graph) -> tuple[str, str]:
    """Return the shapes of the model and those of the file: "1x8x8x3 to 1x10"."""
    model = [[(1, *answers.shapes[name]) for name in names] for names in (answers.inputs, answers.outputs)]
    file = [[tensor.shape for tensor in tensors] for tensors in (graph.inputs, graph.outputs)]
    wanted, got = (
        " to ".join(", ".join(map(_text, end)) or "nothing" for end in ends) for ends in (model, file)
    )
    return wanted, got


def _text(shape: Shape) -> str:
    return shape_text(-1 if side is None else side for side in shape).replace("-1", "any")


def _fits(tensor: Tensor, shape: Shape) -> bool:
    return shape_fits(tensor.shape[1:], shape)


def _named(
    tensors: Sequence[Tensor], names: Mapping[int, str], wanted: Sequence[str], shapes: Mapping[str, Shape]
) -> tuple[str, ...]:
    """Return which of the `wanted` names each of `tensors` has."""
    if len(wanted) == 1:
        return tuple(wanted)
    found = [names.get(tensor.index, "") for tensor in tensors]
    if set(found) == set(wanted):
        return tuple(found)
    places = {f"{word}_{place}": name for place, name in enumerate(wanted) for word in ("output", "args")}
    if set(found) <= set(places):
        return tuple(places[name] for name in found)
    fitting = [[name for name in wanted if _fits(tensor, shapes[name])] for tensor in tensors]
    apart = all(len(each) == 1 for each in fitting) and len({each[0] for each in fitting}) == len(wanted)
    expect(apart, f"a file whose signature names {', '.join(wanted)}", ", ".join(found))
    return tuple(each[0] for each in fitting)
