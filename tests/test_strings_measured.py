"""The scripts that measure reading strings, and that what they measured is what the package does."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from converters.base.errors import InputError
from lenet_edge.digits.mnist import test_digits
from lenet_edge.digits.string_fields.empty import empty_fields
from lenet_edge.digits.string_fields.handwriting import AS_IN_MNIST
from lenet_edge.digits.string_fields.printed_words import OTHER_FONTS
from lenet_edge.digits.string_fields.strings import string_fields
from lenet_edge.packaged.names import WIDE_VARIANTS
from lenet_edge.runtime.string_reader import StringReader

ROOT = Path(__file__).resolve().parent.parent
MEASURE = runpy.run_path(str(ROOT / "scripts" / "strings.py"))
RELEASE = runpy.run_path(str(ROOT / "scripts" / "release_wide.py"))
REPORT = json.loads((ROOT / "results" / "strings.json").read_text())


@pytest.mark.parametrize(
    ("text", "other", "count"),
    [
        ("2544", "2544", 0),
        ("254", "2544", 1),
        ("2545", "2544", 1),
        ("", "25", 2),
        ("25", "", 2),
        ("12", "21", 2),
    ],
)
def test_edits_are_counted(text, other, count):
    assert MEASURE["edits"](text, other) == count


def test_the_threshold_is_the_least_that_few_enough_reach():
    chances = np.concatenate([np.zeros(95), [0.2, 0.5, 0.5004, 0.9, 0.95]])
    threshold = RELEASE["threshold"]
    assert threshold(chances, share=0.02) == 0.501
    assert threshold(chances, share=0.03) == 0.501  # three reach 0.5004, and 0.500 has four
    assert threshold(chances, share=0.05) == 0.001
    assert threshold(chances, share=0.0) == 0.951
    with pytest.raises(
        InputError, match=r"expected a threshold that at most 0.0% of empty fields reach, got none"
    ):
        threshold(np.ones(3), share=0.0)


def test_the_report_is_of_the_packaged_thresholds():
    assert set(REPORT["files"]) == set(WIDE_VARIANTS)
    for variant, facts in REPORT["files"].items():
        weights = "lenet5_wide_qat" if variant == "int8_qat" else "lenet5_wide"
        packaged = json.loads((ROOT / "lenet_edge" / "released" / f"{weights}.json").read_text())
        assert facts["threshold"] == packaged["threshold"], variant


@pytest.mark.parametrize("variant", WIDE_VARIANTS)
def test_other_strings_of_test_digits_are_read_as_well_as_the_report_says(variant):
    """100 strings of another seed: no more errors than four standard deviations beyond the reported share."""
    reported = next(
        one
        for one in REPORT["files"][variant]["strings"]
        if (one["writing"], one["spacing"], one["length"]) == ("as in MNIST", "normal", 4)
    )
    threshold = REPORT["files"][variant]["threshold"]
    fields = string_fields(test_digits(), 100, seed=1234, length=4, writing=AS_IN_MNIST)
    with StringReader(model=variant) as reader:
        facts = MEASURE["strings_read"](reader, list(fields.pictures), fields.texts(), threshold=threshold)
        made_up = [
            MEASURE["made_up"](
                reader, empty_fields(25, seed=4, kind=kind, fonts=OTHER_FONTS), threshold=threshold
            )
            for kind in REPORT["files"][variant]["empty"]
        ]
    share = max(reported["error"], 0.5) / 100
    assert facts["error"] / 100 <= share + 4 * np.sqrt(share * (1 - share) / 100)
    assert facts["digit_error"] <= facts["error"]
    assert np.mean([one["made_up"] for one in made_up]) <= 3.0
