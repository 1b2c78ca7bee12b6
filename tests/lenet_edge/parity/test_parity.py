"""The parity matrix: fast runtimes on all digits, planted faults, absent runtimes, bad input."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from converters.base.environment import schema, tf
from converters.base.errors import exit_status
from converters.delegates import audit, taken
from converters.model.conversion import to_tflite
from converters.model.folding import fold
from converters.proof.layer_profile import profile
from converters.proof.runs import refusal_expected
from converters.runtimes.columns import COLUMNS, absence
from lenet_edge.digits.mnist import calibration_digits, pad, test_digits
from lenet_edge.packaged.files import released_folder
from lenet_edge.packaged.models import released_model
from lenet_edge.paper.layers import TABLE_I, PartialConv2D
from lenet_edge.parity.command import main
from lenet_edge.parity.matrix import SCORE_STEP, Cell, Matrix, file_of, read_file
from lenet_edge.parity.measuring import named_layers
from lenet_edge.parity.references import references

FAST = ("tf.lite", "tflite-runtime", "litert", "litert-plain")
SLOW = ("tf.lite-reference", "litert-4", "litert-plain-4", "litert-gpu", "micro")
FILES = [f"lenet5_{kind}.tflite" for kind in ("float32", "float16", "dynamic", "int8", "int8_qat")]


@pytest.fixture(scope="module")
def digits():
    return test_digits()


@pytest.fixture(scope="module")
def found(digits):
    return references("lenet5", pad(digits.images))


@pytest.fixture(scope="module")
def matrix(digits, found):
    return Matrix(digits, found)


@pytest.fixture(scope="module")
def files(found):
    contents = {name: (released_folder() / name).read_bytes() for name in FILES}
    return [file_of(n, c, read_file(n, c, net="lenet5"), found) for n, c in contents.items()]


def present(name):
    reason = absence(COLUMNS[name])
    if reason:
        pytest.skip(reason)
    return COLUMNS[name]


def check(cells, *, digits):
    """Check that each cell is within tolerance on so many digits, or refused."""
    for cell in cells:
        assert cell.within, f"{cell.row} in {cell.column}: {cell.why}"
        assert cell.refused or cell.digits == digits
        if cell.refused:
            continue
        # float files give the original's answer to every digit; int8 rounding changes a few close ones
        assert cell.agreement == 100 if "float" in cell.row else cell.agreement >= 99.8
        assert cell.used <= 100
        assert cell.largest <= cell.allowed


def test_the_released_files_have_the_originals_weights_within_their_steps(files):
    assert [file.findings for file in files] == [[]] * len(FILES)


def test_the_keras_models_are_within(matrix, files):
    original, folded, fine_tuned = matrix.keras_cells(files)
    check([original, folded], digits=10_000)
    assert original.agreement == folded.agreement == 100
    assert original.error == 0.36
    assert fine_tuned.within
    assert abs(fine_tuned.error - original.error) <= 0.05


def test_the_fine_tuned_model_and_its_file_agree_on_999_of_1000_digits(matrix, files, found):
    column = present("tf.lite")
    (cell,) = matrix.cells(column, [files[-1]], digits=10_000)
    read = matrix.scores[files[-1].name, "tf.lite"].argmax(axis=1)
    assert np.mean(read == found.fine_tuned.scores.argmax(axis=1)) >= 0.999
    assert cell.error <= 0.36 + 0.05


@pytest.mark.parametrize("name", FAST)
def test_fast_runtimes_on_all_digits(matrix, files, name):
    check(matrix.cells(present(name), files, digits=10_000), digits=10_000)


@pytest.mark.parametrize("name", SLOW)
def test_slow_runtimes_on_a_sample(matrix, files, name):
    cells = list(matrix.cells(present(name), files, digits=150))
    check(cells, digits=150)
    refused = {cell.row for cell in cells if cell.refused}
    assert refused == ({"lenet5_float16.tflite", "lenet5_dynamic.tflite"} if name == "micro" else set())


def test_tensorflow_computes_like_the_ideal_kernel(matrix, files):
    """int8, byte for byte: the tolerances start from the same arithmetic as the kernels."""
    for cell in matrix.cells(present("tf.lite"), files[3:], digits=2_000):
        # XNNPACK multiplies in float32 before it rounds: values within 2^-24 of a tie may go either way.
        assert cell.same >= 99.9


def changed(model, **changes):
    """Return a copy of the Keras `model` with other weights in some layers, by layer and attribute."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for name, change in changes.items():
        layer, attribute = name.split("__")
        weight = getattr(copy.get_layer(layer), attribute)
        weight.assign(change(weight.numpy()))
    return copy


