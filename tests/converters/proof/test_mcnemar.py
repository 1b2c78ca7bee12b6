"""McNemar's exact test: by hand, and by counting every outcome of fair coins."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.proof.mcnemar import mcnemar

marks = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


def split(first, second, *, both=3, neither=2):
    """Return two models' results: `first` digits that only the first reads correctly, and so on."""
    ones = [(True, False)] * first + [(False, True)] * second + [(True, True)] * both
    return np.array(ones + [(False, False)] * neither, bool).reshape(-1, 2).T


# 2 (1) / 2^5; 2 (1 + 10) / 2^10; 2 (1 + 7 + 21) / 2^7; 2 / 2
BY_HAND = [(0, 5, 0.0625), (9, 1, 22 / 1024), (2, 5, 58 / 128), (1, 0, 1.0)]


@pytest.mark.parametrize(("first", "second", "p"), BY_HAND)
def test_p_is_as_computed_by_hand(first, second, p):
    # Sums of whole numbers over a power of two: exact.
    assert mcnemar(*split(first, second)) == (first, second, p)


@pytest.mark.parametrize("divided", range(9))
def test_p_is_the_share_of_coin_tosses_at_least_as_uneven(divided):
    heads = [sum(toss) for toss in product((0, 1), repeat=divided)]
    for first in range(divided + 1):
        uneven = abs(2 * first - divided)
        wanted = sum(abs(2 * h - divided) >= uneven for h in heads) / 2**divided
        assert mcnemar(*split(first, divided - first)).p == wanted


@given(marks)
def test_only_digits_that_one_model_reads_count_and_the_order_does_not_matter(pairs):
    first, second = np.array(pairs, bool).T
    found, swapped = mcnemar(first, second), mcnemar(second, first)
    assert found == (swapped.only_second, swapped.only_first, swapped.p)
    assert found.only_first == sum(a and not b for a, b in pairs)
    assert found.only_second == sum(b and not a for a, b in pairs)
    divided = first != second
    assert mcnemar(first[divided], second[divided]) == found
    assert 0 < found.p <= 1


@pytest.mark.parametrize("count", [0, 1, 50])
def test_models_that_agree_differ_by_chance(count):
    assert mcnemar(*split(0, 0, both=count, neither=count)) == (0, 0, 1.0)


@pytest.mark.parametrize("count", [1, 2, 700])
def test_an_even_split_of_any_size_has_p_1(count):
    # The tail is a quotient of integers of 1,400 bits, more than a float's, rounded once: no overflow.
    assert mcnemar(*split(count, count)).p == 1.0


def test_p_falls_as_a_split_grows_more_uneven():
    found = [mcnemar(*split(20 - k, 20 + k)).p for k in range(21)]
    assert all(a > b for a, b in pairwise(found[1:]))
    assert found[20] == 2.0**-39
