"""Strings from window scores: compared with sums over every path, on known answers, and on bad input."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters.base.errors import InputError
from lenet_edge.digits.geometry import EMPTY
from lenet_edge.runtime import string_decoder as strings
from lenet_edge.runtime.string_decoder import greedy, viterbi

quickly = settings(deadline=None, max_examples=20)


def rows_of(answers: str, *, sure: float = 0.99) -> np.ndarray:
    """Return scores (T, 11): a window gives its answer ("." is EMPTY) `sure`, the others share the rest."""
    rows = np.full((len(answers), EMPTY + 1), (1 - sure) / EMPTY)
    for row, answer in zip(rows, answers, strict=True):
        row[EMPTY if answer == "." else int(answer)] = sure
    return rows


@st.composite
def random_rows(draw, *, most):
    """Scores from nearly even to nearly certain, EMPTY favoured by some, so that all texts come about."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    logits = rng.normal(0, draw(st.sampled_from([0.3, 2, 6])), (draw(st.integers(1, most)), EMPTY + 1))
    logits[:, EMPTY] += draw(st.sampled_from([0, 3]))
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


# --- every path, one by one ---------------------------------------------------------------------


@dataclass(frozen=True)
class Paths:
    """All paths over T windows: their classes (n, T), where digits begin (n, T), what they read as."""

    classes: np.ndarray
    begins: np.ndarray
    texts: np.ndarray


@functools.lru_cache
def all_paths(windows: int) -> Paths:
    """List what the module's docstring allows: a lone window has EMPTY (or the end) on both sides."""
    kept = []
    for path in itertools.product(range(EMPTY + 1), repeat=windows):
        runs = [(digit, len(list(run))) for digit, run in itertools.groupby(path)]
        padded = [(EMPTY, 0), *runs, (EMPTY, 0)]
        lone = [
            (before[0], after[0])
            for before, (digit, length), after in zip(padded, runs, padded[2:], strict=False)
            if digit != EMPTY and length == 1
        ]
        if all(sides == (EMPTY, EMPTY) for sides in lone):
            kept.append((path, "".join(str(digit) for digit, _ in runs if digit != EMPTY)))
    classes = np.array([path for path, _ in kept])
    begins = (np.diff(classes, axis=1, prepend=EMPTY) != 0) & (classes != EMPTY)
    return Paths(classes, begins, np.array([text for _, text in kept]))


def weights_of(paths: Paths, rows: np.ndarray) -> np.ndarray:
    floored = np.maximum(rows, 1e-6)
    return floored[np.arange(len(rows)), paths.classes].prod(axis=1)


@quickly
@given(random_rows(most=5))
def test_viterbi_reads_the_best_of_all_paths(rows):
    paths = all_paths(len(rows))
    assert viterbi(rows).text == paths.texts[weights_of(paths, rows).argmax()]


@quickly
@given(random_rows(most=5))
def test_a_strings_probability_is_its_paths_share(rows):
    paths, got = all_paths(len(rows)), viterbi(rows)
    weights = weights_of(paths, rows)
    share = weights[paths.texts == got.text].sum() / weights.sum()
    assert got.probability == pytest.approx(share, rel=1e-9)


@pytest.mark.parametrize("windows", [1, 2, 3])
def test_the_probabilities_of_all_texts_sum_to_one(windows):
    rows = np.random.default_rng(windows).dirichlet(np.full(EMPTY + 1, 0.4), windows)
    paths = all_paths(windows)
    weights = weights_of(paths, rows)
    logs = np.log(np.maximum(rows, 1e-6))
    texts = np.unique(paths.texts)
    got = [np.exp(strings._text_weight(logs, np.array([*map(int, text)], int))) for text in texts]
    np.testing.assert_allclose(got, [weights[paths.texts == text].sum() for text in texts], rtol=1e-9)
    assert sum(got) == pytest.approx(weights.sum(), rel=1e-9)


