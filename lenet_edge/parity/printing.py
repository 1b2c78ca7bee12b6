"""The matrix, the layers and the verdict on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lenet_edge.parity.cell import Cell, not_run
from lenet_edge.parity.imported import Imported, source


def print_cells(title: str, cells: Sequence[Any]) -> None:
    """Print a column of the matrix, a line a cell."""
    print(f"\n{title}{_really(cells)}")
    print(
        f"  {'':<27}{'digits':>7}{'error':>8}{'agree':>9}{'largest':>9}{'allowed':>9}{'used':>7}{'ideal':>8}"
        f"{'p':>7}  verdict"
    )
    for cell in cells:
        rewritten = " (rewritten on disk)" if cell.facts.get("rewritten") else ""
        if cell.refused:
            verdict = cell.why or f"refused: {cell.refused}"
            print(f"  {cell.row:<27}{'':>64}  {verdict}")
            continue
        same = "" if cell.same is None else f"{cell.same:.2f}%"
        print(
            f"  {cell.row:<27}{cell.digits:>7,}{cell.error:>7.2f}%{cell.agreement:>8.2f}%{cell.largest:>9.3g}"
            f"{cell.allowed:>9.3g}{cell.used:>6.0f}%{same:>8}{cell.p:>7.2g}  "
            f"{'within' if cell.within else f'OUT: {cell.why}'}{rewritten}",
            flush=True,
        )


def print_column(imported: Imported, cells: Sequence[Cell]) -> Sequence[Cell]:
    """Print a column that another machine answered, with what it was and what did not run; return `cells`."""
    print_cells(imported.column.title, cells)
    print(f"  {source(imported.about)}")
    for line in not_run([(cell.row, cell.facts) for cell in cells]):
        print(f"  {line}")
    return cells


def _really(cells: Sequence[Any]) -> str:
    """Return what really ran: runtime and delegate, once."""
    said = [" ".join(filter(None, (c.facts.get("runtime"), c.facts.get("delegate")))) for c in cells]
    words = dict.fromkeys(filter(None, said))
    return f" ({'; '.join(words)})" if words else ""


def print_layers(name: str, layers: Sequence[Any]) -> None:
    """Print a file's layer profile."""
    print(f"\n{name}, layer by layer{'' if layers else ': its operators are not those of the exact model'}")
    if layers:
        print(f"  {'operator':<24}{'step':>10}{'signal to noise':>17}{'clipped':>9}{'off exact by':>14}")
    for layer in layers:
        step = f"{layer.step:.5f}" if layer.step else ""
        noise = "" if layer.snr is None else f"{layer.snr:.1f} dB"
        clipped = "" if layer.clipped is None else f"{layer.clipped:.2f}%"
        local = "" if layer.local is None else f"{layer.local:.3f} steps"
        print(f"  {layer.operator:<24}{step:>10}{noise:>17}{clipped:>9}{local:>14}")


def verdict(report: dict[str, Any]) -> str:
    """Return the last line: whether all is within, and how much was measured."""
    cells = report["cells"]
    out = [f"{cell['row']} in {cell['column']}" for cell in cells if not cell["within"]]
    refused = sum(bool(cell["refused"]) for cell in cells)
    absent = sum(bool(column["absent"]) for column in report["columns"].values())
    counts = f"{len(cells)} cells, {refused} refused, {absent} columns absent"
    if not out:
        return f"\nparity: all within tolerance ({counts})"
    return f"\nparity: {len(out)} of {counts} out: {', '.join(out)}"
