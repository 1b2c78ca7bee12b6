"""Synthetic photographs: the same pixels from a seed, under the given conditions."""

from __future__ import annotations

import numpy as np
import pytest

from converters.base.errors import InputError
from lenet_edge.digits.mnist import calibration_digits
from lenet_edge.on_paper.drawing import PAPERS, PENS, SURROUNDINGS, draw_conditions, jpeg, photograph

DIGIT = calibration_digits().images[0]
CLEAN = {
    **{"pen": "felt-tip", "ink": "black", "paper": "white", "ruling": "none", "shadow": "none"},
    **{"darkness": 0.9, "stroke": 2.5, "width": 120, "height": 90, "size": 0.6, "exposure": 0.9},
    **{"rotation": 0.0, "jitter": 0.0, "tilt": (0.0, 0.0), "vignette": 0.0, "blur": 0.3, "noise": 0.5},
}


def grey_of(**fixed):
    image, _ = photograph(DIGIT, seed=(1998, 1), **{**CLEAN, **fixed})
    return np.asarray(image.convert("L")).astype(np.float32)


def middle_of_ink(grey):
    """Return the column and row of the middle of what is dark, as shares of the photograph."""
    rows, columns = np.nonzero(grey < 120)
    return (columns.min() + columns.max() + 1) / 2 / grey.shape[1], (rows.min() + rows.max() + 1) / 2 / len(
        grey
    )


def test_the_same_seed_gives_the_same_pixels_and_another_others():
    first, again, other = (photograph(DIGIT, seed=seed)[0] for seed in (3, 3, 4))
    assert first.tobytes() == again.tobytes()
    assert first.size != other.size or first.tobytes() != other.tobytes()


def test_a_photograph_has_the_fixed_conditions():
    image, conditions = photograph(DIGIT, seed=5, **CLEAN)
    assert image.size == (120, 90)
    assert {name: getattr(conditions, name) for name in CLEAN} == CLEAN


@pytest.mark.parametrize("size", [0.3, 0.6])
def test_the_digit_has_the_size_of_its_condition(size):
    rows, columns = np.nonzero(grey_of(size=size, centre=(0.5, 0.5)) < 120)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == pytest.approx(size * 90, abs=4)


@pytest.mark.parametrize("centre", [(0.0, 0.0), (1.0, 0.0), (0.5, 1.0)])
def test_the_digit_is_at_the_position_of_its_condition(centre):
    column, row = middle_of_ink(grey_of(size=0.3, centre=centre))
    for place, share in ((column, centre[0]), (row, centre[1])):
        assert (place < 0.45) == (share == 0)
        assert (place > 0.55) == (share == 1)


def test_a_turned_digit_is_the_level_one_turned_clockwise():
    centre = (0.5, 0.5)
    level, turned = (grey_of(size=0.5, centre=centre, rotation=angle) < 120 for angle in (0.0, 15.0))
    spread = [np.cov(np.nonzero(mask)[::-1])[0, 1] for mask in (level, turned)]
    # Clockwise with rows counted downwards; of this digit, taller than wide, the top then goes to the right.
    assert spread[1] < spread[0]


def test_rules_are_paler_than_ink_and_run_from_side_to_side():
    ruled = grey_of(ruling="ruled", rule=0.3, spacing=0.5, size=0.5)
    bare = grey_of(size=0.5)
    share = (bare - ruled > 10).mean(axis=1)
    assert (share > 0.7).sum() >= 3
    assert ruled[share > 0.7].mean() > 120


@pytest.mark.parametrize("shadow", ["gradient", "cast"])
def test_a_shadow_takes_light_from_part_of_the_paper(shadow):
    dark, light = ((grey_of(shadow=kind, depth=0.5) < 200).mean() for kind in (shadow, "none"))
    assert light + 0.1 < dark < 1


@pytest.mark.parametrize("around", ["ring", "box"])
def test_a_ring_or_box_is_drawn_at_its_reach(around):
    conditions = {"size": 0.3, "centre": (0.5, 0.5), "reach": (0.8, 1.2)}
    bare, drawn = (grey_of(around=kind, **conditions) for kind in ("none", around))
    rows, columns = np.nonzero(bare - drawn > 60)
    # The digit is 27 pixels high; the pen's stroke, an eighth of that, is half outside.
    assert (np.ptp(columns) + 1) / 27 == pytest.approx(2 * 0.8 + 0.125, abs=0.08)
    assert (np.ptp(rows) + 1) / 27 == pytest.approx(2 * 1.2 + 0.125, abs=0.08)
    corner = drawn[rows.min() : rows.min() + 8, columns.min() : columns.min() + 5]
    assert (corner.min() < 100) == (around == "box")


def test_a_sheet_on_a_table_is_bright_in_the_dark_and_its_rules_end_with_it():
    conditions = {"size": 0.3, "centre": (0.5, 0.5), "reach": (0.8, 1.2), "around": "table"}
    sheet = grey_of(**conditions) > 120
    assert sheet.sum() == pytest.approx(4 * 0.8 * 1.2 * 27**2, rel=0.1)
    bare, ruled = (grey_of(**conditions, ruling=ruling, rule=0.3) for ruling in ("none", "ruled"))
    assert (bare - ruled)[sheet].max() > 20
    assert np.abs(bare - ruled)[~sheet].max() < 20


@pytest.mark.parametrize("around", SURROUNDINGS)
def test_what_is_around_a_digit_fits_and_the_digit_is_no_smaller_than_mnists(around):
    for seed in range(30):
        conditions = draw_conditions(np.random.default_rng(seed), around=around)
        shorter, turn = min(conditions.width, conditions.height), np.radians(abs(conditions.rotation))
        extent = 2 * max(conditions.reach) * (np.cos(turn) + np.sin(turn))
        assert around == "none" or conditions.size * extent < 0.9
        assert conditions.size * shorter >= 20 - 1e-9


@pytest.mark.parametrize("pen", PENS)
def test_each_pen_draws_within_its_widths(pen):
    drawn = [draw_conditions(np.random.default_rng(seed), pen=pen) for seed in range(20)]
    for conditions in drawn:
        assert PENS[pen].widths[0] <= conditions.stroke <= PENS[pen].widths[1]
        assert conditions.ink in PENS[pen].inks
        assert conditions.paper in PAPERS


def test_a_lower_quality_takes_fewer_bytes():
    image, _ = photograph(DIGIT, seed=5, **CLEAN)
    sizes = [len(jpeg(image, quality)) for quality in (40, 95)]
    assert sizes[0] < sizes[1]
    assert jpeg(image, 40).startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("digit", "fixed", "message"),
    [
        (DIGIT[:20], {}, r"expected a digit of uint8 \(28, 28\), got uint8 \(20, 28\)"),
        (np.zeros((28, 28), np.uint8), {}, "expected a digit with ink, got none"),
        (DIGIT, {"weather": "rain"}, "expected conditions among pen, .*, got weather"),
        (DIGIT, {"around": "water"}, "expected around to be one of none, ring, box, table, got water"),
        (DIGIT, {"pen": "quill"}, "expected pen to be one of ballpoint, .*, got quill"),
    ],
)
def test_bad_input_is_a_one_line_error(digit, fixed, message):
    with pytest.raises(InputError, match=message):
        photograph(digit, seed=1, **fixed)
