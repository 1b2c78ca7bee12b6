"""Train a net that reads one digit: by a recipe, on distorted copies, from teachers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lenet_edge.digits.mnist import Digits, cache_folder
from lenet_edge.packaged.weights import load_weights
from lenet_edge.paper.answers import outputs_of
from lenet_edge.paper.model import teacher
from lenet_edge.training.distorted_passes import Passes, Teacher
from lenet_edge.training.loop import Recipe, train
from lenet_edge.training.preparing import training_keras
from lenet_edge.training.results import Trained
from lenet_edge.training.score_calibration import probabilities
from lenet_edge.training.workers import ONE_PROCESS, Workers


@dataclass(frozen=True, kw_only=True)
class Copies:
    """The distorted copies that a training reads: `count`, the last `gentle_count` gentle, from `seed`."""

    seed: int
    count: int
    gentle_count: int


def train_by_recipe(
    recipe: Recipe,
    training: Digits,
    held_out: Digits,
    *,
    copies: Copies,
    teachers: Sequence[Path] = (),
    start: Path | None = None,
    out: Path,
    resume: bool = False,
    verbose: int = 1,
    workers: Workers = ONE_PROCESS,
) -> Trained:
    """Train by `recipe` on distorted `copies` of the `training` digits.

    `teachers`: folders of trained teachers to learn from, each with weights.npz. `start`, `out`, `resume`,
    `workers` and errors as for `lenet_edge.training.loop.train`; the copies are cached on disk.
    """
    passes = Passes(
        digits=training,
        folder=cache_folder() / "passes",
        **asdict(copies),
        teachers=[_teacher(run) for run in teachers],
    )
    model, history = train(
        recipe,
        passes,
        held_out,
        start=start,
        out=out,
        resume=resume,
        verbose=verbose,
        workers=workers,
    )
    facts = {
        **({"start": hashlib.sha256(start.read_bytes()).hexdigest()} if start else {}),
        "recipe": asdict(recipe),
        "distortions": asdict(passes.sizes),
        "passes": passes.count,
        "gentle_passes": passes.gentle_count,
        "workers": workers.cluster.count,
    }
    return Trained(model=model, name=recipe.model, history=history, facts=facts)


def _teacher(run: Path) -> Teacher:
    """Return the teacher that was trained in the folder `run`; its key is the hash of its weights."""
    model, weights = teacher(keras=training_keras()), run / "weights.npz"
    load_weights(model, weights)
    key = hashlib.sha256(weights.read_bytes()).hexdigest()[:12]
    return Teacher(key, lambda pictures: probabilities(outputs_of(model, pictures)))
