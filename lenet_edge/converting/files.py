"""Each file of a packaged model: converted, laid out, and examined beside its original."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from converters.base.precisions import Ends, Precision
from converters.delegates.xnnpack import xnnpack_takes
from converters.model.conversion import Converted, to_tflite
from converters.runtimes.tensorflow_interpreter import run
from lenet_edge.converting.exam import Exam
from lenet_edge.digits.mnist import PIXELS, calibration_digits, pad
from lenet_edge.digits.scoring import error_of, percent
from lenet_edge.digits.side_by_side import calibration_fields
from lenet_edge.packaged.layouts import layout_for, lowered, tuned
from lenet_edge.packaged.models import fine_tuned_model
from lenet_edge.packaged.names import FINE_TUNED_VARIANT
from lenet_edge.paper.answers import as_input, is_wide, rows_of


def checked(content: bytes, exam: Exam, answers: np.ndarray) -> dict[str, Any]:
    """Return what a file does with `exam` beside the original's `answers` (m, classes); shares in percent.

    Of a wide model, `error` is of the windows that have a digit in their middle; the rest is of all windows.
    """
    labels = exam.labels
    scores = rows_of(run(content, exam.inputs))
    read, original_read = scores.argmax(axis=1), answers.argmax(axis=1)
    return {
        "digits": int((labels >= 0).sum()),
        "original_error": error_of(original_read, labels),
        "error": error_of(read, labels),
        "agreement": percent(read == original_read),
        "largest_difference": float(np.abs(scores - answers).max()),
        "xnnpack_takes": list(xnnpack_takes(content)),
    }


def files_of(
    name: str, folded: Any, variants: Sequence[str], *, options: argparse.Namespace
) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Convert the folded model `name`: yield a file's name, content and manifest entry for each variant."""
    for variant in variants:
        fine_tuned = variant == FINE_TUNED_VARIANT
        precision: Any = "int8" if fine_tuned else variant
        plain = convert_one(fine_tuned_model() if fine_tuned else folded, precision=precision).content
        if options.tune:
            print(f"{name} {variant}: looking for its layout", file=sys.stderr, flush=True)
            layout = tuned(plain, runtime=options.runtime)
        else:
            layout = layout_for(name, precision, asked=options.layout)
        content, entry = lowered(plain, layout=layout)
        yield f"{name}_{variant}.tflite", content, {"model": name, "precision": variant, **entry}


def convert_one(model: Any, *, precision: Precision, ends: Ends = "uint8") -> Converted:
    """Convert a folded or the fine-tuned model with the calibration digits; a wide one with fields."""
    options: dict[str, Any] = {"precision": precision, "input_range": PIXELS, "ends": ends}
    if is_wide(model):
        fields = calibration_fields()[..., None]
        return to_tflite(model, calibration=fields, shape=fields.shape[1:], open_axis=2, **options)
    calibration = as_input(model, pad(calibration_digits().images)).numpy()
    return to_tflite(model, calibration=calibration, **options)