@quickly
@given(random_rows(most=5))
def test_a_digits_probability_is_the_share_of_paths_where_it_begins_near_here(rows):
    paths, got = all_paths(len(rows)), viterbi(rows)
    weights = weights_of(paths, rows)
    best = weights.argmax()
    starts, free = np.flatnonzero(paths.begins[best]), 0
    assert len(got.digits) == len(starts)
    for digit, start in zip(got.digits, starts, strict=True):
        near = slice(max(start - 1, free), start + 2)
        free = start + 2
        begun = paths.begins[:, near] & (paths.classes[:, near] == digit.digit)
        share = weights[begun.any(axis=1)].sum() / weights.sum()
        assert digit.probability == pytest.approx(share, abs=1e-9)


# --- known answers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        (".", ""),
        ("7", "7"),
        ("...", ""),
        (".2..55.4..4.", "2544"),
        ("777", "7"),
        ("7777777", "7"),
        ("7.7", "77"),
        ("1122", "12"),
        ("11223344", "1234"),
        ("00.00", "00"),
        ("0.1.2.3.4.5.6.7.8.9", "0123456789"),
    ],
)
@pytest.mark.parametrize("decode", [viterbi, greedy])
def test_confident_rows_are_read_as_their_digits(decode, answers, text):
    got = decode(rows_of(answers))
    assert got.text == text == "".join(str(digit.digit) for digit in got.digits)
    assert got.probability > 0.8


@pytest.mark.parametrize(
    ("answers", "lone", "without", "text"),
    [
        (".335.", 3, "35", "3"),  # beside a digit's middle
        (".533.", 1, "53", "3"),
        (".11522.", 3, "152", "12"),  # between two digits
        ("533", 0, "53", "3"),  # at an end
        (".33.5.", 4, "35", "35"),  # with EMPTY on both sides it is a digit
    ],
)
def test_a_lone_window_next_to_a_digit_is_no_digit(answers, lone, without, text):
    rows = rows_of(answers)
    rows[lone] = rows_of(answers[lone], sure=0.8)
    assert greedy(rows).text == without
    assert viterbi(rows).text == text


def test_greedy_probabilities_are_of_independent_windows():
    rows = rows_of(".44.", sure=0.5)
    rows[1] = rows_of("4", sure=0.9)
    got = greedy(rows)
    assert got.probability == pytest.approx(0.5**3 * 0.9)
    assert got.digits[0].probability == pytest.approx((0.5 + 0.9) / 2)


def test_an_unsure_digit_lowers_its_own_probability_and_the_strings():
    rows = rows_of("..3...8...6..")
    rows[6, [8, 3]] = [0.6, 0.391]
    got = viterbi(rows)
    assert got.text == "386"
    three, eight, six = (digit.probability for digit in got.digits)
    assert three == pytest.approx(0.99, abs=0.005)
    assert six == pytest.approx(0.99, abs=0.005)
    assert eight == pytest.approx(0.6, abs=0.01)
    assert got.probability < eight


@pytest.mark.parametrize("decode", [viterbi, greedy])
def test_places_are_around_the_windows_middles(decode):
    rows = rows_of("..3......88.1")
    rows[9, 8], rows[9, EMPTY], rows[10, 8] = 0.33, 0.03, 0.99
    rows[9] /= rows[9].sum()
    got = decode(rows)
    share = rows[9, 8] / (rows[9, 8] + rows[10, 8])
    middles = [4 * 2 + 15.5, 4 * (10 - share) + 15.5, 4 * 12 + 15.5]
    between = (middles[1] + middles[2]) / 2
    places = [(digit.left, digit.right) for digit in got.digits]
    wanted = [(middles[0] - 10, middles[0] + 10), (middles[1] - 10, between), (between, middles[2] + 10)]
    np.testing.assert_allclose(places, wanted, rtol=1e-12)


# --- what changes nothing -----------------------------------------------------------------------


