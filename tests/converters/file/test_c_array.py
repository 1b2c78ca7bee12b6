"""The C array: compiled with g++ and held against the .tflite file it was made from."""

from __future__ import annotations

import hashlib
import shutil
import subprocess

import numpy as np
import pytest
import tf_keras as keras

from converters.base.environment import tf
from converters.base.errors import InputError
from converters.file.c_array import c_array
from converters.file.graph import read_graph
from converters.model.conversion import to_tflite
from converters.runtimes.columns import COLUMNS, run_column
from lenet_edge.digits.mnist import pad, test_digits
from lenet_edge.packaged.files import released_folder

COMPILER = shutil.which("g++")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no g++: install Debian's g++ package")
STRICT = ["-std=c++11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion"]

# Prints what the header promises, a line each, then the arrays as they lie in memory.
PROGRAM = """
#include <cstdio>
#include "model.h"

struct Resolver {
  int refused;
  int added;
  int Add(const char* name) { std::printf("%s ", name); return ++added == refused ? 1 : 0; }
  METHODS
};

template <typename T>
void Dump(const T* values, std::size_t count) {
  const unsigned char* bytes = reinterpret_cast<const unsigned char*>(values);
  for (std::size_t i = 0; i < count * sizeof(T); ++i) std::printf("%02x", bytes[i]);
  std::printf("\\n");
}

template <std::size_t count>
void Sides(const int (&sides)[count]) {
  for (std::size_t i = 0; i < count; ++i) std::printf("%d ", sides[i]);
  std::printf("\\n");
}

int main() {
  Resolver all = {0, 0}, third = {3, 0};
  std::printf("%d\\n", model::AddOperators(all));
  std::printf("%d\\n", model::AddOperators(third));
  std::printf("%u %zu %zu\\n", model::kOperatorCount, model::kModelLength, model::kArenaBytes);
  Sides(model::kInputDimensions);
  Sides(model::kOutputDimensions);
  std::printf("%zu %zu\\n", sizeof(model::InputType), sizeof(model::OutputType));
  std::printf("%.9g %d\\n", static_cast<double>(model::kInputScale), model::kInputZeroPoint);
  std::printf("%.9g %d\\n", static_cast<double>(model::kOutputScale), model::kOutputZeroPoint);
  std::printf("%d\\n", static_cast<int>(reinterpret_cast<std::size_t>(model::kModel) % 16));
  Dump(model::kModel, model::kModelLength);
  Dump(model::kSampleInput, model::kInputLength);
  Dump(model::kSampleOutput, model::kOutputLength);
  Dump(model::kSampleLow, model::kOutputLength);
  Dump(model::kSampleHigh, model::kOutputLength);
}
"""
METHODS = ("Conv2D", "DepthwiseConv2D", "FullyConnected", "Quantize", "Reshape", "Softmax", "Tanh")


@pytest.fixture(scope="module")
def content():
    return {p: (released_folder() / f"lenet5_{p}.tflite").read_bytes() for p in ("int8", "float32")}


@pytest.fixture(scope="module")
def samples(content):
    """A digit as each file stores it, and TensorFlow's answer."""
    pixels = pad(test_digits().images[:1])[..., None]
    results = run_column(COLUMNS["tf.lite"], content, dict.fromkeys(content, pixels))
    kinds = {"int8": np.uint8, "float32": np.float32}
    return {p: (pixels.astype(kinds[p]), results[p].outputs) for p in content}


def limits_of(output):
    """Limits that differ from the output at one end each, so that none can stand for another."""
    low, high = output.copy(), output.copy()
    low[..., output[0].argmax()] -= 1
    high[..., output[0].argmin()] += 1
    return low, high


def sources(content, samples, **changed):
    options = {
        "name": "model",
        "arena_bytes": 14_224,
        "sample_input": samples[0],
        "sample_output": samples[1],
        "sample_limits": limits_of(samples[1]),
        "description": "LeNet-5",
    }
    return c_array(content, **{**options, **changed})


@needs_compiler
@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_the_compiled_program_holds_the_file(precision, content, samples, tmp_path):
    header, source = sources(content[precision], samples[precision])
    (tmp_path / "model.h").write_text(header)
    (tmp_path / "model.cc").write_text(source)
    methods = "\n".join(f'  int Add{name}() {{ return Add("{name}"); }}' for name in METHODS)
    (tmp_path / "main.cc").write_text(PROGRAM.replace("METHODS", methods))
    command = [COMPILER, *STRICT, "-o", "program", "main.cc", "model.cc"]
    built = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (built.returncode, built.stderr) == (0, "")
    lines = subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=True).stdout
    calls, stopped, counts, *ends, alignment, model, given, answer, low, high = lines.split("\n")[:-1]

    wanted = [name for name in METHODS if precision == "int8" or name != "Quantize"]
    assert calls.split() == [*wanted, "1"]
    assert stopped.split() == [*wanted[:3], "0"]  # the third was refused
    assert counts == f"{len(wanted)} {len(content[precision])} 14224"
    width, quantised = (4, ["0 0", "0 0"]) if precision == "float32" else (1, ["1 0", "0.00390625 0"])
    assert [end.strip() for end in ends] == ["1 32 32 1", "1 10", f"{width} {width}", *quantised]
    assert alignment == "0"
    assert bytes.fromhex(model) == content[precision]
    assert bytes.fromhex(given) == samples[precision][0].tobytes()
    assert bytes.fromhex(answer) == samples[precision][1].tobytes()
    assert [bytes.fromhex(end) for end in (low, high)] == [
        end.tobytes() for end in limits_of(samples[precision][1])
    ]


