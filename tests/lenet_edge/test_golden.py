"""The golden vectors are what this package computes, and every installed runtime is within their limits."""

from __future__ import annotations

import hashlib
import json
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import lenet_edge
from converters.base.errors import InputError
from converters.runtimes.columns import COLUMNS, absence, run_column
from lenet_edge.digits.mnist import pad, test_digits
from lenet_edge.packaged.files import packaged_models, released_folder
from lenet_edge.packaged.names import WIDE
from lenet_edge.picture.drawing import picture_of_drawing

FOLDER = Path(lenet_edge.__file__).parent / "golden"
GOLDEN = json.loads((FOLDER / "golden.json").read_text())
ROOT = Path(__file__).resolve().parents[2]
THRESHOLDS = json.loads((released_folder() / "thresholds.json").read_text())


@pytest.fixture(scope="module")
def pixels():
    return np.array([picture["pixels"] for picture in GOLDEN["pictures"]], np.uint8).reshape(-1, 32, 32)


def of_one_digit():
    """Return the packaged models that read one digit, which the golden pictures are."""
    return {name: entry for name, entry in packaged_models().items() if entry["model"] != WIDE}


def test_every_released_file_has_its_scores_by_its_hash():
    assert {name: file["sha256"] for name, file in GOLDEN["files"].items()} == {
        name: entry["sha256"] for name, entry in of_one_digit().items()
    }


def test_the_thresholds_are_those_of_the_released_lenet5s():
    wanted = {n: e["sha256"] for n, e in packaged_models().items() if e["model"] == "lenet5"}
    assert {name: facts["sha256"] for name, facts in THRESHOLDS["files"].items()} == wanted
    told = {n: file["unsure_below"] for n, file in GOLDEN["files"].items() if "unsure_below" in file}
    assert told == {name: facts["unsure_below"] for name, facts in THRESHOLDS["files"].items()}
    for name, facts in THRESHOLDS["files"].items():
        assert 0.5 < facts["unsure_below"] < 1, name
        assert facts["held_out"]["error"] <= THRESHOLDS["error"] == 0.1, name
        assert facts["held_out"]["digits"] == 5_000, name


def test_a_threshold_of_another_files_is_refused(tmp_path):
    pytest.importorskip("tensorflow")
    script = runpy.run_path(str(ROOT / "scripts" / "golden.py"))
    name, sha256 = "lenet5_int8.tflite", THRESHOLDS["files"]["lenet5_int8.tflite"]["sha256"]
    assert script["_unsure"](name, sha256)["unsure_below"] == GOLDEN["files"][name]["unsure_below"]
    assert script["_unsure"]("stock_lenet5_int8.tflite", "") == {}
    with pytest.raises(InputError, match=r"thresholds.json to be of lenet5_int8.tflite, got another's"):
        script["_unsure"](name, sha256[::-1])


def test_the_thresholds_set_aside_as_many_test_digits_as_is_told():
    pytest.importorskip("tensorflow")
    from converters.runtimes.tensorflow_interpreter import run

    script = runpy.run_path(str(ROOT / "scripts" / "thresholds.py"))
    digits = test_digits()
    inputs = pad(digits.images)[..., None].astype(np.float32)
    for name in ("lenet5_float32.tflite", "lenet5_int8_qat.tflite"):
        facts = THRESHOLDS["files"][name]
        scores = run((released_folder() / name).read_bytes(), inputs)
        found = script["measured"](scores, digits, below=facts["unsure_below"])
        # Another processor rounds otherwise, and a digit or two at the threshold changes sides.
        assert found == pytest.approx(facts["test"], abs=0.02), name


@pytest.mark.parametrize(
    ("confidence", "wrong", "error", "below"),
    [
        ([0.9, 0.8, 0.7, 0.6], [0, 0, 1, 0], 0, 0.75),
        ([0.9, 0.8, 0.7, 0.6], [0, 0, 1, 0], 25, 0.0),  # none need go
        ([0.9, 0.8, 0.7, 0.6], [0, 1, 0, 0], 30, 0.0),
        ([0.9, 0.8, 0.7, 0.6], [0, 1, 0, 1], 34, 0.65),  # one in three, though one in two before it
        ([0.9, 0.8, 0.8, 0.6], [0, 0, 1, 0], 10, 0.85),  # those that tie go together
        ([0.8, 0.9, 0.6, 0.8], [1, 0, 0, 0], 10, 0.85),  # in whatever order they stand
        ([0.9, 0.9, 0.6], [1, 0, 0], 40, 0.0),
        ([0.9, 0.9, 0.6], [1, 0, 1], 50, 0.75),
    ],
)
def test_the_threshold_sets_the_fewest_aside(confidence, wrong, error, below):
    pytest.importorskip("tensorflow")
    threshold = runpy.run_path(str(ROOT / "scripts" / "thresholds.py"))["threshold"]
    assert threshold(np.array(confidence, np.float32), np.array(wrong, bool), error=error) == below
    with pytest.raises(InputError, match="expected a score from which on"):
        threshold(np.array([0.9, 0.9]), np.array([True, False]), error=10)


