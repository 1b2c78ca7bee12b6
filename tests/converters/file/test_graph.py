"""The graph of a .tflite file: what Keras put in is read back, and no damage gets further than one line."""

from __future__ import annotations

import flatbuffers
import keras
import numpy as np
import pytest

from converters.base.environment import schema
from converters.base.errors import InputError
from converters.file.graph import Graph, read_graph
from converters.file.manifest import parse
from converters.model.conversion import to_tflite

layers = keras.layers


@pytest.fixture(scope="module")
def model():
    """A small net in which no two sides, strides or counts are alike."""
    x = keras.Input((9, 8, 2), name="pixels")
    y = layers.Conv2D(3, (5, 4), strides=(3, 1), padding="same", activation="relu", name="conv")(x)
    y = layers.DepthwiseConv2D((2, 3), depth_multiplier=2, name="depthwise")(y)
    y = layers.Dense(4, use_bias=False, activation="tanh", name="dense")(layers.Flatten()(y))
    made = keras.Model(x, layers.Dense(2, activation="softmax", name="scores")(y))
    rng = np.random.default_rng(4)
    for weight in made.weights:
        weight.assign(rng.normal(size=weight.shape))
    return made


@pytest.fixture(scope="module")
def contents(model):
    pixels = np.random.default_rng(5).uniform(-1, 1, (20, 9, 8, 2)).astype(np.float32)
    return {p: to_tflite(model, precision=p, calibration=pixels).content for p in ("float32", "int8")}


@pytest.fixture(scope="module")
def graphs(contents):
    return {precision: read_graph(content) for precision, content in contents.items()}


def node_of(graph, name, place=0):
    return [node for node in graph.nodes if node.name == name][place]


def with_kernels(graph):
    """Return the nodes of the model's four layers with weights, by the layers' names."""
    nodes = [node_of(graph, "CONV_2D"), node_of(graph, "DEPTHWISE_CONV_2D")]
    nodes += [node_of(graph, "FULLY_CONNECTED", place) for place in (0, 1)]
    return dict(zip(("conv", "depthwise", "dense", "scores"), nodes, strict=True))


def as_stored(layer):
    """Return a Keras layer's kernel with its axes in the file's order."""
    kernel = layer.get_weights()[0]
    if layer.name == "conv":
        return kernel.transpose(3, 0, 1, 2)
    return kernel.reshape(1, *kernel.shape[:2], -1) if layer.name == "depthwise" else kernel.T


def packed(model):
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def edited(content, edit):
    """Return the file `content` after `edit` of its ModelT and its subgraph."""
    model = parse(content)
    edit(model, model.subgraphs[0])
    return packed(model)


# --- what is read


def test_the_nodes_come_in_the_order_in_which_they_run(graphs):
    names = ["CONV_2D", "DEPTHWISE_CONV_2D", "RESHAPE", "FULLY_CONNECTED", "TANH", "FULLY_CONNECTED"]
    assert [node.name for node in graphs["float32"].nodes] == [*names, "SOFTMAX"]
    assert [node.name for node in graphs["int8"].nodes] == ["QUANTIZE", *names, "SOFTMAX", "QUANTIZE"]
    for graph in graphs.values():
        assert [node.index for node in graph.nodes] == list(range(len(graph.nodes)))
        assert [tensor.index for tensor in graph.tensors] == list(range(len(graph.tensors)))
        known = {graph.inputs[0].index}
        for node in graph.nodes:
            assert {t.index for t in node.inputs if t is not None and t.constant is None} <= known
            known |= {tensor.index for tensor in node.outputs}
        assert graph.outputs == graph.nodes[-1].outputs
    assert str(graphs["float32"].nodes[1]) == "1 DEPTHWISE_CONV_2D"
    assert graphs["int8"].nodes[1].version == 3  # per channel (schema.fbs)


