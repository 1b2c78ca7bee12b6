"""The microcontroller example: its C array in TensorFlow Lite Micro, its program compiled and run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from converters.proof.tolerance import Limits
from converters.runtimes.columns import COLUMNS, absence
from lenet_edge.convert import main
from lenet_edge.converting import targets
from lenet_edge.packaged.files import released_folder

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "micro"
STUB = ROOT / "tests" / "micro_stub"
GOLDEN = json.loads((ROOT / "lenet_edge" / "golden" / "golden.json").read_text())
MEASURED = json.loads((ROOT / "results" / "micro.json").read_text())["files"]["lenet5_micro"]
ZERO_POINT = -128

MISSING = [tool for tool in ("g++", "make") if shutil.which(tool) is None]
needs_compiler = pytest.mark.skipif(bool(MISSING), reason=f"not here: {', '.join(MISSING)}")
needs_micro = pytest.mark.skipif(bool(absence(COLUMNS["micro"])), reason=absence(COLUMNS["micro"]) or "here")

# The interpreter called directly, in a process of its own, as it clashes with TensorFlow's.
DIRECTLY = """
import sys, numpy
from tflite_micro import runtime
model, arena, inputs, outputs = sys.argv[1:]
interpreter = runtime.Interpreter.from_file(model, arena_size=int(arena))
rows = []
for row in numpy.load(inputs).reshape(-1, 1, 32, 32, 1):
    interpreter.set_input(row, 0)
    interpreter.invoke()
    rows.append(interpreter.get_output(0)[0])
