"""The columns: what each runtime answers, what really ran, and that a file which kills one loses no other."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time

import flatbuffers
import keras
import numpy as np
import pytest

from converters.base.environment import schema, tf
from converters.base.errors import InputError
from converters.base.kerases import import_keras
from converters.model.conversion import to_tflite
from converters.runtimes import columns, vulkan
from converters.runtimes.columns import COLUMNS, absence, run_column
from lenet_edge.digits.mnist import pad, test_digits
from lenet_edge.packaged.files import released_folder

COUNT = 18  # the nineteenth is the first that the net misreads
PRECISIONS = ("float32", "float16", "dynamic", "int8")

needs = {
    name: pytest.mark.skipif(bool(absence(column)), reason=absence(column) or "it is here")
    for name, column in COLUMNS.items()
}
all_columns = pytest.mark.parametrize("name", [pytest.param(name, marks=needs[name]) for name in COLUMNS])


@pytest.fixture(scope="module")
def digits():
    return test_digits()


@pytest.fixture(scope="module")
def pictures(digits):
    return pad(digits.images[:COUNT])[..., None]


@pytest.fixture(scope="module")
def released():
    return {p: (released_folder() / f"lenet5_{p}.tflite").read_bytes() for p in PRECISIONS}


@pytest.fixture(scope="module")
def expected(released, pictures):
    """TensorFlow's answers, which every other column's are held against."""
    return run_column(COLUMNS["tf.lite"], released, dict.fromkeys(released, pictures))


def run_one(name, content, inputs, **options):
    return run_column(COLUMNS[name], {"file": content}, {"file": inputs}, **options)["file"]


def renamed_operator(content, old, new):
    """Return `content` with a custom operator, `new`, in the place of a built-in one."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    for code in model.operatorCodes:
        if code.builtinCode == old:
            code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
            code.customCode = new
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def deadly(content):
    """Return `content` with a root 2 GB behind its start: tflite-runtime 2.14 follows it and dies."""
    return (0x7FFFFF00).to_bytes(4, "little") + content[4:]


@all_columns
def test_every_column_reads_the_digits(name, released, pictures, digits, expected):
    done = []
    results = run_column(
        COLUMNS[name], released, dict.fromkeys(released, pictures), progress=done.append, timeout=300
    )
    assert list(results) == done == list(PRECISIONS)
    refused = {"float16", "dynamic"} if name == "micro" else set()
    assert {p for p, result in results.items() if result.failure} == refused
    for precision in set(PRECISIONS) - refused:
        result = results[precision]
        kind, scale = (np.uint8, 1 / 256) if precision == "int8" else (np.float32, 0)
        assert (result.outputs.shape, result.outputs.dtype) == ((COUNT, 10), kind)
        assert (result.scale, result.zero_point) == (scale, 0)
        np.testing.assert_array_equal(result.values, result.outputs * np.float32(scale or 1))
        np.testing.assert_array_equal(result.values.argmax(axis=1), digits.labels[:COUNT])
        # Float kernels add in another order; int8 ones round a step apart in each of six layers; a GPU
        # computes dynamic range in float, where the others round each layer's inputs to 1/255.
        bound = {"int8": 6 / 256, "dynamic": 0.05}.get(precision, 1e-5)
        assert np.abs(result.values - expected[precision].values).max() <= bound, precision


@pytest.fixture(scope="module")
def shifted():
    """Return a file whose scores are int8, from -128 for 0 on, and its inputs."""
    pixels = np.random.default_rng(6).uniform(-1, 1, (20, 4, 4, 1)).astype(np.float32)
    source = keras.Input((4, 4, 1))
    net = keras.Model(source, keras.layers.Dense(3, "softmax")(keras.layers.Flatten()(source)))
    return to_tflite(net, precision="int8", calibration=pixels, ends="int8").content, pixels


@all_columns
def test_every_column_tells_the_zero_point_of_its_answers(name, shifted):
    result = run_one(name, *shifted)
    assert (result.outputs.dtype, result.scale, result.zero_point) == (np.int8, 1 / 256, -128)
    # Each of three scores is rounded to a step, and may be a step off in another kernel.
    np.testing.assert_allclose(result.values.sum(axis=1), 1, atol=3 * 1.5 / 256)


