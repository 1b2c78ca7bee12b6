"""`python -m converters.prove`: files that are their model's, planted faults, other weights, bad input."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from xml.etree import ElementTree

import keras
import numpy as np
import pytest
from small_nets import mobile_net, pixels, with_fault, with_random_weights

import converters
from converters.base.environment import tf
from converters.base.errors import exit_status
from converters.file.graph import read_graph
from converters.model.conversion import to_tflite
from converters.model.folding import fold
from converters.model.quantize_aware import quantize_aware, settle
from converters.proof.report import html_of
from converters.prove import main
from converters.runtimes.columns import COLUMNS, absence
from converters.runtimes.tensorflow_interpreter import run_stored

layers = keras.layers
PRECISIONS = ("float32", "float16", "dynamic", "int8")


@pytest.fixture(scope="module")
def files():
    folded = fold(mobile_net())
    return {p: to_tflite(folded, precision=p, calibration=pixels()).content for p in PRECISIONS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, files):
    """A folder with a model, its files and samples."""
    made = tmp_path_factory.mktemp("prove")
    mobile_net().save(made / "net.keras")
    for precision, content in files.items():
        (made / f"{precision}.tflite").write_bytes(content)
    (made / "faulty.tflite").write_bytes(with_fault(files["int8"], "second_project"))
    (made / "other.tflite").write_bytes(
        to_tflite(fold(mobile_net(seed=1)), precision="int8", calibration=pixels()).content
    )
    np.savez(made / "data.npz", pixels())
    return made


def run(capsys, folder, *arguments, model="net.keras", data="data.npz", column="tf.lite"):
    command = [folder / model, *arguments, "--data", folder / data, "--column", column]
    status = exit_status(main, [str(one) for one in command], name="prove")
    out, err = capsys.readouterr()
    return status, out, err


@pytest.fixture(scope="module")
def proven(folder):
    """The report on all files, with layers, as JSON and HTML, and its exit status."""
    names = [f"{p}.tflite" for p in PRECISIONS] + ["faulty.tflite"]
    report, page = folder / "proof.json", folder / "proof.html"
    command = [folder / "net.keras", *(folder / name for name in names), "--data", folder / "data.npz"]
    command += ["--column", "tf.lite", "--layers", "--json", report, "--html", page]
    status = main([str(one) for one in command])
    return json.loads(report.read_text()), page.read_text(), status


def test_the_files_of_a_model_are_within(proven):
    report, _, _ = proven
    cells = {cell["row"]: cell for cell in report["cells"]}
    for precision in PRECISIONS:
        cell = cells[f"{precision}.tflite"]
        assert (cell["verdict"], cell["why"], cell["samples"]) == ("within", "", 40), cell
        (figures,) = cell["outputs"]
        assert figures["used"] <= 100
        assert figures["largest"] <= figures["allowed"]
        assert figures["agreement"] >= 90
        assert report["files"][f"{precision}.tflite"]["findings"] == []
    int8, float32 = (cells[f"{p}.tflite"]["outputs"][0] for p in ("int8", "float32"))
    assert int8["step"] == 1 / 256
    assert int8["snr"] < 60 < 100 < float32["snr"]


def test_a_fault_in_one_weight_is_found_with_its_layer(proven):
    report, page, status = proven
    assert status == 1
    assert report["verdict"] == "out"
    (cell,) = [one for one in report["cells"] if one["row"] == "faulty.tflite"]
    assert cell["verdict"] == "out"
    assert re.match(
        r"the file: not this model's weights: layer second_project, \d+ CONV_2D, kernel: 1 of 48 are off",
        cell["why"],
    )
    assert cell["why"] in page.replace("&#x27;", "'")
    found = report["layers"]["faulty.tflite"]
    departing = [layer for layer in found if layer["departs"]]
    assert [layer["layer"] for layer in departing] == ["second_project"]
    place = found.index(departing[0])
    right = report["layers"]["int8.tflite"]
    # Before the fault both are as noisy; in that layer the faulty one is noisier than its bits allow.
    assert [one["snr"] for one in found[:place]] == [one["snr"] for one in right[:place]]
    assert found[place]["snr"] < found[place]["allowed"] < right[place]["snr"] - 6


def test_layers_of_right_files_are_as_noisy_as_their_bits_explain(proven):
    report, _, _ = proven
    for precision in PRECISIONS:
        found = report["layers"][f"{precision}.tflite"]
        names = [layer["layer"] for layer in found]
        for name in ("stem", "first_expand", "first_depthwise", "first_add", "second_project", "scores"):
            assert name in names
        assert not [layer for layer in found if layer["departs"]]
        assert all(layer["snr"] is None or layer["snr"] >= layer["allowed"] for layer in found)


def test_the_page_is_one_file_that_says_it_all(proven):
    _, page, _ = proven
    tree = ElementTree.fromstring(page.split("\n", 1)[1])
    text = " ".join("".join(tree.itertext()).split())
    assert "✗ 1 cell of 5 is out of tolerance" in text
    assert "faulty in TensorFlow" in text
    assert "The file departs from the model in" in text
    assert "second_project conv" in text
    assert not [word for word in ("http:", "https:", "<script", "url(") if word in page]


def test_the_terminal_shows_cells_layers_and_a_verdict(folder, capsys):
    status, out, err = run(capsys, folder, folder / "int8.tflite", "--layers")
    assert (status, err) == (0, "")
    assert re.search(r"^TensorFlow \(tensorflow \S+ XNNPACK\)$", out, re.MULTILINE)
    assert re.search(r"^  int8 +40 .* within$", out, re.MULTILINE)
    assert re.search(r"^  first_depthwise \(DEPTHWISE_CONV_2D\) +\d.* dB +\d.* dB ", out, re.MULTILINE)
    assert out.splitlines()[-1] == (
        "prove: all within tolerance (1 cell, 0 refused, 0 not derived, 0 columns absent)"
    )


def test_other_weights_are_told_from_quantisation(folder, capsys):
    status, out, _ = run(capsys, folder, folder / "other.tflite")
    assert status == 1
    assert re.search(r"OUT: the file: not this model's weights: layer stem, \d+ CONV_2D, kernel: \d+ of", out)
    assert out.splitlines()[-1].endswith(
        "prove: 1 of 1 cell out of tolerance: other.tflite in tf.lite "
        "(0 refused, 0 not derived, 0 columns absent)"
    )


@pytest.mark.parametrize("name", ["tflite-runtime", "litert-plain", "micro", "tf.lite-reference"])
def test_every_kernel_is_within(folder, capsys, name):
    if absence(COLUMNS[name]):
        pytest.skip("not here")
    status, out, _ = run(capsys, folder, folder / "int8.tflite", column=name)
    assert status == 0, out


def test_labels_give_the_error(folder, capsys, tmp_path):
    wanted = mobile_net().predict(pixels().astype(np.float32), verbose=0).argmax(axis=1)
    wanted[:4] = (wanted[:4] + 1) % 5
    np.save(tmp_path / "labels.npy", wanted)
    arguments = (
        folder / "float32.tflite",
        "--labels",
        tmp_path / "labels.npy",
        "--json",
        tmp_path / "r.json",
    )
    assert run(capsys, folder, *arguments)[0] == 0
    (cell,) = json.loads((tmp_path / "r.json").read_text())["cells"]
    assert cell["outputs"][0]["error"] == 10.0
    assert cell["outputs"][0]["agreement"] == 100.0


def test_an_operator_without_a_rule_is_not_derived(folder, capsys, tmp_path):
    x = keras.Input((6,), name="x")
    chosen = keras.ops.take(layers.Dense(4)(x), [3, 1, 2], axis=-1)
    model = with_random_weights(keras.Model(x, layers.Dense(3)(chosen)))
    model.save(tmp_path / "net.keras")
    data = np.random.default_rng(2).normal(size=(20, 6)).astype(np.float32)
    np.savez(tmp_path / "data.npz", data)
    content = to_tflite(model, precision="int8", calibration=data).content
    (tmp_path / "net.tflite").write_bytes(content)
    status, out, _ = run(capsys, tmp_path, tmp_path / "net.tflite", "--json", tmp_path / "r.json")
    assert status == 0
    assert re.search(r"not derived: no rule for \d GATHER", out)
    assert out.splitlines()[-1].startswith("prove: no cell within tolerance, none out (1 cell, ")
    (cell,) = json.loads((tmp_path / "r.json").read_text())["cells"]
    assert cell["verdict"] == "not derived"
    (figures,) = cell["outputs"]
    assert (figures["allowed"], figures["used"], figures["agreement"]) == (None, None, None)
    assert 0 < figures["mean"] < figures["largest"] < 255
    assert 10 < figures["snr"] < 60


@pytest.fixture(scope="module")
def of_two(tmp_path_factory):
    """A model of two inputs and two outputs, its file and its samples."""
    made = tmp_path_factory.mktemp("two")
    a, b = keras.Input((4,), name="first"), keras.Input((4,), name="other")
    joined = layers.Concatenate()([layers.Dense(3, activation="relu")(a), b])
    outputs = [layers.Dense(2, name="scores", activation="softmax")(joined), layers.Dense(2, name="place")(a)]
    model = with_random_weights(keras.Model([a, b], outputs))
    model.save(made / "net.keras")
    (made / "net.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    random = np.random.default_rng(3)
    arrays = {name: random.normal(size=(20, 4)).astype(np.float32) for name in ("first", "other")}
    np.savez(made / "data.npz", **arrays)
    np.savez(made / "swapped.npz", first=arrays["other"], other=arrays["first"])
    np.savez(made / "nameless.npz", *arrays.values())
    return made


def test_several_inputs_and_outputs_go_by_their_names(of_two, capsys, tmp_path):
    status, out, _ = run(capsys, of_two, of_two / "net.tflite", "--json", tmp_path / "r.json")
    assert status == 0, out
    (cell,) = json.loads((tmp_path / "r.json").read_text())["cells"]
    assert {one["name"] for one in cell["outputs"]} == {"scores", "place"}
    for one in cell["outputs"]:
        assert one["largest"] < 0.01  # the outputs are not swapped, nor the inputs
        assert one["largest"] <= one["allowed"]
        assert (one["agreement"] is None) == (one["name"] == "place")


def test_two_inputs_without_names_are_refused(of_two, capsys):
    status, _, err = run(capsys, of_two, of_two / "net.tflite", data="nameless.npz")
    wanted = "expected arrays named first, other, one for each input of the model, got arr_0, arr_1"
    assert (status, err) == (2, f"prove: {wanted}\n")


# --- files that go beyond the check before native code gets them


class Sums(layers.Layer):
    """Adds up the steps so far."""

    def call(self, steps):
        return keras.ops.cumsum(steps, axis=1)


def sequences(layer):
    """Return a model of sequences with `layer`, and its float32 file."""
    x = keras.Input((10, 4), name="steps")
    model = keras.Model(x, layers.Dense(3, name="last")(layer(x)))
    return model, to_tflite(model, precision="float32").content


@pytest.mark.parametrize(
    ("layer", "beyond", "rule"),
    [
        (layers.LSTM(5), r"tensor \d+: a variable, which .*", "UNIDIRECTIONAL_SEQUENCE_LSTM"),
        (layers.GRU(5), "3 graphs, not 1", "WHILE"),
        (Sums(), "operator 0 CUMSUM: one that .*", "CUMSUM"),
        (layers.Reshape((2, 5, 2, 2)), r"tensor \d+: 5 dimensions, more than 4", "RESHAPE"),
    ],
)
def test_a_file_that_goes_beyond_the_check_is_proven_and_named(layer, beyond, rule, rng):
    model, content = sequences(layer)
    lines, samples = [], rng.normal(size=(20, 10, 4)).astype(np.float32)
    columns = ["tf.lite", "litert"]
    proof = converters.prove(
        model, {"a.tflite": content}, samples, columns=columns, layers=True, print_lines=lines.append
    )
    assert re.fullmatch(f"a.tflite: not checked before it runs: {beyond}", lines[0])
    assert re.fullmatch(beyond, proof.as_json()["files"]["a.tflite"]["unchecked"])
    (page := html_of({**proof.as_json(), "command": "a"})).index("not checked before it ran: ")
    ElementTree.fromstring(page)
    for cell in proof.cells:
        (figures,) = cell.outputs
        # float32: 24 bits hold 144 dB, less what sums lose.
        assert figures.snr is None or figures.snr > 100
        if rule == "RESHAPE":
            assert cell.verdict == "within"
        else:
            assert re.match(rf"no rule for \d+ {rule}", cell.underived)


def test_a_file_that_ends_its_process_is_out(folder, capsys, monkeypatch):
    """The command goes on where a file that goes beyond the check kills a runtime."""
    death = ("-c", "import os, signal; input(); os.kill(os.getpid(), signal.SIGSEGV)")
    monkeypatch.setattr("converters.runtimes.columns.WORKER", (sys.executable, *death))
    status, out, _ = run(capsys, folder, folder / "float32.tflite")
    assert status == 1
    assert "OUT: expected to run, but: the process died with signal 11 (SIGSEGV)" in out


@pytest.mark.parametrize("delegate", ["gpu", "micro", "tflite-runtime", "web"])
def test_a_loop_is_one_operator_of_an_audit(delegate):
    _, content = sequences(layers.GRU(5))
    names = [verdict.name for verdict in converters.audit(content, delegate=delegate)]
    assert names.count("WHILE") == 1


# --- bad input


def bad_inputs(folder, tmp_path):
    """Yield arguments that are wrong, and what is said of them, in the order of the checks."""
    int8 = folder / "int8.tflite"
    np.save(tmp_path / "few.npy", np.zeros(39, int))
    yield [int8, "--labels", tmp_path / "few.npy"], "expected 40 labels, one for each sample, got 39"
    yield [int8, "--samples", "9"], "expected 10 samples or more, got 9"
    yield [int8, "--samples", "0"], "expected --samples of 1 or more, got 0"
    yield [int8, "--slow-samples", "-1"], "expected --slow-samples of 1 or more, got -1"
    yield [int8, int8], "expected files of different names, got int8.tflite, int8.tflite"
    yield [folder / "net.keras"], "expected net.keras to be a sound .tflite file, got another kind of file"
    yield [folder / "none.tflite"], f"{folder}/none.tflite: expected a file or folder, got nothing there"
    yield [int8, "--json", "/none/a.json"], "/none: expected a file or folder, got nothing there"
    yield [int8, "--html", "/"], "/: expected a file, got a folder"


def test_bad_input_is_one_line_before_a_model_is_loaded(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "converters.model.loading", None)
    for arguments, message in bad_inputs(folder, tmp_path):
        assert run(capsys, folder, *arguments) == (2, "", f"prove: {message}\n")


@pytest.fixture(scope="module")
def tuned(folder):
    """The model fine-tuned, saved as it can be loaded and as it cannot, and its file."""
    model = quantize_aware(fold(mobile_net()), calibration=pixels())
    for weight in model.trainable_weights:
        weight.assign(1.1 * weight)  # training moves them
    settle(model)
    model.save(folder / "tuned.h5")
    model.save(folder / "tuned.keras")
    (folder / "tuned.tflite").write_bytes(to_tflite(model, precision="int8").content)
    return folder


def test_a_saved_fine_tuned_model_is_proven(tuned, capsys):
    status, out, _ = run(capsys, tuned, tuned / "tuned.tflite", "--layers", model="tuned.h5")
    assert status == 0, out
    assert re.search(r"^  tuned +40 .* within$", out, re.MULTILINE)
    assert re.search(r"^  scores \(SOFTMAX\) ", out, re.MULTILINE)
    status, out, _ = run(capsys, tuned, tuned / "int8.tflite", model="tuned.h5")
    assert status == 1
    assert "OUT: the file: not this model's weights: layer stem, " in out


def test_a_fine_tuned_keras_file_is_one_line_before_a_model_is_loaded(tuned, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "converters.model.loading", None)
    status, out, err = run(capsys, tuned, tuned / "tuned.tflite", model="tuned.keras")
    wanted = "expected a fine-tuned model in an .h5 file, as Keras 2 loads none from a .keras file, got "
    assert (status, out, err) == (2, "", f"prove: {wanted}{tuned}/tuned.keras\n")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            np.zeros((20, 8, 8, 3)),
            r"samples of shape \(n, 16, 16, 3\) for the input image, got \(20, 8, 8, 3\)",
        ),
        (np.full((20, 16, 16, 3), np.nan), "finite samples, got NaN or infinity"),
        (np.array(["a"] * 20), r"samples \(n, ...\) that are numbers, got <U1 of shape \(20,\)"),
        (np.float32(1), r"samples \(n, ...\) that are numbers, got float32 of shape \(\)"),
    ],
)
def test_samples_that_are_not_the_model_s_are_one_line(folder, tmp_path, capsys, array, message):
    np.savez(tmp_path / "data.npz", array)
    status, out, err = run(capsys, folder, folder / "int8.tflite", data=tmp_path / "data.npz")
    assert (status, out) == (2, "")
    assert re.fullmatch(f"prove: expected {message}\n", err)


def test_a_file_of_another_shape_is_one_line(folder, tmp_path, capsys):
    x = keras.Input((8, 8, 3), name="x")
    content = to_tflite(keras.Model(x, layers.Flatten()(x)), precision="float32").content
    (tmp_path / "small.tflite").write_bytes(content)
    status, out, err = run(capsys, folder, folder / "int8.tflite", tmp_path / "small.tflite")
    wanted = "small.tflite: expected a file from 1x16x16x3 to 1x5, got 1x8x8x3 to 1x192"
    assert (status, out, err) == (2, "", f"prove: {wanted}\n")


def test_labels_of_no_class_are_one_line(folder, tmp_path, capsys):
    np.save(tmp_path / "labels.npy", np.full(40, 5))
    status, _, err = run(capsys, folder, folder / "int8.tflite", "--labels", tmp_path / "labels.npy")
    assert (status, err) == (2, "prove: expected labels from 0 to 4, got 5 to 5\n")


def test_a_file_without_a_runtime_here_is_no_fault(folder, capsys, monkeypatch):
    monkeypatch.setattr("converters.proof.runs.absence", lambda column: f"no {column.name} today")
    status, out, _ = run(capsys, folder, folder / "int8.tflite")
    assert status == 0
    assert "TensorFlow: absent: no tf.lite today" in out
    assert "1 column absent" in out.splitlines()[-1]


def test_prove_is_a_function_of_the_package(files):
    proof = converters.prove(mobile_net(), {"a": files["int8"]}, pixels(), columns=["tf.lite"])
    assert proof.verdict == "within"
    assert [cell.row for cell in proof.cells] == ["a"]
    with pytest.raises(converters.InputError, match="expected columns of tf.lite, .*, got nonsense"):
        converters.prove(mobile_net(), {}, pixels(), columns=["nonsense"])


# --- answers from elsewhere


def answered(folder, name, **more):
    """Write a phone's report with TensorFlow's own answers to the first 20 samples; return its path."""
    content = (folder / name).read_bytes()
    _, stored = run_stored(content, pixels(20).astype(np.float32))
    (output,) = read_graph(content).outputs
    answer = {
        **{"model": name, "runtime": "tflite", "version": "2.16", "asked": "none", "delegate": ""},
        **{"reason": "", "taken": 0, "nodes": 20, "threads": 1, "seconds": 0.5, "pictures": "samples"},
        **{"type": output.type, "scale": output.scales.item(0), "zero_point": output.zero_points.item(0)},
        "scores": stored.tolist(),
        **more,
    }
    machine = {"system": "Android 15", "architecture": "aarch64", "processor": "Tensor", "board": None}
    models = {name: {"sha256": hashlib.sha256(content).hexdigest()}}
    report = {"date": "2026-01-01", "machine": machine, "models": models, "answers": [answer]}
    (folder / "phone.json").write_text(json.dumps(report))
    return folder / "phone.json"


def test_answers_from_elsewhere_are_a_column(folder, capsys, tmp_path):
    path, page = answered(folder, "int8.tflite"), tmp_path / "page.html"
    status, out, _ = run(capsys, folder, folder / "int8.tflite", "--answers", path, "--html", page)
    assert status == 0
    assert "TensorFlow Lite, no delegate (Android 15) (TensorFlow Lite 2.16)" in out
    assert re.search(r"^  int8 +20 .* within$", out, re.MULTILINE)
    assert "  samples, from phone.json" in out
    assert "samples, from phone.json" in page.read_text()


def test_wrong_answers_from_elsewhere_are_out(folder, capsys):
    scores = json.loads(answered(folder, "int8.tflite").read_text())["answers"][0]["scores"]
    scores[3] = scores[3][::-1]
    path = answered(folder, "int8.tflite", scores=scores)
    status, out, _ = run(capsys, folder, folder / "int8.tflite", "--answers", path)
    assert status == 1
    assert "OUT: 1 sample beyond its tolerance, sample 3 by " in out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"scores": [[0] * 4]}, r"answers\[0\].scores\[0\] that is not a list of 5 numbers"),
        ({"scores": [[0] * 5] * 41}, r"answers\[0\].scores of 41 samples, not 1 to 40"),
        ({"pictures": "golden"}, r"answers\[0\].pictures = 'golden'"),
        ({"scale": 0.5}, "0.5"),
    ],
)
def test_answers_that_are_not_the_file_s_are_one_line(folder, capsys, more, message):
    path = answered(folder, "int8.tflite", **more)
    status, out, err = run(capsys, folder, folder / "int8.tflite", "--answers", path)
    assert (status, out) == (2, "")
    assert re.fullmatch(f"prove: expected .*, got {message}\n", err), err
