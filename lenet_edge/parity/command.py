"""Lay every .tflite file in every runtime beside the original model, and say which cell is out."""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from converters.columns import COLUMNS, Column
from converters.errors import InputError, expect
from converters.files import write_atomically, write_json
from converters.options import command_parser
from lenet_edge.mnist import Digits, pad, test_digits
from lenet_edge.packaged import NAMES
from lenet_edge.runtime import checked_content, released_folder

EPILOG = """\
examples:
  lenet-edge parity                                 all packaged files, runtimes and 10,000 digits
  lenet-edge parity --models build/tflite --digits 1000
  lenet-edge parity --layers --html parity.html --json parity.json
  lenet-edge parity --column tf.lite --column micro --slow-digits 200

A cell is within its tolerance when the file holds the original's weights, each within half of its step; when
every score is within the accumulated rounding of the file's own scales; and when its errors are no more
than chance allows. docs/parity.md derives it. The exit status is 1 when a cell is out, 2 on bad input.
"""


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(name="lenet-edge parity", description=__doc__, epilog=EPILOG)
    add = parser.add_argument
    add(
        "--models",
        type=Path,
        metavar="DIR",
        help="compare the .tflite files of DIR instead of the packaged ones",
    )
    add("--net", choices=NAMES, default="lenet5", help="whose files (default: %(default)s)")
    add(
        "--column",
        choices=COLUMNS,
        action="append",
        help="only this runtime (may be repeated; default: all; absent ones are listed)",
    )
    add("--digits", type=int, default=10_000, metavar="N", help="first N test digits (default: all 10,000)")
    add(
        "--slow-digits",
        type=int,
        metavar="N",
        help="first N for the slow columns: reference kernels, GPU, Micro (default: as --digits)",
    )
    add("--data", type=Path, metavar="DIR", help="folder with MNIST's IDX files (default: the packaged ones)")
    add("--layers", action="store_true", help="compare layer by layer too: signal to quantisation noise")
    add("--json", type=Path, metavar="FILE", help="write everything measured to FILE")
    add("--html", type=Path, metavar="FILE", help="write a report to read in a browser, one file")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    _check(options)
    contents = _contents(options)
    digits = test_digits(data=options.data)
    digits = Digits(digits.images[: options.digits], digits.labels[: options.digits])
    report, matrix = measure(contents, digits, options)
    report["command"] = shlex.join(
        ["python", "-m", "lenet_edge.parity", *(sys.argv[1:] if argv is None else argv)]
    )
    if options.json:
        write_json(options.json, report)
    if options.html:
        from lenet_edge.parity.evidence import evidence_of
        from lenet_edge.parity.report import html_of

        write_atomically(options.html, html_of(report, evidence_of(digits, matrix)))
    print(_verdict(report))
    return 0 if report["within"] else 1


def _check(options: argparse.Namespace) -> None:
    expect(1 <= options.digits <= 10_000, "--digits from 1 to 10000", options.digits)
    slow = options.slow_digits
    expect(slow is None or slow >= 1, "--slow-digits of 1 or more", slow)
    expect(options.models is None or options.models.is_dir(), "--models to be a folder", options.models)


def _contents(options: argparse.Namespace) -> dict[str, bytes]:
    """Return the files to compare by name, each with its manifest's sha256 where there is a manifest."""
    folder = options.models or released_folder()
    paths = sorted(folder.glob(f"{options.net}_*.tflite" if not options.models else "*.tflite"), key=_rank)
    expect(paths, f".tflite files in {folder}", "none")
    manifest = folder / "manifest.json"
    entries = _manifest(manifest) if manifest.is_file() else None
    return {path.name: checked_content(path, entries) for path in paths}


def _manifest(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text())["models"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: expected a manifest of `convert`, got another or a damaged file"
        ) from error


def _rank(path: Path) -> tuple[int, str]:
    """Order the files as their precisions are: float32 first, the fine-tuned last."""
    words = ("float32", "float16", "dynamic", "int8", "qat")
    return max(
        (place for place, word in enumerate(words) if word in path.stem), default=len(words)
    ), path.name


