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

from converters.__main__ import main
from converters.base.environment import keras
from converters.base.errors import exit_status

layers = keras.layers

MODULE = """
from converters.base.environment import keras
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
    make = "import foreign; from converters.base.environment import keras\n"
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
from converters.base.environment import keras
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
from converters.base.environment import keras
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
        (_lambda_model, "expected a model that Keras can load"),
    ],
    ids=["no archive", "no file", "Keras 3", "code inside"],
)
def test_bad_models_are_answered_in_one_line(tmp_path, capsys, make, message):
    make(tmp_path / "m.keras")
    status, _, err = run(capsys, tmp_path / "m.keras", "--out", tmp_path / "out")
    assert (status, len(err.splitlines())) == (2, 1)
    assert re.search(message, err)
    assert not list(tmp_path.glob("out/*"))


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
