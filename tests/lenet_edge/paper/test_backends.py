"""The layers, losses and models on each backend of Keras 3, and where there is no TensorFlow at all."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from converters.base.arrays import read_npz
from converters.base.kerases import KERAS_3, import_keras
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.packaged.weights import save_weights
from lenet_edge.paper.answers import outputs_of
from lenet_edge.paper.model import lenet5

SCRIPT = Path(__file__).parents[2] / "reference" / "on_a_backend.py"
OTHERS = ["jax", "torch"]


def used_on(backend: str, folder: Path) -> Path:
    """Return the folder, within `folder`, that the script wrote on `backend`; skip where there is none."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed: pip install {backend}")
    out = folder / backend
    out.mkdir()
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), str(out)],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": backend},
    )
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Return a folder with the weights that each backend starts from."""
    keras = import_keras(KERAS_3)
    keras.utils.set_random_seed(1998)
    out = tmp_path_factory.mktemp("backends")
    save_weights(lenet5(keras=keras), out / "start.npz", scale=-1.0)
    return out


@pytest.fixture(scope="module")
def on_tensorflow(folder) -> Path:
    return used_on("tensorflow", folder)


@pytest.mark.parametrize("backend", OTHERS)
def test_another_backend_gives_tensorflows_numbers(folder, on_tensorflow, backend):
    """Before, while and after training; TensorFlow is kept from being imported there."""
    out = used_on(backend, folder)
    wanted, got = (read_npz(where / "numbers.npz") for where in (on_tensorflow, out))
    assert sorted(wanted) == sorted(got)
    # Distances of up to 100, sums of 84 terms which come from sums of up to 400; float32 has 7 digits.
    for name in ("before", "losses", "training_loss", "after"):
        np.testing.assert_allclose(got[name], wanted[name], rtol=0, atol=2e-4, err_msg=name)
    for name in ("scores", "stock_scores"):
        np.testing.assert_allclose(got[name], wanted[name], rtol=0, atol=1e-5, err_msg=name)
    assert np.abs(wanted["after"] - wanted["before"]).max() > 10  # it was trained
    trained, theirs = (read_npz(where / "weights.npz") for where in (on_tensorflow, out))
    for name, weights in trained.items():
        np.testing.assert_allclose(theirs[name], weights, rtol=0, atol=1e-6, err_msg=name)

    # What was saved there loads here.
    keras = import_keras(KERAS_3)
    fresh = lenet5(keras=keras)
    fresh.load_weights(out / "net.weights.h5")
    pictures = pad(calibration_digits().images[:100])
    for model in (keras.models.load_model(out / "net.keras"), fresh):
        np.testing.assert_allclose(outputs_of(model, pictures), got["after"], rtol=0, atol=2e-4)


def test_no_tensorflow_is_needed_to_import_the_layers():
    code = (
        "import importlib, pathlib, sys\n"
        "for absent in ('tensorflow', 'tf_keras', 'keras', 'tensorflow_model_optimization'):\n"
        "    sys.modules[absent] = None\n"
        "for folder in ('converters.layers', 'lenet_edge.paper', 'lenet_edge.packaged'):\n"
        "    package = importlib.import_module(folder)\n"
        "    for file in sorted(pathlib.Path(package.__file__).parent.glob('*.py')):\n"
        "        importlib.import_module(f'{folder}.{file.stem}')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("nonsense", "expected KERAS_BACKEND of tensorflow, jax or torch, got nonsense"),
        ("jax", "expected the package that KERAS_BACKEND=jax needs, got no jax: pip install jax"),
    ],
)
def test_a_backend_that_is_not_there_gives_one_line(backend, message):
    code = (
        "import sys\n"
        "sys.modules['jax'] = None\n"
        "from converters.base.errors import InputError\n"
        "try:\n"
        "    from lenet_edge import TrainableSubsampling\n"
        "except InputError as error:\n"
        "    print(error)"
    )
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert (done.stdout, done.returncode) == (f"{message}\n", 0), done.stderr
