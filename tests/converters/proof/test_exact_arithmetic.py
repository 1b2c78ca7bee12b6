"""The ideal kernel: TensorFlow's own bytes but for ties, float32 to its rounding, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest

from converters.base.environment import tf
from converters.base.errors import InputError
from converters.file.graph import read_graph
from converters.model.conversion import to_tflite
from converters.proof.exact_arithmetic import LIMITS, compute, evaluate, ideal_outputs, steps_of
from converters.runtimes.tensorflow_interpreter import every_tensor, run

layers = keras.layers
PRODUCTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "MUL")


@pytest.fixture(scope="module")
def model():
    """A net of every operator that is written down, with strides, dilations, padding, fused activations."""
    x = keras.Input((13, 11, 3))
    y = layers.Conv2D(4, 3, strides=(2, 1), padding="same", activation="relu")(x)
    left = layers.Conv2D(4, (2, 3), dilation_rate=(2, 1), padding="same", activation="tanh")(y)
    right = layers.DepthwiseConv2D(3, padding="same", activation="sigmoid")(y)
    y = layers.Add()([layers.Multiply()([left, right]), right])
    y = layers.DepthwiseConv2D((2, 3), depth_multiplier=2, activation="relu6")(y)
    y = layers.MaxPooling2D((2, 1))(layers.AveragePooling2D((2, 2))(y))
    y = layers.Dense(6, activation="tanh", use_bias=False)(layers.Flatten()(y))
    y = layers.ReLU()(layers.Dense(5, activation="tanh")(y))
    made = keras.Model(x, layers.Dense(3, activation="softmax")(y))
    rng = np.random.default_rng(1)
    for weight in made.weights:
        weight.assign(rng.normal(size=weight.shape) * 0.5)
    return made


@pytest.fixture(scope="module")
def inputs():
    return np.random.default_rng(2).uniform(-1, 1, (60, 13, 11, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def contents(model, inputs):
    return {p: to_tflite(model, precision=p, calibration=inputs).content for p in ("float32", "int8")}


@pytest.fixture(scope="module")
def graphs(contents):
    return {precision: read_graph(content) for precision, content in contents.items()}


def node_of(graph, name):
    return next(node for node in graph.nodes if node.name == name)


def on_its_grid(tensor, values):
    """Return float32 `values` of a quantised tensor as whole steps of it: an average of them may be a tie."""
    step = steps_of(tensor)
    return np.rint(values / step) * step if step else values


@pytest.fixture(scope="module")
def seen(contents, graphs, inputs):
    """What TensorFlow's own kernels make of the inputs: every tensor of both files."""
    found = {p: every_tensor(contents[p], graphs[p], inputs) for p in contents}
    return {
        p: {i: tf.constant(on_its_grid(graphs[p].tensors[i], v)) for i, v in values.items()}
        for p, values in found.items()
    }


