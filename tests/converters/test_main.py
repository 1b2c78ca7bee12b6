"""`python -m converters` on models that we did not write."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import h5py
import keras as keras_3
import numpy as np
import pytest
import tf_keras as keras_2
from small_nets import with_fault

from converters.__main__ import main
from converters.base.errors import exit_status
from converters.file.graph import read_graph
from converters.model.conversion import to_tflite
from converters.model.folding import fold
from converters.model.quantize_aware import quantize_aware

MODULE = """
import {keras} as keras
@keras.saving.register_keras_serializable(package="foreign")
class Doubled(keras.layers.Layer):
    def call(self, inputs):
        return inputs + inputs
"""


def model_of(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(3, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(4, activation="softmax"),
        ]
    )


@pytest.fixture
def data(tmp_path, rng):
    np.savez(tmp_path / "data.npz", rng.integers(0, 256, (40, 8, 8, 2), np.uint8))
    return tmp_path / "data.npz"


@pytest.fixture
def saved(tmp_path, data):
    model_of(keras_3).save(tmp_path / "net.keras")
    return tmp_path


def run(capsys, *arguments):
    status = exit_status(main, [str(argument) for argument in arguments], name="converters")
    out, err = capsys.readouterr()
    return status, out, err


FOLDED = r"batch_normalization(_\d+)?: folded"  # Keras counts in a process
NOT_FOLDED = "a SavedModel is not folded: converted as it is"


@pytest.mark.parametrize("options", [(), ("--per-channel-dense",)])
@pytest.mark.parametrize("name", ["net.keras", "net"])
def test_a_dense_kernel_has_several_scales_in_the_int8_file_if_asked(tmp_path, data, capsys, name, options):
    model, path = model_of(keras_3), str(tmp_path / name)
    (model.save if "." in name else model.export)(path)
    precisions = ("--precision", "int8", "--precision", "dynamic")
    command = (path, "--calibration", data, "--out", tmp_path, *precisions)
    assert run(capsys, *command, *options)[0] == 0
    nodes = read_graph((tmp_path / "net_int8.tflite").read_bytes()).nodes
    (dense,) = (node for node in nodes if node.name == "FULLY_CONNECTED")
    assert dense.inputs[1].scales.size == (4 if options else 1)


def test_several_scales_of_a_dense_kernel_want_an_int8_file(saved, capsys):
    status, out, err = run(capsys, saved / "net.keras", "--precision", "float32", "--per-channel-dense")
    assert (status, out) == (2, "")
    assert "expected --per-channel-dense with an int8 file, got only" in err


@pytest.mark.parametrize("keras", [keras_3, keras_2], ids=["Keras 3", "Keras 2"])
@pytest.mark.parametrize("name", ["net.keras", "net.h5", "net.hdf5", "net"])
def test_it_writes_every_precision_and_a_manifest(keras, tmp_path, data, capsys, name):
    model, path = model_of(keras), str(tmp_path / name)
    if "." in name:
        model.save(path)
    else:
        model.export(path)
    capsys.readouterr()
    status, out, err = run(capsys, path, "--calibration", data, "--out", tmp_path / "out")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    table = next(index for index, line in enumerate(lines) if line.startswith("precision"))
    note = FOLDED if "." in name else NOT_FOLDED
    assert any(re.fullmatch(note, line) for line in lines[:table])
    kinds = ("float32", "float16", "dynamic", "int8")
    assert [line.split()[0] for line in lines[table + 1 : -1]] == list(kinds)  # nothing else is printed
    assert all(float(line.split()[-2]) < 0.1 for line in lines[table + 1 : -1])
    assert {line.split()[-1] for line in lines[table + 1 : -1]} == {"within"}
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    names = [f"net_{kind}.tflite" for kind in kinds]
    assert list(manifest["models"]) == names
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted([*names, "manifest.json"])
    assert "tensorflow" in manifest["versions"]


def test_a_fine_tuned_model_becomes_a_proven_int8_file(tmp_path, data, capsys):
    (samples,) = np.load(data).values()
    model = quantize_aware(fold(model_of(keras_3)), calibration=samples)
    model.save(tmp_path / "tuned.h5")
    command = (tmp_path / "tuned.h5", "--calibration", data, "--out", tmp_path)
    status, out, err = run(capsys, *command)
    note = "a fine-tuned model is not folded: converted as it is\n"
    wanted = "expected int8 for a model made by quantize_aware, got 'float32'"
    assert (status, out, err) == (2, note, f"converters: {wanted}\n")
    status, out, err = run(capsys, *command, "--precision", "int8")
    assert (status, err) == (0, "")
    assert re.search(r"^int8 .* within$", out, re.MULTILINE)
    content = (tmp_path / "tuned_int8.tflite").read_bytes()
    assert content == to_tflite(model, precision="int8").content


def test_the_table_is_all_that_is_printed(saved):
    """Keras and TensorFlow print and log in a process of their own what they do not in this one."""
    model_of(keras_3).export(str(saved / "net"))
    for name in ("net.keras", "net"):
        command = [sys.executable, "-m", "converters", name, "--precision", "float32", "--out", "out"]
        done = subprocess.run(command, cwd=saved, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        first = done.stdout.splitlines()[0]
        assert re.fullmatch(f"{FOLDED}|rescaling.*|{NOT_FOLDED}", first)


@pytest.mark.parametrize("backend", ["torch", "nonsense"])
def test_it_converts_with_tensorflow_whatever_backend_is_set(saved, backend):
    command = [sys.executable, "-m", "converters", "net.keras", "--precision", "float32", "--out", "out"]
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(command, cwd=saved, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_file_is_proven_as_it_is_written(saved, capsys):
    arguments = (saved / "net.keras", "--calibration", saved / "data.npz", "--out", saved / "out")
    _, out, _ = run(capsys, *arguments)
    rows = [line for line in out.splitlines() if line.startswith(("float", "dynamic", "int8"))]
    assert len(rows) == 4
    assert all(row.endswith("  within") for row in rows), rows
    assert "TensorFlow" not in out  # one runtime, this process's


def test_a_file_that_departs_from_its_model_is_status_1_and_names_the_layer(saved, capsys, monkeypatch):
    def faulty(model, **options):
        converted = to_tflite(model, **options)
        name = model.layers[-4].name  # the convolution, behind which are ReLU, Flatten and Dense
        return converted._replace(content=with_fault(converted.content, name))

    monkeypatch.setattr("converters.proof.checked_files.to_tflite", faulty)
    arguments = (saved / "net.keras", "--calibration", saved / "data.npz", "--out", saved / "out")
    status, out, _ = run(capsys, *arguments, "--precision", "int8")
    assert status == 1
    assert re.search(r"^int8 .* OUT: the file: not this model's weights: layer conv2d(_\d+)?, ", out, re.M)


def test_all_runtimes_can_be_asked_for(saved, capsys, monkeypatch):
    monkeypatch.setattr(
        "converters.proof.runs.absence", lambda column: "" if column.name == "micro" else "no"
    )
    arguments = (saved / "net.keras", "--calibration", saved / "data.npz", "--out", saved / "out")
    status, out, _ = run(capsys, *arguments, "--precision", "int8", "--prove", "all")
    assert status == 0
    assert re.search(r"^TensorFlow Lite Micro \(tflite-micro .*\)$", out, re.MULTILINE)
    assert re.search(r"^  net_int8 +40 .* within$", out, re.MULTILINE)
    assert "LiteRT, XNNPACK: absent: no" in out


def test_without_calibration_it_writes_what_needs_none(saved, capsys):
    status, out, _ = run(capsys, saved / "net.keras", "--out", saved / "out")
    assert status == 0
    assert "int8" not in out
    assert "not compared" in out


@contextlib.contextmanager
def modules_in(folder):
    """Let modules of `folder` be imported; at the end forget them, and what they registered with a Keras."""
    files = [path.relative_to(folder).with_suffix("") for path in folder.rglob("*.py")]
    names = {".".join(file.parts).removesuffix(".__init__") for file in files}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        try:
            yield
        finally:
            for registry in (keras.saving.get_custom_objects() for keras in (keras_3, keras_2)):
                made = [name for name, thing in registry.items() if getattr(thing, "__module__", "") in names]
                for name in made:
                    del registry[name]
            for name in names:
                sys.modules.pop(name, None)


@pytest.mark.parametrize("keras", [keras_3, keras_2], ids=["Keras 3", "Keras 2"])
def test_custom_layers_come_from_the_module_named(tmp_path, capsys, keras):
    (tmp_path / "foreign.py").write_text(MODULE.format(keras=keras.__name__))
    path, x = tmp_path / "m.keras", keras.Input((3,))
    with modules_in(tmp_path):
        keras.Model(x, importlib.import_module("foreign").Doubled()(x)).save(path)
    command = (path, "--precision", "float32", "--out", tmp_path / "out")
    with modules_in(tmp_path):
        status, _, err = run(capsys, *command)
        assert status == 2
        assert "custom layers need --import" in err
        assert len(err.strip().splitlines()) == 1
        status, _, err = run(capsys, *command, "--import", "foreign")
    assert status == 0, err
    assert (tmp_path / "out" / "m_float32.tflite").exists()


LAZY = """
import importlib