def test_the_json_and_the_header_are_what_the_script_gives():
    pytest.importorskip("tensorflow")  # gives the scores
    script = runpy.run_path(str(ROOT / "scripts" / "golden.py"))
    facts = script["golden"]()
    for part in ("pictures", "drawings"):
        assert facts[part] == GOLDEN[part]
    for name, file in facts["files"].items():
        for what in ("low", "scores", "high"):
            # Another processor rounds float32 otherwise, and then a limit falls to the next step of int8.
            steps = 1.01 if "int8" in name else 1e-6
            np.testing.assert_allclose(file[what], GOLDEN["files"][name][what], atol=steps, err_msg=name)
    assert script["as_header"](GOLDEN) == (FOLDER / "golden.h").read_text()
    assert script["as_json"](GOLDEN) + "\n" == (FOLDER / "golden.json").read_text()


@pytest.mark.parametrize("name", COLUMNS)
def test_every_runtime_is_within_the_limits(pixels, name):
    column = COLUMNS[name]
    reason = absence(column)
    if reason:
        pytest.skip(reason)
    margins = {n: (32 - file["input"]["size"]) // 2 for n, file in GOLDEN["files"].items()}
    contents = {n: (released_folder() / n).read_bytes() for n in margins}
    inputs = {n: pixels[:, m : 32 - m, m : 32 - m, None].astype(np.float32) for n, m in margins.items()}
    for file, result in run_column(column, contents, inputs).items():
        if name == "micro" and ("float16" in file or "dynamic" in file):
            assert result.failure
            continue
        assert not result.failure
        low, high = (np.array(GOLDEN["files"][file][end]) for end in ("low", "high"))
        # Nine digits are written of a limit.
        room = 0 if "int8" in file else 1e-8
        assert (result.outputs >= low - room).all(), file
        assert (result.outputs <= high + room).all(), file


def test_scores_lie_within_their_limits_and_sum_to_one():
    for name, file in GOLDEN["files"].items():
        low, scores, high = (np.array(file[what]) for what in ("low", "scores", "high"))
        assert (low <= scores).all(), name
        assert (scores <= high).all(), name
        scale = file["output"].get("scale", 1.0)
        # Ten scores, each rounded to half a step.
        np.testing.assert_allclose(scale * scores.sum(axis=1), 1, atol=5 * scale if scale < 1 else 1e-5)


def test_the_pictures_are_two_of_each_digit_and_three_that_are_none(pixels):
    labels = [picture["label"] for picture in GOLDEN["pictures"]]
    assert labels == [label for label in range(10) for _ in range(2)] + [None] * 3
    test = {hashlib.sha256(picture.tobytes()).digest() for picture in pad(test_digits().images)}
    assert not test & {hashlib.sha256(picture.tobytes()).digest() for picture in pixels}


@pytest.mark.parametrize("case", GOLDEN["drawings"], ids=lambda case: case["name"])
def test_a_drawing_becomes_its_picture(case):
    ink = np.array(case["ink"], np.uint8).reshape(case["height"], case["width"])
    assert picture_of_drawing(ink).ravel().tolist() == case["pixels"]


@pytest.mark.parametrize("language", ["c", "c++"])
def test_the_header_compiles_and_holds_the_same(tmp_path, language):
    compiler = shutil.which({"c": "cc", "c++": "c++"}[language])
    if compiler is None:
        pytest.skip(f"no {language} compiler here")
    code = tmp_path / f"main.{'c' if language == 'c' else 'cc'}"
    code.write_text(
        '#include <stdio.h>\n#include "golden.h"\n'
        "int main(void) {\n"
        "  long sum = 0; int i, j;\n"
        "  for (i = 0; i < GOLDEN_PICTURES; ++i) for (j = 0; j < 1024; ++j) sum += golden_pictures[i][j];\n"
        '  printf("%ld %d %.9g\\n", sum, golden_lenet5_int8_qat_scores[0][0],\n'
        "         golden_lenet5_float32_scores[0][0]);\n"
        "  return 0;\n}\n"
    )
    program = tmp_path / "main"
    standard = "-std=c99" if language == "c" else "-std=c++11"
    flags = [standard, "-Wall", "-Wextra", "-Werror", "-Wno-unused-const-variable", "-Wno-unused-variable"]
    subprocess.run([compiler, *flags, f"-I{FOLDER}", str(code), "-o", str(program)], check=True)
    said = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout.split()
    files = GOLDEN["files"]
    assert int(said[0]) == sum(sum(picture["pixels"]) for picture in GOLDEN["pictures"])
    assert int(said[1]) == files["lenet5_int8_qat.tflite"]["scores"][0][0]
    assert np.float32(said[2]) == np.float32(files["lenet5_float32.tflite"]["scores"][0][0])


def test_the_header_says_which_file_its_scores_are_of():
    header = (FOLDER / "golden.h").read_text()
    for name, entry in of_one_digit().items():
        assert re.search(rf"/\* {re.escape(name)}, sha256 {entry['sha256']} \*/", header)
