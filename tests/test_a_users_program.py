"""Somebody's program that says `import keras` and uses our layer: from training to its int8 file."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from converters.file.graph import read_graph
from converters.runtimes.tensorflow_interpreter import run
from lenet_edge.digits.mnist import calibration_digits

TRAIN = """
import keras
from lenet_edge import TrainableSubsampling, calibration_digits

images, labels = calibration_digits()
pixels = images[..., None].astype("float32")
keras.utils.set_random_seed(5)
model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(6, 5, padding="same", activation="tanh"),
        TrainableSubsampling(),
        keras.layers.Conv2D(16, 5, activation="tanh"),
        TrainableSubsampling(),
        keras.layers.Flatten(),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
model.fit(pixels, labels.astype("int32"), batch_size=5, verbose=0)
model.save("digits.keras")
"""
FINE_TUNE = """
import keras
import numpy as np
from converters import fine_tune, to_tflite
from lenet_edge import TrainableSubsampling, calibration_digits

pixels = calibration_digits().images[..., None].astype("float32")
model = keras.models.load_model("digits.keras")
rounding = fine_tune(model, pixels, epochs=1)
content, entry = to_tflite(rounding, precision="int8")
open("digits.tflite", "wb").write(content)
np.savez("answers.npz", exact=model.predict(pixels, verbose=0), rounding=rounding.predict(pixels, verbose=0))
"""
UNCHANGED = """
import os
assert "TF_USE_LEGACY_KERAS" not in os.environ
import tensorflow
assert tensorflow.keras.__version__.startswith("3.")
"""


def environment(backend: str) -> dict[str, str]:
    """What the programs run in: nothing says which Keras is to be used."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "KERAS_"))}
    return {**plain, "KERAS_BACKEND": backend}


def done(arguments, folder, backend):
    """Run Python with `arguments` in `folder`; return what it printed."""
    command = [sys.executable, *map(str, arguments)]
    result = subprocess.run(command, cwd=folder, env=environment(backend), capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_a_program_that_only_says_import_keras_gets_its_int8_file(tmp_path, backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed: pip install {backend}")
    pixels = calibration_digits().images[..., None].astype("float32")
    np.savez(tmp_path / "pixels.npz", pixels)
    if backend == "tensorflow":
        assert done(["-c", TRAIN + FINE_TUNE + UNCHANGED], tmp_path, backend) == ""
    else:  # fine-tuning needs TensorFlow
        done(["-c", TRAIN], tmp_path, backend)
        assert done(["-c", FINE_TUNE + UNCHANGED], tmp_path, "tensorflow") == ""
    options = ["digits.keras", "--calibration", "pixels.npz", "--import", "lenet_edge", "--out", "files"]
    told = done(["-m", "converters", *options], tmp_path, backend)
    assert not re.search("saved artifact", told, re.IGNORECASE)

    with np.load(tmp_path / "answers.npz") as answers:
        exact, rounding = answers["exact"], answers["rounding"]
    assert np.mean(exact.argmax(axis=1) == calibration_digits().labels) > 0.7  # a pass over 500 digits
    content = (tmp_path / "digits.tflite").read_bytes()
    between = {t.type for node in read_graph(content).nodes[1:-1] for t in node.outputs}
    assert between == {"int8"}
    got = run(content, pixels)
    # The file against the model that was trained: a step of the scores, and some of the logits' before it.
    np.testing.assert_allclose(got, rounding, atol=0.05)
    assert np.mean(got.argmax(axis=1) == rounding.argmax(axis=1)) > 0.99
    assert np.mean(got.argmax(axis=1) == exact.argmax(axis=1)) > 0.97
    files = {path.name: path.read_bytes() for path in (tmp_path / "files").glob("*.tflite")}
    assert {name.split("_")[-1].split(".")[0] for name in files} == {"float32", "float16", "dynamic", "int8"}
    (float32,) = (one for name, one in files.items() if "float32" in name)
    np.testing.assert_allclose(run(float32, pixels), exact, atol=1e-5)