@quickly
@given(random_rows(most=40), st.permutations(range(EMPTY)))
def test_other_names_for_the_digits_give_the_same_string_in_these_names(rows, names):
    got, renamed = viterbi(rows), viterbi(rows[:, [*names, EMPTY]])
    assert [names[digit.digit] for digit in renamed.digits] == [digit.digit for digit in got.digits]
    assert renamed.probability == pytest.approx(got.probability, rel=1e-9)


@quickly
@given(random_rows(most=40))
def test_a_mirrored_line_reads_backwards_as_surely(rows):
    got, mirrored = viterbi(rows), viterbi(rows[::-1])
    assert mirrored.text == got.text[::-1]
    assert mirrored.probability == pytest.approx(got.probability, rel=1e-9)
    last = 4 * (len(rows) - 1) + 31
    places = [(last - digit.right, last - digit.left) for digit in reversed(mirrored.digits)]
    np.testing.assert_allclose(places, [(digit.left, digit.right) for digit in got.digits], atol=1e-9)


@quickly
@given(random_rows(most=40))
@pytest.mark.parametrize("decode", [viterbi, greedy])
def test_every_probability_and_place_is_in_range(decode, rows):
    got = decode(rows)
    edges = [5.5, *(side for digit in got.digits for side in (digit.left, digit.right)), 4 * len(rows) + 21.5]
    assert edges == sorted(edges)
    assert all(0 <= p <= 1 for p in (got.probability, *(digit.probability for digit in got.digits)))


@pytest.mark.parametrize("sure", np.linspace(0.9, 0.999, 50))
def test_a_digit_of_one_window_is_in_its_very_middle(sure):
    """Window 25's middle is column 115.5, whatever its score: a mean of one number may be rounded."""
    (digit,) = viterbi(rows_of("." * 25 + "7", sure=sure)).digits
    assert (digit.left, digit.right) == (105.5, 125.5)


@pytest.mark.parametrize("answers", ["..2..55.4.", "35", "33533", "1.1.1", "9" * 9])
def test_scores_of_0_and_1_end_no_path(answers):
    rows = rows_of(answers, sure=1.0)
    with np.errstate(all="raise", under="ignore"):
        got = viterbi(rows)
    assert got.text == viterbi(rows_of(answers, sure=0.999)).text
    assert 0 < got.probability <= 1


def test_a_line_of_10000_columns_is_read():
    rows = rows_of(".7.66" * 500, sure=0.9999)
    got = viterbi(rows.astype(np.float32))
    assert got.text == "76" * 500
    assert 0.5 < got.probability < 1


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.zeros((0, 11)), r"expected scores of shape \(T, 11\), T of 1 or more, got \(0, 11\)"),
        (np.zeros((3, 10)), r"expected scores of shape \(T, 11\), T of 1 or more, got \(3, 10\)"),
        (np.zeros((1, 3, 11)), r"expected scores of shape \(T, 11\), T of 1 or more, got \(1, 3, 11\)"),
        (np.zeros(11), r"expected scores of shape \(T, 11\), T of 1 or more, got \(11,\)"),
        (np.zeros((3, 11), np.uint8), r"expected scores of a float type, got uint8"),
        (np.full((3, 11), np.nan), r"expected scores that are numbers, got NaN"),
        (np.eye(11) * 2 - 1 / 11, r"expected scores of 0 or more, got -0.0909"),
        (np.full((3, 11), 1.0), r"expected scores of sum 1 in each row, got a sum of 11"),
        (np.full((3, 11), np.inf), r"expected scores of sum 1 in each row, got a sum of inf"),
        (np.zeros((3, 11)), r"expected scores of sum 1 in each row, got a sum of 0"),
    ],
)
@pytest.mark.parametrize("decode", [viterbi, greedy])
def test_what_is_no_scores_is_refused(decode, scores, message):
    with pytest.raises(InputError, match=message):
        decode(scores)


def test_the_rounding_of_int8_scores_is_let_through():
    rows = np.round(rows_of("..3.", sure=0.9) * 256) / 256
    assert rows.sum(axis=1).max() > 1.01
    assert viterbi(rows).text == greedy(rows).text == "3"