def test_the_model_has_every_operator(graphs):
    names = {node.name for graph in graphs.values() for node in graph.nodes}
    assert names == {
        *("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "AVERAGE_POOL_2D", "MAX_POOL_2D", "TANH"),
        *("LOGISTIC", "RELU", "SOFTMAX", "ADD", "MUL", "RESHAPE", "QUANTIZE"),
    }
    options = [node.options for node in graphs["int8"].nodes if node.name == "CONV_2D"]
    assert [(o["strideH"], o["strideW"], o["dilationHFactor"], o["dilationWFactor"]) for o in options] == [
        (2, 1, 1, 1),
        (1, 1, 2, 1),
    ]
    assert {o.options.get("fusedActivationFunction") for o in graphs["int8"].nodes} >= {"RELU", "RELU6"}


# --- int8


def test_each_kernel_s_bytes_are_the_ideal_one_s_but_beside_a_tie(graphs, seen):
    """TensorFlow's reference kernels scale a sum of products in two steps, and round twice.

    The sum, an integer, is first rounded to some bits behind the point, then to a whole step. The first
    rounding moves it by half a bit at most; the multiplier is 1/2 to 1 of the last bit, so that is by what
    one unit of the sum is worth, or less. Only where the exact result is that near to a tie may it fall to
    the other side. Averages, which are often exact ties, sums, tables (tanh, sigmoid) and softmax are equal.
    """
    checked = 0
    for node in graphs["int8"].nodes:
        target = node.outputs[0]
        step, wanted = steps_of(target), seen["int8"][target.index].numpy()
        off = np.rint(np.abs(compute(node, seen["int8"], rounding=True).numpy() - wanted) / step)
        if node.name not in PRODUCTS:
            assert not off.any(), node
            continue
        exactly = compute(node, seen["int8"], rounding=False).numpy() / step
        from_a_tie = np.abs(exactly - np.floor(exactly) - 0.5)
        unit = node.inputs[0].scales[0] * node.inputs[1].scales.max() / step
        assert unit < 0.05, node  # or near to a tie would say little
        assert off.max() <= 1
        assert from_a_tie[off > 0].max(initial=0) <= unit, node
        assert (off > 0).mean() < 0.01, node
        checked += 1
    assert checked == 8


def test_the_whole_net_s_bytes_are_tensorflow_s(contents, graphs, inputs):
    # XNNPACK, which `run` has, rounds once; what may still lie beside a tie is one score's step in a hundred.
    off = np.abs(ideal_outputs(graphs["int8"], inputs) - run(contents["int8"], inputs)) * 256
    assert off.max() <= 1.001
    assert (off > 0.001).mean() <= 0.01


def test_every_value_is_a_step_that_its_type_can_hold(graphs, inputs):
    values = evaluate(graphs["int8"], inputs[:20] * 3)  # beyond the calibrated range
    at_an_end = 0
    for node in graphs["int8"].nodes:
        tensor = node.outputs[0]
        stored = values[tensor.index].numpy() / steps_of(tensor) + tensor.zero_points[0]
        low, high = LIMITS[tensor.type]
        np.testing.assert_allclose(stored, np.rint(stored), atol=1e-9)  # float64
        assert low - 1e-9 <= stored.min() <= stored.max() <= high + 1e-9
        at_an_end += np.isclose(stored, low).sum() + np.isclose(stored, high).sum()
    assert at_an_end > 100


def test_without_rounding_values_lie_between_steps_and_are_clipped_all_the_same(graphs, inputs):
    graph, bright = graphs["int8"], inputs[:5] * 3
    rounded, exact = (evaluate(graph, bright, rounding=r) for r in (True, False))
    tensor = node_of(graph, "CONV_2D").outputs[0]
    ends = (np.array(LIMITS["int8"]) - tensor.zero_points[0]) * tensor.scales[0]
    assert ends[0] <= exact[tensor.index].numpy().min()
    assert exact[tensor.index].numpy().max() == pytest.approx(ends[1])
    source = graph.inputs[0]
    np.testing.assert_allclose(
        rounded[source.index], np.rint(exact[source.index] / source.scales[0]) * source.scales[0], atol=1e-9
    )
    assert np.abs(rounded[source.index] - exact[source.index]).max() > source.scales[0] / 4


def test_ties_go_away_from_zero(graphs):
    node = node_of(graphs["int8"], "AVERAGE_POOL_2D")
    source = replace(node.inputs[0], scales=np.array([1.0]), zero_points=np.array([0]))
    node = replace(node, inputs=(source,), outputs=(replace(source, index=99),))
    # sums of 6, 2, -2, -6 and 7 in each field of four
    values = np.array([6, 2, -2, -6, 7]).reshape(5, 1, 1, 1) * np.array([[[[1.0], [0]], [[0], [0]]]])
    found = compute(node, {source.index: tf.constant(values)}, rounding=True)
    assert found.numpy().ravel().tolist() == [2, 1, -1, -2, 2]


def test_a_shift_is_added_behind_the_rounding_and_reaches_what_follows(graphs, inputs):
    graph = graphs["int8"]
    node = next(n for n in reversed(graph.nodes) if n.name == "FULLY_CONNECTED")
    target, behind = node.outputs[0], graph.nodes[node.index + 1].outputs[0]
    plain = evaluate(graph, inputs[:4])
    shift = 0.3 * steps_of(target) * np.array([1.0, -1, 0])
    moved = evaluate(graph, inputs[:4], rounding=False, shifts={target.index: shift})
    unmoved = evaluate(graph, inputs[:4], rounding=False)
    np.testing.assert_allclose(moved[target.index], unmoved[target.index] + shift, atol=1e-12)
    np.testing.assert_array_equal(
        evaluate(graph, inputs[:4], shifts={target.index: shift})[target.index], plain[target.index] + shift
    )
    assert (np.abs(moved[behind.index] - unmoved[behind.index]).max(axis=1) > 1e-4).all()


# --- float32


def test_float32_is_the_file_s_to_rounding(contents, graphs, seen, inputs):
    for node in graphs["float32"].nodes:
        target = node.outputs[0]
        wanted = seen["float32"][target.index].numpy()
        found = compute(node, seen["float32"], rounding=True).numpy()
        assert found.dtype == np.float64
        # A sum of some 30 products of order 1 in float32: some 30 units in the last place.
        np.testing.assert_allclose(found, wanted, rtol=0, atol=30 * 2**-24 * max(1, np.abs(wanted).max()))
    np.testing.assert_allclose(
        ideal_outputs(graphs["float32"], inputs), run(contents["float32"], inputs), atol=1e-6
    )


def test_batches_of_any_size_give_the_same(graphs, inputs):
    whole = ideal_outputs(graphs["float32"], inputs[:7])
    assert whole.shape == (7, 3)
    # The order of a float64 sum may differ.
    np.testing.assert_allclose(ideal_outputs(graphs["float32"], inputs[:7], batch=3), whole, atol=1e-13)


def test_pixels_of_uint8_are_taken_as_they_are(graphs):
    pixels = np.random.default_rng(3).integers(0, 2, (3, 13, 11, 3)).astype(np.uint8)
    np.testing.assert_array_equal(
        ideal_outputs(graphs["float32"], pixels), ideal_outputs(graphs["float32"], pixels.astype(np.float32))
    )


FUSED = {
    "NONE": lambda x: x,
    "RELU": lambda x: np.maximum(x, 0),
    "RELU6": lambda x: np.clip(x, 0, 6),
    "RELU_N1_TO_1": lambda x: np.clip(x, -1, 1),
    "TANH": np.tanh,
}


def fused(graph, name, activation):
    node = node_of(graph, name)
    return replace(node, options={**node.options, "fusedActivationFunction": activation})


@pytest.mark.parametrize("activation", FUSED)
@pytest.mark.parametrize("name", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "MAX_POOL_2D"])
def test_a_fused_activation_is_that_of_the_result(graphs, seen, name, activation):
    graph, values = graphs["float32"], {i: v * 4 for i, v in seen["float32"].items()}
    plain = compute(fused(graph, name, "NONE"), values, rounding=True).numpy()
    found = compute(fused(graph, name, activation), values, rounding=True).numpy()
    np.testing.assert_allclose(found, FUSED[activation](plain), rtol=1e-12)


# --- what is refused


def with_node(graph, changed):
    """Return `graph` with another node in the place of one."""
    nodes = tuple(changed if node.index == changed.index else node for node in graph.nodes)
    return replace(graph, nodes=nodes)


def refusals(graph):
    """Yield a node that is refused, and what is said of it."""
    tanh = node_of(graph, "TANH")
    operators = "operators of SPLIT, .*, DEQUANTIZE"
    yield replace(tanh, name="CUSTOM Mine"), f"{operators}, got {tanh.index} CUSTOM Mine"
    yield replace(tanh, outputs=tanh.outputs * 2), f"{operators}, got {tanh}"
    for name in ("CONV_2D", "ADD"):
        activations = "a fused activation of NONE, .*, TANH"
        yield fused(graph, name, "SIGN_BIT"), f"{activations}, got SIGN_BIT in {node_of(graph, name)}"


@pytest.mark.parametrize("call", [evaluate, ideal_outputs])
def test_what_is_not_written_down_is_refused_in_one_line(graphs, inputs, call):
    for node, message in refusals(graphs["float32"]):
        with pytest.raises(InputError, match=f"^expected {message}$"):
            call(with_node(graphs["float32"], node), inputs[:1])