def test_the_header_names_file_and_operators(content, samples):
    header, source = sources(content["int8"], samples["int8"])
    assert hashlib.sha256(content["int8"]).hexdigest() in header
    for node in {node.name for node in read_graph(content["int8"]).nodes}:
        count = sum(other.name == node for other in read_graph(content["int8"]).nodes)
        assert f"//   {node}: {count}\n" in header
    assert (header, source) == sources(content["int8"], samples["int8"])
    assert max(map(len, header.splitlines())) <= 110
    # a compiler may align by itself what nobody asked it to, so the program above cannot tell
    assert "alignas(16) const unsigned char kModel[] = {" in source
    rows = [line for line in source.splitlines() if line.startswith("    0x")]
    assert {row.count("0x") for row in rows[:-1]} == {12}


def test_signed_inputs_and_their_zero_point(samples):
    x = keras.Input((4,))
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(x, keras.layers.Dense(3)(x)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    rows = np.random.default_rng(1).normal(3, 2, (50, 1, 4)).astype(np.float32)
    converter.representative_dataset = lambda: ([row] for row in rows)
    converter.inference_input_type = converter.inference_output_type = tf.int8
    content = converter.convert()
    (source,) = read_graph(content).inputs
    samples = (np.arange(-2, 2, dtype=np.int8), np.zeros((1, 3), np.int8))
    header, body = sources(content, samples)
    assert "using InputType = std::int8_t;" in header
    assert f"constexpr int kInputZeroPoint = {int(source.zero_points[0])};" in header
    scale = next(line for line in header.splitlines() if "kInputScale" in line).split("= ")[1].rstrip("f;")
    assert np.float32(scale) == np.float32(source.scales[0])
    assert source.zero_points[0] != 0
    assert "    -2, -1, 0, 1,\n" in body


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": "Model"}, "a name of small letters, digits and single underscores, got 'Model'"),
        ({"name": "a__b"}, "a name of small letters"),
        ({"name": "3d"}, "a name of small letters"),
        ({"description": "a\nb"}, "a description in one line"),
        ({"description": "a\\"}, "a description that ends in no backslash"),
        ({"arena_bytes": 0}, "an arena of one byte or more, got 0"),
        (
            {"sample_input": np.zeros((1, 28, 28, 1), np.uint8)},
            r"a sample of uint8 \(1, 32, 32, 1\), got uint8",
        ),
        (
            {"sample_output": np.zeros((1, 10), np.float32)},
            r"a sample of uint8 \(1, 10\), got float32 \(1, 10\)",
        ),
        (
            {"sample_limits": (np.zeros((1, 10), np.uint8), np.zeros((1, 10), np.uint8))},
            r"a sample output within its limits, got \[",
        ),
        (
            {"sample_limits": (np.full((1, 10), 255, np.uint8), np.full((1, 10), 255, np.uint8))},
            r"a sample output within its limits, got \[",
        ),
        (
            {"sample_limits": (np.zeros(10, np.float32), np.zeros(10, np.float32))},
            r"a sample of uint8 \(1, 10\), got float32 \(10,\)",
        ),
    ],
)
def test_bad_options_are_answered_in_one_line(content, samples, changed, message):
    with pytest.raises(InputError, match=f"^expected {message}"):
        sources(content["int8"], samples["int8"], **changed)


def test_bad_files_are_answered_in_one_line(samples):
    with pytest.raises(InputError, match="^expected a .tflite file, got "):
        sources(b"none", samples["int8"])
    x = keras.Input((3,))
    two = to_tflite_of_two(x)
    with pytest.raises(InputError, match="a file with one input and one output, got 2 and 1"):
        sources(two, samples["int8"])
    longs = to_tflite(keras.Model(x, tf.cast(x, tf.int64)), precision="float32").content
    with pytest.raises(InputError, match="an output of float32, uint8, int8, int16, got int64"):
        sources(longs, (np.zeros(3, np.float32), np.zeros(3, np.int64)))
    plain = to_tflite(keras.Model(x, keras.layers.Dense(3)(x)), precision="float32").content
    with pytest.raises(InputError, match="a sample of finite values, got NaN or infinity"):
        sources(plain, (np.full(3, np.nan, np.float32), np.zeros(3, np.float32)))


def test_custom_operators_are_refused(samples):
    x = keras.Input((3,))
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(x, tf.raw_ops.Betainc(a=x, b=x, x=x)))
    converter.allow_custom_ops = True
    with pytest.raises(InputError, match="custom ones are registered by hand, got CUSTOM Betainc"):
        sources(converter.convert(), samples["float32"])


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        (lambda x: tf.matmul(x, x, transpose_b=True), "AddBatchMatMul"),
        (lambda x: tf.cumsum(x, axis=1), "AddCumSum"),
        (lambda x: tf.pad(x, [[0, 0], [1, 1], [0, 0]], constant_values=2.0), "AddPadV2"),
        (lambda x: tf.nn.l2_normalize(x, axis=-1), "AddL2Normalization"),
        (lambda x: tf.nn.avg_pool2d(x[..., None], 2, 2, "VALID"), "AddAveragePool2D"),
    ],
)
def test_operators_are_added_by_the_resolver_s_own_names(operation, call):
    x = keras.Input((4, 4))
    content = to_tflite(keras.Model(x, operation(x)), precision="float32").content
    graph = read_graph(content)
    samples = [np.zeros(end[0].shape, np.float32) for end in (graph.inputs, graph.outputs)]
    assert f"resolver.{call}() == 0" in sources(content, samples).header


def to_tflite_of_two(x):
    y = keras.Input((3,))
    return tf.lite.TFLiteConverter.from_keras_model(keras.Model([x, y], x + y)).convert()
