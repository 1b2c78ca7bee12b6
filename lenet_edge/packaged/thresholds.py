"""The probability below which an answer is unsure, measured for the packaged weights."""

from __future__ import annotations

import json

from converters.base.errors import expect
from lenet_edge.packaged.files import packaged_models, released_folder
from lenet_edge.packaged.names import FINE_TUNED_VARIANT, WIDE

_DIGITS = "thresholds.json"


def digit_threshold(sha256: str) -> float:
    """Return the score, 0..1, below which a digit read by the .tflite file of this `sha256` is unsure.

    It was chosen on held-out training digits (scripts/thresholds.py). 0 for a file without one: nothing is
    unsure. Raises InputError if the packaged file of thresholds is missing.
    """
    path = released_folder() / _DIGITS
    expect(path.is_file(), f"the packaged {path.name}", "none: give --threshold")
    files = json.loads(path.read_text())["files"].values()
    return next((float(one["unsure_below"]) for one in files if one["sha256"] == sha256), 0.0)


def string_threshold(sha256: str | None = None) -> float:
    """Return the probability, 0..1, below which a string read by the .tflite file of this `sha256` is unsure.

    The fine-tuned file has its own; any other file, and None, gets that of the other packaged ones. Raises
    InputError, naming the packaged file that should have it, if it has none.
    """
    fine_tuned = packaged_models().get(f"{WIDE}_{FINE_TUNED_VARIANT}.tflite", {})
    is_fine_tuned = sha256 is not None and sha256 == fine_tuned.get("sha256")
    path = released_folder() / (f"{WIDE}_qat.json" if is_fine_tuned else f"{WIDE}.json")
    expect(path.is_file(), f"the packaged {path.name} with a threshold", "none: give --threshold")
    threshold = json.loads(path.read_text()).get("threshold")
    expect(isinstance(threshold, (int, float)), f'"threshold", a number, in {path.name}', threshold)
    return float(threshold)