PLAIN = ("tf.lite-reference", "litert-plain", "litert-plain-4")


@all_columns
def test_every_column_says_what_ran(name, released, pictures):
    column = COLUMNS[name]
    result = run_one(name, released["float32"], pictures)
    assert result.runtime.startswith(column.package.replace("_", "-") + " ")
    assert 0 < result.seconds < 60
    if name == "micro":
        assert (result.delegate, result.taken, result.nodes) == ("", None, None)
        assert result.arena_bytes > 4 * 28 * 28 * 6  # the largest layer is in there
    elif name == "litert-gpu":
        assert result.delegate.startswith("WebGPU on ")
        assert (result.taken, result.nodes) == (16, 16)
    elif name in PLAIN:
        assert (result.delegate, result.taken, result.nodes) == ("", 0, 16)
    else:
        assert (result.delegate, result.taken, result.nodes) == ("XNNPACK", 16, 16)


THREADS = """
import os, pathlib, sys
from converters.runtimes.columns import COLUMNS
from converters.base.native_log import Log
from converters.runtimes.runners import runner
column, content = COLUMNS[sys.argv[1]], pathlib.Path(sys.argv[2]).read_bytes()
__import__(column.package + ".interpreter")
before = len(os.listdir("/proc/self/task"))
loaded = runner(column, content, Log(pathlib.Path(sys.argv[2])))
source, = loaded.sources
loaded.run([__import__("numpy").zeros(source["shape"], source["dtype"])])
print(len(os.listdir("/proc/self/task")) - before)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="no /proc to count threads in")
@pytest.mark.parametrize(
    ("name", "more"),
    [
        pytest.param(name, more, marks=needs[name])
        for name, more in (("litert", 0), ("litert-4", 3), ("litert-plain", 0), ("litert-plain-4", 3))
    ],
)
def test_four_threads_are_four(name, more):
    path = released_folder() / "lenet5_int8.tflite"
    command = [sys.executable, "-c", THREADS, name, str(path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert int(said) == 0 if more == 0 else int(said) >= more  # LiteRT's own kernels have a second pool


@needs["micro"]
def test_a_failure_tells_of_its_own_file_only(released, pictures):
    files = {precision: released[precision] for precision in ("float16", "dynamic")}
    results = run_column(COLUMNS["micro"], files, dict.fromkeys(files, pictures))
    assert "DEQUANTIZE" in results["float16"].failure
    assert "Hybrid models are not supported" in results["dynamic"].failure
    assert "DEQUANTIZE" not in results["dynamic"].failure


@needs["tflite-runtime"]
def test_int8_is_delegated_in_part_or_not_at_all(released, pictures, expected):
    # XNNPACK has no int8 softmax, and tflite-runtime 2.14 gives it no int8 node
    assert (expected["int8"].delegate, expected["int8"].taken, expected["int8"].nodes) == ("XNNPACK", 15, 18)
    result = run_one("tflite-runtime", released["int8"], pictures)
    assert (result.delegate, result.taken, result.nodes) == ("", 0, 18)


@needs["tflite-runtime"]
def test_a_file_that_kills_its_process_loses_no_other(released, pictures):
    files = {
        "before": released["int8"],
        "a/damaged one": deadly(released["int8"]),
        "after": released["int8"],
    }
    results = run_column(COLUMNS["tflite-runtime"], files, dict.fromkeys(files, pictures))
    assert results["a/damaged one"].failure == "the process died with signal 11 (SIGSEGV)"
    assert results["a/damaged one"].values.size == 0
    assert results["before"].failure == results["after"].failure == ""
    np.testing.assert_array_equal(results["before"].outputs, results["after"].outputs)


WORKER = """
import os, pathlib, sys, time
print("started", file=sys.stderr)
for line in sys.stdin:
    order = pathlib.Path(sys.argv[2], line.strip() + ".tflite").read_text()
    if order == "hang": time.sleep(60)
    if order == "end": sys.exit("tired")
    if order == "mute": os._exit(3)
    print('{"failure": "process %d"}' % os.getpid(), flush=True)
    if order == "leave": os._exit(0)
    if order == "deaf":
        os.close(0)
        time.sleep(2)
        sys.exit("deaf")