def test_the_ends_have_their_names_shapes_and_types(graphs):
    source, sink = graphs["float32"].inputs[0], graphs["float32"].outputs[0]
    assert (source.name, source.shape, source.type) == ("serving_default_pixels:0", (1, 9, 8, 2), "float32")
    assert (sink.shape, sink.type, sink.constant) == ((1, 2), "float32", None)
    assert (source.scales.size, source.zero_points.size, source.per_channel) == (0, 0, False)
    assert {end.type for end in (*graphs["int8"].inputs, *graphs["int8"].outputs)} == {"uint8"}
    # Scores go from 0 to 255/256 in TensorFlow Lite's int8.
    sink = graphs["int8"].outputs[0]
    assert (sink.scales.tolist(), sink.zero_points.tolist()) == ([1 / 256], [0])


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_options_are_those_of_the_layers(graphs, precision):
    conv, depthwise = (with_kernels(graphs[precision])[name].options for name in ("conv", "depthwise"))
    wanted = {"padding": "SAME", "strideH": 3, "strideW": 1, "fusedActivationFunction": "RELU"}
    assert wanted.items() <= conv.items()
    assert (conv["dilationHFactor"], conv["dilationWFactor"]) == (1, 1)
    wanted = {"padding": "VALID", "depthMultiplier": 2, "fusedActivationFunction": "NONE"}
    assert wanted.items() <= depthwise.items()
    dense = with_kernels(graphs[precision])["dense"].options
    assert (dense["weightsFormat"], dense["keepNumDims"]) == ("DEFAULT", False)
    assert node_of(graphs[precision], "SOFTMAX").options == {"beta": 1.0}
    assert node_of(graphs[precision], "TANH").options == {}


def test_float32_constants_are_the_keras_weights(graphs, model):
    for name, node in with_kernels(graphs["float32"]).items():
        np.testing.assert_array_equal(node.inputs[1].constant, as_stored(model.get_layer(name)))
        assert node.inputs[1].real().dtype == np.float64
        np.testing.assert_array_equal(node.inputs[1].real(), node.inputs[1].constant)
        if name != "dense":
            np.testing.assert_array_equal(node.inputs[2].real(), model.get_layer(name).get_weights()[1])


def test_a_bias_that_is_left_out_is_none(graphs):
    for graph in graphs.values():
        assert with_kernels(graph)["dense"].inputs[2] is None
        assert with_kernels(graph)["scores"].inputs[2] is not None


def test_int8_kernels_are_the_keras_weights_within_half_a_step_of_their_channel(graphs, model):
    for name, node in with_kernels(graphs["int8"]).items():
        kernel, wanted = node.inputs[1], as_stored(model.get_layer(name))
        assert (kernel.type, kernel.constant.dtype, kernel.shape) == ("int8", np.int8, wanted.shape)
        axis = {"conv": 0, "depthwise": 3}.get(name)
        others = tuple(i for i in range(wanted.ndim) if i != axis) if axis is not None else None
        # TensorFlow Lite's symmetric kernels have 127 steps to the channel's, or tensor's, largest weight.
        np.testing.assert_allclose(kernel.scales, np.abs(wanted).max(axis=others).ravel() / 127, rtol=1e-6)
        assert kernel.per_channel == (axis is not None)
        assert kernel.axis == (axis or 0)
        step = kernel.scales.reshape([-1 if i == axis else 1 for i in range(wanted.ndim)])
        # The scale is float32: 127 of them may be off by 127 * 2^-24 steps.
        assert (np.abs(kernel.real() - wanted) <= step * (0.5 + 1e-5)).all()


def test_int8_biases_have_the_scale_of_their_products(graphs, model):
    for name in ("conv", "depthwise", "scores"):
        node = with_kernels(graphs["int8"])[name]
        source, kernel, bias = node.inputs
        assert (bias.type, bias.zero_points.any()) == ("int32", False)
        np.testing.assert_allclose(bias.scales, source.scales * kernel.scales, rtol=1e-6)
        off = np.abs(bias.real() - model.get_layer(name).get_weights()[1])
        assert (off <= bias.scales * (0.5 + 1e-3)).all()  # a bias of some 1,000 steps by a float32 scale


def test_real_values_take_the_zero_point_off_each_channel(contents):
    def edit(model, graph):
        kernel = graph.tensors[graph.operators[1].inputs[1]]
        kernel.quantization.scale = [0.5, 2.0, 4.0]
        kernel.quantization.zeroPoint = [1, 0, -3]

    kernel = with_kernels(read_graph(edited(contents["int8"], edit)))["conv"].inputs[1]
    for channel, (scale, zero) in enumerate([(0.5, 1), (2.0, 0), (4.0, -3)]):
        stored = kernel.constant[channel].astype(int)
        np.testing.assert_array_equal(kernel.real()[channel], scale * (stored - zero))


