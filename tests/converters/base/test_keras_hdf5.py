"""An .h5 file, and the weights in a .keras file, are checked by their headers."""

from __future__ import annotations

import functools
import io
import json
import pathlib
import tempfile
import zipfile

import h5py
import hypothesis
import keras as keras_3
import numpy as np
import pytest
import tf_keras as keras_2
from hypothesis import strategies

from converters.base.errors import InputError
from converters.base.keras_archive import read_keras_archive
from converters.base.keras_hdf5 import check_hdf5, read_hdf5_model

KERASES = pytest.mark.parametrize("keras", [keras_3, keras_2], ids=["Keras 3", "Keras 2"])


def saved(keras, path):
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
    return path


def archive_with(path, weights):
    """Write a .keras file of Keras 3 with these weights."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", weights)
    return path


@KERASES
def test_what_keras_saves_is_read(keras, tmp_path):
    version, config = read_hdf5_model(saved(keras, tmp_path / "m.h5"))
    assert version == keras.__version__
    assert [layer["class_name"] for layer in config["config"]["layers"]] == ["InputLayer", "Dense"]
    version, config = read_keras_archive(saved(keras, tmp_path / "m.keras"))
    assert version == keras.__version__
    assert config["class_name"] == "Sequential"


def zeros(file):
    file.create_dataset("w", data=np.zeros(4 << 20, np.uint8), compression="gzip")


def never_written(file):
    file.create_dataset("w", (1 << 40,), np.float32)


def many(file):
    """Datasets that are each as large as they may be and all together too large: never written, with 1 MB."""
    for index in range(2049):
        file.create_dataset(f"w{index}", (1 << 18,), np.float32)


def elsewhere(file):
    file.create_dataset("w", (4,), np.uint8, external=[("/etc/hostname", 0, 4)])


def virtual(file):
    layout = h5py.VirtualLayout((4,), np.uint8)
    layout[:] = h5py.VirtualSource("/etc/other.h5", "w", (4,))
    file.create_virtual_dataset("w", layout)


def linked(file):
    file.create_group("deep")["w"] = h5py.ExternalLink("/etc/other.h5", "w")


def texts(file):
    file.create_dataset("w", data=["text"] * 4, dtype=h5py.string_dtype())


PLANTED = [
    (zeros, "compressed 100 times or less, got '/w' of 4,194,304 bytes in "),
    (never_written, "compressed 100 times or less, got '/w' of 4,398,046,511,104 bytes in 1$"),
    (many, "to unpack to 2,147,483,648 bytes or less, got 2,148,532,224$"),
    (elsewhere, "to hold its weights itself, got values in another file for /w"),
    (virtual, "to hold its weights itself, got values in another file for /w"),
    (linked, "to hold its weights itself, got a link to another file at deep/w"),
    (texts, "to hold numbers, got object in /w"),
]


@pytest.mark.parametrize(("plant", "message"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_weights_that_unfold_or_lie_elsewhere_are_refused_unread(tmp_path, monkeypatch, plant, message):
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.attrs["model_config"] = "{}"
        plant(file)
    (tmp_path / "m.h5").write_bytes(content.getvalue())
    archive_with(tmp_path / "m.keras", content.getvalue())

    def read(*_, **__):
        raise AssertionError("a value is read before the sizes are checked")

    monkeypatch.setattr(h5py.Dataset, "__getitem__", read)
    with pytest.raises(InputError, match=message):
        read_hdf5_model(tmp_path / "m.h5")
    with pytest.raises(InputError, match=message):
        read_keras_archive(tmp_path / "m.keras")


def test_weights_alone_are_no_model(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["w"] = np.zeros(3)
    with pytest.raises(InputError, match="to hold a model .*, got weights or other data alone"):
        read_hdf5_model(tmp_path / "m.h5")


@pytest.mark.parametrize("config", ["[]", "{", '"text"', "[" * 10_000, b"\xff"])
def test_a_configuration_that_is_none_is_refused(tmp_path, config):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["keras_version"] = "3.15.1"
        file.attrs.create("model_config", np.bytes_(config))
    with pytest.raises(InputError, match="an .h5 model of Keras, got another or a damaged one"):
        read_hdf5_model(tmp_path / "m.h5")


def test_a_keras_file_without_hdf5_weights_is_refused(tmp_path):
    """Weights as .npz would be a zip in the zip, which nobody has checked."""
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.npz", "")
    with pytest.raises(InputError, match="expected a .keras file, got another or a damaged one"):
        read_keras_archive(tmp_path / "m.keras")


@functools.cache
def sound():
    with tempfile.TemporaryDirectory() as folder:
        return saved(keras_3, pathlib.Path(folder) / "m.h5").read_bytes()


@hypothesis.given(strategies.data())
def test_a_damaged_file_is_refused_or_read(data):
    """Nothing but InputError is raised, whichever bytes are changed."""
    content = bytearray(sound())
    at = strategies.integers(0, len(content) - 1)
    for index, value in data.draw(strategies.lists(strategies.tuples(at, strategies.integers(0, 255)))):
        content[index] = value
    if data.draw(strategies.booleans()):
        del content[data.draw(at) :]
    try:
        check_hdf5(io.BytesIO(content), "it")
    except InputError as error:
        assert "\n" not in str(error)