"""


def test_a_process_that_hangs_or_ends_is_replaced(monkeypatch):
    monkeypatch.setattr(columns, "WORKER", (sys.executable, "-c", WORKER))
    orders = ("one", "two", "hang", "three", "end", "mute", "leave", "four", "deaf", "unheard")
    files = {order: order.encode() for order in orders}
    monkeypatch.setattr(columns, "absence", lambda column: "")
    nothing = dict.fromkeys(orders, np.zeros(0))
    pauses = {"leave": 1, "deaf": 1}  # until that process has left, and until it has closed its ears
    results = run_column(
        COLUMNS["tflite-runtime"],
        files,
        nothing,
        progress=lambda order: time.sleep(pauses.get(order, 0)),
        timeout=5,
    )
    said = {order: result.failure for order, result in results.items()}
    assert said["hang"] == "it took longer than 5 s"
    assert said["end"] == "the process ended with status 1: tired"
    assert said["mute"] == "the process ended with status 3: started"
    assert said["unheard"] == "the process ended with status 1: deaf"
    assert said["one"] == said["two"]
    assert len({said[order] for order in ("one", "three", "leave", "four")}) == 4
    assert all(said[order].startswith("process ") for order in ("one", "three", "leave", "four"))


@pytest.mark.parametrize("name", [pytest.param(n, marks=needs[n]) for n in COLUMNS if "-4" not in n])
def test_an_unknown_operator_is_told_in_one_line(name, released, pictures):
    content = renamed_operator(released["float32"], schema.BuiltinOperator.TANH, b"Squash")
    failure = run_one(name, content, pictures).failure
    assert "refuses it: " in failure
    assert len(failure.splitlines()) == 1
    assert "CUSTOM" in failure if name == "micro" else "Squash" in failure


@all_columns
def test_what_does_not_fit_is_told_in_one_line(name, released, pictures):
    files = {"cut": released["int8"][:20_000], "junk": b"none", "small": released["int8"]}
    results = run_column(COLUMNS[name], files, {**dict.fromkeys(files, pictures), "small": pictures[:, 2:-2]})
    assert results["small"].failure == "expected inputs of shape (n, 32, 32, 1), got (18, 28, 32, 1)"
    for damaged_one in ("cut", "junk"):
        failure = results[damaged_one].failure
        # tflite-runtime looks before it leaps at neither, and may die of one
        assert "refuses it: " in failure or (name == "tflite-runtime" and "signal" in failure), failure
        assert len(failure.splitlines()) == 1


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=needs[n]) for n in ("tflite-runtime", "litert", "litert-gpu", "micro")]
)
def test_a_file_that_may_be_resized_is_or_the_size_is_refused(name):
    wide = (released_folder() / "lenet5_wide_int8.tflite").read_bytes()
    asked = {"wide": (1, 32, 52, 1), "own": (1, 32, 112, 1), "high": (1, 36, 112, 1)}
    inputs = {job: np.zeros(shape) for job, shape in asked.items()}
    results = run_column(COLUMNS[name], dict.fromkeys(asked, wide), inputs)
    assert results["own"].outputs.shape == (1, 1, 21, 11)
    assert results["high"].failure == "expected inputs of shape (n, 32, 112, 1), got (1, 36, 112, 1)"
    if name == "litert-gpu":
        assert results["wide"].failure == "it accepts only the input size stored in the file, not 1x32x52x1"
    elif name == "micro":
        assert results["wide"].failure == "expected inputs of shape (n, 32, 112, 1), got (1, 32, 52, 1)"
    else:
        assert (results["wide"].failure, results["wide"].outputs.shape) == ("", (1, 1, 6, 11))


@pytest.fixture(scope="module")
def of_two_inputs():
    x, y = keras.Input((3,)), keras.Input((3,))
    return tf.lite.TFLiteConverter.from_keras_model(keras.Model([x, y], [x + y, x - y])).convert()


@all_columns
def test_a_file_of_two_inputs_takes_two_arrays(name, of_two_inputs):
    inputs = [np.arange(6.0).reshape(2, 3), np.ones((2, 3))]
    result = run_one(name, of_two_inputs, inputs)
    if name == "litert-gpu":  # its buffers are not named
        assert result.failure == "expected a file with one input and one output, got 2 and 2"
        return
    assert result.failure == ""
    total, difference = sorted((one.values for one in result.every), key=np.min)[::-1]
    np.testing.assert_allclose(total, inputs[0] + inputs[1])
    # The file's order of its inputs is its own.
    np.testing.assert_allclose(np.abs(difference), np.abs(inputs[0] - inputs[1]))
    result = run_one(name, of_two_inputs, inputs[0])
    assert result.failure == "expected samples for each of the file's 2 inputs, got 1 arrays"


@pytest.fixture(scope="module")
def remembering():
    """A file whose state stays from run to run."""
    legacy = import_keras("tf_keras")
    x = legacy.Input((5, 3))
    return to_tflite(legacy.Model(x, legacy.layers.LSTM(4)(x)), precision="float32").content


@all_columns
def test_each_sample_is_answered_as_the_first_one_is(name, remembering):
    result = run_one(name, remembering, np.repeat(np.random.default_rng(7).normal(size=(1, 5, 3)), 3, axis=0))
    if name == "litert-gpu":  # it does not take the operator
        assert "refuses it" in result.failure
        return
    assert result.failure == ""
    np.testing.assert_array_equal(result.values[0], result.values[2])
    assert np.abs(result.values).max() > 0.01


@needs["micro"]
def test_an_arena_that_is_too_small_loses_no_answer():
    """Of this file, TensorFlow Lite Micro dies in an arena of the size that it counts."""
    x = keras.Input((8, 8, 2))
    y = keras.layers.Conv2D(3, 3, activation="relu")(x)
    model = keras.Model(x, keras.layers.Dense(4, activation="softmax")(keras.layers.Flatten()(y)))
    pictures = np.random.default_rng(8).integers(0, 256, (20, 8, 8, 2)).astype(np.float32)
    content = to_tflite(model, precision="int8", calibration=pictures).content
    result = run_one("micro", content, pictures)
    assert result.failure == ""
    assert 1_000 < result.arena_bytes < 10_000


def test_no_inputs_give_no_outputs(released, pictures):
    result = run_one("tf.lite", released["int8"], pictures[:0])
    assert (result.failure, result.outputs.shape, result.outputs.dtype) == ("", (0, 10), np.uint8)


@pytest.fixture
def poisoned(monkeypatch, tmp_path):
    """TensorFlow in the columns' processes is one that cannot be imported."""
    (tmp_path / "tensorflow.py").write_text("raise RuntimeError('TensorFlow was imported\\nhere')")
    inherited = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{inherited}")


