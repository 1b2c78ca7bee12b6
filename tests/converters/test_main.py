"""`python -m converters` on models that we did not write."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import tf_keras as keras

from converters.__main__ import main
from converters.base.errors import exit_status

layers = keras.layers

MODULE = """
import tf_keras as keras
@keras.utils.register_keras_serializable(package="foreign")
class Doubled(keras.layers.Layer):
    def call(self, inputs):
        return inputs + inputs
"""


@pytest.fixture
def saved(tmp_path, rng):
    model = keras.Sequential(
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
    model.save(tmp_path / "net.keras")
    np.savez(tmp_path / "data.npz", rng.integers(0, 256, (40, 8, 8, 2), np.uint8))
    return tmp_path


def run(capsys, *arguments):
    status = exit_status(main, [str(argument) for argument in arguments], name="converters")
    out, err = capsys.readouterr()
    return status, out, err


def test_it_writes_every_precision_and_a_manifest(saved, capsys):
    arguments = (saved / "net.keras", "--calibration", saved / "data.npz", "--out", saved / "out")
    status, out, err = run(capsys, *arguments)
    assert (status, err) == (0, "")
    assert re.search(r"^batch_normalization(_\d+)?: folded$", out, re.MULTILINE)  # Keras counts in a process
    manifest = json.loads((saved / "out" / "manifest.json").read_text())
    names = [f"net_{p}.tflite" for p in ("float32", "float16", "dynamic", "int8")]
    assert list(manifest["models"]) == names
    assert sorted(p.name for p in (saved / "out").iterdir()) == sorted([*names, "manifest.json"])
    assert "tensorflow" in manifest["versions"]


def test_without_calibration_it_writes_what_needs_none(saved, capsys):
    status, out, _ = run(capsys, saved / "net.keras", "--out", saved / "out")
    assert status == 0
    assert "int8" not in out
    assert "not compared" in out


def test_custom_layers_come_from_the_module_named(tmp_path):
    (tmp_path / "foreign.py").write_text(MODULE)
    make = "import foreign; import tf_keras as keras\n"
    make += "x = keras.Input((3,)); keras.Model(x, foreign.Doubled()(x)).save('m.keras')"
    command = [sys.executable, "-m", "converters", "m.keras", "--precision", "float32", "--out", "out"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["."] + [p for p in sys.path if p])}
    subprocess.run([sys.executable, "-c", make], cwd=tmp_path, env=environment, check=True)
    without = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert without.returncode == 2
    assert "custom layers need --import" in without.stderr
    assert len(without.stderr.strip().splitlines()) == 1
    given = subprocess.run(
        [*command, "--import", "foreign"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert given.returncode == 0, given.stderr
    assert (tmp_path / "out" / "m_float32.tflite").exists()


LAZY = """
import importlib

def __getattr__(name):
    if name in ("Doubled", "slanted"):
        return getattr(importlib.import_module("lazy.layers"), name)
    raise AttributeError(name)
"""
LAZY_LAYERS = """
import tf_keras as keras
register = keras.utils.register_keras_serializable(package="lazy")

@register
class Doubled(keras.layers.Layer):
    def call(self, inputs):
        return inputs + inputs

@register
def slanted(inputs):
    return 2.0 * inputs
