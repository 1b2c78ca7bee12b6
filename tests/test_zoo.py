"""What scripts/zoo.py measured: fold is exact, nothing of ours is worse than the plain converter's file."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from converters.base.errors import InputError
from lenet_edge.packaged.files import released_folder

ROOT = Path(__file__).resolve().parent.parent
ENTRIES = json.loads((ROOT / "results" / "zoo.json").read_text())["nets"]


def _run(name):
    sys.path.insert(0, str(ROOT / "scripts"))  # as a script has it
    try:
        return runpy.run_path(str(ROOT / "scripts" / name))
    finally:
        sys.path.remove(str(ROOT / "scripts"))


@pytest.fixture(scope="module")
def script():
    return _run("zoo.py")


@pytest.fixture(scope="module")
def routes():
    return _run("zoo_routes.py")


def error(entry, route):
    return entry["routes"].get(route, {}).get("rms")


@pytest.mark.parametrize("name", ENTRIES)
def test_fold_and_float32_are_exact(name):
    """To the rounding of the net itself: what the plain float32 file shows of it, which folds nothing."""
    allowed = 2 * max(error(ENTRIES[name], "plain float32"), 1e-6)
    assert error(ENTRIES[name], "fold") <= allowed
    assert (error(ENTRIES[name], "float32") or 0.0) <= allowed


def both_have_a_file(entry):
    return None not in (error(entry, "int8"), error(entry, "plain int8"))


@pytest.mark.parametrize("name", [name for name, entry in ENTRIES.items() if both_have_a_file(entry)])
def test_int8_is_no_worse_than_the_plain_converter(name):
    ours, plain = (ENTRIES[name]["routes"][route] for route in ("int8", "plain int8"))
    assert ours["rms"] <= 1.1 * plain["rms"]
    assert sum(ours["float_operators"].values()) <= sum(plain["float_operators"].values())


def test_a_float_operator_is_told_from_an_integer_one(routes):
    released = {
        kind: (released_folder() / f"lenet5_{kind}.tflite").read_bytes() for kind in ("float32", "int8")
    }
    assert "CONV_2D" in routes["float_operators"](released["float32"])
    assert not routes["float_operators"](released["int8"])


def test_a_python_without_the_quantizer_is_a_line(script, tmp_path):
    wanted = "expected .* to be a Python with ai-edge-quantizer, got"
    with pytest.raises(InputError, match=f"{wanted} ModuleNotFoundError: "):
        script["check_quantizer"](Path(sys.executable))
    with pytest.raises(InputError, match=f"{wanted} no program there"):
        script["check_quantizer"](tmp_path / "none")


def test_the_nets_have_statistics_of_their_data(script):
    from converters.base.kerases import KERAS_3, import_keras

    keras = import_keras(KERAS_3)
    made = script["net"]("U-Net", Path())
    (layer,) = [one for one in made.model.layers if isinstance(one, keras.layers.BatchNormalization)]
    inputs = np.concatenate([made.calibration[0], made.tested[0]])
    values = np.asarray(keras.Model(made.model.inputs[0], layer.input)(inputs))
    assert np.allclose(values.mean(axis=(0, 1, 2)), layer.moving_mean, atol=1e-5)
    assert np.allclose(values.var(axis=(0, 1, 2)), layer.moving_variance, rtol=1e-3)