@all_columns
def test_only_tensorflow_s_columns_import_tensorflow(name, released, pictures, poisoned):
    failure = run_one(name, released["int8"], pictures).failure
    wanted = "RuntimeError: TensorFlow was imported" if COLUMNS[name].package == "tensorflow" else ""
    assert failure == wanted


@pytest.fixture(scope="module")
def partly_for_gpus():
    """A file with additions of int64, which no GPU accelerator takes."""
    x = keras.Input((8,))
    y = keras.layers.Dense(8, activation="tanh")(x)
    y = keras.ops.cast(keras.ops.cast(y * 100, "int64") + 2**40, "float32")
    return to_tflite(keras.Model(x, keras.layers.Dense(4)(y)), precision="float32").content


@needs["litert-gpu"]
def test_what_the_gpu_leaves_to_the_cpu_is_a_failure(partly_for_gpus):
    failure = run_one("litert-gpu", partly_for_gpus, np.zeros((2, 8))).failure
    assert "nodes would be left to the CPU: " in failure
    assert "CAST: Tensor type(INT64) is not supported" in failure
    assert len(failure.splitlines()) == 1
    assert run_one("litert", partly_for_gpus, np.zeros((2, 8))).failure == ""


ELSEWHERE = """
import pathlib, sys
from converters.runtimes import gpu, runners
from converters.runtimes.columns import COLUMNS
from converters.base.native_log import Log
def compiled(content):
    from ai_edge_litert.compiled_model import CompiledModel, HardwareAccelerator as wanted
    return CompiledModel.from_buffer(content, hardware_accel=eval(sys.argv[2]))
gpu._for_gpu_alone = compiled
model, log = map(pathlib.Path, (sys.argv[1], sys.argv[3]))
runners.runner(COLUMNS["litert-gpu"], model.read_bytes(), Log(log))
"""