"""
SAVE_LAZY = """
import lazy
import tf_keras as keras
x = keras.Input((3,))
y = lazy.Doubled(name="twice")(keras.layers.Dense(2, activation=lazy.slanted)(x))
keras.Model(x, y).save("m.keras")
"""


@pytest.fixture
def lazy(tmp_path, monkeypatch):
    """Save a model whose layers are in a package that loads them when they are asked for."""
    (tmp_path / "lazy").mkdir()
    (tmp_path / "lazy" / "__init__.py").write_text(LAZY)
    (tmp_path / "lazy" / "layers.py").write_text(LAZY_LAYERS)
    (tmp_path / "other.py").write_text("")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}

    def run_python(*arguments):
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert run_python("-c", SAVE_LAZY).returncode == 0
    return run_python


@pytest.mark.parametrize("module", ["lazy", "lazy.layers"])
def test_a_package_that_loads_its_names_lazily_may_be_named(lazy, module):
    done = lazy("-m", "converters", "m.keras", "--precision", "float32", "--import", module)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("options", [[], ["--import", "other"]])
def test_what_no_module_registers_is_named_with_the_line_that_helps(lazy, options):
    done = lazy("-m", "converters", "m.keras", "--precision", "float32", *options)
    assert done.returncode == 2
    line = "got one with slanted, Doubled, which no module registers: --import lazy.layers\n"
    assert done.stderr.endswith(line)
    assert done.stderr.count("\n") == 1


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


def _lambda_model(path):
    keras.Sequential([keras.Input((3,)), layers.Lambda(lambda x: x * 2)]).save(path)


def _keras_3_model(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.4.1"}))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_bytes(b"none"), "expected a .keras file, got another or a damaged one"),
        (lambda path: None, "expected a file or folder, got nothing there"),
        (_keras_3_model, r"to be saved by tf_keras \(Keras 2\), got Keras 3.4.1"),
        (_lambda_model, "to be a model without code .*, got the bytecode of a lambda function"),
    ],
    ids=["no archive", "no file", "Keras 3", "code inside"],
)
def test_bad_models_are_answered_in_one_line(tmp_path, capsys, make, message):
    make(tmp_path / "m.keras")
    status, _, err = run(capsys, tmp_path / "m.keras", "--out", tmp_path / "out")
    assert (status, len(err.splitlines())) == (2, 1)
    assert re.search(message, err)
    assert not list(tmp_path.glob("out/*"))


MARKING = "import pathlib; pathlib.Path({marker!r}).touch()"


def _marks(marker):
    """Return a function whose bytecode, once it runs, makes the file `marker`: nothing it needs is global."""
    return eval(f"lambda x: (__import__('pathlib').Path({str(marker)!r}).touch(), x)[1]")


def _with_lambda(path, marker):
    keras.Sequential([keras.Input((3,)), layers.Lambda(_marks(marker))]).save(path)


def _with_lambda_in_hdf5(path, marker):
    _with_lambda(path.with_suffix(".h5"), marker)
    path.with_suffix(".h5").rename(path)


def _edited(change):
    """Return a maker of a model of one dense layer, in whose configuration `change` puts something."""

    def make(path, marker):
        keras.Sequential([keras.Input((3,)), layers.Dense(2, name="dense")]).save(path)
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        config = json.loads(members["config.json"])
        change(config, path.parent, marker)
        members["config.json"] = json.dumps(config).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)

    return make


def _system_as_activation(config, folder, marker):
    config["config"]["layers"][-1]["config"]["activation"] = {
        "class_name": "function",
        "config": "system",
        "module": "os",
        "registered_name": "system",
    }


def _module_beside(config, folder, marker):
    (folder / "planted.py").write_text(MARKING.format(marker=str(marker)))
    config.update(class_name="Planted", module="planted", registered_name="Planted")


def _write_file(config, folder, marker):
    home = "tf_keras.src.layers.core.tf_op_layer"
    layer = config["config"]["layers"][-1]
    layer.update(class_name="TFOpLambda", module=home, config={"name": "dense", "function": "io.write_file"})


PLANTED = [
    (_with_lambda, "without code .*, got the bytecode of a lambda function"),
    (_with_lambda_in_hdf5, "expected a .keras file, got another or a damaged one"),
    (_edited(_system_as_activation), "without code .*, got the function system of os"),
    (_edited(_module_beside), "got one with Planted, which no module registers: --import planted"),
    (_edited(_write_file), "without code .*, got the operation io.write_file of TensorFlow"),
]


@pytest.mark.parametrize(
    ("make", "message"), PLANTED, ids=["lambda", "HDF5", "function", "module", "operation"]
)
@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_code_in_a_model_is_refused_and_does_not_run(tmp_path, monkeypatch, capsys, make, message, name):
    marker = tmp_path / "marker"
    make(tmp_path / "m.keras", marker)
    marker.unlink(missing_ok=True)  # Keras has run a lambda to build the model
    (tmp_path / "m.keras").rename(tmp_path / name)
    monkeypatch.syspath_prepend(tmp_path)
    arguments = (tmp_path / name, "--precision", "float32", "--out", tmp_path / "out")
    status, _, err = run(capsys, *arguments)
    assert (status, len(err.splitlines())) == (2, 1)
    assert re.search(message, err)
    assert not marker.exists()


def test_code_runs_when_it_is_trusted(tmp_path, capsys):
    marker = tmp_path / "marker"
    _with_lambda(tmp_path / "m.keras", marker)
    marker.unlink()
    arguments = (tmp_path / "m.keras", "--precision", "float32", "--out", tmp_path / "out")
    status, _, err = run(capsys, *arguments, "--trust-code")
    assert (status, err) == (0, "")
    assert marker.exists()


def _zeros(path, *, compress):
    kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "2.21.0"}))
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
            "packed 100 times or less, got 'model.weights.h5' of 2,097,152",
        ),
        (lambda path: _claims(path, (2 << 30) + 1), "to unfold to 2,147,483,648 bytes or less, got 2,147,48"),
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


def test_int8_wants_calibration(saved, capsys):
    status, _, err = run(capsys, saved / "net.keras", "--precision", "int8", "--out", saved / "out")
    assert (status, err) == (2, "converters: expected --calibration for int8, got none\n")
