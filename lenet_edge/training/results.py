"""Write the results of training a net that reads one digit: weights, a report, a learning curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from converters.base.environment import versions
from converters.base.files import write_json
from converters.base.untyped import KerasModel
from lenet_edge.digits.mnist import Digits, pad, test_digits
from lenet_edge.packaged.weights import save_weights
from lenet_edge.paper.answers import outputs_of
from lenet_edge.training.learning_curve import draw
from lenet_edge.training.loop import ModelName, Row, answers_sign
from lenet_edge.training.score_calibration import Measured, fit_scale, measure


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """A trained Keras `model` of the kind `name`; `facts`: the report's facts about the training.

    `penalty_scale`: where the outputs are distances, what they were multiplied by in the criterion.
    """

    model: KerasModel
    name: ModelName
    history: list[Row]
    facts: Mapping[str, object]
    penalty_scale: float = 1.0


def measured_sets(held_out: Digits | None, *, test: bool) -> dict[str, Digits]:
    """Return the digits to measure on, by their name in a report; `held_out`: None where none were."""
    sets = {"held_out": held_out, "test": test_digits() if test else None}
    return {name: digits for name, digits in sets.items() if digits is not None}


def write_trained(
    trained: Trained, held_out: Digits | None, *, out: Path, command: str, test: bool = False
) -> dict[str, Measured]:
    """Write weights.npz, report.json and learning_curve.png to `out`; return what was measured, by set.

    The scale saved with the weights is fitted on the held-out digits. Without any it is 1, or
    -`penalty_scale` for distances: the paper's criterion takes softmax(-penalties) for the probabilities.
    `command`: the command line for the report; `test`: also measure on the test digits.
    """
    outputs = {
        name: (outputs_of(trained.model, pad(digits.images)), digits.labels)
        for name, digits in measured_sets(held_out, test=test).items()
    }
    sign = answers_sign(trained.name)
    scale = fit_scale(*outputs["held_out"], sign=sign) if held_out else sign * trained.penalty_scale
    measured_by_set = {name: measure(*each, scale=scale) for name, each in outputs.items()}
    report = {
        "command": command,
        "versions": versions(),
        **trained.facts,
        "scale": scale,
        **{name: asdict(measured) for name, measured in measured_by_set.items()},
        "history": trained.history,
    }
    save_weights(trained.model, out / "weights.npz", scale=scale)
    write_json(out / "report.json", report)
    draw(trained.history, out / "learning_curve.png")
    return measured_by_set
