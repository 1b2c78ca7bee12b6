"""The probability below which an answer is unsure, measured for the packaged weights."""

from __future__ import annotations

import json

from converters.base.errors import expect
from lenet_edge.packaged.files import released_folder
from lenet_edge.packaged.names import WIDE

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


def string_threshold() -> float:
    """Return the probability, 0..1, below which a string is unsure.

    Raises InputError, naming the file, if it has none.
    """
    path = released_folder() / f"{WIDE}.json"
    expect(path.is_file(), f"the packaged {path.name} with a threshold", "none: give --threshold")
    threshold = json.loads(path.read_text()).get("threshold")
    expect(isinstance(threshold, (int, float)), f'"threshold", a number, in {path.name}', threshold)
    return float(threshold)
