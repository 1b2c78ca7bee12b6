"""Train the wide net on strings; write its weights, a report and a learning curve."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from converters.base.environment import versions
from converters.base.files import write_json
from lenet_edge.digits.mnist import Digits, cache_folder
from lenet_edge.packaged.weights import load_weights, save_weights
from lenet_edge.paper.model import string_teacher
from lenet_edge.training.distorted_passes import Teacher
from lenet_edge.training.learning_curve import draw
from lenet_edge.training.loop import Recipe, Row
from lenet_edge.training.preparing import training_keras
from lenet_edge.training.recipe_run import Copies
from lenet_edge.training.results import measured_sets
from lenet_edge.training.score_calibration import probabilities
from lenet_edge.training.string_training import HeldOut, StringPasses, string_outputs, train_strings
from lenet_edge.training.workers import ONE_PROCESS, Workers

_DEFAULT_START = {"lenet5": "lenet5", "teacher": "random"}


def train_on_strings(
    recipe: Recipe,
    training: Digits,
    held_out: Digits,
    *,
    copies: Copies,
    teachers: Sequence[Path] = (),
    start: Path | None = None,
    keep: float = 0.0,
    out: Path,
    command: str,
    test: bool = False,
    resume: bool = False,
    verbose: int = 1,
    workers: Workers = ONE_PROCESS,
) -> dict[str, Row]:
    """Train the wide net; on the chief write weights.npz, report.json and learning_curve.png to `out`.

    Return the errors in percent by set of digits: "error" of single digits, "normal_error" and
    "touching_error" of strings of four, "cheque_error" of scanned amounts; nothing on other workers.
    `copies`: the sets of fields to read; `teachers`: folders of trained string teachers to learn from, each
    with weights.npz; `start`: a file of weights, whose SHA-256 the report names.
    `command` and `test` as for `lenet_edge.training.results.write_trained`, the rest as for `train_strings`.
    """
    passes = StringPasses(
        digits=training,
        folder=cache_folder() / "passes",
        **asdict(copies),
        teachers=[_teacher(run) for run in teachers],
    )
    model, scale, history = train_strings(
        recipe,
        passes,
        held_out,
        start=start,
        keep=keep,
        out=out,
        resume=resume,
        verbose=verbose,
        workers=workers,
    )
    if not workers.is_chief:
        return {}
    measured = {
        name: HeldOut(digits).measure(model) for name, digits in measured_sets(held_out, test=test).items()
    }
    save_weights(model, out / "weights.npz", scale=scale)
    report = {
        "command": command,
        "versions": versions(),
        "start": _sha256(start) if start else _DEFAULT_START[recipe.model],
        **({"teachers": [_facts_of_teacher(run) for run in teachers]} if teachers else {}),
        "kept_of_start": keep,
        "recipe": asdict(recipe),
        "writing": asdict(passes.writing),
        "passes": passes.count,
        "gentle_passes": passes.gentle_count,
        "workers": workers.cluster.count,
        "scale": scale,
        **measured,
        "history": history,
    }
    write_json(out / "report.json", report)
    draw(history, out / "learning_curve.png")
    return measured


def _teacher(run: Path) -> Teacher:
    """Return the string teacher that was trained in the folder `run`; its key is the hash of its weights."""
    model, weights = string_teacher(keras=training_keras()), run / "weights.npz"
    scale = load_weights(model, weights)
    return Teacher(
        _sha256(weights)[:12], lambda pictures: probabilities(scale * string_outputs(model, pictures))
    )


def _facts_of_teacher(run: Path) -> dict[str, object]:
    """Return what a report says about a teacher: its weights, its command, its held-out errors."""
    report = run / "report.json"
    known = json.loads(report.read_text()) if report.exists() else {}
    facts = {name: known[name] for name in ("command", "held_out") if name in known}
    return {"sha256": _sha256(run / "weights.npz"), **facts}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
