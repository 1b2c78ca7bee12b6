"""The terminal output of a proof: the matrix, the layers and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from converters.base.words import counted
from converters.proof.cell import Cell, Figures, not_run, state
from converters.proof.imported import Imported, source

if TYPE_CHECKING:  # it imports TensorFlow, which what is printed does not need
    from converters.proof.layers import ProvenLayer

PrintLines = Callable[[str], object]
"""A function that gets each part of the output as soon as it is measured."""


def cell_lines(title: str, cells: Sequence[Cell]) -> list[str]:
    """Return a column of the matrix: a line for each cell, or for each output of a file that has several.

    A line of a cell within tolerance has 100 characters at most, if no name has more than 23.
    """
    names = [name for cell in cells for name in _names(cell)]
    width = max(map(len, names), default=0)
    head = (
        f"  {'':<{width}}{'samples':>8}{'error':>9}{'agree':>8}{'largest':>9}{'allowed':>9}{'used':>6}"
        f"{'noise':>9}{'ideal':>8}  verdict"
    )
    ran = what_ran([cell.facts for cell in cells])
    return ["", f"{title}{ran}", head, *(_cell_text(cell, width) for cell in cells)]


def _names(cell: Cell) -> list[str]:
    """Return the name of each of a cell's lines."""
    row = row_text(cell.row)
    return [row] if len(cell.outputs) < 2 else [f"{row}, {figures.name}" for figures in cell.outputs]


def row_text(row: str) -> str:
    """Return what a line calls the row of a file: its name without an ending that all have."""
    return row.replace(".tflite", "")


def what_ran(facts: Sequence[Mapping[str, Any]]) -> str:
    """Return the runtimes and delegates that ran, each once, in brackets."""
    names = [" ".join(filter(None, (one.get("runtime"), one.get("delegate")))) for one in facts]
    ran = dict.fromkeys(filter(None, names))
    return f" ({'; '.join(ran)})" if ran else ""


def _cell_text(cell: Cell, width: int) -> str:
    if not cell.outputs:
        return f"  {row_text(cell.row):<{width}}  {cell.sentence}"
    lines = [
        f"  {name:<{width}}{cell.samples:>8,}{_figures(figures)}"
        for name, figures in zip(_names(cell), cell.outputs, strict=True)
    ]
    return "\n".join([f"{lines[0]}  {cell.sentence}", *lines[1:]])


def _figures(figures: Figures) -> str:
    """Return the figures of a line; the mean difference, which the noise says too, is in the report alone."""
    scores = figures.agreement is not None
    error = "" if figures.error is None else f"{figures.error:.2f}%" if scores else f"{figures.error:.3g}"
    agree = "" if figures.agreement is None else f"{figures.agreement:.2f}%"
    allowed = "" if figures.allowed is None else f"{figures.allowed:.3g}"
    used = "" if figures.used is None else f"{figures.used:.0f}%"
    noise = "none" if figures.snr is None else f"{figures.snr:.1f} dB"
    same = "" if figures.same is None else f"{figures.same:.2f}%"
    return f"{error:>9}{agree:>8}{figures.largest:>9.3g}{allowed:>9}{used:>6}{noise:>9}{same:>8}"


def imported_notes(imported: Imported, facts: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Return where imported answers come from, and the delegates that did not run there.

    `facts`: the name and the facts of each of the column's cells.
    """
    return [f"  {note}" for note in (source(imported.about), *not_run(facts))]


def unchecked_line(name: str, beyond: str) -> str:
    """Return the line of a file that goes `beyond` the check of files."""
    return f"{name}: not checked before it runs: {beyond}"


def absent_line(title: str, reason: str) -> str:
    """Return the line of a runtime that is not here."""
    return f"\n{title}: absent: {reason}"


def layer_lines(name: str, layers: Sequence[ProvenLayer], uncompared: str) -> list[str]:
    """Return a file's layers, a line each, and what of it could not be matched with the model."""
    notes = [f"  not matched: {uncompared}"] if uncompared else []
    if not layers:
        return ["", f"{name}, layer by layer: no operator could be matched with the model's", *notes]
    width = max(len(layer.title) for layer in layers)
    names = f"{'step':>10}{'signal to noise':>17}{'bits allow':>12}{'clipped':>9}{'off exact by':>14}"
    head = f"  {'layer':<{width}}{names}"
    return ["", f"{name}, layer by layer", head, *(_layer_line(one, width) for one in layers), *notes]


def _layer_line(layer: ProvenLayer, width: int) -> str:
    measured = layer.measured
    step = f"{measured.step:.5f}" if measured.step else ""
    noise = "none" if measured.snr is None else f"{measured.snr:.1f} dB"
    allowed = "" if layer.allowed is None else f"{layer.allowed:.1f} dB"
    clipped = "" if measured.clipped is None else f"{measured.clipped:.2f}%"
    local = "" if measured.local is None else f"{measured.local:.3f} steps"
    departs = f"  DEPARTS: {layer.departs}" if layer.departs else ""
    return f"  {layer.title:<{width}}{step:>10}{noise:>17}{allowed:>12}{clipped:>9}{local:>14}{departs}"


def verdict(report: Mapping[str, Any]) -> str:
    """Return the last line: the verdict, and how much was measured."""
    cells = report["cells"]
    states = [state(cell) for cell in cells]
    absent = sum(bool(column["absent"]) for column in report["columns"].values())
    size = counted(len(cells), "cell")
    rest = (
        f"{states.count('refused')} refused, {states.count('not derived')} not derived, "
        f"{counted(absent, 'column')} absent"
    )
    out = [f"{cell['row']} in {cell['column']}" for cell in cells if state(cell) == "out"]
    if out:
        return f"prove: {len(out)} of {size} out of tolerance: {', '.join(out)} ({rest})"
    if "within" not in states:
        return f"prove: no cell within tolerance, none out ({size}, {rest})"
    words = "within tolerance where one is derived" if "not derived" in states else "all within tolerance"
    return f"prove: {words} ({size}, {rest})"