@needs["litert-gpu"]
@pytest.mark.parametrize(
    ("wanted", "whole"),  # is_fully_accelerated() is true of a file that XNNPACK takes whole, too
    [("wanted.CPU", True), ("wanted.CPU", False), ("wanted.GPU | wanted.CPU", False)],
)
def test_the_cpu_is_never_taken_for_the_gpu(wanted, whole, released, partly_for_gpus, tmp_path):
    # LiteRT refuses by itself when the GPU alone is asked for, so here it is asked for more
    (tmp_path / "model").write_bytes(released["float32"] if whole else partly_for_gpus)
    command = [sys.executable, "-c", ELSEWHERE, tmp_path / "model", wanted, tmp_path / "log"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with (tmp_path / "log").open("wb") as log:
        assert subprocess.run(command, env=environment, stderr=log).returncode == 1
    said = (tmp_path / "log").read_text()
    assert "InputError: expected LiteRT to run it on the GPU, got the CPU in its place" in said


@needs["litert-gpu"]
def test_a_driver_that_is_not_there_is_a_failure(released, pictures, monkeypatch, tmp_path):
    monkeypatch.setenv("VK_ICD_FILENAMES", str(tmp_path / "none.json"))  # the person's choice is kept
    failure = run_one("litert-gpu", released["float32"], pictures).failure
    assert failure.startswith("the GPU accelerator refuses it: ")
    assert "No adapters found" in failure


def test_an_absent_column_says_what_would_add_it(monkeypatch, tmp_path):
    missing = dataclasses.replace(COLUMNS["litert"], package="no_such_thing", install="pip install it")
    assert absence(missing) == "no-such-thing is not installed: pip install it"
    with pytest.raises(InputError, match="^expected LiteRT, XNNPACK on this machine, got no-such-thing is "):
        run_column(missing, {}, {})
    monkeypatch.setattr(np, "__version__", "2.1.0")
    monkeypatch.setattr(columns.importlib.util, "find_spec", lambda name: name)
    assert absence(COLUMNS["tflite-runtime"]) == "tflite-runtime dies with NumPy 2.1.0: pip install 'numpy<2'"
    assert absence(COLUMNS["litert"]) == absence(COLUMNS["micro"]) == ""


def test_a_gpu_wants_an_accelerator_and_a_driver(monkeypatch, tmp_path):
    (tmp_path / "driverless").mkdir()
    package = tmp_path / "ai_edge_litert"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "ai_edge_litert", raising=False)
    assert absence(COLUMNS["litert-gpu"]).startswith("this ai-edge-litert holds no GPU accelerator")
    (package / "libLiteRtWebGpuAccelerator.so").touch()
    for name in ("VK_ICD_FILENAMES", "VK_DRIVER_FILES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(vulkan, "_has_card", lambda: False)
    monkeypatch.setattr(vulkan, "CHROMIUM", tmp_path / "driverless")
    assert absence(COLUMNS["litert-gpu"]).startswith("no Vulkan driver: install Debian's chromium package")
    monkeypatch.setenv("VK_DRIVER_FILES", "mine.json")
    assert absence(COLUMNS["litert-gpu"]) == ""
    monkeypatch.delenv("VK_DRIVER_FILES")
    (tmp_path / "driverless" / "vk_swiftshader_icd.json").touch()
    assert absence(COLUMNS["litert-gpu"]) == ""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert absence(COLUMNS["litert-gpu"]) == "the GPU column is made for Linux, not darwin"
