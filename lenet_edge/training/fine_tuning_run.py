"""Fine-tune LeNet-5 for int8; write the fine-tuned weights, a .tflite file and a report.

What the wide net needs too is public: lenet_edge.training.string_fine_tuning_run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import percent
from converters.base.environment import versions
from converters.base.files import write_atomically, write_json
from converters.base.untyped import KerasModel
from converters.model.conversion import to_tflite
from converters.model.folding import fold
from converters.model.quantize_aware import quantize_aware
from converters.runtimes.tensorflow_interpreter import run
from lenet_edge.digits.geometry import FIELD, OWN_WIDTH
from lenet_edge.digits.mnist import PIXELS, Digits, cache_folder, calibration_digits, pad
from lenet_edge.packaged.files import released_folder
from lenet_edge.packaged.layouts import layout_for, lowered
from lenet_edge.packaged.models import released_model
from lenet_edge.packaged.weights import save_quantised
from lenet_edge.paper.answers import as_input, is_wide, outputs_of
from lenet_edge.training.distorted_passes import Passes, Teacher
from lenet_edge.training.fine_tuning import best_of, fine_tune
from lenet_edge.training.loop import Recipe, Row
from lenet_edge.training.preparing import training_keras
from lenet_edge.training.results import measured_sets

FILE_BITS = (4, 8)
"""The bits of the kernels for which a .tflite file is written."""


@dataclass(frozen=True, kw_only=True)
class Rounding:
    """How kernels round: to `bits` (2 to 8), with a scale per channel or per kernel; calibration digits."""

    bits: int = 8
    per_channel: bool = True
    calibration_digits: int = 500


@dataclass(frozen=True, kw_only=True, eq=False)
class FineTuned:
    """A fine-tuned `model` of Keras 2 and the `exact` one, of Keras 3, that it learned from.

    `net`: which of the packaged ones; `weights_sha256`: the hash of the exact model's weights; `read`: the
    report's facts about the passes; `best`: the history row of the weights that the model has.
    """

    net: str
    model: KerasModel
    exact: KerasModel
    weights_sha256: str
    recipe: Recipe
    rounding: Rounding
    read: Mapping[str, object]
    history: list[Row]
    best: Row

    @property
    def file(self) -> str | None:
        """The name of its .tflite file; None if none is written for its bits."""
        bits = self.rounding.bits
        return f"{self.net}_int{bits}_qat.tflite" if bits in FILE_BITS else None

    @property
    def facts(self) -> Mapping[str, object]:
        """The report's facts about the fine-tuning."""
        return {
            "versions": versions(),
            "weights_sha256": self.weights_sha256,
            "weight_bits": self.rounding.bits,
            "per_channel": self.rounding.per_channel,
            "calibration_digits": self.rounding.calibration_digits,
            "recipe": asdict(self.recipe),
            **self.read,
            "best": self.best,
            "history": self.history,
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Exact:
    """The folded `model` to fine-tune, of Keras 3, and the SHA-256 hash of its file of weights."""

    model: KerasModel
    sha256: str


def exact_of(net: str, *, weights: Path | None) -> Exact:
    """Return `net` with the weights of the file `weights`; None: with the packaged ones.

    Raises InputError if the weights are another model's.
    """
    model = fold(released_model(net, weights=weights, keras=training_keras()))
    path = weights or released_folder() / f"{net}.npz"
    return Exact(model=model, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def rounded(exact: KerasModel, rounding: Rounding, *, calibration: NDArray[np.float32]) -> KerasModel:
    """Return the model that rounds as `rounding` says, its ranges fitted on `calibration` (n, ..., 1)."""
    return quantize_aware(
        exact,
        calibration=calibration,
        input_range=PIXELS,
        weight_bits=rounding.bits,
        per_channel=rounding.per_channel,
    )


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Errors and agreements of fine-tuned model, exact model and file, in percent; None: no file."""

    digits: int
    exact_error: float
    error: float
    agreement_with_exact: float
    file_error: float | None = None
    file_agreement_with_fine_tuned: float | None = None

    def as_json(self) -> dict[str, float]:
        """Return them as a report stores them, without those of a missing file."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def fine_tune_lenet5(
    recipe: Recipe,
    training: Digits,
    held_out: Digits,
    *,
    rounding: Rounding,
    passes: int,
    weights: Path | None = None,
    out: Path,
    resume: bool = False,
    verbose: int = 1,
) -> FineTuned:
    """Fine-tune lenet5 from the weights of the file `weights`; None: from the packaged weights.

    `passes`: the number of distorted copies of the `training` digits, half of them gentle, cached on disk.
    `recipe`, `out`, `resume` and errors as for `lenet_edge.training.fine_tuning.fine_tune`; also raises
    InputError if the weights are another model's.
    """
    exact = exact_of("lenet5", weights=weights)
    copies = Passes(
        digits=training,
        folder=cache_folder() / "passes",
        seed=recipe.seed,
        count=passes,
        gentle_count=passes // 2,
        teachers=[Teacher(exact.sha256[:12], lambda pictures: outputs_of(exact.model, pictures))],
    )
    images = calibration_images(rounding.calibration_digits, seed=recipe.seed)
    model = rounded(exact.model, rounding, calibration=as_input(exact.model, pad(images)))
    history = fine_tune(
        model,
        recipe,
        copies,
        held_out,
        exact=outputs_of(exact.model, pad(held_out.images)),
        out=out,
        resume=resume,
        verbose=verbose,
    )
    return FineTuned(
        net="lenet5",
        model=model,
        exact=exact.model,
        weights_sha256=exact.sha256,
        recipe=recipe,
        rounding=rounding,
        read={"distortions": asdict(copies.sizes), "passes": copies.count},
        history=history,
        best=best_of(history),
    )


def calibration_images(count: int, *, seed: int) -> NDArray[np.uint8]:
    """Return `count` of the 500 calibration digits, drawn from `seed` if not all: uint8 (count, 28, 28)."""
    return some_calibration_digits(count, seed=seed).images


def some_calibration_digits(count: int, *, seed: int) -> Digits:
    """Return `count` of the 500 calibration digits, drawn from `seed` if not all."""
    digits = calibration_digits()
    if count == len(digits.labels):
        return digits
    drawn = np.sort(np.random.default_rng(seed).choice(len(digits.labels), count, replace=False))
    return Digits(digits.images[drawn], digits.labels[drawn])


def write_fine_tuned(
    tuned: FineTuned, held_out: Digits, *, out: Path, command: str, test: bool = False
) -> dict[str, Errors]:
    """Write weights.npz, report.json and the .tflite file, if there is one, to `out`.

    Return the errors by set of digits. `command` and `test` as for
    `lenet_edge.training.results.write_trained`.
    """
    content = write_nets(tuned, out=out)
    errors_by_set = {
        name: errors_of(tuned.model, tuned.exact, content, digits)
        for name, digits in measured_sets(held_out, test=test).items()
    }
    write_report(tuned, errors_by_set, out=out, command=command)
    return errors_by_set


def write_nets(tuned: FineTuned, *, out: Path) -> bytes | None:
    """Write weights.npz and the .tflite file to `out`; return the file's bytes, None if none is written."""
    save_quantised(tuned.model, out / "weights.npz")
    if tuned.file is None:
        return None
    content = _tflite_content(tuned)
    write_atomically(out / tuned.file, content)
    return content


class AsJson(Protocol):
    """Errors that a report can store."""

    def as_json(self) -> Mapping[str, object]:
        """Return them as a report stores them."""


def write_report(tuned: FineTuned, errors_by_set: Mapping[str, AsJson], *, out: Path, command: str) -> None:
    """Write report.json to `out`: the `command`, the fine-tuning's facts, the errors by set of digits."""
    errors = {name: one.as_json() for name, one in errors_by_set.items()}
    write_json(out / "report.json", {"command": command, **tuned.facts, **errors})


def _tflite_content(tuned: FineTuned) -> bytes:
    """Return the .tflite file, for 8 bits in the released layout."""
    shape, open_axis = ((FIELD, OWN_WIDTH, 1), 2) if is_wide(tuned.model) else (None, None)
    content = to_tflite(tuned.model, precision="int8", shape=shape, open_axis=open_axis).content
    return lowered(content, layout=layout_for(tuned.net, "int8"))[0] if tuned.rounding.bits == 8 else content


def errors_of(model: KerasModel, exact: KerasModel, content: bytes | None, digits: Digits) -> Errors:
    """Return the errors on `digits` of the fine-tuned `model`, the `exact` one and the file `content`."""
    pictures = pad(digits.images)
    exact_read, model_read = (outputs_of(m, pictures).argmax(axis=1) for m in (exact, model))
    file_read = None if content is None else run(content, as_input(exact, pictures)).argmax(axis=1)
    return Errors(
        digits=len(digits.labels),
        exact_error=percent(exact_read != digits.labels),
        error=percent(model_read != digits.labels),
        agreement_with_exact=percent(model_read == exact_read),
        file_error=None if file_read is None else percent(file_read != digits.labels),
        file_agreement_with_fine_tuned=None if file_read is None else percent(file_read == model_read),
    )
