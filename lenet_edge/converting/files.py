"""Convert a packaged model to its files, lay them out, and check each against the original."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from converters.base.arrays import percent
from converters.base.environment import versions
from converters.base.files import write_atomically, write_json
from converters.base.precisions import Ends, Precision
from converters.delegates.xnnpack import xnnpack_takes
from converters.file.layouts import Layout
from converters.model.conversion import Converted, to_tflite
from converters.model.folding import fold
from converters.runtimes.tensorflow_interpreter import run
from lenet_edge.converting.check_set import Baseline, baseline_of
from lenet_edge.digits.mnist import PIXELS, Digits, calibration_digits, pad
from lenet_edge.digits.scoring import error_of
from lenet_edge.digits.side_by_side import calibration_fields
from lenet_edge.packaged.layouts import layout_for, lowered, tuned
from lenet_edge.packaged.models import fine_tuned_model, released_model
from lenet_edge.packaged.names import FINE_TUNED, FINE_TUNED_VARIANT, variants_of
from lenet_edge.paper.answers import as_input, is_wide, rows_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Original:
    """A model to convert, with the packaged weights or the user's own: Keras models, `printed` and `folded`.

    `printed` is in the paper's own form. `baseline`: what its files are checked against; None if they are not
    checked.
    """

    name: str
    printed: Any
    folded: Any
    own_weights: bool
    baseline: Baseline | None

    @property
    def is_fine_tuned(self) -> bool:
        """Whether it has weights that are fine-tuned for int8."""
        return self.name in FINE_TUNED and not self.own_weights


@dataclass(frozen=True, kw_only=True)
class Checked:
    """How a file compares with the original on the check set; shares in percent.

    `agreement`: answers equal to the original's. `largest_difference`: between two scores. For a wide model
    `error` counts only the windows with a digit in their middle, `agreement` and `largest_difference` all
    windows. `xnnpack_takes`: the operators that XNNPACK takes, and all operators.
    """

    digits: int
    original_error: float
    error: float
    agreement: float
    largest_difference: float
    xnnpack_takes: tuple[int, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelFile:
    """A .tflite file, with its manifest entry in `facts`; `checked`: None if it was not checked."""

    name: str
    content: bytes
    facts: Mapping[str, Any]
    checked: Checked | None

    def as_json(self) -> dict[str, Any]:
        """Return the file's manifest entry."""
        return {**self.facts, **({"checked": asdict(self.checked)} if self.checked else {})}

    def write(self, folder: Path) -> None:
        """Write the file to `folder`."""
        write_atomically(folder / self.name, self.content)


@dataclass(frozen=True, kw_only=True)
class LayoutChoice:
    """The layout that files get: `asked` as text, "plain", or None for the default.

    `tune_in`: the runtime in which to measure the fastest layout instead, on this machine; None: do not
    measure.
    """

    asked: str | None = None
    tune_in: str | None = None


def original_of(name: str, *, weights: Path | None = None, digits: Digits | None = None) -> Original:
    """Return model `name` with the packaged weights or those of the file `weights`.

    `digits`: what to check its files on; None: do not check. Raises InputError if the weights are another
    model's.
    """
    model = released_model(name, weights=weights)
    baseline = None if digits is None else baseline_of(model, digits)
    own = weights is not None
    return Original(name=name, printed=model, folded=fold(model), own_weights=own, baseline=baseline)


def files_of(
    original: Original,
    variants: Sequence[str],
    *,
    layouts: LayoutChoice,
    report_progress: Callable[[str], object] = lambda _: None,
) -> Iterator[ModelFile]:
    """Convert `original` to each of `variants` that it has; yield each file as it is done.

    `report_progress` gets a line before each search for a layout, which takes half a minute. Raises
    InputError if a layout does not fit.
    """
    for variant in variants_of(original.name, variants, own_weights=original.own_weights):
        fine_tuned = variant == FINE_TUNED_VARIANT
        precision: Any = "int8" if fine_tuned else variant
        model = fine_tuned_model(original.name) if fine_tuned else original.folded
        plain = convert_one(model, precision=precision).content
        if layouts.tune_in:
            report_progress(f"{original.name} {variant}: searching for the fastest layout")
        content, facts = lowered(plain, layout=_layout(original.name, precision, plain, layouts))
        yield ModelFile(
            name=f"{original.name}_{variant}.tflite",
            content=content,
            facts={"model": original.name, "precision": variant, **facts},
            checked=check(content, original.baseline),
        )


def _layout(name: str, precision: str, plain: bytes, choice: LayoutChoice) -> Layout:
    if choice.tune_in:
        return tuned(plain, runtime=choice.tune_in)
    return layout_for(name, precision, asked=choice.asked)


def check(content: bytes, baseline: Baseline | None) -> Checked | None:
    """Return how the file `content` compares with its original's `baseline`; None without a baseline."""
    if baseline is None:
        return None
    labels = baseline.check_set.labels
    scores = rows_of(run(content, baseline.check_set.inputs))
    read, original_read = scores.argmax(axis=1), baseline.answers.argmax(axis=1)
    return Checked(
        digits=baseline.check_set.digits,
        original_error=baseline.error,
        error=error_of(read, labels),
        agreement=percent(read == original_read),
        largest_difference=float(np.abs(scores - baseline.answers).max()),
        xnnpack_takes=xnnpack_takes(content),
    )


def convert_one(model: Any, *, precision: Precision, ends: Ends = "uint8") -> Converted:
    """Convert a folded or fine-tuned model; calibrate it on the calibration digits, a wide one on fields."""
    options: dict[str, Any] = {"precision": precision, "input_range": PIXELS, "ends": ends}
    if is_wide(model):
        fields = calibration_fields()[..., None]
        return to_tflite(model, calibration=fields, shape=fields.shape[1:], open_axis=2, **options)
    calibration = as_input(model, pad(calibration_digits().images))
    return to_tflite(model, calibration=calibration, **options)


def write_manifest(folder: Path, entries: Mapping[str, Mapping[str, Any]]) -> None:
    """Write manifest.json to `folder`: the tools' versions and the `entries` by file name."""
    write_json(folder / "manifest.json", {"versions": versions(), "models": entries})
