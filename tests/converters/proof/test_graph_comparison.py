"""Graphs against the exact one: each thing that can be wrong is found, and rounding is not."""

from __future__ import annotations

import flatbuffers
import keras
import numpy as np
import pytest

from converters.base.environment import schema
from converters.file.graph import read_graph
from converters.file.layouts import layout_between
from converters.file.lowering import lower
from converters.file.manifest import parse
from converters.model.conversion import to_tflite
from converters.model.folding import fold
from converters.proof.graph_comparison import compare_graphs
from lenet_edge.packaged.files import content_of
from lenet_edge.packaged.models import released_model

layers = keras.layers


@pytest.fixture(scope="module")
def contents():
    """A small net, converted to float32, float16 and int8."""
    x = keras.Input((8, 8, 2))
    y = layers.Conv2D(3, (3, 2), activation="tanh", name="conv")(x)
    y = layers.DepthwiseConv2D(2, strides=2, name="sum")(y)
    y = layers.Dense(4, activation="softmax", name="scores")(layers.Flatten()(y))
    model = keras.Model(x, y)
    rng = np.random.default_rng(10)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    pixels = rng.uniform(-1, 1, (30, 8, 8, 2)).astype(np.float32)
    return {
        p: to_tflite(model, precision=p, calibration=pixels).content for p in ("float32", "float16", "int8")
    }


@pytest.fixture(scope="module")
def exact(contents):
    return read_graph(contents["float32"])


class Editor:
    """A file's ModelT, its operators found by name."""

    def __init__(self, content):
        self.model = parse(content)
        self.graph = self.model.subgraphs[0]
        self.before = read_graph(content)

    def place(self, name):
        return next(node.index for node in self.before.nodes if node.name == name)

    def operator(self, name):
        return self.graph.operators[self.place(name)]

    def constant(self, name, which):
        """Return what is stored of an operator's constant, which is its input `which`."""
        return self.before.tensors[self.operator(name).inputs[which]].constant.copy()

    def tensor(self, name, which):
        return self.graph.tensors[self.operator(name).inputs[which]]

    def store(self, name, which, values):
        self.fill(self.tensor(name, which), values)

    def fill(self, tensor, values):
        self.model.buffers[tensor.buffer].data = np.frombuffer(values.tobytes(), np.uint8)

    def read(self):
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return read_graph(bytes(builder.Output()))


KERNEL, BIAS = 1, 2


def said(findings):
    return [str(finding) for finding in findings]


# --- what is right


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_a_conversion_is_its_original_but_for_rounding(contents, exact, precision):
    assert compare_graphs(read_graph(contents[precision]), exact) == []


@pytest.mark.parametrize(
    "name",
    [f"lenet5_{p}" for p in ("float16", "dynamic", "int8")]
    + [f"stock_lenet5_{p}" for p in ("float16", "dynamic", "int8")],
)
def test_the_released_files_hold_the_released_weights(name):
    graph = released(name)
    assert said(compare_graphs(graph, in_the_layout_of(graph, name.rsplit("_", 1)[0]))) == []


def test_the_fine_tuned_file_holds_other_weights_in_the_same_graph():
    graph = released("lenet5_int8_qat")
    found = compare_graphs(graph, in_the_layout_of(graph, "lenet5"))
    assert {finding.part for finding in found} == {"kernel", "bias"}


def released(name):
    return read_graph(content_of(f"{name}.tflite"))


def in_the_layout_of(graph, net):
    """Return the float32 graph of a released net, laid out as `graph` is."""
    plain = to_tflite(fold(released_model(net)), precision="float32").content
    return read_graph(lower(plain, layout=layout_between(read_graph(plain), graph)))


# --- constants


@pytest.mark.parametrize(("name", "index"), [("CONV_2D", (1, 2, 0, 1)), ("DEPTHWISE_CONV_2D", (0, 1, 0, 2))])
@pytest.mark.parametrize(("steps", "out"), [(0.49, False), (-0.49, False), (0.51, True), (-0.51, True)])
def test_half_a_step_of_the_channel_is_allowed_and_no_more(contents, name, index, steps, out):
    graph = read_graph(contents["int8"])
    node = next(node for node in graph.nodes if node.name == name)
    kernel = node.inputs[KERNEL]
    scale = kernel.scales[index[kernel.axis]]
    original = Editor(contents["float32"])
    weights = original.constant(name, KERNEL)
    weights[index] = kernel.real()[index] + steps * scale
    original.store(name, KERNEL, weights)
    found = compare_graphs(graph, original.read())
    assert [finding.part for finding in found] == ["kernel"] * out
    if out:
        place = ", ".join(map(str, index))
        size = weights.size
        assert found[0].message == (
            f"1 of {size} are off, most at ({place}): expected {weights[index]:.6g} within {scale / 2:.2g}, "
            f"got {kernel.real()[index]:.6g}"
        )
        assert str(found[0]) == f"{node}, kernel: {found[0].message}"


