"""The arena that TensorFlow Lite Micro needs, held against its interpreter called directly."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import tf_keras as keras

from converters.base.environment import tf
from converters.base.errors import InputError
from converters.delegates import audit
from converters.file.graph import read_graph
from converters.model.conversion import to_tflite
from converters.runtimes import columns
from converters.runtimes.columns import COLUMNS, absence, run_column
from converters.runtimes.micro import arena_bytes
from lenet_edge.packaged.files import released_folder

needs_micro = pytest.mark.skipif(bool(absence(COLUMNS["micro"])), reason=absence(COLUMNS["micro"]) or "here")

DIRECTLY = """
import sys, numpy
from tflite_micro import runtime
interpreter = runtime.Interpreter.from_file(sys.argv[1], arena_size=int(sys.argv[2]))
detail = interpreter.get_input_details(0)
interpreter.set_input(numpy.zeros(detail["shape"], detail["dtype"]), 0)
interpreter.invoke()
"""


def runs(path, size):
    command = [sys.executable, "-c", DIRECTLY, str(path), str(size)]
    return subprocess.run(command, capture_output=True).returncode == 0


@needs_micro
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_arena_is_the_smallest_that_serves(precision):
    path = released_folder() / f"lenet5_{precision}.tflite"
    size = arena_bytes(path.read_bytes())
    assert size % 16 == 0
    assert runs(path, size)
    assert not runs(path, size - 16)


@needs_micro
def test_a_model_of_large_layers_and_few_weights_is_measured_too():
    # its arena is larger than ten times the file, the package's own guess
    x = keras.Input((128, 128, 1))
    y = keras.layers.Conv2D(8, 3, strides=2)(keras.layers.Conv2D(8, 3)(x))
    content = to_tflite(keras.Model(x, y), precision="float32").content
    assert arena_bytes(content) > max(4 * 8 * 126 * 126, 10 * len(content))


@needs_micro
@pytest.mark.parametrize(
    ("precision", "reason"),
    [("float16", "Node DEQUANTIZE"), ("dynamic", "Hybrid models are not supported on TFLite Micro")],
)
def test_what_it_cannot_run_is_told_with_its_reason(precision, reason):
    content = (released_folder() / f"lenet5_{precision}.tflite").read_bytes()
    with pytest.raises(InputError, match=f"^expected a .tflite file that .* Micro runs, got: .*{reason}"):
        arena_bytes(content)


def test_junk_and_a_missing_package_are_told(monkeypatch):
    with pytest.raises(InputError, match=r"^expected a .tflite file, got "):
        arena_bytes(b"none")
    missing = dataclasses.replace(COLUMNS["micro"], package="no_such_micro")
    monkeypatch.setitem(columns.COLUMNS, "micro", missing)
    content = (released_folder() / "lenet5_int8.tflite").read_bytes()
    with pytest.raises(
        InputError, match=r'got no-such-micro is not installed: pip install "lenet-edge\[micro\]"'
    ):
        arena_bytes(content)


NETS = {
    "LEAKY_RELU": lambda: [keras.layers.LeakyReLU(0.2)],
    "PRELU": lambda: [keras.layers.PReLU(shared_axes=[1, 2], alpha_initializer="random_uniform")],
    "RESIZE_NEAREST_NEIGHBOR": lambda: [keras.layers.UpSampling2D()],
    "TRANSPOSE_CONV": lambda: [keras.layers.Conv2DTranspose(3, 3, strides=2)],
    "GATHER": lambda: [keras.layers.Lambda(lambda x: tf.gather(x, [3, 1], axis=2))],
}


@needs_micro
@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("name", NETS)
def test_what_the_audit_says_is_taken_runs_and_is_right(name, precision, rng):
    samples = rng.normal(size=(16, 8, 8, 3)).astype(np.float32)
    keras.utils.set_random_seed(3)
    net = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), *NETS[name]()])
    content = to_tflite(net, precision=precision, calibration=samples).content
    verdicts = audit(content, delegate="micro")
    assert name in [verdict.name for verdict in verdicts]
    assert all(verdict.taken for verdict in verdicts)
    result = run_column(COLUMNS["micro"], {"net": content}, {"net": samples})["net"]
    assert result.failure == ""
    scale = result.scale or 1.0
    got = scale * (result.outputs.astype(np.float64) - result.zero_point)
    # Each operator rounds its output to half a step; the input, kernels and slopes are rounded too, which
    # shifts a sum of a few dozen products by about as much again.
    scales = [node.outputs[0].scales[0] for node in read_graph(content).nodes if node.outputs[0].scales.size]
    tolerance = float(np.sum(scales)) if precision == "int8" else 1e-5
    np.testing.assert_allclose(got, net.predict(samples, verbose=0), rtol=0, atol=tolerance)
