"""Train the wide net on strings; write its weights, a report and a learning curve."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path

from converters.base.environment import versions
from converters.base.files import write_json
from lenet_edge.digits.mnist import Digits, cache_folder
from lenet_edge.packaged.weights import save_weights
from lenet_edge.training.learning_curve import draw
from lenet_edge.training.loop import Recipe, Row
from lenet_edge.training.recipe_run import Copies
from lenet_edge.training.results import measured_sets
from lenet_edge.training.string_training import HeldOut, StringPasses, train_strings
from lenet_edge.training.workers import ONE_PROCESS, Workers


def train_on_strings(
    recipe: Recipe,
    training: Digits,
    held_out: Digits,
    *,
    copies: Copies,
    start: Path | None = None,
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
    `copies`: the sets of fields to read; `start`: a file of weights, whose SHA-256 the report names.
    `command` and `test` as for `lenet_edge.training.results.write_trained`, the rest as for `train_strings`.
    """
    passes = StringPasses(digits=training, folder=cache_folder() / "passes", **asdict(copies))
    model, scale, history = train_strings(
        recipe, passes, held_out, start=start, out=out, resume=resume, verbose=verbose, workers=workers
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
        "start": hashlib.sha256(start.read_bytes()).hexdigest() if start else "lenet5",
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
