"""Cut a .tflite file off after its first nodes, by changing a few numbers in its bytes.

A flatbuffer's vector may be made shorter in place, so nothing is written anew, and nothing but the standard
library is needed: this runs on a Pi.
"""

from __future__ import annotations

import struct

from converters.base.errors import expect

# Slots of schema.fbs, which never change: they are the file format.
_MODEL_SUBGRAPHS, _MODEL_SIGNATURES, _GRAPH_OUTPUTS, _GRAPH_OPERATORS = 2, 7, 2, 3
_OPERATOR_OUTPUTS, _SIGNATURE_OUTPUTS, _MAP_TENSOR = 2, 1, 1


def cut_after(content: bytes, count: int) -> bytes:
    """Return the .tflite file `content` with its first `count` nodes only; the last one's output is its own.

    The file has one graph with one output and must be sound: check one that is not yours with
    converters.file.soundness first. Raises InputError when it has fewer nodes.
    """
    cut = bytearray(content)
    model = _target(content, 0)
    graph = _elements(content, _field(content, model, _MODEL_SUBGRAPHS))[0]
    operators = _field(content, graph, _GRAPH_OPERATORS)
    tables = _elements(content, operators)
    expect(1 <= count <= len(tables), f"1 to {len(tables)} nodes", count)
    made = _target(content, _field(content, tables[count - 1], _OPERATOR_OUTPUTS))
    outputs = _target(content, _field(content, graph, _GRAPH_OUTPUTS))
    expect(_unsigned(content, outputs) == 1, "a file with one output", _unsigned(content, outputs))
    struct.pack_into("<I", cut, _target(content, operators), count)
    # A vector is its length and what it holds: the tensor's index.
    for place in (outputs + 4, *_signature_outputs(content, model)):
        cut[place : place + 4] = content[made + 4 : made + 8]
    return bytes(cut)


def _signature_outputs(content: bytes, model: int) -> list[int]:
    """Return where the signatures name the tensors of their outputs, which LiteRT's GPU reads instead."""
    found = []
    for signature in _elements(content, _field(content, model, _MODEL_SIGNATURES)):
        for output in _elements(content, _field(content, signature, _SIGNATURE_OUTPUTS)):
            place = _field(content, output, _MAP_TENSOR)
            found += [place] if place else []
    return found


def _unsigned(content: bytes, at: int) -> int:
    return struct.unpack_from("<I", content, at)[0]


def _target(content: bytes, at: int) -> int:
    """Return where the offset at `at` points to."""
    return at + _unsigned(content, at)


def _field(content: bytes, table: int, slot: int) -> int:
    """Return where the field in a table's `slot` is, 0 when it is left out."""
    fields = table - struct.unpack_from("<i", content, table)[0]
    if 4 + 2 * slot >= struct.unpack_from("<H", content, fields)[0]:
        return 0
    offset = struct.unpack_from("<H", content, fields + 4 + 2 * slot)[0]
    return table + offset if offset else 0


def _elements(content: bytes, field: int) -> list[int]:
    """Return where the tables of the vector in `field` start; none when the field is left out."""
    if not field:
        return []
    vector = _target(content, field)
    return [_target(content, vector + 4 + 4 * index) for index in range(_unsigned(content, vector))]
