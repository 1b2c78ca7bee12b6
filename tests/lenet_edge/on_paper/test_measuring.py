"""Measuring photographs: the same result with any number of processes, every digit under each condition."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from lenet_edge.digits.mnist import Digits, calibration_digits
from lenet_edge.on_paper import measuring
from lenet_edge.on_paper.drawing import draw_conditions
from lenet_edge.on_paper.measuring import PhotographReport, Share, measure_photographs, report_lines
from lenet_edge.on_paper.saved import SAVED

DIGITS = Digits(*(part[::25] for part in calibration_digits()))


@pytest.fixture(scope="module")
def report():
    return measure_photographs(DIGITS, model="int8_qat", seed=1, jobs=2)


def test_the_result_does_not_depend_on_the_processes(report):
    assert measure_photographs(DIGITS, model="int8_qat", seed=1) == report
    assert json.loads(json.dumps(asdict(report)))["by_condition"]["pen"].keys() <= {
        *("ballpoint", "fineliner", "felt-tip", "pencil")
    }


def test_every_digit_counts_under_each_condition(report):
    assert report.digits == len(DIGITS.labels) == 20
    for shares in report.by_condition.values():
        assert sum(share.digits for share in shares.values()) == 20
        wrong = sum(share.error * share.digits for share in shares.values()) / 20
        assert wrong == pytest.approx(report.error, abs=0.01)
    assert report.error_of_the_digits_themselves == report.error_of_the_digits_as_png_files == 0


def test_a_fifth_of_the_digits_is_drawn_as_each_kind(report):
    assert list(report.by_kind) == ["ring", "box", "table", *SAVED]
    assert {share.digits for share in report.by_kind.values()} == {4}
    assert all(share.error == 0 for share in report.by_kind.values())


def test_a_digit_read_otherwise_is_an_error():
    wrong = Digits(DIGITS.images, (DIGITS.labels + 1) % 10)
    report = measure_photographs(wrong, model="int8_qat", seed=1)
    assert report.error_of_the_digits_themselves == report.error_of_the_digits_as_png_files == 100
    assert report.error > 50
    assert all(share.error == 100 for share in report.by_kind.values())


def test_shares_are_of_the_range_that_a_value_lies_in():
    conditions = [draw_conditions(np.random.default_rng(i), width=40 + 300 * i) for i in range(3)]
    table = measuring._by_condition(conditions, np.array([True, False, False]))
    assert table["width"] == {
        "40 to 99 pixels": Share(1, 100.0),
        "100 to 399": Share(1, 0.0),
        "400 to 2,000": Share(1, 0.0),
    }


@pytest.mark.parametrize(
    ("digits", "line"), [(1, "1 photograph: 0.00 % read"), (2000, "2,000 photographs: 0.00")]
)
def test_one_photograph_is_in_the_singular(digits, line):
    shares = {"pen": {"pencil": Share(1, 50.0)}}, {"ring": Share(1, 25.0)}
    first, *_, pen, kind = report_lines(PhotographReport("int8", 1, digits, 0.0, 0.0, 0.0, 0, 0, *shares))
    assert first.startswith(line)
    assert pen.split() == ["pen", "pencil", "1", "50.00", "%"]
    assert kind.split() == ["kind", "ring", "1", "25.00", "%"]
