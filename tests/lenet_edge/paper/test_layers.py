"""The paper's layers against plain NumPy written from its sentences, forward and gradient."""

from __future__ import annotations

import numpy as np
import paper_numpy as paper
import pytest

from converters.base.environment import tf
from converters.base.errors import InputError
from lenet_edge.paper.codes import digit_codes
from lenet_edge.paper.layers import TABLE_I, scaled_tanh

# Both sides compute in float32 or better over sums of at most a few hundred terms of size 1, so they
# differ by at most some hundred roundings of 6e-8.
TOLERANCE = 2e-5


def gradients(layer, x, by_output):
    """Return the layer's output and the gradients of sum(output * by_output) for x and the weights."""
    x = tf.constant(x, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
        total = tf.reduce_sum(y * tf.constant(by_output, tf.float32))
    by_x, by_weights = tape.gradient(total, [x, layer.trainable_weights])
    return y.numpy(), by_x.numpy(), [g.numpy() for g in by_weights]


def randomly(layer, shape, rng):
    layer.build(shape)
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(size=weight.shape) * 0.5)
    return [weight.numpy().astype(np.float64) for weight in layer.trainable_weights]


@pytest.mark.parametrize(("pool", "shape"), [(2, (3, 6, 8, 5)), ((3, 2), (2, 7, 5, 4)), (1, (2, 3, 3, 2))])
def test_subsampling_is_the_papers(ours, rng, pool, shape):
    layer = ours.TrainableSubsampling(pool_size=pool)
    coefficient, bias = randomly(layer, shape, rng)
    x = rng.normal(size=shape)
    size = (pool, pool) if isinstance(pool, int) else pool
    wanted = paper.subsample(x, coefficient, bias, size)
    by_output = rng.normal(size=wanted.shape)
    y, by_x, (by_coefficient, by_bias) = gradients(layer, x, by_output)
    want_x, want_coefficient, want_bias = paper.subsample_backward(x, coefficient, bias, size, by_output)
    np.testing.assert_allclose(y, wanted, atol=TOLERANCE)
    np.testing.assert_allclose(by_x, want_x, atol=TOLERANCE)
    np.testing.assert_allclose(by_coefficient, want_coefficient, rtol=1e-4, atol=TOLERANCE)
    np.testing.assert_allclose(by_bias, want_bias, rtol=1e-4, atol=TOLERANCE)


@pytest.mark.parametrize("table", [paper.printed_table(), [[1], [0, 2], [2, 1, 0]]], ids=["Table I", "small"])
def test_partial_convolution_is_the_papers(ours, rng, table):
    maps = 1 + max(m for row in table for m in row)
    shape = (2, 7, 8, maps)
    layer = ours.PartialConv2D(table=table, kernel_size=(5, 3))
    kernel, bias = randomly(layer, shape, rng)
    pairs = [(m, o) for o, row in enumerate(table) for m in row]
    kernels = {pair: kernel[:, :, index] for index, pair in enumerate(pairs)}
    x = rng.normal(size=shape)
    wanted = paper.partial_convolution(x, kernels, bias, table)
    by_output = rng.normal(size=wanted.shape)
    y, by_x, (by_kernel, by_bias) = gradients(layer, x, by_output)
    want_x, want_kernels, want_bias = paper.partial_convolution_backward(x, kernels, bias, table, by_output)
    want_kernel = np.stack([want_kernels[pair] for pair in pairs], axis=-1)
    np.testing.assert_allclose(y, wanted, atol=TOLERANCE)
    np.testing.assert_allclose(by_x, want_x, atol=TOLERANCE)
    np.testing.assert_allclose(by_kernel, want_kernel, rtol=1e-4, atol=TOLERANCE)
    np.testing.assert_allclose(by_bias, want_bias, rtol=1e-4, atol=TOLERANCE)