def test_a_kernel_of_4_bits_is_read(contents):
    """Two values a byte, the first in the low bits (schema.fbs); to_tflite makes such files."""

    def edit(model, graph):
        kernel = graph.tensors[graph.operators[1].inputs[1]]
        kernel.type, kernel.shape = schema.TensorType.INT4, [3, 1, 1, 2]
        model.buffers[kernel.buffer].data = np.array([0x7F, 0x80, 0x21], np.uint8)

    kernel = with_kernels(read_graph(edited(contents["int8"], edit)))["conv"].inputs[1]
    assert kernel.constant.ravel().tolist() == [-1, 7, 0, -8, 1, 2]


def test_what_is_computed_has_no_real_values(graphs):
    with pytest.raises(InputError, match="^expected a constant tensor, got .*"):
        graphs["float32"].nodes[0].outputs[0].real()


def test_values_without_a_name_in_the_schema_are_numbered(contents):
    def edit(model, graph):
        graph.operators[0].builtinOptions.padding = 77
        graph.tensors[graph.outputs[0]].type = 99

    graph = read_graph(edited(contents["float32"], edit))
    assert graph.nodes[0].options["padding"] == "UNKNOWN_77"
    assert graph.outputs[0].type == "unknown_99"


# --- damage


def refused(content, message="expected a .tflite file.*, got .*"):
    with pytest.raises(InputError, match=f"^{message}$") as caught:
        read_graph(content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("count", [0, 2])
def test_another_number_of_graphs_is_refused(contents, count):
    def edit(model, graph):
        model.subgraphs = [graph] * count

    message = {0: "expected a .tflite file with a graph, got none"}
    refused(
        edited(contents["float32"], edit),
        message.get(count, "expected a .tflite file without loops, got 2 graphs"),
    )


def test_a_file_cut_short_is_refused(contents):
    content = contents["int8"]
    for length in [*range(0, 64), *range(64, len(content), len(content) // 150)]:
        refused(content[:length])


def changed(numbers, place, number):
    """Return the list `numbers` with another one at `place`."""
    made = [int(one) for one in numbers]
    made[place] = number
    return made


def misfits(model, graph):
    kernel = graph.tensors[graph.operators[1].inputs[1]]
    kernel.shape = changed(kernel.shape, 0, 4)


def no_such_tensor(model, graph):
    graph.operators[1].inputs = changed(graph.operators[1].inputs, 1, len(graph.tensors))


def no_such_output(model, graph):
    graph.operators[1].outputs = [len(graph.tensors)]


def a_negative_input(model, graph):
    graph.operators[1].inputs = changed(graph.operators[1].inputs, 1, -2)


def a_negative_output(model, graph):
    graph.operators[1].outputs = [-1]


def a_negative_end(model, graph):
    graph.outputs = [-1]


def a_negative_start(model, graph):
    graph.inputs = [-1]


def no_such_buffer(model, graph):
    graph.tensors[0].buffer = len(model.buffers)


def no_such_code(model, graph):
    graph.operators[0].opcodeIndex = len(model.operatorCodes)


def no_operators(model, graph):
    graph.operators = None


def no_zero_points(model, graph):
    graph.tensors[graph.operators[1].inputs[1]].quantization.zeroPoint = None


@pytest.mark.parametrize(
    "damage",
    [
        *(misfits, no_such_tensor, no_such_output, a_negative_input, no_such_buffer, no_such_code),
        *(no_operators, no_zero_points),
        *(one for one in (a_negative_output, a_negative_start, a_negative_end)),
    ],
)
def test_a_graph_that_points_nowhere_is_refused(contents, damage):
    refused(edited(contents["int8"], damage))


def test_mutated_files_are_read_or_refused_in_one_line(contents, rng):
    content = np.frombuffer(contents["int8"], np.uint8)
    results = {True: 0, False: 0}
    for _ in range(300):
        mutated = content.copy()
        places = rng.integers(0, len(content), rng.integers(1, 8))
        mutated[places] = rng.integers(0, 256, len(places))
        try:
            graph = read_graph(mutated.tobytes())
            assert isinstance(graph, Graph)
            results[True] += 1
        except InputError as error:
            assert "\n" not in str(error)
            results[False] += 1
    # Both happen: the mutations are neither all harmless nor all to the first bytes.
    assert min(results.values()) > 20
