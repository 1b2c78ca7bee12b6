"""Tolerances: the spread that rounding gives, softmax by brute force, and where a score is out."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from converters.base.environment import tf
from converters.file.graph import read_graph
from converters.model.conversion import to_tflite
from converters.proof.exact_arithmetic import evaluate, ideal_outputs, steps_of
from converters.proof.noise import sigma
from converters.proof.tolerance import FLOAT32, Tolerance, _softmax_limits
from converters.runtimes.tensorflow_interpreter import run

layers = keras.layers
DRAWS = 3_000


def random_weights(model, scale):
    rng = np.random.default_rng(6)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape) * scale)
    return model


@pytest.fixture(scope="module")
def inputs():
    """Pictures in the middle of the calibrated range: nothing of them is clipped."""
    return np.random.default_rng(7).uniform(0.2, 0.8, (40, 6, 6, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def contents(inputs):
    """A small net of LeNet-5's kinds, as float32 and int8."""
    x = keras.Input((6, 6, 1))
    y = layers.Conv2D(2, 3, activation="tanh")(x)
    y = layers.DepthwiseConv2D(2, strides=2, activation="tanh")(y)
    y = layers.Dense(3)(layers.Flatten()(y))
    model = random_weights(keras.Model(x, layers.Softmax()(y)), 0.5)
    wide = np.random.default_rng(8).uniform(-0.5, 1.5, (60, 6, 6, 1)).astype(np.float32)
    return {p: to_tflite(model, precision=p, calibration=wide).content for p in ("float32", "int8")}


@pytest.fixture(scope="module")
def graphs(contents):
    return {precision: read_graph(content) for precision, content in contents.items()}


def to_the_logits(graph):
    """Return `graph` as far as its softmax."""
    end = next(i for i, node in enumerate(graph.nodes) if node.name == "SOFTMAX")
    return replace(graph, nodes=graph.nodes[:end], outputs=(graph.nodes[end].inputs[0],))


def allowed(tolerance, index):
    low, high = tolerance.limits(np.array([index]))
    np.testing.assert_allclose(high - tolerance.ideal[index], tolerance.ideal[index] - low, rtol=1e-6)
    return (high[0] - low[0]) / 2


def sigma_of(tolerance, index):
    """Return the standard deviation behind the limits of a graph without softmax."""
    return (allowed(tolerance, index) - tolerance.step) / 6


def equal_to_the_corner(values):
    return values == values[:, :1, :1]


# --- the spread of the logits


def errors(rng, values, step):
    """Return DRAWS differences of two rounding errors of `values` (1, ...), the same ones on blank paper."""
    shape = (DRAWS, *values.shape[1:])
    drawn = rng.uniform(-step / 2, step / 2, shape) - rng.uniform(-step / 2, step / 2, shape)
    return np.where(equal_to_the_corner(values), drawn[:, :1, :1], drawn) if values.ndim == 4 else drawn