def swapped_row():
    """Return a file in which two maps of C3 take each other's inputs: rows 0 and 3 of Table I."""
    model = released_model("lenet5")
    table = list(TABLE_I)
    table[0], table[3] = table[3], table[0]

    def other(layer):
        config = layer.get_config()
        if isinstance(layer, PartialConv2D):
            config["table"] = table
        return type(layer).from_config(config)

    copy = keras.models.clone_model(model, clone_function=other)
    copy.set_weights(model.get_weights())
    return to_tflite(fold(copy), precision="float32").content


def calibration():
    return pad(calibration_digits().images)[..., None].astype(np.float32)


def off_by_one_step():
    """Return the int8 file with 126 for 127 in all four taps of S2's first coefficient."""
    content = (released_folder() / "lenet5_int8.tflite").read_bytes()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    graph = model.subgraphs[0]
    kernel = next(t for t in graph.tensors if list(t.shape) == [1, 2, 2, 6] and t.type == 9)
    data = np.array(model.buffers[kernel.buffer].data, np.uint8).view(np.int8).reshape(1, 2, 2, 6).copy()
    assert abs(data[..., 0]).min() == 127
    data[..., 0] -= np.sign(data[..., 0])
    model.buffers[kernel.buffer].data = data.view(np.uint8).ravel()
    from flatbuffers import Builder

    builder = Builder(1 << 17)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def without_two_thirds():
    """Return a file without the slope of the scaled tanh in F6."""
    folded = fold(released_model("lenet5"))
    larger = {"F6__kernel": lambda w: w * 1.5, "F6__bias": lambda w: w * 1.5}
    return to_tflite(changed(folded, **larger), precision="int8", calibration=calibration()).content


def average():
    """Return a file in which S2 is the mean of the four inputs, not their sum."""
    folded = fold(released_model("lenet5"))
    return to_tflite(changed(folded, S2__coefficient=lambda w: w / 4), precision="float16").content


