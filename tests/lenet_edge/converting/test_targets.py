"""`convert --target`: the right file for each target, its audit, and a C array that compiles."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

from converters.base.errors import InputError, exit_status
from converters.base.targets import TARGETS
from converters.file.graph import read_graph
from converters.file.manifest import parse
from converters.file.signature import names_in_order
from converters.runtimes.columns import COLUMNS, absence
from converters.runtimes.tensorflow_interpreter import run, run_in_order
from lenet_edge.convert import main
from lenet_edge.converting.layers_file import layers_file
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.digits.side_by_side import calibration_fields
from lenet_edge.packaged.files import released_folder
from lenet_edge.packaged.models import released_model
from lenet_edge.packaged.names import WIDE

LAYERS_FILE = "lenet5_layers_float32.tflite"
INPUTS = pad(calibration_digits().images[:20])[..., None].astype(np.float32)


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """Run the command once, as a user does; return its folder, its models and what it printed."""
    out = tmp_path_factory.mktemp("targets")
    command = [sys.executable, "-m", "lenet_edge.convert", "--target", "all", "--model", "lenet5"]
    done = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return out, json.loads((out / "manifest.json").read_text())["models"], done.stdout


def test_each_target_has_its_file_and_its_manifest_entry(converted):
    out, models, _ = converted
    files = {f"lenet5_{target}.tflite" for target in TARGETS} | {LAYERS_FILE}
    assert set(models) == files
    assert {path.name for path in out.iterdir()} == files | {
        *("manifest.json", "lenet5_micro.h", "lenet5_micro.cc", "lenet5_layers_float32.json")
    }


@pytest.mark.parametrize(
    ("target", "weights", "source", "sink"),
    [
        ("cpu", "int8", "uint8", "uint8"),
        ("gpu", "float16", "float32", "float32"),
        ("nnapi", "int8", "int8", "int8"),
        ("micro", "int8", "int8", "int8"),
        ("web", "float32", "float32", "float32"),
    ],
)
def test_each_file_has_the_precision_and_end_types_of_its_target(converted, target, weights, source, sink):
    graph = read_graph((converted[0] / f"lenet5_{target}.tflite").read_bytes())
    assert (graph.inputs[0].type, graph.outputs[0].type) == (source, sink)
    kernels = {t.type for t in graph.tensors if t.constant is not None and len(t.shape) == 4}
    assert kernels == {weights}


def test_a_targets_delegate_takes_every_operator_of_its_file(converted):
    _, models, _ = converted
    for target in ("gpu", "micro", "web"):
        (found,) = models[f"lenet5_{target}.tflite"]["audits"].values()
        assert found["taken"] == found["operators"], target
        assert found["not_taken"] == found["unknown"] == []
    nnapi = models["lenet5_nnapi.tflite"]["audits"]["nnapi"]
    assert [level for level, found in nnapi.items() if found["taken"] == found["operators"]] == [
        str(level) for level in range(29, 36)
    ]
    assert "need API level 29, got 28" in str(nnapi["28"]["not_taken"])
    assert models["lenet5_cpu.tflite"]["audits"]["tflite-runtime"]["not_taken"] == []


def test_every_file_reads_as_well_as_the_original(converted):
    for name, entry in converted[1].items():
        if name == LAYERS_FILE:
            continue
        checked = entry["checked"]
        assert checked["digits"] == 10_000
        assert checked["error"] <= checked["original_error"] + 0.05, name


def test_the_layers_file_gives_each_layers_output_by_its_name(converted):
    out, models, printed = converted
    content = (out / LAYERS_FILE).read_bytes()
    assert names_in_order(content).outputs == tuple(models[LAYERS_FILE]["layers"])
    assert [tensor.shape[1:] for tensor in read_graph(content).outputs] == [
        *((28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16), (1, 1, 120), (84,), (10,), (10,))
    ]
    assert f"{LAYERS_FILE}: float32, {len(content):,} bytes" in printed


def test_the_layers_are_the_papers(converted):
    """In the paper a unit gives 1.7159 tanh: beyond 1, and what is behind it is folded into no weight."""
    answers = run((converted[0] / LAYERS_FILE).read_bytes(), {"pixels": INPUTS})
    model = released_model("lenet5")
    layers = ("C1", "S2", "C3", "S4", "C5", "F6", "OUTPUT", "scores")
    inner = keras.Model(model.input, [model.get_layer(name).output for name in layers])
    wanted = dict(zip(layers, inner(INPUTS), strict=True))
    assert 1 < np.abs(answers["F6"]).max() <= 1.7159
    for name, values in answers.items():
        # float32: sums of 400 products, each of some tens, and of 84 squares in OUTPUT.
        room = 0.02 if name == "OUTPUT" else 1e-3
        np.testing.assert_allclose(values, np.asarray(wanted[name]), atol=room, rtol=0, err_msg=name)


def test_the_sample_beside_the_layers_file_is_what_a_runtime_gives(converted):
    sample = json.loads((converted[0] / "lenet5_layers_float32.json").read_text())
    side = sample["input"]["size"]
    pixels = np.array(sample["input"]["pixels"], np.float32).reshape(1, side, side, 1)
    answers = run((converted[0] / LAYERS_FILE).read_bytes(), {"pixels": pixels})
    assert set(answers) == set(sample["outputs"])
    for name, output in sample["outputs"].items():
        low, high = (np.array(output[end]).reshape(output["shape"]) for end in ("low", "high"))
        assert (low <= high).all(), name
        # Nine digits are written of a limit.
        room = 1e-8 * np.abs(high).max()
        assert (answers[name][0] >= low - room).all(), name
        assert (answers[name][0] <= high + room).all(), name
    assert sample["label"] == np.argmin(sample["outputs"]["OUTPUT"]["values"])


def test_a_sample_outside_its_limits_is_refused(converted, monkeypatch):
    content = (converted[0] / LAYERS_FILE).read_bytes()
    right = run_in_order(content, [INPUTS[:1]])
    wrong = [*right[:2], right[2] + 0.01, *right[3:]]
    monkeypatch.setattr("lenet_edge.converting.layers_file.run_in_order", lambda *_: wrong)
    with pytest.raises(InputError, match="expected C3 within what rounding allows, got "):
        layers_file("lenet5", released_model("lenet5"))


def test_the_wide_model_has_a_file_of_fixed_width_for_the_web_alone(tmp_path, capsys):
    assert main(["--target", "web", "--model", WIDE, "--no-check", "--out", str(tmp_path)]) == 0
    assert "of fixed width: LiteRT.js cannot resize" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"manifest.json", "lenet5_wide_web.tflite"}
    content = (tmp_path / "lenet5_wide_web.tflite").read_bytes()
    graph = parse(content).subgraphs[0]
    assert all(tensor.shapeSignature is None for tensor in graph.tensors)
    fields = calibration_fields()[:10, ..., None].astype(np.float32)
    released = (released_folder() / "lenet5_wide_int8.tflite").read_bytes()
    np.testing.assert_array_equal(run(content, fields), run(released, fields))


def test_the_findings_are_printed(converted):
    printed = converted[2]
    for words in (
        "lenet5_cpu.tflite: int8, fine-tuned, ",
        "SOFTMAX is left to TensorFlow Lite's own kernel",
        "(TensorFlow Lite's analyser: compatible)",
        "nnapi, from API level 29:",
        "(NNAPI has been deprecated since Android 15, API level 35)",
        "14 of 14 taken",
    ):
        assert words in printed, words


def test_the_gpu_file_is_tried_or_the_absence_of_a_gpu_reported(converted):
    _, models, printed = converted
    tried = models["lenet5_gpu.tflite"]["tried"]
    reason = absence(COLUMNS["litert-gpu"])
    if reason:
        assert tried == {"absent": reason}
        assert f"not tried on a GPU: {reason}" in printed
    else:
        # float16 weights against float32 ones: 2^-11 of each, before a softmax of slope 1/4.
        assert tried["largest_difference"] < 0.01
        assert "tried on LiteRT, GPU (WebGPU): " in printed


def test_the_arena_is_measured_or_its_absence_reported(converted):
    _, models, printed = converted
    arena = models["lenet5_micro.tflite"]["arena_bytes"]
    if absence(COLUMNS["micro"]):
        assert arena is None
        assert "arena not measured" in printed
    else:
        # C1's output is 28 x 28 x 6, and the tanh behind it needs as much again.
        assert 2 * 28 * 28 * 6 <= arena <= 20_000
        assert f"kArenaBytes = {arena};" in (converted[0] / "lenet5_micro.h").read_text()


def test_the_c_array_compiles_and_is_the_file(converted, tmp_path):
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler here")
    out = converted[0]
    (tmp_path / "main.cc").write_text(
        '#include <cstdio>\n#include "lenet5_micro.h"\n'
        "int main() { std::fwrite(lenet5_micro::kModel, 1, lenet5_micro::kModelLength, stdout); }\n"
    )
    program = tmp_path / "main"
    sources = [str(tmp_path / "main.cc"), str(out / "lenet5_micro.cc")]
    flags = ["-std=c++11", "-Wall", "-Wextra", "-Werror", f"-I{out}"]
    subprocess.run([compiler, *flags, *sources, "-o", str(program)], check=True)
    written = subprocess.run([str(program)], capture_output=True, check=True).stdout
    assert written == (out / "lenet5_micro.tflite").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "cpu", "--precision", "int8"], "expected --target or --precision, got both"),
        (
            ["--precision", "int8_qat", "--model", "stock_lenet5"],
            "expected --model lenet5 or lenet5_wide and its packaged weights (`lenet-edge quantize` "
            "fine-tunes others) with --precision int8_qat, got stock_lenet5",
        ),
    ],
)
def test_bad_options_give_one_line(tmp_path, capsys, arguments, message):
    assert exit_status(main, [*arguments, "--out", str(tmp_path / "out")], name="lenet-edge convert") == 2
    assert capsys.readouterr().err == f"lenet-edge convert: {message}\n"
    assert not (tmp_path / "out").exists()