PICTURES = {
    "no blank": lambda picture: picture,
    "all blank": lambda picture: np.full_like(picture, 0.5),
    "half blank": lambda picture: np.where(np.arange(6)[None, :, None] < 4, 0.5, picture),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_the_logits_spread_as_much_as_rounding_every_tensor_anew_spreads_them(graphs, inputs, rng, kind):
    graph = to_the_logits(graphs["int8"])
    rounded = [node.outputs[0] for node in graph.nodes if node.name not in ("QUANTIZE", "RESHAPE")]
    assert len(rounded) == 5
    for one in inputs:
        picture = PICTURES[kind](one)[None].astype(np.float32)
        values = {i: v.numpy() for i, v in evaluate(graph, picture).items()}
        maps = [values[t.index] for t in rounded if values[t.index].ndim == 4]
        blank = [equal_to_the_corner(v)[0].sum() - v.shape[3] for v in maps]
        if kind != "no blank" or not any(blank):
            break  # the first with no two steps in a corner and elsewhere that are alike by chance
    share = sum(blank) / sum(v[0].size - v.shape[3] for v in maps)
    assert {"no blank": share == 0, "all blank": share == 1, "half blank": 0.1 < share < 0.9}[kind]
    shifts = {t.index: errors(rng, values[t.index], steps_of(t)) for t in rounded}
    many = np.repeat(picture, DRAWS, axis=0)
    moved = evaluate(graph, many, rounding=False, shifts=shifts)[graph.outputs[0].index].numpy()
    sigma = sigma_of(Tolerance(graph, picture), 0)
    # A standard deviation of n draws is off by 1 / sqrt(2 n) of itself, a mean by sigma / sqrt(n): five times
    # that. 2 % for the bend of tanh, which the derivative does not see: errors are some hundredths.
    assert np.abs(moved.std(axis=0) / sigma - 1).max() < 5 / np.sqrt(2 * DRAWS) + 0.02
    plain = evaluate(graph, picture, rounding=False)[graph.outputs[0].index].numpy()
    assert np.abs((moved.mean(axis=0) - plain[0]) / sigma).max() < 5 / np.sqrt(DRAWS) + 0.1


def test_steps_a_256th_as_wide_give_limits_a_256th_as_wide(graphs, inputs):
    graph = to_the_logits(graphs["int8"])

    def finer(tensor):
        if tensor is None or tensor.constant is not None or tensor.type != "int8":
            return tensor
        return replace(tensor, type="int16", scales=tensor.scales / 256, zero_points=tensor.zero_points * 256)

    nodes = tuple(
        replace(node, inputs=tuple(map(finer, node.inputs)), outputs=tuple(map(finer, node.outputs)))
        for node in graph.nodes
    )
    fine = replace(graph, nodes=nodes, outputs=tuple(map(finer, graph.outputs)))
    picture = np.linspace(0.2, 0.8, 36, dtype=np.float32).reshape(1, 6, 6, 1)
    ratio = allowed(Tolerance(graph, picture), 0) / allowed(Tolerance(fine, picture), 0)
    # The derivatives are at values without rounding, the same ones; elements that are alike in 256 steps, and
    # not in 65,536, make the coarse limits a little wider or narrower.
    assert np.abs(ratio / 256 - 1).max() < 0.2


def test_limits_are_six_sigma_and_a_step(graphs):
    """One dense layer: its own rounding is all there is, J is 1."""
    graph = to_the_logits(graphs["int8"])
    graph = replace(graph, nodes=graph.nodes[-1:], inputs=(graph.nodes[-1].inputs[0],))
    flat = np.zeros((1, graph.inputs[0].shape[1]), np.float32)
    step = steps_of(graph.outputs[0])
    found = Tolerance(graph, flat)
    assert found.step == step
    np.testing.assert_allclose(allowed(found, 0), 6 * step / np.sqrt(6) + step, rtol=1e-9)


def test_a_float_layer_has_the_rounding_of_its_sums(graphs, inputs):
    graph = to_the_logits(graphs["float32"])
    node = graph.nodes[-1]
    graph = replace(graph, nodes=(node,), inputs=(node.inputs[0],))
    kernel = node.inputs[1].real()
    x = np.full((1, kernel.shape[1]), -0.5, np.float32)
    # s = 2 u sqrt(n) max(sum |w x|), n products and a bias
    most = 0.5 * np.abs(kernel).sum(axis=1).max()
    step = 2 * 2.0**-24 * np.sqrt(kernel.shape[1] + 1) * most
    np.testing.assert_allclose(allowed(Tolerance(graph, x), 0), 6 * step / np.sqrt(6), rtol=1e-6)
    assert Tolerance(graph, x).step == 0
    # in float16 the unit is 2^13 times as large
    ratio = allowed(Tolerance(graph, x, unit=2.0**-11), 0) / allowed(Tolerance(graph, x), 0)
    np.testing.assert_allclose(ratio, 2**13, rtol=1e-6)


# A kernel of 1,024 weights or more is int8 in a dynamic-range file: the second, and the first with 40 inputs.
@pytest.mark.parametrize(
    "count",
    [
        20,
        40,
    ],
)
def test_the_inputs_of_hybrid_operators_are_rounded_to_127_steps(count):
    x = keras.Input((count,))
    y = layers.Dense(30, activation="tanh")(layers.Dense(40, activation="tanh")(x))
    model = random_weights(keras.Model(x, y), 0.2)
    graph = read_graph(to_tflite(model, precision="dynamic").content)
    dense = [node for node in graph.nodes if node.name == "FULLY_CONNECTED"]
    assert [node.inputs[1].type for node in dense] == ["int8" if count == 40 else "float32", "int8"]
    graph = replace(graph, nodes=graph.nodes[:3], outputs=dense[1].outputs)
    pictures = np.random.default_rng(9).uniform(-2, 1, (3, count)).astype(np.float32)
    found = Tolerance(graph, pictures)
    first, second = (node.inputs[1].real() for node in dense)
    for i, picture in enumerate(pictures):
        hidden = evaluate(graph, picture[None])[dense[1].inputs[0].index].numpy()[0]
        variance = (second**2).sum(axis=1) * (np.abs(hidden).max() / 127) ** 2 / 6
        if count == 40:
            through = second @ (first * (1 - hidden**2)[:, None])
            variance += (through**2).sum(axis=1) * (np.abs(picture).max() / 127) ** 2 / 6
        # The float32 roundings beside these are 1e-5 of them.
        np.testing.assert_allclose(sigma_of(found, i), np.sqrt(variance), rtol=1e-4)


# --- softmax


@settings(max_examples=50)
@given(
    npst.arrays(np.float64, (2, 3), elements=st.floats(-20, 20)),
    npst.arrays(np.float64, (2, 3), elements=st.floats(0, 3)),
)
def test_softmax_limits_are_the_extremes_of_all_corners(logits, room):
    corners = [logits + np.array(signs) * room for signs in product((-1, 1), repeat=3)]
    scores = [np.exp(c) / np.exp(c).sum(axis=1, keepdims=True) for c in corners]
    low, high = _softmax_limits(logits, room)
    # The powers of the others are a difference, off by some 2^-53 of the largest; that is e^6 times a score's
    # own least power at most. A power of a number up to 23 is off by 23 * 2^-53.
    np.testing.assert_allclose(low, np.min(scores, axis=0), rtol=1e-12)
    np.testing.assert_allclose(high, np.max(scores, axis=0), rtol=1e-12)


def test_softmax_limits_hold_however_much_room_there_is():
    low, high = _softmax_limits(np.zeros((1, 2)), np.array([[40.0, 0.0]]))
    np.testing.assert_allclose([low[0], high[0]], [[np.exp(-40), np.exp(-40)], [1, 1]], rtol=1e-9)


def test_the_limits_of_scores_follow_from_those_of_the_logits(graphs, inputs):
    for precision, own in (("int8", 1 / 256), ("float32", 32 * FLOAT32)):
        graph = graphs[precision]
        found, logits = Tolerance(graph, inputs), Tolerance(to_the_logits(graph), inputs)
        for i in (0, 7):
            corners = [logits.ideal[i] + np.array(s) * allowed(logits, i) for s in product((-1, 1), repeat=3)]
            scores = np.array([np.exp(c) / np.exp(c).sum() for c in corners])
            low, high = found.limits(np.array([i]))
            np.testing.assert_allclose(low[0], scores.min(axis=0) - own, atol=1e-12)
            np.testing.assert_allclose(high[0], scores.max(axis=0) + own, atol=1e-12)


# --- what is out


@pytest.fixture(scope="module", params=["int8", "float32"])
def tolerance(request, graphs, inputs):
    return Tolerance(graphs[request.param], inputs)


def test_limits_contain_the_ideal_and_its_own_rounding(tolerance, graphs, inputs):
    low, high = tolerance.limits(np.arange(len(inputs)))
    # Where the score is certain the logits leave no room: there it is the score's own step, to float64.
    assert (low <= tolerance.ideal - 0.5 * tolerance.own).all()
    assert (high >= tolerance.ideal + 0.5 * tolerance.own).all()
    np.testing.assert_array_equal(tolerance.ideal, ideal_outputs(tolerance.graph, inputs))
    assert tolerance.own == (1 / 256 if tolerance.graph is graphs["int8"] else 2.0**-19)


def test_limits_do_not_depend_on_what_was_asked_before(tolerance, inputs):
    fresh = Tolerance(tolerance.graph, inputs)
    together = fresh.limits(np.array([9, 5]))
    for place, index in enumerate((9, 5)):
        alone = Tolerance(tolerance.graph, inputs[index : index + 1]).limits(np.array([0]))
        for found, wanted in zip(together, alone, strict=True):
            np.testing.assert_allclose(found[place], wanted[0], atol=0.01 * fresh.own)
    # In one batch a float step is that of its largest value; the first answer is kept.
    np.testing.assert_array_equal(fresh.limits(np.array([5, 9])).low, together.low[[1, 0]])


def test_tensorflow_lite_is_within(tolerance, graphs, contents, inputs):
    name = "int8" if tolerance.graph is graphs["int8"] else "float32"
    scores = run(contents[name], inputs).astype(np.float64)
    assert not tolerance.outside(scores).any()
    assert tolerance.used(scores) < 100


def test_a_score_pushed_past_its_limit_is_outside_by_as_much(tolerance):
    limits = tolerance.limits(np.array([3, 4]))
    step = 1 / 256
    scores = tolerance.ideal.copy()
    scores[3, 1] = limits.high[0, 1] + step
    scores[4, 2] = limits.low[1, 2] - 2 * step
    outside = tolerance.outside(scores)
    wanted = np.zeros_like(outside)
    wanted[3, 1], wanted[4, 2] = step, 2 * step
    np.testing.assert_allclose(outside, wanted, atol=1e-12)
    # at the limit, and for fewer inputs than there are
    scores[3, 1] = limits.high[0, 1]
    assert not tolerance.outside(scores[:4]).any()


def test_used_is_0_at_the_ideal_and_100_at_a_limit(tolerance):
    low, high = tolerance.limits(np.array([6]))
    scores = tolerance.ideal.copy()
    assert tolerance.used(scores) == 0
    scores[2, 0] += 0.999 * tolerance.own
    assert tolerance.used(scores) == 0  # its own rounding
    for end, sign in ((high, 1), (low, -1)):
        room = end[0, 2] - tolerance.ideal[6, 2]
        assert sign * room > tolerance.own * 1.05
        for share in (0.97, 1, 2):
            scores[6, 2] = tolerance.ideal[6, 2] + share * room
            if abs(share * room) > tolerance.own:
                assert tolerance.used(scores) == pytest.approx(100 * share)
    # the largest share counts
    scores[6, 2] = tolerance.ideal[6, 2]
    limits = tolerance.limits(np.array([1, 8]))
    scores[1, 0], scores[8, 0] = limits.high[0, 0], 2 * limits.high[1, 0] - tolerance.ideal[8, 0]
    assert tolerance.used(scores) == pytest.approx(200)
    assert tolerance.used(scores[:8]) == pytest.approx(100)


# --- many values, several outputs, other functions at the end


def test_the_spread_that_is_drawn_is_the_one_that_is_derived(graphs, inputs, monkeypatch):
    graph = to_the_logits(graphs["int8"])
    derived = sigma(graph, inputs[:12], graph.outputs[0], unit=FLOAT32)
    monkeypatch.setattr("converters.proof.noise._MOST_DERIVATIVES", 2)
    drawn = sigma(graph, inputs[:12], graph.outputs[0], unit=FLOAT32)
    np.testing.assert_array_equal(sigma(graph, inputs[:12], graph.outputs[0], unit=FLOAT32), drawn)
    # 64 draws give a deviation to 9 %; 36 of them, to four times that at most.
    assert np.abs(drawn / derived - 1).max() < 0.36
    assert abs((drawn / derived).mean() - 1) < 0.06


def test_maps_of_many_values_have_limits_each(inputs):
    x = keras.Input((6, 6, 1))
    y = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    model = random_weights(keras.Model(x, layers.Softmax()(layers.Conv2D(3, 1)(y))), 0.5)
    content = to_tflite(model, precision="int8", calibration=inputs).content
    found = Tolerance(read_graph(content), inputs)
    scores = run(content, inputs).reshape(len(inputs), -1).astype(np.float64)
    assert scores.shape == (40, 108)
    assert not found.outside(scores).any()
    low, high = found.limits(np.array([2]))
    # Each row of scores has limits of its own: those of its three logits.
    assert ((high - low).reshape(36, 3).max(axis=0) > 2 / 256).all()
    scores[2, 50] = high[0, 50] + 1 / 256
    assert np.flatnonzero(found.outside(scores)).tolist() == [2 * 108 + 50]


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_a_monotone_function_at_the_end_carries_the_limits_of_what_it_reads(inputs, activation):
    x = keras.Input((6, 6, 1))
    y = layers.Dense(2)(layers.Flatten()(layers.Conv2D(3, 3)(x)))
    model = random_weights(keras.Model(x, layers.Activation(activation)(y)), 0.7)
    graph = read_graph(to_tflite(model, precision="float32").content)
    before = replace(graph, nodes=graph.nodes[:-1], outputs=(graph.nodes[-1].inputs[0],))
    found, read = Tolerance(graph, inputs), Tolerance(before, inputs)
    function = {"sigmoid": lambda v: 1 / (1 + np.exp(-v)), "tanh": np.tanh}[activation]
    for i in (0, 7):
        low, high = found.limits(np.array([i]))
        np.testing.assert_allclose(low[0], function(read.ideal[i] - allowed(read, i)) - found.own, rtol=1e-9)
        np.testing.assert_allclose(high[0], function(read.ideal[i] + allowed(read, i)) + found.own, rtol=1e-9)


def test_each_output_has_limits_of_its_own(inputs):
    x = keras.Input((36,))
    model = random_weights(keras.Model(x, [layers.Dense(2)(x), layers.Dense(3)(x)]), 0.5)
    graph = read_graph(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    flat = inputs.reshape(40, 36)
    shapes = [Tolerance(graph, flat, output=place).ideal.shape for place in range(2)]
    assert shapes == [(40, tensor.shape[1]) for tensor in graph.outputs]
    assert sorted(shapes) == [(40, 2), (40, 3)]


def test_sums_of_many_terms_round_as_often(inputs):
    x = keras.Input((6, 6, 1))
    model = keras.Model(x, layers.GlobalAveragePooling2D()(x))
    graph = read_graph(to_tflite(model, precision="float32").content)
    signs = np.where(np.arange(36) % 2, 1.0, -1.0).reshape(1, 6, 6, 1).astype(np.float32)
    # The mean is 0, and yet 36 numbers of size 1 were added.
    step = 2 * FLOAT32 * np.sqrt(36)
    np.testing.assert_allclose(allowed(Tolerance(graph, signs), 0), 6 * step / np.sqrt(6), rtol=1e-6)


PRODUCTS = {
    "transposed convolution": lambda x: layers.Conv2DTranspose(4, 3, strides=2)(x),
    "matrices": lambda x: keras.ops.matmul(x, keras.ops.transpose(layers.Dense(6)(x), (0, 1, 3, 2))),
    "parts": lambda x: layers.Dense(3)(layers.Concatenate()(keras.ops.split(x, [2], axis=-1)[::-1])),
    "functions": lambda x: layers.Dense(3)(keras.ops.exp(layers.Activation("gelu")(layers.ELU()(x)))),
}


@pytest.mark.parametrize("precision", ["float32", "dynamic", "int8"])
@pytest.mark.parametrize("name", PRODUCTS)
def test_products_parts_and_functions_are_within_and_not_far(name, precision):
    x = keras.Input((6, 5, 6))
    model = random_weights(keras.Model(x, PRODUCTS[name](x)), 0.3)
    pictures = np.random.default_rng(6).normal(size=(20, 6, 5, 6)).astype(np.float32)
    content = to_tflite(model, precision=precision, calibration=pictures).content
    tolerance = Tolerance(read_graph(content), pictures)
    outputs = run(content, pictures).reshape(20, -1)
    assert tolerance.used(outputs) <= 100
    # A tenth of the outputs' range more is out: of float32, a thousandth.
    far = (1e-3 if precision == "float32" else 0.1) * np.ptp(outputs)
    assert tolerance.outside(outputs + far).max() > 0