numpy.save(outputs, numpy.array(rows))
"""


class Generated(NamedTuple):
    """What lenet5_micro.h and lenet5_micro.cc hold, parsed back."""

    folder: Path
    model: bytes
    arena: int
    samples: dict[str, np.ndarray]


def array(text, name):
    (body,) = re.findall(rf"{name}\[\w*\] = \{{(.*?)\}};", text, flags=re.DOTALL)
    return [int(word, 0) for word in body.replace(",", " ").split()]


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """Run the command that the example names, in this process."""
    folder = tmp_path_factory.mktemp("micro") / "generated"
    main(["--model", "lenet5", "--target", "micro", "--no-check", "--out", str(folder)])
    header, source = ((folder / f"lenet5_micro.{suffix}").read_text() for suffix in ("h", "cc"))
    names = ("kSampleInput", "kSampleOutput", "kSampleLow", "kSampleHigh")
    return Generated(
        folder,
        bytes(array(source, "kModel")),
        int(re.findall(r"kArenaBytes = (\d+);", header)[0]),
        {name: np.array(array(source, name), np.int8) for name in names},
    )


def run_micro(folder, content, inputs, arena):
    """Return the outputs (n, 10) of TensorFlow Lite Micro for int8 `inputs`, None when it does not run."""
    paths = [folder / name for name in ("model.tflite", "inputs.npy", "outputs.npy")]
    paths[0].write_bytes(content)
    np.save(paths[1], inputs)
    command = [sys.executable, "-c", DIRECTLY, str(paths[0]), str(arena), *map(str, paths[1:])]
    done = subprocess.run(command, capture_output=True, check=False)
    return None if done.returncode else np.load(paths[2])


@needs_micro
def test_the_array_runs_in_the_header_s_arena_and_in_no_smaller_one(generated, tmp_path):
    inputs = generated.samples["kSampleInput"]
    outputs = run_micro(tmp_path, generated.model, inputs, generated.arena)
    assert outputs.tolist() == [generated.samples["kSampleOutput"].tolist()]
    assert run_micro(tmp_path, generated.model, inputs, generated.arena - 16) is None
    assert generated.arena <= 14_300


def test_the_sample_is_within_limits_that_a_wrong_score_leaves(generated):
    low, output, high = (
        generated.samples[name].astype(int) for name in ("kSampleLow", "kSampleOutput", "kSampleHigh")
    )
    assert (low <= output).all()
    assert (output <= high).all()
    # A clear digit: nothing that rounding can do moves a score by 8 of 256 steps.
    assert (high - low).max() < 8


def test_a_limit_is_the_last_step_within_it_and_a_step_that_the_type_has(monkeypatch):
    class Fixed:
        def __init__(self, graph, inputs):
            pass

        def limits(self, indices):
            return Limits(*(np.array([row]) / 256 for row in ([-3.0, 5.0, 10.2], [300.0, 5.0, 12.9])))

    monkeypatch.setattr(targets, "Tolerance", Fixed)
    content = (released_folder() / "lenet5_int8.tflite").read_bytes()
    low, high = targets._limits(content, np.zeros((1, 32, 32, 1), np.float32))
    assert (low.tolist(), high.tolist()) == ([[0, 5, 11]], [[255, 5, 12]])
    assert low.dtype == high.dtype == np.uint8


@needs_micro
def test_the_golden_pictures_are_read_as_the_released_file_reads_them(generated, tmp_path):
    golden = GOLDEN["files"]["lenet5_int8_qat.tflite"]
    assert (golden["input"]["zero_point"], golden["output"]["zero_point"]) == (0, 0)
    pixels = np.array([picture["pixels"] for picture in GOLDEN["pictures"]])
    inputs = (pixels + ZERO_POINT).astype(np.int8)
    outputs = run_micro(tmp_path, generated.model, inputs, generated.arena).astype(int) - ZERO_POINT
    assert (outputs >= golden["low"]).all()
    assert (outputs <= golden["high"]).all()


@needs_micro
def test_what_was_measured_is_this_array(generated):
    assert (MEASURED["bytes"], MEASURED["arena_bytes"]) == (len(generated.model), generated.arena)
    assert MEASURED["tensor_bytes"] + MEASURED["table_bytes"] == generated.arena


@pytest.fixture(scope="module")
def program(generated, tmp_path_factory):
    """Build the example with its Makefile, against the stand-ins for TensorFlow Lite Micro's headers."""
    build = tmp_path_factory.mktemp("build")
    settings = [f"TFLM={STUB}", "LIBRARY=", f"GENERATED={generated.folder}", f"BUILD={build}"]
    flags = "CXXFLAGS=-Wall -Wextra -Werror -pedantic"
    command = ["make", "-C", str(EXAMPLE), *settings, flags, "LENET_EDGE=false"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return build / "digit"


def run_program(program, folder, answers, fails=""):
    """Return exit status, what was printed and the inputs (n, 1024) that the program ran on."""
    inputs = folder / "inputs"
    inputs.write_bytes(b"")
    (folder / "answers").write_bytes(np.array(answers, np.int8).tobytes())
    names = {"STUB_INPUTS": str(inputs), "STUB_ANSWERS": str(folder / "answers"), "STUB_FAILS": fails}
    done = subprocess.run([program], env={**os.environ, **names}, capture_output=True, text=True, check=False)
    return (
        done.returncode,
        done.stderr.splitlines(),
        np.frombuffer(inputs.read_bytes(), np.int8).reshape(-1, 1024),
    )


@needs_compiler
@needs_micro
def test_with_tensorflow_lite_micro_s_answers_the_program_passes_and_reads_its_own_picture(
    generated, program, tmp_path
):
    right = generated.samples["kSampleOutput"]
    *_, inputs = run_program(program, tmp_path, [right, right])
    answers = run_micro(tmp_path, generated.model, inputs, generated.arena)
    status, said, _ = run_program(program, tmp_path, answers)
    assert inputs[0].tolist() == generated.samples["kSampleInput"].tolist()
    assert {-128, 127, 96 - 128} == set(inputs[1].tolist())
    certain = int(answers[1][1]) - ZERO_POINT
    assert certain > 250
    assert said == [
        f"model: {len(generated.model)} bytes, arena: {generated.arena} of {generated.arena} bytes used",
        "golden sample: 0 of 10 scores differ, 0 outside their limits",
        "PASS",
        f"the drawn 1 is read as 1, probability {certain}/256",
    ]
    assert status == 0


@needs_compiler
@pytest.mark.parametrize("end", ["kSampleLow", "kSampleHigh"])
def test_a_score_at_its_limit_passes_and_one_beyond_fails(generated, program, tmp_path, end):
    right, limit = generated.samples["kSampleOutput"], generated.samples[end]
    beyond = -1 if end == "kSampleLow" else 1
    digit = int(right.argmax() if beyond < 0 else right.argmin())
    answer = right.copy()
    answer[digit] = limit[digit]
    status, said, _ = run_program(program, tmp_path, [answer, right])
    assert (status, said[2]) == (0, "PASS")
    answer[digit] += beyond
    status, said, inputs = run_program(program, tmp_path, [answer, right])
    assert said[1:] == ["golden sample: 1 of 10 scores differ, 1 outside their limits", "FAIL"]
    assert (status, len(inputs)) == (1, 1)


@needs_compiler
@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("GetModel", "expected a model of version 3, got 2"),
        ("AddTanh", "the resolver refused an operator"),
        ("AllocateTensors", "AllocateTensors() failed: an arena of {arena} bytes is too small"),
        ("Invoke1", "FAIL"),
        ("Invoke2", "Invoke() failed"),
    ],
)
def test_each_failure_is_told_and_ends_the_program(generated, program, tmp_path, call, message):
    right = generated.samples["kSampleOutput"]
    status, said, _ = run_program(program, tmp_path, [right, right], fails=call)
    assert (status, said[-1]) == (1, message.format(arena=generated.arena))
