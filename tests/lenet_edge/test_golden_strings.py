"""The golden strings are what this package computes, and every installed runtime is within their limits."""

from __future__ import annotations

import hashlib
import json
import runpy
from pathlib import Path

import numpy as np
import pytest

import lenet_edge
from converters.runtimes.columns import COLUMNS, absence, run_column
from lenet_edge.packaged.files import released_folder
from lenet_edge.packaged.thresholds import string_threshold
from lenet_edge.runtime.string_decoder import viterbi

PATH = Path(lenet_edge.__file__).parent / "golden" / "strings.json"
GOLDEN = json.loads(PATH.read_text())
LINES = {line["name"]: line for line in GOLDEN["lines"]}
SCRIPT = runpy.run_path(str(Path(__file__).resolve().parents[2] / "scripts" / "golden_strings.py"))
pieces_of = SCRIPT["pieces_of"]


def test_they_are_of_the_released_file():
    content = (released_folder() / GOLDEN["file"]["name"]).read_bytes()
    assert GOLDEN["file"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert GOLDEN["file"]["bytes"] == len(content)
    assert GOLDEN["file"]["unsure_below"] == string_threshold()


def assert_reads(scores, wanted):
    found = viterbi(scores)
    assert found.text == wanted["text"]
    # Nine digits are written.
    assert found.probability == pytest.approx(wanted["probability"], rel=1e-8)
    assert len(found.digits) == len(wanted["digits"])
    for one, other in zip(found.digits, wanted["digits"], strict=True):
        assert one.digit == other["digit"]
        for what in ("probability", "left", "right"):
            assert getattr(one, what) == pytest.approx(other[what], rel=1e-8), what


@pytest.mark.parametrize("name", LINES)
def test_a_lines_scores_are_read_as_its_digits(name):
    line = LINES[name]
    assert line["read"]["text"] == line["digits"]
    assert_reads(
        (GOLDEN["file"]["output"]["scale"] * np.array(line["scores"])).astype(np.float32), line["read"]
    )


def test_hard_scores_are_read_as_told():
    for case in GOLDEN["hard"]:
        assert_reads(np.array(case["scores"]), case["read"])
    assert sum(case["read"]["probability"] < 0.5 for case in GOLDEN["hard"]) > 5


@pytest.mark.parametrize("name", COLUMNS)
def test_every_runtime_is_within_the_limits(name):
    reason = absence(COLUMNS[name])
    if reason:
        pytest.skip(reason)
    content = (released_folder() / GOLDEN["file"]["name"]).read_bytes()
    inputs = {
        line: pieces_of(np.array(facts["pixels"], np.uint8).reshape(32, -1))[..., None].astype(np.float32)
        for line, facts in LINES.items()
    }
    results = run_column(COLUMNS[name], dict.fromkeys(inputs, content), inputs)
    for line, result in results.items():
        assert not result.failure
        scores = result.outputs.reshape(-1, 11)[: len(LINES[line]["scores"])]
        assert (scores >= np.array(LINES[line]["low"])).all(), line
        assert (scores <= np.array(LINES[line]["high"])).all(), line


def test_the_file_is_what_the_script_gives():
    pytest.importorskip("tensorflow")  # gives the scores
    assert SCRIPT["as_text"](GOLDEN) == PATH.read_text()
    facts = SCRIPT["strings"]()
    assert facts["file"] == GOLDEN["file"]
    assert facts["hard"] == GOLDEN["hard"]
    for line, wanted in zip(facts["lines"], GOLDEN["lines"], strict=True):
        assert line["pixels"] == wanted["pixels"]
        for what in ("low", "scores", "high"):
            # Another processor rounds float32 otherwise, and then a limit falls to the next step of int8.
            np.testing.assert_allclose(line[what], wanted[what], atol=1.01, err_msg=line["name"])
