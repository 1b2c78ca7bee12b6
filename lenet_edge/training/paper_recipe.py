"""The paper's own recipe: 20 passes, one digit at a time, eq. 9, stochastic diagonal Levenberg-Marquardt.

Pages 11 and 12, appendix C. No distortions. The step of weight k is eta / (mu + h_kk), where h_kk, the second
derivative of the criterion by w_k, is estimated on 500 digits before each pass.

What the paper leaves unsaid is chosen here: j, which digits the 500 are, and that the constant order is a
random one. In one place it is not followed: the initial weights. Uniform within 2.4/F they are so small that
no signal reaches F6, every h_kk is far below mu, and a step of eta/mu saturates 83 of its 84 units within 20
digits.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from converters.base.environment import tf
from converters.base.files import write_json
from converters.base.untyped import KerasModel
from lenet_edge.digits.mnist import Digits, pad
from lenet_edge.paper.answers import outputs_of
from lenet_edge.paper.layers import TrainableSubsampling
from lenet_edge.paper.model import lenet5
from lenet_edge.training.checkpoints import checkpoint_folder
from lenet_edge.training.loop import Row, answers_sign, error_of_outputs, restore
from lenet_edge.training.one_by_one import STRETCH, OneByOne
from lenet_edge.training.preparing import training_keras
from lenet_edge.training.results import Trained
from lenet_edge.training.second_derivatives import SecondDerivatives

# "The values of the global learning rate eta ... was 0.0005 for the first two passes, 0.0002 for the
# next three, 0.0001 for the next three, 0.00005 for the next 4, and 0.00001 thereafter."
SCHEDULE = (0.0005,) * 2 + (0.0002,) * 3 + (0.0001,) * 3 + (0.00005,) * 4 + (0.00001,) * 8
MU = 0.02
SAMPLES = 500  # "Before each iteration, the diagonal Hessian approximation was reevaluated on 500 samples"
RUBBISH = 20.0  # j of eq. 9, "a positive constant"
COEFFICIENT = 0.5  # of S2 and S4, at the start
_WEIGHTS, _ORDER, _SAMPLES = range(3)  # what is drawn from a seed, each by a generator of its own


def train_as_printed(
    training: Digits,
    held_out: Digits | None,
    *,
    seed: int,
    out: Path,
    resume: bool = False,
    verbose: int = 1,
) -> Trained:
    """Train LeNet-5 as printed, from `seed`; the history has a row per pass, errors in percent.

    `held_out`: digits to measure on after each pass. `out`, `resume` and errors as for
    `lenet_edge.training.loop.train`. `verbose`: 0 silent, 1 a progress bar, 2 a line per pass.
    """
    model = lenet5(keras=training_keras())
    draw_weights(model, seed=seed)
    manager = tf.train.CheckpointManager(
        tf.train.Checkpoint(model=model), str(checkpoint_folder(out)), max_to_keep=2
    )
    history = restore(manager, resume=resume)
    passes = _Passes(model, training, seed=seed)
    count = len(training.labels)
    with tqdm(
        total=len(SCHEDULE) * count, initial=len(history) * count, unit="digit", disable=verbose != 1
    ) as bar:
        for number in range(len(history), len(SCHEDULE)):
            loss = passes.learn(number, bar)
            history.append({"epoch": number + 1, "loss": loss, **passes.errors(held_out)})
            manager.save(number + 1)
            write_json(Path(manager.directory) / "history.json", history)
            text = ", ".join(f"{name} {value:.4g}" for name, value in history[-1].items())
            bar.set_postfix_str(text)
            if verbose == 2:
                tqdm.write(text)
    return Trained(model=model, name="lenet5", history=history, facts=_facts(len(training.labels), seed))


def _facts(digits: int, seed: int) -> dict[str, object]:
    """Return the report's facts about a training on that many digits."""
    return {
        "recipe": "paper",
        "digits": digits,
        "schedule": SCHEDULE,
        "mu": MU,
        "samples": SAMPLES,
        "rubbish": RUBBISH,
        "seed": seed,
        "distortions": None,
    }


def draw_weights(model: KerasModel, *, seed: int) -> None:
    """Set the weights of a `lenet5` model: uniform within 1/sqrt(fan-in); biases 0; coefficients 0.5."""
    generator = np.random.default_rng((seed, _WEIGHTS))
    for layer in model.layers:
        if not layer.trainable_variables:
            continue
        weight, bias = layer.trainable_variables
        bias.assign(np.zeros(bias.shape))
        if isinstance(layer, TrainableSubsampling):
            weight.assign(np.full(weight.shape, COEFFICIENT))
        else:
            width = 1 / np.sqrt(np.asarray(layer.kernel_initializer.fan_in))
            weight.assign(width * generator.uniform(-1, 1, weight.shape))


class _Passes:
    """Passes over `training` digits, in one order that `seed` draws."""

    def __init__(self, model: KerasModel, training: Digits, *, seed: int) -> None:
        self._model, self._seed = model, seed
        self._pictures, self._labels = pad(training.images), training.labels
        self._order = np.random.default_rng((seed, _ORDER)).permutation(len(training.labels))
        self._second_derivatives = SecondDerivatives(model)
        self._one_by_one = OneByOne(model, rubbish=RUBBISH)

    def learn(self, number: int, bar: tqdm) -> float:
        """Learn every digit once, in pass `number` from 0, and return the mean of the criterion."""
        steps = [SCHEDULE[number] / (MU + h) for h in self._second_derivatives.of(self._samples(number))]
        total = 0.0
        for start in range(0, len(self._order), STRETCH):
            chosen = self._order[start : start + STRETCH]
            total += self._one_by_one.learn(self._pictures[chosen], self._labels[chosen], steps)
            bar.update(len(chosen))
        return total / len(self._order)

    def errors(self, held_out: Digits | None) -> Row:
        """Return the errors of the model as it is now."""
        errors = {"training_error": self._error(self._pictures, self._labels)}
        if held_out is not None:
            errors["held_out_error"] = self._error(pad(held_out.images), held_out.labels)
        return errors

    def _samples(self, number: int) -> NDArray[np.uint8]:
        generator = np.random.default_rng((self._seed, _SAMPLES, number))
        count = len(self._labels)
        return self._pictures[generator.choice(count, min(SAMPLES, count), replace=False)]

    def _error(self, pictures: NDArray[np.uint8], labels: NDArray[np.uint8]) -> float:
        return error_of_outputs(outputs_of(self._model, pictures), labels, sign=answers_sign("lenet5"))
