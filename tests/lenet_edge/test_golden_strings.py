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

FOLDER = Path(lenet_edge.__file__).parent / "golden"
SCRIPT = runpy.run_path(str(Path(__file__).resolve().parents[2] / "scripts" / "golden_strings.py"))
pieces_of = SCRIPT["pieces_of"]
FILES = SCRIPT["FILES"]
GOLDEN = {name: json.loads((FOLDER / name).read_text()) for name in FILES}
LINES = [(name, line["name"]) for name, golden in GOLDEN.items() for line in golden["lines"]]


def lines_of(name):
    return {line["name"]: line for line in GOLDEN[name]["lines"]}


@pytest.mark.parametrize("name", FILES)
def test_they_are_of_the_released_file(name):
    facts = GOLDEN[name]["file"]
    content = (released_folder() / FILES[name]).read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    assert (facts["name"], facts["sha256"], facts["bytes"]) == (FILES[name], sha256, len(content))
    assert facts["unsure_below"] == string_threshold(sha256)


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


@pytest.mark.parametrize(("name", "line"), LINES)
def test_a_lines_scores_are_read_as_its_digits(name, line):
    facts = lines_of(name)[line]
    assert facts["read"]["text"] == facts["digits"]
    scale = GOLDEN[name]["file"]["output"]["scale"]
    assert_reads((scale * np.array(facts["scores"])).astype(np.float32), facts["read"])


def test_hard_scores_are_read_as_told():
    hard = GOLDEN["strings.json"]["hard"]
    for case in hard:
        assert_reads(np.array(case["scores"]), case["read"])
    assert sum(case["read"]["probability"] < 0.5 for case in hard) > 5


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("column", COLUMNS)
def test_every_runtime_is_within_the_limits(name, column):
    reason = absence(COLUMNS[column])
    if reason:
        pytest.skip(reason)
    content, lines = (released_folder() / FILES[name]).read_bytes(), lines_of(name)
    inputs = {
        line: pieces_of(np.array(facts["pixels"], np.uint8).reshape(32, -1))[..., None].astype(np.float32)
        for line, facts in lines.items()
    }
    results = run_column(COLUMNS[column], dict.fromkeys(inputs, content), inputs)
    for line, result in results.items():
        assert not result.failure
        scores = result.outputs.reshape(-1, 11)[: len(lines[line]["scores"])]
        assert (scores >= np.array(lines[line]["low"])).all(), line
        assert (scores <= np.array(lines[line]["high"])).all(), line


@pytest.mark.parametrize("name", FILES)
def test_the_file_is_what_the_script_gives(name):
    pytest.importorskip("tensorflow")  # gives the scores
    golden = GOLDEN[name]
    assert SCRIPT["as_text"](golden) == (FOLDER / name).read_text()
    facts = SCRIPT["strings"](name)
    assert facts["file"] == golden["file"]
    assert facts["hard"] == golden["hard"]
    for line, wanted in zip(facts["lines"], golden["lines"], strict=True):
        assert line["pixels"] == wanted["pixels"]
        for what in ("low", "scores", "high"):
            # Another processor rounds float32 otherwise, and then a limit falls to the next step of int8.
            np.testing.assert_allclose(line[what], wanted[what], atol=1.01, err_msg=line["name"])