def measure(
    contents: dict[str, bytes], digits: Digits, options: argparse.Namespace
) -> tuple[dict[str, Any], Any]:
    """Measure and print every cell; return the report as JSON has it, and the matrix."""
    # TensorFlow takes seconds to import: bad input has been answered by now.
    from tqdm import tqdm

    from converters.manifest import versions
    from lenet_edge.parity.matrix import Matrix, absent, file_of
    from lenet_edge.parity.references import references

    found = references(options.net, pad(digits.images))
    files = [file_of(name, content, found) for name, content in contents.items()]
    matrix = Matrix(digits, found)
    columns = [COLUMNS[name] for name in dict.fromkeys(options.column or COLUMNS)]
    missing = absent(columns)
    cells = list(matrix.keras_cells(files))
    print_cells("Keras", cells)
    present = [column for column in columns if column.name not in missing]
    with tqdm(total=len(present) * len(files), unit="cell", leave=False, disable=None) as bar:
        for column in present:
            bar.set_description(column.title)
            measured = list(
                matrix.cells(column, files, digits=_count(column, options), progress=lambda _: bar.update())
            )
            bar.clear()
            print_cells(column.title, measured)
            cells += measured
    for name, reason in missing.items():
        print(f"\n{COLUMNS[name].title}: absent: {reason}")
    report = {
        "versions": versions(),
        "machine": {"system": platform.system(), "processor": platform.machine()},
        "net": options.net,
        "digits": len(digits.labels),
        "files": {
            file.name: {"bytes": len(file.content), "sha256": file.sha256, "findings": file.findings}
            for file in files
        },
        "columns": {c.name: {"title": c.title, "absent": missing.get(c.name, "")} for c in columns},
        "cells": [cell.as_json() for cell in cells],
        "within": all(cell.within for cell in cells),
    }
    if options.layers:
        report["layers"] = _layers(files, matrix)
    return report, matrix


def _count(column: Column, options: argparse.Namespace) -> int:
    slow = column.kind in ("gpu", "micro") or column.resolver == "BUILTIN_REF"
    return min(options.slow_digits or options.digits, options.digits) if slow else options.digits


def _layers(files: Sequence[Any], matrix: Any) -> dict[str, list[dict[str, Any]]]:
    from lenet_edge.parity.layers import LAYER_DIGITS, profile

    found = {}
    for file in files:
        margin = (32 - file.graph.inputs[0].shape[1]) // 2
        inputs = matrix.inputs[:LAYER_DIGITS, margin : 32 - margin, margin : 32 - margin]
        layers = profile(file.content, file.graph, file.exact.graph, inputs)
        _print_layers(file.name, layers)
        found[file.name] = [layer.as_json() for layer in layers]
    return found


def print_cells(title: str, cells: Sequence[Any]) -> None:
    """Print a column of the matrix, a line a cell."""
    print(f"\n{title}{_really(cells)}")
    print(
        f"  {'':<27}{'digits':>7}{'error':>8}{'agree':>9}{'largest':>9}{'allowed':>9}{'used':>7}{'ideal':>8}"
        f"{'p':>7}  verdict"
    )
    for cell in cells:
        if cell.refused:
            verdict = cell.why or f"refused: {cell.refused}"
            print(f"  {cell.row:<27}{'':>64}  {verdict}")
            continue
        same = "" if cell.same is None else f"{cell.same:.2f}%"
        print(
            f"  {cell.row:<27}{cell.digits:>7,}{cell.error:>7.2f}%{cell.agreement:>8.2f}%{cell.largest:>9.3g}"
            f"{cell.allowed:>9.3g}{cell.used:>6.0f}%{same:>8}{cell.p:>7.2g}  "
            f"{'within' if cell.within else f'OUT: {cell.why}'}",
            flush=True,
        )


def _really(cells: Sequence[Any]) -> str:
    """Return what really ran: runtime and delegate, once."""
    said = [" ".join(filter(None, (c.facts.get("runtime"), c.facts.get("delegate")))) for c in cells]
    words = dict.fromkeys(filter(None, said))
    return f" ({'; '.join(words)})" if words else ""


def _print_layers(name: str, layers: Sequence[Any]) -> None:
    print(f"\n{name}, layer by layer{'' if layers else ': its operators are not those of the exact model'}")
    if layers:
        print(f"  {'operator':<24}{'step':>10}{'signal to noise':>17}{'clipped':>9}{'off exact by':>14}")
    for layer in layers:
        step = f"{layer.step:.5f}" if layer.step else ""
        noise = "" if layer.snr is None else f"{layer.snr:.1f} dB"
        clipped = "" if layer.clipped is None else f"{layer.clipped:.2f}%"
        local = "" if layer.local is None else f"{layer.local:.3f} steps"
        print(f"  {layer.operator:<24}{step:>10}{noise:>17}{clipped:>9}{local:>14}")


def _verdict(report: dict[str, Any]) -> str:
    cells = report["cells"]
    out = [f"{cell['row']} in {cell['column']}" for cell in cells if not cell["within"]]
    refused = sum(bool(cell["refused"]) for cell in cells)
    absent = sum(bool(column["absent"]) for column in report["columns"].values())
    counts = f"{len(cells)} cells, {refused} refused, {absent} columns absent"
    if not out:
        return f"\nparity: all within tolerance ({counts})"
    return f"\nparity: {len(out)} of {counts} out: {', '.join(out)}"