@pytest.mark.parametrize("trainable", [False, True])
def test_rbf_is_the_papers(ours, rng, trainable):
    codes = rng.normal(size=(4, 7)).astype(np.float32)
    layer = ours.EuclideanRBF(codes=codes, trainable_codes=trainable)
    x = rng.normal(size=(3, 7))
    wanted = paper.rbf(x, codes.astype(np.float64))
    by_output = rng.normal(size=wanted.shape)
    y, by_x, by_codes = gradients(layer, x, by_output)
    want_x, want_codes = paper.rbf_backward(x, codes.astype(np.float64), by_output)
    np.testing.assert_allclose(y, wanted, atol=TOLERANCE)
    np.testing.assert_allclose(by_x, want_x, atol=TOLERANCE)
    assert len(by_codes) == trainable
    if trainable:
        np.testing.assert_allclose(by_codes[0], want_codes, atol=TOLERANCE)


def test_scaled_tanh_is_the_papers(ours, rng):
    a = rng.normal(size=(50,)) * 3
    by_output = rng.normal(size=a.shape)
    y, by_a, _ = gradients(ours.ScaledTanh(), a, by_output)
    np.testing.assert_allclose(y, paper.squash(a), atol=TOLERANCE)
    np.testing.assert_allclose(by_a, by_output * paper.squash_slope(a), atol=TOLERANCE)
    np.testing.assert_array_equal(scaled_tanh(tf.constant(a, tf.float32)), y)


def test_scaled_tanh_maps_the_targets_onto_themselves(ours):
    # "with this choice of parameters, f(1) = 1 and f(-1) = -1" (appendix A); the constants have five digits
    np.testing.assert_allclose(ours.ScaledTanh()(tf.constant([1.0, -1.0])), [1.0, -1.0], atol=1e-4)


def test_table_i_is_as_printed():
    assert [sorted(row) for row in TABLE_I] == paper.printed_table()


def test_the_codes_are_84_values_of_plus_or_minus_one_and_all_differ():
    codes = digit_codes()
    assert codes.shape == (10, 84)
    assert set(np.unique(codes)) == {-1.0, 1.0}
    assert len(np.unique(codes, axis=0)) == 10
    one = codes[1].reshape(12, 7)
    assert one[0].tolist() == [-1, -1, -1, 1, 1, -1, -1]  # ...##..
    assert one[9].tolist() == [-1, 1, 1, 1, 1, 1, 1]  # .######


def test_the_first_weights_are_within_the_papers_bounds(ours):
    drawn = ours.FanInUniform(fan_in=[75.0, 100.0, 150.0], seed=1)((5000, 3)).numpy()
    bounds = 2.4 / np.array([75.0, 100.0, 150.0])
    # the largest of 5,000 draws is within 0.3 % of the bound, except for one seed in e^15
    np.testing.assert_allclose(np.abs(drawn).max(axis=0), bounds, rtol=3e-3)
    assert (np.abs(drawn) <= bounds * (1 + 1e-6)).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda ours: ours.TrainableSubsampling(pool_size=0),
        lambda ours: ours.TrainableSubsampling(pool_size=(2, 2, 2)),
        lambda ours: ours.TrainableSubsampling()(tf.zeros((2, 4))),
        lambda ours: ours.PartialConv2D(table=[]),
        lambda ours: ours.PartialConv2D(table=[[0], []]),
        lambda ours: ours.PartialConv2D(table=[[0, 0]]),
        lambda ours: ours.PartialConv2D(table=[[-1]]),
        lambda ours: ours.PartialConv2D(kernel_size=0),
        lambda ours: ours.PartialConv2D()(tf.zeros((1, 9, 9, 5))),
        lambda ours: ours.EuclideanRBF(codes=[1.0, 2.0]),
        lambda ours: ours.EuclideanRBF()(tf.zeros((1, 83))),
        lambda ours: ours.ScaledTanh(slope=0.0),
        lambda ours: ours.FanInUniform(fan_in=0),
    ],
)
def test_bad_options_give_one_line(ours, make):
    with pytest.raises(InputError, match=r"^expected .*, got [^\n]*"):
        make(ours)
