"""The terminal output of `convert` for models, files and targets."""

from __future__ import annotations

import re

from converters.delegates import audit_table
from converters.delegates.xnnpack import verdict
from lenet_edge.converting.check_set import Baseline
from lenet_edge.converting.files import Checked, ModelFile
from lenet_edge.converting.layers_file import LayersFile
from lenet_edge.converting.targets import Audit, MicroArray, TargetFile, Tried


def table_head(name: str, baseline: Baseline) -> list[str]:
    """Return the lines above the table of the files of model `name`."""
    count, windows = baseline.check_set.digits, len(baseline.check_set.labels)
    wide = f", side by side in {windows:,} windows" if windows > count else ""
    return [
        "",
        f"{name}: the original misreads {baseline.error:.2f} % of {count:,} test digits{wide}",
        f"{'precision':<10}{'bytes':>9}{'operators':>11}  {'XNNPACK':<9}"
        f"{'error':>8}{'agreement':>12}{'largest':>12}",
        f"{'':<30}{'takes':<11}{'%':>8}{'%':>12}{'difference':>12}",
    ]


def table_row(file: ModelFile, checked: Checked) -> str:
    """Return the table row of a checked file."""
    taken, operators = checked.xnnpack_takes
    return (
        f"{file.facts['precision']:<10}{len(file.content):>9,}{operators:>11}  "
        f"{verdict(taken, operators):<9}{checked.error:>8.2f}{checked.agreement:>12.2f}"
        f"{checked.largest_difference:>12.1e}"
    )


def target_lines(file: ModelFile) -> list[str]:
    """Return the report on a target's file: its audits, its trial on a GPU, its arena, its check."""
    if not isinstance(file, TargetFile):
        return ["", *_plain_lines(file), *([f"    {_check_line(file.checked)}"] if file.checked else [])]
    fine_tuned = ", fine-tuned" if file.fine_tuned else ""
    kind = f"{file.target.precision}{fine_tuned}, {len(file.content):,} bytes"
    lines = ["", f"{file.name}: {kind} ({file.target.why})"]
    for delegate, audit in file.audits.items():
        lines += _audit_lines(delegate, audit)
    if file.tried:
        lines.append(f"    {_trial_line(file.tried)}")
    if file.micro:
        lines.append(f"    {_arena_line(file.micro)}")
    if file.checked:
        lines.append(f"    {_check_line(file.checked)}")
    return lines


def _plain_lines(file: ModelFile) -> list[str]:
    """Return what a target's further file is: the one with the layers, or the wide model's."""
    kind = f"{file.name}: {file.facts['precision']}, {len(file.content):,} bytes"
    if isinstance(file, LayersFile):
        names = ", ".join(file.facts["layers"])
        return [
            f"{kind} (the output of each layer)",
            f"    {names}; a digit's values are in the .json beside it",
        ]
    return [f"{kind} (of fixed width: LiteRT.js cannot resize)"]


def _audit_lines(delegate: str, audit: Audit) -> list[str]:
    """Return a delegate's verdicts; for NNAPI, at each API level where they change."""
    lines: list[str] = []
    last = ""
    for level, verdicts in audit.verdicts.items():
        lines_of_level = audit_table(verdicts)
        # The level itself is in some reasons; it is no change.
        without_level = re.sub(r"got \d+", "", lines_of_level)
        if without_level != last:
            title = delegate if level is None else f"{delegate}, from API level {level}"
            lines += [f" {title}:", lines_of_level]
        last = without_level
    if audit.compatible is not None:
        answer = "compatible" if audit.compatible else "not compatible"
        lines.append(f"    (TensorFlow Lite's analyser: {answer})")
    if delegate == "nnapi":
        lines.append("    (NNAPI has been deprecated since Android 15, API level 35)")
    return lines


def _trial_line(tried: Tried) -> str:
    if tried.absent:
        return f"not tried on a GPU: {tried.absent}"
    if tried.failure:
        return f"tried on {tried.title}: {tried.failure}"
    return (
        f"tried on {tried.title}: {tried.delegate} takes {tried.taken} of {tried.nodes}, largest difference "
        f"from the original {tried.largest_difference:.1e} on {tried.digits} digits"
    )


def _arena_line(micro: MicroArray) -> str:
    if micro.failure:
        return f"arena not measured, kArenaBytes is twice the file's size: {micro.failure}"
    return f"arena: {micro.arena_bytes:,} bytes ({micro.runtime}, 64 bits)"


def _check_line(checked: Checked) -> str:
    return (
        f"error {checked.error:.2f} % of {checked.digits:,} test digits (original "
        f"{checked.original_error:.2f} %), agreement {checked.agreement:.2f} %"
    )