@pytest.mark.parametrize(("name", "which"), [(n, w) for n in ("CONV_2D", "FULLY_CONNECTED") for w in (1, 2)])
def test_a_constant_of_int8_that_is_a_step_off_is_found(contents, exact, name, which):
    file = Editor(contents["int8"])
    stored = file.constant(name, which)
    weight = next(node for node in exact.nodes if node.name == name).inputs[which].real()
    tensor = file.before.tensors[file.operator(name).inputs[which]]
    # a step further from the exact value than it is, not at the end of the type
    place = tuple(np.argwhere(np.abs(stored) < 100)[-1]) if which == KERNEL else (1,)
    stored[place] += 1 if tensor.real()[place] >= weight[place] else -1
    file.store(name, which, stored)
    (found,) = compare_graphs(file.read(), exact)
    assert found.operator == f"{file.place(name)} {name}"
    assert found.part == {KERNEL: "kernel", BIAS: "bias"}[which]
    assert found.message.startswith(f"1 of {stored.size} are off, most at ({', '.join(map(str, place))})")


@pytest.mark.parametrize(("units", "out"), [(0, False), (1, True), (-1, True)])
def test_float16_is_within_2_to_the_minus_11(contents, exact, units, out):
    file = Editor(contents["float16"])
    # The kernel is dequantised: the constant is behind an operator of its own.
    behind = {node.outputs[0].index: node for node in file.before.nodes if node.name == "DEQUANTIZE"}
    tensor = behind[file.operator("FULLY_CONNECTED").inputs[KERNEL]].inputs[0]
    stored = tensor.constant.copy()
    weights = next(node for node in exact.nodes if node.name == "FULLY_CONNECTED").inputs[KERNEL].real()
    # A weight with a mantissa near 1 that is rounded well: next to it is 2^-10 of it, less its rounding.
    mantissa = np.abs(np.frexp(weights)[0]) * 2
    rounding = np.abs(stored - weights) / np.abs(weights)
    place = tuple(np.argwhere((mantissa < 1.5) & (rounding < 2.0**-13))[0])
    stored.view(np.int16)[place] += units
    file.fill(file.graph.tensors[tensor.index], stored)
    found = compare_graphs(file.read(), exact)
    assert [(finding.part, finding.message[:4]) for finding in found] == [("kernel", "1 of")] * out


@pytest.mark.parametrize(("relative", "out"), [(2.0**-23, False), (2.0**-20, True)])
def test_float32_is_exact_but_for_its_own_rounding(contents, exact, relative, out):
    file = Editor(contents["float32"])
    weights = file.constant("CONV_2D", KERNEL)
    place = np.unravel_index(np.abs(weights).argmax(), weights.shape)
    weights[place] *= np.float32(1 + relative)
    file.store("CONV_2D", KERNEL, weights)
    assert len(compare_graphs(file.read(), exact)) == out


def test_a_weight_that_is_no_number_is_found(contents, exact):
    file = Editor(contents["float32"])
    weights = file.constant("CONV_2D", KERNEL)
    weights[0, 0, 0, 0] = np.nan
    file.store("CONV_2D", KERNEL, weights)
    (found,) = compare_graphs(file.read(), exact)
    assert found.message.endswith("got nan")


def test_a_bias_that_is_left_out_is_one_of_zeros(contents, exact):
    file = Editor(contents["float32"])
    operator = file.operator("FULLY_CONNECTED")
    operator.inputs = [*operator.inputs[:2], -1]
    (found,) = compare_graphs(file.read(), exact)
    assert found.part == "bias"
    assert found.message.startswith("4 of 4 are off")
    # none, and one of zeros, are the same
    zeros = Editor(contents["float32"])
    zeros.store("FULLY_CONNECTED", BIAS, np.zeros(4, np.float32))
    none = file.read()
    assert compare_graphs(none, zeros.read()) == compare_graphs(zeros.read(), none) == []
    operator.inputs = operator.inputs[:2]
    assert compare_graphs(file.read(), none) == compare_graphs(none, none) == []


def test_a_kernel_of_another_shape_is_found(contents, exact):
    file = Editor(contents["float32"])
    file.tensor("CONV_2D", KERNEL).shape = [3, 2, 3, 2]
    (found,) = compare_graphs(file.read(), exact)
    assert (found.part, found.message) == ("kernel", "expected shape 3x3x2x2, got 3x2x3x2")


def test_a_kernel_that_is_computed_is_found(contents, exact):
    file = Editor(contents["float32"])
    file.tensor("CONV_2D", KERNEL).buffer = 0
    (found,) = compare_graphs(file.read(), exact)
    assert (found.part, found.message) == ("kernel", "expected a constant, got a computed tensor")


# --- scales