def __getattr__(name):
    if name in ("Doubled", "slanted"):
        return getattr(importlib.import_module("lazy.layers"), name)
    raise AttributeError(name)
"""
LAZY_LAYERS = """
import {keras} as keras
register = keras.saving.register_keras_serializable(package="lazy")

@register
class Doubled(keras.layers.Layer):
    def call(self, inputs):
        return inputs + inputs

@register
def slanted(inputs):
    return 2.0 * inputs
"""


@pytest.fixture(scope="module", params=[keras_3, keras_2], ids=["Keras 3", "Keras 2"])
def lazy_folder(tmp_path_factory, request):
    """Save a model whose layers are in a package that loads them when they are asked for."""
    keras, folder = request.param, tmp_path_factory.mktemp("lazy")
    (folder / "lazy").mkdir()
    (folder / "lazy" / "__init__.py").write_text(LAZY)
    (folder / "lazy" / "layers.py").write_text(LAZY_LAYERS.format(keras=keras.__name__))
    (folder / "other.py").write_text("")
    x = keras.Input((3,))
    with modules_in(folder):
        lazy = importlib.import_module("lazy")
        y = lazy.Doubled(name="twice")(keras.layers.Dense(2, activation=lazy.slanted)(x))
        keras.Model(x, y).save(folder / "m.keras")
    return folder


@pytest.fixture
def converted_lazily(lazy_folder, tmp_path, capsys):
    """Return a function that converts the model with some options."""
    command = (lazy_folder / "m.keras", "--precision", "float32", "--out", tmp_path)
    with modules_in(lazy_folder):
        yield lambda *options: run(capsys, *command, *options)


@pytest.mark.parametrize("module", ["lazy", "lazy.layers"])
def test_a_package_that_loads_its_names_lazily_may_be_named(converted_lazily, module):
    status, _, err = converted_lazily("--import", module)
    assert (status, err) == (0, "")


@pytest.mark.parametrize("options", [[], ["--import", "other"]])
def test_what_no_module_registers_is_named_with_the_line_that_helps(converted_lazily, options):
    status, _, err = converted_lazily(*options)
    assert status == 2
    line = "got one with slanted, Doubled, which no module registers: --import lazy.layers\n"
    assert err.endswith(line)
    assert err.count("\n") == 1


def test_a_module_that_is_not_there_is_named(saved, capsys):
    status, _, err = run(capsys, saved / "net.keras", "--import", "no_such_module", "--out", saved / "out")
    assert (status, len(err.splitlines())) == (2, 1)
    assert "expected --import to name a module, got no_such_module" in err


@pytest.mark.parametrize("place", ["net.keras", "net.keras/deeper", "nowhere"])
def test_a_folder_that_cannot_be_written_is_told_before_the_work(saved, capsys, monkeypatch, place):
    def load_model(*_, **__):
        raise AssertionError("the model is loaded before the output is checked")

    monkeypatch.setattr("converters.model.loading.load_model", load_model)
    out = saved / place
    if place == "nowhere":  # a link to nothing that could be made, whoever runs this
        out.symlink_to("/proc/nowhere/out")
    status, _, err = run(capsys, saved / "net.keras", "--out", out)
    assert (status, len(err.splitlines())) == (2, 1)
    assert err.startswith(f"converters: {out}: expected a ")


def _of_version(version):
    def make(path):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("metadata.json", json.dumps({"keras_version": version}))
            archive.writestr("config.json", "{}")
            archive.writestr("model.weights.h5", _no_weights())

    return make


def _no_weights():
    content = io.BytesIO()
    h5py.File(content, "w").close()
    return content.getvalue()


def _damaged_graph(path):
    path.mkdir()
    (path / "saved_model.pb").write_bytes(b"none")


def _without_variables(path):
    model_of(keras_3).export(str(path))
    shutil.rmtree(path / "variables")


def _weights_alone(path):
    model_of(keras_3).save_weights(str(path))


NO_KERAS = "expected a .keras file, got another or a damaged one"
NO_HDF5 = "expected an .h5 model of Keras, got another or a damaged one"
NO_SAVED_MODEL = "expected a SavedModel, got another or a damaged one"


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("m.keras", lambda path: path.write_bytes(b"none"), NO_KERAS),
        ("m.h5", lambda path: path.write_bytes(b"none"), NO_HDF5),
        ("m.keras", lambda path: None, "expected a file or folder, got nothing there"),
        ("m.h5", lambda path: None, "expected a file or folder, got nothing there"),
        ("m.keras", _of_version("4.1"), "to be saved by Keras 3 or Keras 2, got Keras 4.1"),
        ("m.keras", _of_version(""), "to be saved by Keras 3 or Keras 2, got Keras "),
        ("m.weights.h5", _weights_alone, "m.weights.h5 to hold a model .model.save., got weights or other"),
        ("m.onnx", lambda path: path.write_bytes(b"none"), "expected a model: MODEL.keras, .* got .*m.onnx"),
        ("m", lambda path: path.mkdir(), "got .*, a folder without saved_model.pb"),
        ("m", _damaged_graph, NO_SAVED_MODEL),
        ("m", _without_variables, NO_SAVED_MODEL),
    ],
)
def test_bad_models_are_answered_in_one_line(tmp_path, capsys, name, make, message):
    make(tmp_path / name)
    capsys.readouterr()
    status, _, err = run(capsys, tmp_path / name, "--out", tmp_path / "out")
    assert (status, len(err.splitlines())) == (2, 1)
    assert re.search(message, err)
    assert not list(tmp_path.glob("out/*"))


def _zeros(path, *, compress):
    kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", bytes(2 << 20))


def _claims(path, size):
    """Write a file whose list of members says `size` bytes of the last one."""
    _zeros(path, compress=False)
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = size.to_bytes(4, "little")
    content[at + 20 : at + 24] = size.to_bytes(4, "little")
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda path: _zeros(path, compress=True),
            "compressed 100 times or less, got 'model.weights.h5' of 2,097,152",
        ),
        (lambda path: _claims(path, (2 << 30) + 1), "to unpack to 2,147,483,648 bytes or less, got 2,147,48"),
    ],
    ids=["packed too well", "too large"],
)
def test_a_file_that_unfolds_to_too_much_is_refused_unread(tmp_path, capsys, monkeypatch, make, message):
    def read(*_, **__):
        raise AssertionError("a member is unpacked before the sizes are checked")

    make(tmp_path / "m.keras")
    monkeypatch.setattr(zipfile.ZipFile, "read", read)
    monkeypatch.setattr(zipfile.ZipFile, "open", read)
    status, _, err = run(capsys, tmp_path / "m.keras", "--trust-code", "--out", tmp_path / "out")
    assert (status, len(err.splitlines())) == (2, 1)
    assert message in err


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": np.zeros((2, 8, 8, 2)), "b": np.zeros(3)}, "with one array, got 2"),
        (
            {"a": np.zeros((2, 8, 8, 3))},
            "expected calibration inputs of shape (n, 8, 8, 2), got (2, 8, 8, 3)",
        ),
        ({"a": np.zeros((0, 8, 8, 2))}, "expected one calibration input or more, got none"),
        ({"a": np.ones((2, 8, 8, 2))}, "expected calibration inputs that differ, got the constant 1"),
        ({"a": np.eye(8).repeat(16).reshape(1, 8, 8, 16)[..., :2]}, "that span 0 to 255, got 0 to 1"),
        ({"a": np.array([object()])}, "expected a .npz file, got another or a damaged one"),
    ],
    ids=["two arrays", "another shape", "empty", "constant", "another range", "pickle"],
)
def test_bad_calibration_is_answered_in_one_line(saved, capsys, arrays, message):
    np.savez(saved / "bad.npz", **arrays)
    arguments = (saved / "net.keras", "--calibration", saved / "bad.npz", "--out", saved / "bad")
    status, _, err = run(capsys, *arguments, "--input-range", "0", "255")
    assert (status, len(err.splitlines())) == (2, 1)
    assert message in err
    assert not list((saved / "bad").glob("*"))


def test_calibration_may_be_one_array_of_a_npy_file(saved, capsys):
    with np.load(saved / "data.npz") as arrays:
        np.save(saved / "data.npy", arrays["arr_0"])
    files = []
    for name in ("data.npz", "data.npy"):
        arguments = (saved / "net.keras", "--calibration", saved / name, "--out", saved / "out")
        assert run(capsys, *arguments, "--precision", "int8")[0] == 0
        files.append((saved / "out" / "net_int8.tflite").read_bytes())
    assert files[0] == files[1]


@pytest.mark.parametrize("options", [(), ("--no-fold",)])
def test_branches_that_each_need_a_scaling_are_converted(tmp_path, data, capsys, options):
    layers, x = keras_3.layers, keras_3.Input((8, 8, 2))
    branches = [
        layers.BatchNormalization()(layers.Conv2D(3, 3, padding="same", activation="relu")(x))
        for _ in range(2)
    ]
    model = keras_3.Model(x, layers.GlobalAveragePooling2D()(layers.Concatenate()(branches)))
    for weight in model.weights:
        weight.assign(np.random.default_rng(1).uniform(0.5, 1.5, weight.shape))
    model.save(tmp_path / "branches.keras")
    arguments = (tmp_path / "branches.keras", "--calibration", data, "--out", tmp_path / "out", *options)
    status, out, err = run(capsys, *arguments)
    assert (status, err) == (0, "")
    rows = [line for line in out.splitlines() if line.startswith(("float", "dynamic", "int8"))]
    assert len(rows) == 4
    assert all(row.endswith("  within") for row in rows), rows


def test_int8_wants_calibration(saved, capsys):
    status, _, err = run(capsys, saved / "net.keras", "--precision", "int8", "--out", saved / "out")
    assert (status, err) == (2, "converters: expected --calibration for int8, got none\n")


def two_inputs():
    layers = keras_3.layers
    keras_3.utils.set_random_seed(0)
    picture, words = (
        keras_3.Input((6, 6, 2), name="picture"),
        keras_3.Input((4,), dtype="int32", name="words"),
    )
    parts = [layers.Conv2D(2, 3, name="first")(picture), layers.Embedding(9, 3)(words)]
    x = layers.Concatenate()([layers.Flatten()(one) for one in parts])
    return keras_3.Model([picture, words], [layers.Dense(2, name=name)(x) for name in ("one", "another")])


@pytest.fixture
def two(tmp_path, rng):
    two_inputs().save(tmp_path / "two.keras")
    arrays = {"words": rng.integers(0, 9, (40, 4)), "picture": rng.random((40, 6, 6, 2), np.float32)}
    np.savez(tmp_path / "two.npz", **arrays)
    np.savez(tmp_path / "other.npz", image=arrays["picture"], words=arrays["words"])
    np.savez(tmp_path / "none.npz")
    return tmp_path


def test_several_inputs_and_outputs_are_converted_and_compared_in_every_precision(two, capsys):
    kinds = ("float32", "float16", "dynamic", "int8", "int16")
    wanted = [option for kind in kinds for option in ("--precision", kind)]
    arguments = (two / "two.keras", "--calibration", two / "two.npz", "--out", two / "out")
    status, out, err = run(capsys, *arguments, *wanted)
    assert (status, err) == (0, "")
    rows = {line.split()[0]: line for line in out.splitlines()}
    for kind in kinds:
        assert float(re.search(r"\d\.\de[-+]\d\d", rows[kind])[0]) < 0.05
    manifest = json.loads((two / "out" / "manifest.json").read_text())
    assert list(manifest["models"]) == [f"two_{kind}.tflite" for kind in kinds]
    ends = manifest["models"]["two_int16.tflite"]
    assert [one["type"] for one in ends["inputs"]] == ["int16", "int32"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--calibration", "other.npz"], "inputs for picture, words, by these names, got image, words"),
        (["--calibration", "none.npz"], "none.npz with an array, got none"),
        (["--precision", "int16"], "expected --calibration for int16, got none"),
        (["--keep-float", "first"], "expected --keep-float with an int8 file, got only"),
        (
            ["--calibration", "two.npz", "--keep-float", "frist"],
            "layers of .* to keep in float32 .the nearest is first., got frist",
        ),
        (["--shape", "6x6"], "expected shapes by the names of the inputs, picture, words, got one"),
        (["--shape", "picture=6x"], "expected a shape like 32x32x3 or NAME=32x32x3, without the batch, got"),
    ],
)
def test_bad_options_are_answered_in_one_line_and_nothing_is_written(
    two, capsys, monkeypatch, arguments, message
):
    monkeypatch.chdir(two)
    status, _, err = run(capsys, "two.keras", "--out", "out", *arguments)
    assert (status, len(err.splitlines())) == (2, 1)
    assert re.search(message, err)
    assert not list(two.glob("out/*"))


def test_a_layer_is_kept_in_float32_in_the_int8_file_only(two, capsys):
    arguments = (two / "two.keras", "--calibration", two / "two.npz", "--out", two / "out")
    status, _, _ = run(capsys, *arguments, "--precision", "float32", "--precision", "int8")
    plain = {path.name: path.read_bytes() for path in (two / "out").glob("*.tflite")}
    precisions = ("--precision", "float32", "--precision", "int8")
    kept, _, _ = run(capsys, *arguments, *precisions, "--keep-float", "first")
    assert status == kept == 0
    changed = [name for name, content in plain.items() if (two / "out" / name).read_bytes() != content]
    assert changed == ["two_int8.tflite"]


def test_sides_that_are_open_get_a_shape(tmp_path, capsys, rng):
    x = keras_3.Input((None, None, 3), name="x")
    y = keras_3.layers.GlobalAveragePooling2D()(keras_3.layers.Conv2D(2, 3)(x))
    keras_3.Model(x, y).save(tmp_path / "open.keras")
    np.savez(tmp_path / "data.npz", rng.random((20, 9, 7, 3), np.float32))
    arguments = (tmp_path / "open.keras", "--calibration", tmp_path / "data.npz", "--out", tmp_path / "out")
    status, _, err = run(capsys, *arguments)
    assert status == 2
    assert "input shape is known apart from the batch, or a shape for it, got (None, None, 3)" in err
    status, _, err = run(capsys, *arguments, "--shape", "9x7x3")
    assert (status, err) == (0, "")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["models"]["open_int8.tflite"]["inputs"][0]["shape"] == [1, 9, 7, 3]


@pytest.mark.parametrize("keras", [keras_3, keras_2], ids=["Keras 3", "Keras 2"])
def test_a_conversion_that_kills_its_process_is_a_line_and_the_other_files_are_there(keras, tmp_path, rng):
    """In a process of its own: it must not die of it."""
    layers = keras.layers
    keras.Sequential([keras.Input((5, 3)), layers.GRU(4, name="gru"), layers.Dense(2)]).save(
        tmp_path / "gru.keras"
    )
    np.savez(tmp_path / "data.npz", rng.normal(size=(20, 5, 3)).astype(np.float32))
    command = [sys.executable, "-m", "converters", "gru.keras", "--calibration", "data.npz", "--out", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(
        "converters: expected layers that TensorFlow's converter takes in int8, got "
    )
    assert "GRU (gru): the converter ended with signal 11 (SIGSEGV)" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    written = [f"gru_{kind}.tflite" for kind in ("dynamic", "float16", "float32")]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [*written, "manifest.json"]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert sorted(manifest["models"]) == written
