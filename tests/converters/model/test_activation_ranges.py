"""Ranges: 0 is a step, the data bound them, and they are never worse than the data's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from converters.model.activation_ranges import (
    BEHIND,
    RangeSearch,
    fit_range,
    put_out,
    rounded,
    sigmoid,
    softmax,
)

FUNCTIONS = ["linear", *BEHIND]
STEP_OF = {"tanh": 128, "sigmoid": 256}

# Up to 20: e to its power is far from the end of float32, and tanh and sigmoid are long flat. No smaller
# than 2^-20: the rounding of a float32 quotient says nothing of a step near the smallest number.
numbers = st.one_of(st.just(0.0), st.floats(2**-20, 20, width=32), st.floats(-20, -(2**-20), width=32))
values = npst.arrays(np.float32, npst.array_shapes(min_dims=2, max_dims=2, max_side=8), elements=numbers)
bits = st.integers(2, 8)


def error(found, wanted):
    return float(np.mean((np.asarray(found, np.float64) - wanted) ** 2))


def exact(values, behind):
    """Return f(values), as `fit_range` is to come near to."""
    return BEHIND.get(behind, lambda x: x)(values)


def own_range(values):
    return min(float(values.min()), 0.0), max(float(values.max()), 0.0)


@given(values, bits, st.sampled_from(FUNCTIONS))
def test_a_range_holds_0_and_lies_within_the_data(data, bits, behind):
    low, high = fit_range(data, bits=bits, behind=behind)
    if not data.any():
        assert (low, high) == (-1.0, 1.0)
        return
    least, most = own_range(data)
    assert least <= low <= 0 <= high <= most
    # the same share of both ends, a twentieth at least
    shares = [got / end for got, end in ((low, least), (high, most)) if end]
    assert shares == pytest.approx([shares[0]] * len(shares), rel=1e-12)
    assert shares[0] >= 0.05 * (1 - 1e-12)


@given(values, bits, st.sampled_from(FUNCTIONS))
def test_the_error_is_never_more_than_with_the_data_s_own_range(data, bits, behind):
    wanted, range_ = exact(data, behind), fit_range(data, bits=bits, behind=behind)
    fitted = error(put_out(rounded(data, *range_, bits=bits), behind=behind), wanted)
    low, high = own_range(data)
    own = error(put_out(rounded(data, low or -1.0 * (not high), high, bits=bits), behind=behind), wanted)
    # Both errors are means of the same float32 squares; the sum may be rounded in another order.
    assert fitted <= own * (1 + 1e-5) + 1e-14


@given(values, bits)
def test_rounding_is_to_the_nearest_of_so_many_steps_and_0_is_one(data, bits):
    low, high = own_range(data)
    if low == high:
        return
    found, step = rounded(data, low, high, bits=bits).astype(np.float64), (high - low) / (2**bits - 1)
    np.testing.assert_array_equal(found[data == 0], 0)
    # All are whole steps, 2^bits of them at most; a quotient of up to 255 is rounded to 24 bits.
    steps = found / step
    np.testing.assert_allclose(steps, np.rint(steps), atol=255 * 2**-22)
    assert steps.max(initial=0) - steps.min(initial=0) < 2**bits - 0.5
    # Half a step to the nearest one, and as much again where 0 being a step moved the ends.
    assert np.abs(found - data).max() <= step * (1 + 1e-4)
    within = (data > low + step) & (data < high - step)
    assert np.abs(found - data)[within].max(initial=0) <= step / 2 * (1 + 1e-4)


def test_beyond_the_range_is_clipped():
    # 255 steps of 1 from -55 to 200
    found = rounded(np.array([-1e6, -55.4, 0, 0.4, 199.6, 1e6], np.float32), -55.0, 200.0)
    np.testing.assert_array_equal(found, [-55, -55, 0, 0, 200, 200])
    found = rounded(np.array([-9, -0.6, 0.6, 9], np.float32), -1.0, 2.0, bits=2)
    np.testing.assert_array_equal(found, [-1, -1, 1, 2])


@pytest.mark.parametrize("behind", ["linear", "relu"])
def test_linear_data_without_outliers_keep_their_range(rng, behind):
    data = rng.uniform(-3, 5, 20_000).astype(np.float32)
    assert fit_range(data, behind=behind) == own_range(data)


def test_a_rare_outlier_is_not_worth_a_coarser_step_of_few_bits(rng):
    data = np.append(rng.uniform(0, 1, 100_000), 8).astype(np.float32)
    # At 1 the outlier costs 7^2 / 100,000 and the step (1 / 15)^2 / 12, together 0.0009; at 2 it is 0.0018.
    low, high = fit_range(data, bits=4)
    assert low == 0
    assert 0.9 < high < 2
    assert fit_range(data, bits=8)[1] > 2  # the step at 2 is (2 / 255)^2 / 12, the outlier six times as dear


@pytest.mark.parametrize("behind", ["tanh", "sigmoid"])
def test_a_far_tail_is_clipped_behind_a_squashing_function(rng, behind):
    data = np.append(rng.normal(size=5_000), [-30.0, 30.0]).astype(np.float32)
    low, high = fit_range(data, behind=behind)
    # The bulk ends at 4; both functions are flat, to less than their own step, from 7 on.
    assert 2 < high <= 7
    assert low == pytest.approx(-high)
    # Where nothing squashes them the far values are kept: 1 off in two of them costs 2 / 5,000, a fifth of
    # the steps' (60 / 255)^2 / 12 and more than 1 in 30 of it.
    assert fit_range(data)[1] > 25


def test_a_softmax_does_not_care_for_scores_far_below_the_best(rng):
    data = rng.normal(-6, 1, size=(2_000, 10)).astype(np.float32)
    data[:, 0] = -100  # e^-90 of the sum
    low, high = fit_range(data, behind="softmax")
    assert high == 0
    assert -20 < low < -6
    assert fit_range(data)[0] < -95


@pytest.mark.parametrize("behind", FUNCTIONS)
def test_constant_zeros_have_a_range_with_a_step_for_them(behind):
    zeros = np.zeros((3, 4), np.float32)
    assert fit_range(zeros, behind=behind) == (-1.0, 1.0)
    np.testing.assert_array_equal(rounded(zeros, -1.0, 1.0), zeros)


@pytest.mark.parametrize(("sign", "wanted"), [(1, (0.0, 3.0)), (-1, (-3.0, 0.0))])
def test_data_of_one_sign_have_a_range_from_0(sign, wanted):
    data = sign * np.linspace(1, 3, 5_000, dtype=np.float32)
    assert fit_range(data) == wanted


@given(values)
def test_the_functions_are_the_kernels(data):
    exactly = data.astype(np.float64)
    np.testing.assert_allclose(sigmoid(data), 1 / (1 + np.exp(-exactly)), atol=1e-7)
    for behind, real in (("tanh", np.tanh(exactly)), ("sigmoid", 1 / (1 + np.exp(-exactly)))):
        steps = STEP_OF[behind]
        found = put_out(data, behind=behind).astype(np.float64) * steps
        np.testing.assert_array_equal(found, np.rint(found))
        # Half a step for rounding; one at the upper end, which is a step short. 1e-4: float32.
        assert np.abs(found - real * steps).max() <= (0.5 if (real < 1 - 1 / steps).all() else 1) + 1e-4
        assert found.max() <= steps - 1
    found = softmax(data)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)  # eight float32 numbers
    powers = np.exp(exactly)
    # e to the power of a difference of up to 40 in float32: 40 units in the last place.
    np.testing.assert_allclose(
        found, powers / powers.sum(axis=1, keepdims=True), rtol=40 * 2**-23, atol=1e-30
    )


def searched(parts, **options):
    search = RangeSearch(**options)
    for watch in (search.see, search.weigh):
        for part in parts:
            watch(part)
    return search.best()


@pytest.mark.parametrize("behind", FUNCTIONS)
def test_values_that_come_in_parts_have_the_range_of_the_whole(rng, behind):
    data = rng.standard_t(3, (90_000, 3)).astype(np.float32)
    assert searched(np.split(data, [1, 5, 40_000]), behind=behind) == fit_range(data, behind=behind)
    # A part that ends elsewhere: another softmax of another row would have another range.
    assert searched([data.reshape(30, 3_000, 3)], behind=behind) == fit_range(data, behind=behind)


@pytest.mark.parametrize("behind", FUNCTIONS)
def test_a_share_of_many_values_has_a_range_as_good_as_that_of_all(rng, behind):
    data = rng.normal(0, 3, (300_000, 4)).astype(np.float32)
    share, wanted = searched([data], behind=behind, most=60_000), exact(data, behind)
    best, found = (
        error(put_out(rounded(data, *range_), behind=behind), wanted)
        for range_ in (fit_range(data, behind=behind), share)
    )
    # A range is a candidate or its neighbour, 5 % narrower: the steps' error is 10 % less, what is clipped
    # costs that much more.
    assert best <= found <= 1.1 * best
    assert searched([data], behind=behind, most=60_000) == share


def test_a_share_holds_the_least_and_the_greatest_value(rng):
    data = rng.uniform(-1, 1, (100_000, 1)).astype(np.float32)
    data[70_000], data[80_000] = -1.5, 1.25
    search = RangeSearch(most=100)
    search.see(data)
    search.weigh(data)
    low, high = search.best()
    assert low / high == pytest.approx(-1.5 / 1.25)
