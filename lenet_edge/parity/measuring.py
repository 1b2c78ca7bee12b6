"""Measure the whole matrix, print it column by column, and return the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tqdm import tqdm

from converters.base.environment import versions
from converters.base.machine import machine
from converters.file.graph import Graph
from converters.proof.imported import check_outputs
from converters.proof.layer_names import layer_of
from converters.proof.layer_profile import Layer, profile
from converters.proof.runs import absences, columns_json, is_slow
from converters.proof.terminal_lines import PrintLines, absent_line
from converters.runtimes.columns import Column
from lenet_edge.digits.mnist import Digits
from lenet_edge.packaged.names import WIDE
from lenet_edge.parity.golden import checked_golden
from lenet_edge.parity.imported import GOLDEN, Imported
from lenet_edge.parity.matrix import Cell, File, Matrix, file_of, pictures_of, read_file, row_of
from lenet_edge.parity.references import references
from lenet_edge.parity.terminal_lines import cell_lines, imported_lines, layer_lines

LAYER_DIGITS = 200
"""The number of digits for a layer profile."""

_LAYERS = ("C1", "S2", "C3", "S4", "C5", "F6", "OUTPUT", "scores")
_NAMES = {f"{prefix}{name}": name for name in _LAYERS for prefix in ("", "quant_")}
"""The layers of the nets by what files call them: fine-tuned ones have "quant_" before their names."""

WIDTHS = (32, 112, 117, 272)
"""The widths to measure a wide net at: one window, the files' own, no whole step, a long string."""


def measure(
    contents: Mapping[str, bytes],
    digits: Digits,
    *,
    net: str,
    columns: Sequence[Column],
    slow_digits: int,
    layers: bool,
    imports: Sequence[Imported] = (),
    print_lines: PrintLines = lambda _: None,
) -> tuple[dict[str, Any], Matrix]:
    """Measure every cell; return the report, and the matrix with its scores (a wide net's first).

    `contents`: the .tflite files of `net` by name. Slow columns read the first `slow_digits` digits;
    `imports`: columns that were measured elsewhere. `print_lines` gets each column's text when it is done.
    Raises InputError, before anything is measured, on a file that is damaged, of another shape or with an
    unknown operator, and on answers that do not belong to their file.
    """
    graphs = {name: read_file(name, content, net=net) for name, content in contents.items()}
    golden = checked_golden(imports)
    check_outputs(imports, graphs)
    parts = [_part(contents, graphs, digits, net=net, width=width) for width in _widths(net)]
    missing = absences(columns)
    cells = [cell for matrix, files in parts for cell in matrix.keras_cells(files)]
    print_lines("\n".join(cell_lines("Keras", cells)))
    present = [column for column in columns if column.name not in missing]
    cells += _cells(parts, present, len(digits.labels), slow_digits, print_lines=print_lines)
    (matrix, files), *_ = parts
    for imported in imports:
        is_golden = imported.pictures == GOLDEN
        column_cells = golden.cells(imported) if is_golden else list(matrix.imported_cells(imported, files))
        print_lines("\n".join(imported_lines(imported, column_cells)))
        cells += column_cells
    for column in columns:
        if column.name in missing:
            print_lines(absent_line(column.title, missing[column.name]))
    report = {
        "versions": versions(),
        "machine": machine(),
        "net": net,
        "digits": len(digits.labels),
        "files": {
            file.name: {"bytes": len(file.content), "sha256": file.sha256, "findings": file.findings}
            for _, files in parts
            for file in files
        },
        "columns": columns_json(columns, missing, imports),
        "cells": [cell.as_json() for cell in cells],
        "within": all(cell.within for cell in cells),
    }
    if layers:
        report["layers"] = _layers(files, matrix, print_lines=print_lines)
    return report, matrix


class _Part(NamedTuple):
    """The part of the matrix for one width; for a net that reads one digit, all of it."""

    matrix: Matrix
    files: list[File]


def _widths(net: str) -> tuple[int | None, ...]:
    return WIDTHS if net == WIDE else (None,)


def _part(
    contents: Mapping[str, bytes], graphs: Mapping[str, Graph], digits: Digits, *, net: str, width: int | None
) -> _Part:
    models = references(net, pictures_of(digits, width=width)[0])
    files = [file_of(row_of(name, width), contents[name], graph, models) for name, graph in graphs.items()]
    return _Part(Matrix(digits, models, width=width), files)


def _cells(
    parts: Sequence[_Part],
    columns: Sequence[Column],
    digits: int,
    slow_digits: int,
    *,
    print_lines: PrintLines,
) -> Iterator[Cell]:
    """Yield the cells of each column, and print each column when it is done."""
    count = sum(len(files) for _, files in parts)
    with tqdm(total=len(columns) * count, unit="cell", leave=False, disable=None) as bar:
        for column in columns:
            bar.set_description(column.title)
            column_digits = min(slow_digits, digits) if is_slow(column) else digits
            cells = [
                cell
                for matrix, files in parts
                for cell in matrix.cells(column, files, digits=column_digits, progress=lambda _: bar.update())
            ]
            bar.clear()
            print_lines("\n".join(cell_lines(column.title, cells)))
            yield from cells


def _layers(
    files: Sequence[File], matrix: Matrix, *, print_lines: PrintLines
) -> dict[str, list[dict[str, Any]]]:
    layers_by_file = {}
    for file in files:
        inputs = matrix.windows_of(file.graph)[:LAYER_DIGITS]
        content = file.content_for(file.graph.inputs[0].shape)
        layers = profile(content, file.graph, file.exact_graph, inputs)
        print_lines("\n".join(layer_lines(file.name, layers)))
        layers_by_file[file.name] = named_layers(layers, file.graph)
    return layers_by_file


def named_layers(layers: Sequence[Layer], graph: Graph) -> list[dict[str, Any]]:
    """Return the profile of the file whose graph is `graph` as the report stores it, with the nets' names.

    `layer`: the layer of the net that an operator computes, "" where no tensor says so.
    """
    nodes = {str(node): node for node in graph.nodes}
    return [{**layer.as_json(), "layer": layer_of(nodes[layer.operator], _NAMES)} for layer in layers]
