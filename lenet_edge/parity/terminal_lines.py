"""The terminal output of the matrix, the layers and the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from converters.base.words import counted
from converters.proof.terminal_lines import imported_notes, row_text, what_ran
from lenet_edge.parity.cell import Cell
from lenet_edge.parity.imported import Imported

if TYPE_CHECKING:  # it needs TensorFlow, which golden pictures do not need
    from converters.proof.layer_profile import Layer


def cell_lines(title: str, cells: Sequence[Cell]) -> list[str]:
    """Return a column of the matrix, a line per cell: 100 characters at most where nothing is wrong."""
    width = max((len(row_text(cell.row)) for cell in cells), default=0)
    head = (
        f"  {'':<{width}}{'digits':>7}{'error':>8}{'agree':>8}{'largest':>9}{'allowed':>9}{'used':>6}"
        f"{'ideal':>8}{'p':>8}  verdict"
    )
    ran = what_ran([cell.facts for cell in cells])
    return ["", f"{title}{ran}", head, *(_cell_line(cell, width) for cell in cells)]


def _cell_line(cell: Cell, width: int) -> str:
    name = f"  {row_text(cell.row):<{width}}"
    if cell.refused:
        return f"{name}  {cell.why or f'refused: {cell.refused}'}"
    rewritten = " (rewritten on disk)" if cell.facts.get("rewritten") else ""
    same = "" if cell.same is None else f"{cell.same:.2f}%"
    return (
        f"{name}{cell.digits:>7,}{cell.error:>7.2f}%{cell.agreement:>7.2f}%{cell.largest:>9.3g}"
        f"{cell.allowed:>9.3g}{cell.used:>5.0f}%{same:>8}{cell.p:>8.2g}  "
        f"{'within' if cell.within else f'OUT: {cell.why}'}{rewritten}"
    )


def imported_lines(imported: Imported, cells: Sequence[Cell]) -> list[str]:
    """Return a column of imported answers, with their source and the delegates that did not run."""
    notes = imported_notes(imported, [(cell.row, cell.facts) for cell in cells])
    return [*cell_lines(imported.column.title, cells), *notes]


def layer_lines(name: str, layers: Sequence[Layer]) -> list[str]:
    """Return a file's layer profile, a line per layer."""
    if not layers:
        return ["", f"{name}, layer by layer: its operators differ from those of the exact model"]
    head = f"  {'operator':<24}{'step':>10}{'signal to noise':>17}{'clipped':>9}{'off exact by':>14}"
    return ["", f"{name}, layer by layer", head, *map(_layer_line, layers)]


def _layer_line(layer: Layer) -> str:
    step = f"{layer.step:.5f}" if layer.step else ""
    noise = "" if layer.snr is None else f"{layer.snr:.1f} dB"
    clipped = "" if layer.clipped is None else f"{layer.clipped:.2f}%"
    local = "" if layer.local is None else f"{layer.local:.3f} steps"
    return f"  {layer.operator:<24}{step:>10}{noise:>17}{clipped:>9}{local:>14}"


def verdict(report: Mapping[str, Any]) -> str:
    """Return the last line: the verdict, and how much was measured."""
    cells = report["cells"]
    out = [f"{cell['row']} in {cell['column']}" for cell in cells if not cell["within"]]
    refused = sum(bool(cell["refused"]) for cell in cells)
    absent = sum(bool(column["absent"]) for column in report["columns"].values())
    counts = f"{counted(len(cells), 'cell')}, {refused} refused, {counted(absent, 'column')} absent"
    if not out:
        return f"parity: all within tolerance ({counts})"
    return f"parity: {len(out)} of {counts} out: {', '.join(out)}"