def one_scale(file, name):
    """Round an operator's kernel anew, by one scale for the whole."""
    kernel = file.before.nodes[file.place(name)].inputs[KERNEL].real()
    scale = np.float32(np.abs(kernel).max() / 127)
    file.store(name, KERNEL, np.rint(kernel / scale).astype(np.int8))
    quantization = file.tensor(name, KERNEL).quantization
    quantization.scale, quantization.zeroPoint = [scale], [0]
    return kernel


@pytest.mark.parametrize("name", ["CONV_2D", "DEPTHWISE_CONV_2D"])
def test_one_scale_where_each_channel_was_promised_its_own_is_found(contents, name):
    file, original = Editor(contents["int8"]), Editor(contents["float32"])
    original.store(name, KERNEL, one_scale(file, name).astype(np.float32))
    exact, graph = original.read(), file.read()
    assert said(compare_graphs(graph, exact)) == [
        f"{file.place(name)} {name}, kernel: expected 3 scales, one a channel, got 1"
    ]
    assert compare_graphs(graph, exact, per_channel=False) == []


def test_a_dense_kernel_is_promised_one_scale_only(contents, exact):
    dense = next(node for node in read_graph(contents["int8"]).nodes if node.name == "FULLY_CONNECTED")
    assert not dense.inputs[KERNEL].per_channel


# --- operators and options


def test_a_missing_operator_is_found(contents, exact):
    file = Editor(contents["int8"])
    del file.graph.operators[file.place("TANH")]
    wanted = "CONV_2D, TANH, DEPTHWISE_CONV_2D, RESHAPE, FULLY_CONNECTED, SOFTMAX"
    found = "CONV_2D, DEPTHWISE_CONV_2D, RESHAPE, FULLY_CONNECTED, SOFTMAX"
    assert said(compare_graphs(file.read(), exact)) == [f"graph, operators: expected {wanted}, got {found}"]


def test_no_operator_at_all_is_found(contents, exact):
    file = Editor(contents["float32"])
    file.graph.operators = []
    (found,) = compare_graphs(file.read(), exact)
    assert found.message.endswith(", got none")


def test_average_pooling_in_place_of_the_weighted_sum_is_found(contents, exact):
    file = Editor(contents["int8"])
    code = file.model.operatorCodes[file.operator("DEPTHWISE_CONV_2D").opcodeIndex]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.AVERAGE_POOL_2D
    (found,) = compare_graphs(file.read(), exact)
    assert (found.operator, found.part) == ("graph", "operators")
    assert found.message.endswith("got CONV_2D, TANH, AVERAGE_POOL_2D, RESHAPE, FULLY_CONNECTED, SOFTMAX")


def test_operators_in_another_order_are_found(contents, exact):
    file = Editor(contents["float32"])
    operators = file.graph.operators
    operators[0], operators[1] = operators[1], operators[0]
    assert [finding.part for finding in compare_graphs(file.read(), exact)] == ["operators"]


def test_an_operator_that_reads_another_tensor_is_found(contents, exact):
    file = Editor(contents["float32"])
    past_tanh = file.operator("TANH").inputs[0]
    operator = file.operator("DEPTHWISE_CONV_2D")
    operator.inputs = [past_tanh, *operator.inputs[1:]]
    assert compare_graphs(file.read(), exact)


@pytest.mark.parametrize(
    ("name", "option", "value", "message"),
    [
        ("DEPTHWISE_CONV_2D", "strideW", 1, "expected 2, got 1"),
        ("CONV_2D", "strideH", 2, "expected 1, got 2"),
        ("CONV_2D", "dilationWFactor", 2, "expected 1, got 2"),
        ("CONV_2D", "padding", schema.Padding.SAME, "expected VALID, got SAME"),
        (
            "CONV_2D",
            "fusedActivationFunction",
            schema.ActivationFunctionType.RELU,
            "expected NONE, got RELU",
        ),
        ("SOFTMAX", "beta", 2.0, "expected 1.0, got 2.0"),
    ],
)
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_another_option_is_found(contents, exact, precision, name, option, value, message):
    file = Editor(contents[precision])
    setattr(file.operator(name).builtinOptions, option, value)
    assert said(compare_graphs(file.read(), exact)) == [f"{file.place(name)} {name}, {option}: {message}"]


def test_every_finding_is_told(contents, exact):
    file = Editor(contents["float32"])
    file.store("CONV_2D", BIAS, file.constant("CONV_2D", BIAS) + np.float32(1e-3))
    file.store("FULLY_CONNECTED", KERNEL, file.constant("FULLY_CONNECTED", KERNEL) * np.float32(2))
    file.operator("SOFTMAX").builtinOptions.beta = 3.0
    found = compare_graphs(file.read(), exact)
    assert [(finding.operator[2:], finding.part) for finding in found] == [
        ("CONV_2D", "bias"),
        ("FULLY_CONNECTED", "kernel"),
        ("SOFTMAX", "beta"),
    ]
    assert [finding.message[:11] for finding in found] == ["3 of 3 are ", "108 of 108 ", "expected 1."]
