"""`convert --target`: the file that a kind of machine needs, and what its delegate will make of it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from converters.base.environment import versions
from converters.base.files import write_atomically, write_json
from converters.base.targets import TARGETS
from converters.delegates import API_LEVELS, Verdict, analyser_verdict, audit, audit_table, taken
from converters.file.c_array import c_array
from converters.file.graph import read_graph
from converters.model.folding import fold
from converters.proof.exact_arithmetic import LIMITS
from converters.proof.tolerance import Tolerance
from converters.runtimes.columns import COLUMNS, absence, run_column
from converters.runtimes.tensorflow_interpreter import run_stored
from lenet_edge.converting.exam import taken_by
from lenet_edge.converting.files import checked, convert_one
from lenet_edge.digits.mnist import Digits, calibration_digits, pad
from lenet_edge.packaged.layouts import PLAIN, layout_for, lowered
from lenet_edge.packaged.models import fine_tuned_model, released_model
from lenet_edge.packaged.names import FINE_TUNED
from lenet_edge.paper.answers import as_input, outputs_of

_TRIED_DIGITS = 100


def convert_for_targets(names: Sequence[str], options: argparse.Namespace, digits: Digits) -> None:
    """Write the files of `options.target` for each model of `names`, their audits and a manifest to --out."""
    targets = list(TARGETS) if "all" in options.target else list(dict.fromkeys(options.target))
    entries: dict[str, Any] = {}
    for name in names:
        original = released_model(name, weights=options.weights)
        taken = None if options.no_check else taken_by(original, digits)
        folded, rounding = fold(original), None
        if (
            name in FINE_TUNED
            and not options.weights
            and any(TARGETS[t].precision == "int8" for t in targets)
        ):
            rounding = fine_tuned_model()
        for target in targets:
            path, entry = _convert_for(name, target, folded, rounding, options.out)
            if taken is not None:
                entry["checked"] = checked((options.out / path).read_bytes(), *taken)
                _print_check(entry["checked"])
            entries[path] = entry
    write_json(options.out / "manifest.json", {"versions": versions(), "models": entries})
    print(f"\n{len(entries)} files and manifest.json are in {options.out}")


def _convert_for(
    name: str, target_name: str, folded: Any, rounding: Any, out: Path
) -> tuple[str, dict[str, Any]]:
    """Write one target's file and what comes with it; return its name and manifest entry.

    `rounding`: the fine-tuned model that int8 is made from, None where there is none.
    """
    target = TARGETS[target_name]
    fine_tuned = rounding is not None and target.precision == "int8"
    model = rounding if fine_tuned else folded
    plain = convert_one(model, precision=target.precision, ends=target.ends).content
    content, entry = lowered(
        plain, layout=layout_for(name, target.precision, asked=None if target.laid_out else PLAIN)
    )
    path = f"{name}_{target_name}.tflite"
    write_atomically(out / path, content)
    kind = f"{target.precision}{', fine-tuned' if fine_tuned else ''}"
    print(f"\n{path}: {kind}, {len(content):,} bytes ({target.why})")
    entry = {
        "model": name,
        "target": target_name,
        "precision": target.precision,
        "fine_tuned": fine_tuned,
        **entry,
    }
    entry["audits"] = {delegate: _audited(content, delegate) for delegate in target.delegates}
    if target_name == "gpu":
        entry["tried"] = _tried_on_gpu(content, folded)
    if target_name == "micro":
        sample = as_input(folded, pad(calibration_digits().images[:1])).numpy()
        entry["arena_bytes"] = _write_c_array(name, content, sample, out)
    return path, entry


def _audited(content: bytes, delegate: str) -> Any:
    """Print a delegate's audit and return it as JSON has it; NNAPI's for each API level."""
    if delegate != "nnapi":
        verdicts = audit(content, delegate=delegate)
        print(f" {delegate}:\n{audit_table(verdicts)}")
        if delegate == "gpu":
            compatible, _ = analyser_verdict(content)
            print(f"    (TensorFlow Lite's analyser: {'compatible' if compatible else 'not compatible'})")
        return _as_json(verdicts)
    by_level = {level: audit(content, delegate=delegate, api_level=level) for level in API_LEVELS}
    last = ""
    for level, verdicts in by_level.items():
        lines = audit_table(verdicts)
        if re.sub(r"got \d+", "", lines) != last:
            print(f" nnapi, from API level {level}:\n{lines}")
        last = re.sub(r"got \d+", "", lines)
    print("    (NNAPI is deprecated since Android 15, API level 35)")
    return {str(level): _as_json(verdicts) for level, verdicts in by_level.items()}


def _as_json(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    some, count = taken(verdicts)
    left = [{"operator": f"{v.index} {v.name}", "reason": v.reason} for v in verdicts if not v.taken]
    return {"taken": some, "operators": count, "not_taken": left}


def _tried_on_gpu(content: bytes, exact: Any) -> dict[str, Any]:
    """Run the file on a GPU accelerator where there is one, say what came out, and return it."""
    column = COLUMNS["litert-gpu"]
    reason = absence(column)
    if reason:
        print(f"    not tried on a GPU: {reason}")
        return {"absent": reason}
    pictures = pad(calibration_digits().images[:_TRIED_DIGITS])
    inputs = as_input(exact, pictures).numpy()
    result = run_column(column, {"file": content}, {"file": inputs})["file"]
    if result.failure:
        print(f"    tried on {column.title}: {result.failure}")
        return {"failure": result.failure}
    difference = float(np.abs(result.values - outputs_of(exact, pictures)).max())
    print(
        f"    tried on {column.title}: {result.delegate} takes {result.taken} of {result.nodes}, largest "
        f"difference from the original {difference:.1e} on {len(inputs)} digits"
    )
    return {"delegate": result.delegate, "taken": result.taken, "largest_difference": difference}


def _write_c_array(name: str, content: bytes, sample: np.ndarray, out: Path) -> int | None:
    """Write NAME_micro.h and NAME_micro.cc with a golden sample and return the measured arena.

    The sample's output is TensorFlow Lite Micro's own where it is installed, TensorFlow's otherwise; its
    limits hold for every runtime (converters.proof.tolerance).
    """
    stored, answer = run_stored(content, sample)
    side = sample.shape[1]
    column = COLUMNS["micro"]
    failure, arena = absence(column), None
    if not failure:
        result = run_column(column, {"file": content}, {"file": sample})["file"]
        failure, arena = result.failure, result.arena_bytes
        answer = answer if failure else result.outputs
    if failure:
        print(f"    arena not measured, kArenaBytes is twice the file's size: {failure}")
    else:
        print(f"    arena: {arena:,} bytes ({result.runtime}, 64 bits)")
    texts = c_array(
        content,
        name=f"{name}_micro",
        arena_bytes=arena or 2 * len(content),
        sample_input=stored[0],
        sample_output=answer[0],
        sample_limits=_limits(content, sample),
        description=f"{name}, a digit reader: {side}x{side} pixels, 0 for paper, in; ten scores out.",
    )
    for suffix, text in zip((".h", ".cc"), texts, strict=True):
        write_atomically(out / f"{name}_micro{suffix}", text)
    return arena


def _limits(content: bytes, sample: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the most that the int8 file may give for `sample` (1, ...), as it stores them."""
    graph = read_graph(content)
    (sink,) = graph.outputs
    step, zero_point = float(sink.scales[0]), int(sink.zero_points[0])
    low, high = (end / step + zero_point for end in Tolerance(graph, sample).limits(np.arange(1)))
    # Further than the least and the most of the type no runtime can go; 1e-9 is for the division's rounding.
    whole = np.clip([np.ceil(low - 1e-9), np.floor(high + 1e-9)], *LIMITS[sink.type]).astype(sink.type)
    return whole[0], whole[1]


def _print_check(facts: dict[str, Any]) -> None:
    print(
        f"    error {facts['error']:.2f} % of {facts['digits']:,} test digits (original "
        f"{facts['original_error']:.2f} %), agreement {facts['agreement']:.2f} %",
        flush=True,
    )
