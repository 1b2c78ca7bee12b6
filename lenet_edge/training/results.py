"""What a training of a net that reads one digit leaves behind: weights, a report, a learning curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from converters.base.environment import versions
from converters.base.files import write_json
from lenet_edge.digits.mnist import Digits, pad, test_digits
from lenet_edge.packaged.weights import save_weights
from lenet_edge.paper.answers import outputs_of
from lenet_edge.training.learning_curve import draw
from lenet_edge.training.loop import ModelName, Row, answers_sign
from lenet_edge.training.score_calibration import Measured, fit_scale, measure


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """A trained Keras `model`, what `name` builds; `facts`: what a report tells of how it was trained."""

    model: Any
    name: ModelName
    history: list[Row]
    facts: Mapping[str, object]


def measured_sets(held_out: Digits, *, test: bool) -> dict[str, Digits]:
    """Return the digits to measure on, by the name that a report has for them."""
    return {"held_out": held_out} | ({"test": test_digits()} if test else {})


def write_trained(
    trained: Trained, held_out: Digits, *, out: Path, command: str, test: bool = False
) -> dict[str, Measured]:
    """Write weights.npz, report.json and learning_curve.png to `out`; return what was measured, by set.

    The scale that is kept with the weights is fitted on the held-out digits. `command`: what the report says
    was run; `test`: measure the test digits too.
    """
    outputs = {
        name: (outputs_of(trained.model, pad(digits.images)), digits.labels)
        for name, digits in measured_sets(held_out, test=test).items()
    }
    scale = fit_scale(*outputs["held_out"], sign=answers_sign(trained.name))
    found = {name: measure(*each, scale=scale) for name, each in outputs.items()}
    report = {
        "command": command,
        "versions": versions(),
        **trained.facts,
        "scale": scale,
        **{name: asdict(measured) for name, measured in found.items()},
        "history": trained.history,
    }
    save_weights(trained.model, out / "weights.npz", scale=scale)
    write_json(out / "report.json", report)
    draw(trained.history, out / "learning_curve.png")
    return found
