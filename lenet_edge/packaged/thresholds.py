"""The probability below which an answer is unsure, measured for the packaged weights."""

from __future__ import annotations

import json

from converters.base.errors import expect
from lenet_edge.packaged.files import released_folder
from lenet_edge.packaged.names import WIDE


def string_threshold() -> float:
    """Return the probability, 0..1, below which a string is unsure.

    Raises InputError, naming the file, if it has none.
    """
    path = released_folder() / f"{WIDE}.json"
    expect(path.is_file(), f"the packaged {path.name} with a threshold", "no such file: give --threshold")
    threshold = json.loads(path.read_text()).get("threshold")
    expect(isinstance(threshold, (int, float)), f'"threshold", a number, in {path.name}', threshold)
    return float(threshold)
