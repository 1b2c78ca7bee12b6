"""Fine-tune the wide net for int8 on strings; write the fine-tuned weights, a .tflite file and a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import percent
from converters.base.untyped import KerasModel
from converters.file.resizing import resized
from converters.runtimes.tensorflow_interpreter import run
from lenet_edge.digits.mnist import Digits, cache_folder
from lenet_edge.digits.side_by_side import side_by_side
from lenet_edge.packaged.names import WIDE
from lenet_edge.paper.answers import as_input
from lenet_edge.training.distorted_passes import Teacher
from lenet_edge.training.fine_tuning_run import (
    FineTuned,
    Rounding,
    exact_of,
    rounded,
    some_calibration_digits,
    write_nets,
    write_report,
)
from lenet_edge.training.loop import Recipe, Row
from lenet_edge.training.results import measured_sets
from lenet_edge.training.string_fine_tuning import (
    HeldOutAnswers,
    all_windows,
    fine_tune_on_strings,
    nearest_of,
)
from lenet_edge.training.string_passes import StringPasses
from lenet_edge.training.string_training import HeldOut, Scores, string_outputs

_Reader = Callable[[NDArray[np.uint8]], NDArray[np.floating[Any]]]


@dataclass(frozen=True, kw_only=True)
class StringErrors:
    """Errors by kind as `HeldOut.errors` has them, of exact model, fine-tuned model and file; None: no file.

    The agreements are shares of the windows of all kinds, in percent.
    """

    digits: int
    strings: int
    exact: Row
    fine_tuned: Row
    agreement_with_exact: float
    file: Row | None = None
    file_agreement_with_fine_tuned: float | None = None

    def as_json(self) -> dict[str, object]:
        """Return them as a report stores them, without those of a missing file."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def fine_tune_wide(
    recipe: Recipe,
    training: Digits,
    held_out: HeldOut,
    *,
    rounding: Rounding,
    passes: int,
    weights: Path | None = None,
    out: Path,
    resume: bool = False,
    verbose: int = 1,
) -> FineTuned:
    """Fine-tune lenet5_wide from the weights of the file `weights`; None: from the packaged weights.

    `passes`: the number of sets of fields, written with the `training` digits, half of them gentle, cached on
    disk. `recipe`, `out`, `resume` and errors as for
    `lenet_edge.training.string_fine_tuning.fine_tune_on_strings`; also raises InputError if the weights are
    another model's.
    """
    exact = exact_of(WIDE, weights=weights)
    read_exactly = _reader_of(exact.model)
    sets = StringPasses(
        digits=training,
        folder=cache_folder() / "passes",
        seed=recipe.seed,
        count=passes,
        gentle_count=passes // 2,
        teachers=[Teacher(exact.sha256[:12], read_exactly)],
    )
    some = some_calibration_digits(rounding.calibration_digits, seed=recipe.seed)
    model = rounded(exact.model, rounding, calibration=as_input(exact.model, side_by_side(some)[0]))
    history = fine_tune_on_strings(
        model,
        recipe,
        sets,
        HeldOutAnswers(held=held_out, exact=held_out.scores(read_exactly)),
        out=out,
        resume=resume,
        verbose=verbose,
    )
    return FineTuned(
        net=WIDE,
        model=model,
        exact=exact.model,
        weights_sha256=exact.sha256,
        recipe=recipe,
        rounding=rounding,
        read={"writing": asdict(sets.writing), "passes": sets.count},
        history=history,
        best=nearest_of(history),
    )


def write_fine_tuned_wide(
    tuned: FineTuned, held_out: HeldOut, *, out: Path, command: str, test: bool = False
) -> dict[str, StringErrors]:
    """Write weights.npz, report.json and the .tflite file, if there is one, to `out`.

    Return the errors by set of digits. `command` and `test` as for
    `lenet_edge.training.results.write_trained`.
    """
    content = write_nets(tuned, out=out)
    errors_by_set = {
        name: string_errors_of(
            tuned.model, tuned.exact, content, held_out if digits is held_out.digits else HeldOut(digits)
        )
        for name, digits in measured_sets(held_out.digits, test=test).items()
    }
    write_report(tuned, errors_by_set, out=out, command=command)
    return errors_by_set


def string_errors_of(
    model: KerasModel, exact: KerasModel, content: bytes | None, held: HeldOut
) -> StringErrors:
    """Return the errors on `held` of the fine-tuned `model`, the `exact` one and the file `content`."""
    exact_scores, model_scores = (held.scores(_reader_of(one)) for one in (exact, model))
    file_scores = None if content is None else held.scores(lambda pictures: _file_scores(content, pictures))
    return StringErrors(
        digits=len(held.digits.labels),
        strings=sum(len(fields.labels) for fields in held.fields.values()),
        exact=held.errors(exact_scores),
        fine_tuned=held.errors(model_scores),
        agreement_with_exact=_agreement(model_scores, exact_scores),
        file=None if file_scores is None else held.errors(file_scores),
        file_agreement_with_fine_tuned=(
            None if file_scores is None else _agreement(file_scores, model_scores)
        ),
    )


def _reader_of(model: KerasModel) -> _Reader:
    return lambda pictures: string_outputs(model, pictures)


def _file_scores(content: bytes, pictures: NDArray[np.uint8]) -> NDArray[np.floating[Any]]:
    inputs = pictures[..., None].astype(np.float32)
    return run(resized(content, shape=(1, *inputs.shape[1:])), inputs)[:, 0]


def _agreement(scores: Scores, other: Scores) -> float:
    return percent(all_windows(scores).argmax(axis=1) == all_windows(other).argmax(axis=1))
