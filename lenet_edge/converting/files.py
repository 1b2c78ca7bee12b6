"""Each file of a packaged model: converted, laid out, and examined beside its original."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from converters.base.environment import versions
from converters.base.files import write_atomically, write_json
from converters.base.precisions import Ends, Precision
from converters.delegates.xnnpack import xnnpack_takes
from converters.file.layouts import Layout
from converters.model.conversion import Converted, to_tflite
from converters.model.folding import fold
from converters.runtimes.tensorflow_interpreter import run
from lenet_edge.converting.exam import TakenExam, taken_by
from lenet_edge.digits.mnist import PIXELS, Digits, calibration_digits, pad
from lenet_edge.digits.scoring import error_of, percent
from lenet_edge.digits.side_by_side import calibration_fields
from lenet_edge.packaged.layouts import layout_for, lowered, tuned
from lenet_edge.packaged.models import fine_tuned_model, released_model
from lenet_edge.packaged.names import FINE_TUNED, FINE_TUNED_VARIANT, variants_of
from lenet_edge.paper.answers import as_input, is_wide, rows_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Original:
    """A model to convert: `folded`, a Keras model, with the packaged weights or a person's own.

    `taken`: its exam, None for files that are not checked.
    """

    name: str
    folded: Any
    own_weights: bool
    taken: TakenExam | None

    @property
    def is_fine_tuned(self) -> bool:
        """Whether there are weights of it that are fine-tuned for int8."""
        return self.name in FINE_TUNED and not self.own_weights


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a file does in the exam beside the original; shares in percent.

    Of a wide model, `error` is of the windows that have a digit in their middle; `agreement` and
    `largest_difference`, of a score, are of all windows. `xnnpack_takes`: how many operators, of how many.
    """

    digits: int
    original_error: float
    error: float
    agreement: float
    largest_difference: float
    xnnpack_takes: tuple[int, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelFile:
    """A .tflite file called `name`, and its `facts` as a manifest has them; `checked`: None if it is not."""

    name: str
    content: bytes
    facts: Mapping[str, Any]
    checked: Checked | None

    def as_json(self) -> dict[str, Any]:
        """Return its entry in a manifest."""
        return {**self.facts, **({"checked": asdict(self.checked)} if self.checked else {})}

    def write(self, folder: Path) -> None:
        """Write it to `folder`."""
        write_atomically(folder / self.name, self.content)


@dataclass(frozen=True, kw_only=True)
class LayoutChoice:
    """Which layout files get: `asked` as text, "plain", or None for the measured best.

    `tune_in`: a runtime to find the quickest in instead, on this machine; None for no measuring.
    """

    asked: str | None = None
    tune_in: str | None = None


def original_of(name: str, *, weights: Path | None = None, digits: Digits | None = None) -> Original:
    """Return model `name` with the packaged weights or those of the file `weights`, examined on `digits`.

    `digits` None: its files are not checked. Raises InputError on another model's weights.
    """
    model = released_model(name, weights=weights)
    taken = None if digits is None else taken_by(model, digits)
    return Original(name=name, folded=fold(model), own_weights=weights is not None, taken=taken)


def files_of(
    original: Original,
    variants: Sequence[str],
    *,
    layouts: LayoutChoice,
    say: Callable[[str], object] = lambda _: None,
) -> Iterator[ModelFile]:
    """Convert `original` to those of `variants` that it has; yield each file as it is done.

    `say` gets a line before a layout is looked for, which takes half a minute. Raises InputError when a
    layout does not fit.
    """
    for variant in variants_of(original.name, variants, own_weights=original.own_weights):
        fine_tuned = variant == FINE_TUNED_VARIANT
        precision: Any = "int8" if fine_tuned else variant
        model = fine_tuned_model() if fine_tuned else original.folded
        plain = convert_one(model, precision=precision).content
        if layouts.tune_in:
            say(f"{original.name} {variant}: looking for its layout")
        content, facts = lowered(plain, layout=_layout(original.name, precision, plain, layouts))
        yield ModelFile(
            name=f"{original.name}_{variant}.tflite",
            content=content,
            facts={"model": original.name, "precision": variant, **facts},
            checked=checked(content, original.taken),
        )


def _layout(name: str, precision: str, plain: bytes, choice: LayoutChoice) -> Layout:
    if choice.tune_in:
        return tuned(plain, runtime=choice.tune_in)
    return layout_for(name, precision, asked=choice.asked)


def checked(content: bytes, taken: TakenExam | None) -> Checked | None:
    """Return what a file does in the exam that its original has `taken`; None for no exam."""
    if taken is None:
        return None
    labels = taken.exam.labels
    scores = rows_of(run(content, taken.exam.inputs))
    read, original_read = scores.argmax(axis=1), taken.answers.argmax(axis=1)
    return Checked(
        digits=taken.exam.digits,
        original_error=taken.error,
        error=error_of(read, labels),
        agreement=percent(read == original_read),
        largest_difference=float(np.abs(scores - taken.answers).max()),
        xnnpack_takes=xnnpack_takes(content),
    )


def convert_one(model: Any, *, precision: Precision, ends: Ends = "uint8") -> Converted:
    """Convert a folded or the fine-tuned model with the calibration digits; a wide one with fields."""
    options: dict[str, Any] = {"precision": precision, "input_range": PIXELS, "ends": ends}
    if is_wide(model):
        fields = calibration_fields()[..., None]
        return to_tflite(model, calibration=fields, shape=fields.shape[1:], open_axis=2, **options)
    calibration = as_input(model, pad(calibration_digits().images)).numpy()
    return to_tflite(model, calibration=calibration, **options)


def write_manifest(folder: Path, entries: Mapping[str, Mapping[str, Any]]) -> None:
    """Write manifest.json to `folder`: the tools' versions and the `entries` by file name."""
    write_json(folder / "manifest.json", {"versions": versions(), "models": entries})