def per_tensor():
    """Return an int8 file with one scale per kernel."""
    single = keras.Input(batch_shape=(1, 32, 32, 1), name="pixels")
    converter = tf.lite.TFLiteConverter.from_keras_model(
        keras.Model(single, fold(released_model("lenet5"))(single))
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter._experimental_disable_per_channel = True
    converter.representative_dataset = lambda: ([one[None]] for one in calibration()[:50])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8
    return converter.convert()


FAULTS = {
    "swapped_row": (swapped_row, "CONV_2D, kernel: 300 of 2400 are off"),
    "off_by_one_step": (off_by_one_step, "DEPTHWISE_CONV_2D, kernel: 4 of 24 are off"),
    "without_two_thirds": (without_two_thirds, "FULLY_CONNECTED, kernel: "),
    "average": (average, "DEPTHWISE_CONV_2D, kernel: 24 of 24 are off"),
    "per_tensor": (per_tensor, "CONV_2D, kernel: "),
}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """Run the command on faulty files and a correct one; return all that it gave."""
    folder = tmp_path_factory.mktemp("faulty")
    for name, (make, _) in FAULTS.items():
        (folder / f"lenet5_{name}.tflite").write_bytes(make())
    (folder / "lenet5_right.tflite").write_bytes((released_folder() / "lenet5_int8.tflite").read_bytes())
    report, page, told, complained = folder / "report.json", folder / "r.html", io.StringIO(), io.StringIO()
    arguments = ["--models", str(folder), "--column", "tf.lite", "--digits", "200", "--layers"]
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(complained):
        status = main([*arguments, "--json", str(report), "--html", str(page)])
    assert complained.getvalue() == ""
    printed = told.getvalue()
    return SimpleNamespace(
        report=json.loads(report.read_text()), status=status, printed=printed, html=page.read_text()
    )


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(faulty, name):
    (cell,) = [c for c in faulty.report["cells"] if c["row"] == f"lenet5_{name}.tflite"]
    assert not cell["within"]
    assert FAULTS[name][1] in cell["why"]
    assert re.search(rf"lenet5_{name} .*OUT: the file: ", faulty.printed)
    assert f"lenet5_{name}.tflite in tf.lite" in faulty.printed.splitlines()[-1]
    assert name in faulty.html


def test_a_fault_makes_the_command_fail_and_a_correct_file_does_not(faulty, tmp_path):
    report = faulty.report
    assert faulty.status == 1
    (right,) = [c for c in report["cells"] if c["row"] == "lenet5_right.tflite"]
    assert right["within"]
    assert not report["within"]
    assert len(report["layers"]["lenet5_right.tflite"]) == 16
    (tmp_path / "lenet5_int8.tflite").write_bytes((released_folder() / "lenet5_int8.tflite").read_bytes())
    command = ["--models", str(tmp_path), "--column", "tf.lite", "--digits", "50"]
    assert main(command) == 0


def test_the_report_names_every_file_by_its_hash(faulty):
    report = faulty.report
    assert set(report["files"]) == {f"lenet5_{name}.tflite" for name in [*FAULTS, "right"]}
    manifest = json.loads((released_folder() / "manifest.json").read_text())["models"]
    assert report["files"]["lenet5_right.tflite"]["sha256"] == manifest["lenet5_int8.tflite"]["sha256"]
    assert report["command"].startswith("python -m lenet_edge.parity --models")


def test_a_score_out_of_tolerance_puts_a_cell_out(matrix, files, monkeypatch):
    """A runtime that is wrong on one digit, by more than rounding explains."""
    file = files[0]
    tolerance = matrix._tolerance(file.name, file.graph)
    scores = tolerance.ideal[:300].copy()
    scores[123, 4] += 3 * tolerance.own
    cell = matrix._cell(file.name, "wrong", scores, tolerance)
    assert "1 digit beyond its tolerance, digit 123 by" in cell.why
    assert matrix._cell(file.name, "right", tolerance.ideal[:300], tolerance).within


def test_errors_beyond_chance_put_a_cell_out(matrix, files):
    tolerance = matrix._tolerance(files[0].name, files[0].graph)
    scores = matrix.references.original.scores[:2000].copy()
    scores[:8] = np.roll(scores[:8], 1, axis=1)
    cell = matrix._cell(files[0].name, "worse", scores, tolerance)
    assert "8 more errors than the original, p 0.0078" in cell.why  # 2 * (1/2)^8


def test_a_layer_profile_shows_the_rounding_and_the_noise_of_each_kernel(files, matrix):
    layers = profile(files[4].content, files[4].graph, files[4].exact_graph, matrix.inputs[:20])
    names = [layer.operator.split()[1] for layer in layers]
    assert names[:5] == ["RESHAPE", "CONV_2D", "TANH", "RESHAPE", "DEPTHWISE_CONV_2D"]
    for layer in layers[1:]:  # after the picture, which has no noise yet
        # Half a step for rounding, and as much again for a kernel that rounds twice.
        assert layer.local <= 1.0, layer
        assert 10 < layer.snr < 60
    exact = files[0].exact_graph
    silent = profile(files[0].content, files[0].graph, exact, matrix.inputs[:20])[1:]
    assert all(layer.snr > 120 and layer.local is None for layer in silent)  # float32: 24 bits, 6 dB each
    assert profile(files[0].content, exact, read_file("x", stock(), net="stock_lenet5"), matrix.inputs) == []


def test_a_layer_profile_calls_the_layers_by_the_papers_names(files, matrix):
    layers = profile(files[4].content, files[4].graph, files[4].exact_graph, matrix.inputs[:2])
    named = named_layers(layers, files[4].graph)
    assert "FakeQuantWithMinMaxVars" in named[0]["name"]  # what the file calls it
    assert [one["layer"] for one in named] == [
        *("", "C1", "C1", "C1", "S2", "S2", "C3", "C3", "S4", "S4", "C5", "C5", "F6", "F6", "OUTPUT"),
        "scores",
    ]


def stock():
    return (released_folder() / "stock_lenet5_float32.tflite").read_bytes()


def test_a_refusal_is_expected_only_if_the_audit_says_so():
    dynamic, int8 = (
        (released_folder() / f"lenet5_{kind}.tflite").read_bytes() for kind in ("dynamic", "int8")
    )
    micro = COLUMNS["micro"]
    assert refusal_expected(dynamic, micro)
    some, count = taken(audit(int8, delegate="micro"))
    assert some == count
    assert not refusal_expected(int8, micro)
    assert not refusal_expected(dynamic, COLUMNS["litert"])


def test_an_absent_runtime_is_listed_with_its_reason(monkeypatch, capsys):
    monkeypatch.setattr("converters.proof.runs.absence", lambda column: f"no {column.name} today")
    assert main(["--column", "micro", "--column", "litert-gpu", "--digits", "20"]) == 0
    printed = capsys.readouterr().out
    assert "TensorFlow Lite Micro: absent: no micro today" in printed
    assert "2 columns absent" in printed.splitlines()[-1]


def test_the_stock_net_has_its_own_matrix(capsys):
    assert main(["--net", "stock_lenet5", "--column", "tf.lite", "--digits", "100"]) == 0
    printed = capsys.readouterr().out
    assert "stock_lenet5_int8 " in printed
    assert "OUT" not in printed


def unknown_operator():
    """Return a file that needs the custom operator "Secret"."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(stock()))
    code = model.operatorCodes[0]
    code.builtinCode, code.deprecatedBuiltinCode = 32, 32  # CUSTOM
    code.customCode = "Secret"
    from flatbuffers import Builder

    builder = Builder(1 << 19)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "lenet5_a.tflite",
            b"....TFL3" + b"\xff" * 64,
            "expected lenet5_a.tflite to be a sound .tflite file, got ",
        ),
        ("lenet5_a.tflite", b"no model", "expected lenet5_a.tflite to be a .tflite file, got another kind"),
        (
            "lenet5_a.tflite",
            stock,
            "lenet5_a.tflite: expected a file from 1x32x32x1 to 1x10, got 1x28x28x1 to 1x10",
        ),
        (
            "stock_a.tflite",
            unknown_operator,
            "expected stock_a.tflite to be a sound .tflite file, got ",
        ),
        ("none.txt", b"", "expected .tflite files of lenet5 in "),
    ],
)
def test_bad_files_give_one_line(tmp_path, capsys, name, content, message):
    (tmp_path / name).write_bytes(content() if callable(content) else content)
    net = "stock_lenet5" if "stock" in name else "lenet5"
    arguments = ["--models", str(tmp_path), "--net", net, "--column", "tf.lite", "--digits", "5"]
    out = tmp_path / "report.json"
    assert exit_status(main, [*arguments, "--json", str(out)], name="lenet-edge parity") == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1
    assert not out.exists()


def test_a_truncated_file_gives_one_line(tmp_path, capsys):
    content = (released_folder() / "lenet5_int8.tflite").read_bytes()
    for length in (100, 5_000, 60_000, len(content) - 64):
        (tmp_path / "lenet5_int8.tflite").write_bytes(content[:length])
        status = exit_status(
            main, ["--models", str(tmp_path), "--column", "tf.lite", "--digits", "5"], name="parity"
        )
        err = capsys.readouterr().err
        assert (status, len(err.splitlines())) in ((2, 1), (1, 0)), (length, err)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (
            '{"models": {}}',
            "to be in the manifest, got no entry for it: a file of your own belongs in another folder",
        ),
        (
            '{"models": {"lenet5_int8.tflite": {"sha256": "00"}}}',
            "expected lenet5_int8.tflite to have the manifest's sha256, got another hash: convert or install",
        ),
        ("{}", "expected a manifest of `convert`, got another or a damaged file"),
        ("no json", "expected a manifest of `convert`, got another or a damaged file"),
        ('{"models": {"a": 1}}', "expected a manifest of `convert`, got another or a damaged file"),
    ],
)
def test_a_file_without_its_hash_in_the_manifest_is_refused(tmp_path, capsys, manifest, message):
    (tmp_path / "lenet5_int8.tflite").write_bytes((released_folder() / "lenet5_int8.tflite").read_bytes())
    (tmp_path / "manifest.json").write_text(manifest)
    assert exit_status(main, ["--models", str(tmp_path)], name="parity") == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.so", None, "expected a delegate library that is a file, got "),
        (
            "text.so",
            b"no library",
            r"expected a delegate library that .* loads, got .*text.so: .*(header|file)",
        ),
        (
            "libc",
            "libc.so.6",
            r"expected a delegate library that .* loads, got .*no tflite_plugin_create_delegate",
        ),
    ],
)
def test_a_delegate_library_that_does_not_load_gives_one_line(tmp_path, capsys, name, content, message):
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        found = next(Path("/").glob(f"lib/*/{content}"), None)
        if found is None:
            pytest.skip(f"no {content} where Debian has it")
        path.write_bytes(found.read_bytes())
    arguments = ["--delegate", str(path), "--column", "tf.lite", "--digits", "5"]
    assert exit_status(main, arguments, name="parity") == 2
    err = capsys.readouterr().err
    assert re.search(message, err), err
    assert len(err.splitlines()) == 1


IDLE_DELEGATE = """
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
typedef struct Delegate {  /* TfLiteDelegate of tensorflow/lite/core/c/common.h */
  void* data;
  int (*prepare)(void* context, struct Delegate* self);
  void *copy_from, *copy_to, *free_handle;
  int64_t flags;
  void* builder;
} Delegate;
static int prepare(void* context, Delegate* self) { (void)context; (void)self; return 0; }
Delegate* tflite_plugin_create_delegate(char** keys, char** values, size_t count, void* report) {
  (void)keys; (void)values; (void)count; (void)report;
  Delegate* made = calloc(1, sizeof(Delegate));
  made->prepare = prepare;
  return made;
}
void tflite_plugin_destroy_delegate(Delegate* made) { free(made); }
"""


def test_a_delegate_that_takes_nothing_is_reported(tmp_path, capsys):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")
    source, library = tmp_path / "idle.c", tmp_path / "idle.so"
    source.write_text(IDLE_DELEGATE)
    subprocess.run([compiler, "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
    arguments = ["--delegate", str(library), "--column", "tf.lite", "--digits", "5"]
    assert main(arguments) == 1
    printed = capsys.readouterr().out
    assert "idle.so loads, but takes none of the 16 operators" in printed
    assert "parity: 5 of 13 cells" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--digits", "0"], "expected --digits from 1 to 10000, got 0"),
        (["--slow-digits", "-1"], "expected --slow-digits of 1 or more, got -1"),
        (["--models", "/none"], "expected --models to be a folder, got /none"),
        (["--json", "/none/a.json"], "/none: expected a file or folder, got nothing there"),
        (["--html", "/"], "/: expected a file, got a folder"),
    ],
)
def test_bad_options_give_one_line_before_a_file_is_read(monkeypatch, capsys, arguments, message):
    monkeypatch.setattr("lenet_edge.parity.command.compared_files", None)
    assert exit_status(main, arguments, name="lenet-edge parity") == 2
    assert capsys.readouterr().err == f"lenet-edge parity: {message}\n"


def test_a_cell_is_within_unless_something_puts_it_out():
    assert Cell("a", "b").within
    assert not Cell("a", "b", why="wrong").within
    assert Cell("a", "b").as_json()["within"] is True
    assert SCORE_STEP == 1 / 256
