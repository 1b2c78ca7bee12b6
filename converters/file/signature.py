"""Name the inputs and outputs of a .tflite file as the model that it was made of names them."""

from __future__ import annotations

import re

from converters.base.untyped import SchemaObject
from converters.file.manifest import parse


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


def _text(name: SchemaObject) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name or "")


def _plain(name: str) -> str:
    return re.sub(r"^(serving_default|serve)_|:\d+$", "", name)
