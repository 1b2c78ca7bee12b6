"""Name the inputs and outputs of a .tflite file as the model that it was made of names them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from converters.base.errors import expect
from converters.base.untyped import SchemaObject
from converters.file.manifest import parse
from converters.file.schema import schema


def end_names(content: bytes) -> dict[int, str]:
    """Return the names of the inputs and outputs of the .tflite file `content`, by tensor index.

    They are those of its signature; without one, the tensors' own without what the converter puts around them
    ("serving_default_pixels:0" is "pixels"). Raises InputError when it is no .tflite file.
    """
    model = parse(content)
    graph = model.subgraphs[0]
    names = {int(i): _plain(_text(graph.tensors[i].name)) for i in (*graph.inputs, *graph.outputs)}
    for signature in (model.signatureDefs or [])[:1]:
        for end in (*(signature.inputs or []), *(signature.outputs or [])):
            names[int(end.tensorIndex)] = _text(end.name)
    return names


@dataclass(frozen=True, kw_only=True)
class EndNames:
    """The names of a file's inputs and outputs, in the file's order."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def names_in_order(content: bytes) -> EndNames:
    """Return the names of a file's inputs and outputs in its order; they are those of `end_names`.

    Of two outputs that are one tensor each has its own name.
    """
    graph, signature = parse(content).subgraphs[0], _signature(content)
    plain = end_names(content)

    def named(indices: Sequence[int], pairs: Sequence[tuple[str, int]]) -> tuple[str, ...]:
        left = list(pairs)
        found = []
        for index in map(int, indices):
            pair = next((one for one in left if one[1] == index), (plain[index], index))
            found.append(pair[0])
            left = [one for one in left if one != pair]
        return tuple(found)

    return EndNames(
        inputs=named(graph.inputs, signature.inputs), outputs=named(graph.outputs, signature.outputs)
    )


def ends_in_order(content: bytes, ends: EndNames) -> bytes:
    """Return the .tflite file `content` with its inputs and outputs in the order of `ends`, by its signature.

    TensorFlow sorts them by name. Only their numbers change places. Raises InputError when the signature has
    other names.
    """
    signature = _signature(content)
    changed = bytearray(content)
    graph = schema.Model.GetRootAs(changed).Subgraphs(0)
    for names, pairs, indices in (
        (ends.inputs, signature.inputs, graph.InputsAsNumpy()),  # views of the bytes
        (ends.outputs, signature.outputs, graph.OutputsAsNumpy()),
    ):
        places = dict(pairs)
        order = [places.get(name, -1) for name in names]
        same = sorted(order) == sorted(indices)
        expect(same, f"a file from and to {', '.join(names)}", ", ".join(places) or "one without names")
        indices[:] = order
    return bytes(changed)


@dataclass(frozen=True, kw_only=True)
class _Signature:
    """A file's first signature: the name and the tensor of each input and output; none without one."""

    inputs: tuple[tuple[str, int], ...] = ()
    outputs: tuple[tuple[str, int], ...] = ()


def _signature(content: bytes) -> _Signature:
    for one in (parse(content).signatureDefs or [])[:1]:
        inputs, outputs = (
            tuple((_text(end.name), int(end.tensorIndex)) for end in ends or ())
            for ends in (one.inputs, one.outputs)
        )
        return _Signature(inputs=inputs, outputs=outputs)
    return _Signature()


def _text(name: SchemaObject) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name or "")


def _plain(name: str) -> str:
    return re.sub(r"^(serving_default|serve)_|:\d+$", "", name)
