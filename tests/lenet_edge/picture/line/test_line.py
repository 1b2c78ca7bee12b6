"""A photograph of a line of digits becomes the picture that the wide net reads, or a finding."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn_lines import draw_line
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from converters.base.errors import InputError
from lenet_edge.digits.mnist import test_digits as mnist_test_digits
from lenet_edge.digits.string_fields.empty import EMPTIES, empty_fields
from lenet_edge.digits.string_fields.handwriting import AS_IN_MNIST
from lenet_edge.digits.string_fields.strings import string_fields
from lenet_edge.picture.ink import flat_paper
from lenet_edge.picture.line.finding import LineFinding, find_line
from lenet_edge.picture.strokes import distances, skeleton

DIGITS = mnist_test_digits()
ONES = DIGITS.images[np.flatnonzero(DIGITS.labels == 1)[:4]]


def drawn(seed, count=4, **fixed):
    """Return a photograph of `count` test digits, which and how by `seed`."""
    return draw_line(DIGITS.images[5 * seed : 5 * seed + count], seed=seed, **fixed)


def middles_in_picture(line, photograph):
    """Return where the digits' middles are in the line's picture (n, 2), and their usual height there."""
    inverse = np.linalg.inv(np.vstack([line.to_image, [0, 0, 1]]))
    places = inverse @ np.column_stack([photograph.middles, np.ones(len(photograph.middles))]).T
    return places[:2].T, photograph.body / np.hypot(*line.to_image[:, 0])


def assert_found(line, photograph):
    """The line is level in the middle of its picture, its digits 20 rows tall and all on it."""
    assert (line.finding, line.reason) == (LineFinding.LINE, "")
    assert line.picture.dtype == np.uint8
    assert len(line.picture) == 32
    middles, body = middles_in_picture(line, photograph)
    assert body == pytest.approx(20, abs=3)
    assert np.abs(middles[:, 1] - 16).max() <= 3
    assert (np.diff(middles[:, 0]) > 5).all()
    assert (middles[:, 0] > 5).all()
    assert (middles[:, 0] < line.picture.shape[1] - 5).all()
    columns = np.flatnonzero((line.picture > 128).any(axis=0))
    assert 4 <= columns[0] <= 9
    assert 4 <= line.picture.shape[1] - 1 - columns[-1] <= 9
    assert line.picture.max() == 255
    for column in middles[:, 0]:
        assert line.picture[:, round(column) - 6 : round(column) + 6].max() > 200


@pytest.mark.parametrize("seed", range(12))
def test_the_line_of_any_photograph_is_found(seed):
    photograph = drawn(seed)
    assert_found(find_line(photograph.grey), photograph)


@pytest.mark.parametrize(
    "conditions",
    [
        {"slope": 8, "body": 60},
        {"slope": -8, "body": 60},
        {"slope": 0, "body": 20, "stroke": 2},
        {"slope": 2, "body": 400, "room": 0.8},
        {"ruling": "ruled", "slope": 4, "body": 60},
        {"ruling": "squared", "slope": -4, "body": 60},
        {"bright": True, "body": 50},
        {"dark": 0.35, "noise": 3, "stroke": 1.5, "body": 70},
        {"shadow": 0.75, "body": 50},
        {"stroke": 0.7, "body": 120},
        {"stroke": 4.5, "body": 120},
        {"room": 10, "body": 30},
        {"gap": 0.8},
        {"gap": -0.05, "slope": 6, "ruling": "none"},
        {"gap": -0.12, "slope": 8, "ruling": "none", "count": 8},
    ],
    ids=str,
)
def test_the_line_is_found_whatever_the_paper_the_pen_and_the_light(conditions):
    photograph = drawn(3, **conditions)
    line = find_line(photograph.grey)
    assert_found(line, photograph)
    assert line.inverted == conditions.get("bright", False)


@pytest.mark.parametrize("count", [1, 2, 3, 8, 20])
def test_a_line_of_any_length_is_found(count):
    photograph = draw_line(DIGITS.images[:count], seed=1, slope=3, body=50)
    assert_found(find_line(photograph.grey), photograph)


@pytest.mark.parametrize("stroke", [0.6, 1.5, 3, 4.5])
@pytest.mark.parametrize("body", [25, 150])
def test_strokes_are_as_wide_as_those_of_mnist_whatever_the_pen(stroke, body):
    picture = find_line(drawn(2, stroke=stroke, body=body, ruling="none").grey).picture
    large = np.asarray(Image.fromarray(picture).resize((picture.shape[1] * 4, 128), Image.Resampling.BICUBIC))
    inked = large > 128
    width = 2 * np.median(distances(~inked)[skeleton(inked)]) / 4
    assert 2 <= width <= 4.6


def test_the_map_leads_back_to_the_image_by_a_turn_and_a_scale():
    photograph = drawn(4, slope=7, body=80)
    matrix = find_line(photograph.grey).to_image[:, :2]
    scale = np.hypot(*matrix[:, 0])
    np.testing.assert_allclose(matrix @ matrix.T, scale**2 * np.eye(2), atol=1e-9)
    assert np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])) == pytest.approx(7, abs=2.5)


def cut(photograph, beside):
    """Return a photograph cut 2 pixels above and below its digits and `beside` pixels beside them."""
    left, top = photograph.boxes[:, :2].min(axis=0).astype(int) - (beside, 2)
    right, bottom = photograph.boxes[:, 2:].max(axis=0).astype(int) + (beside + 1, 3)
    grey = photograph.grey[top:bottom, left:right]
    return replace(photograph, grey=grey, middles=photograph.middles - (left, top))


@pytest.mark.parametrize("stroke", [0.8, 2, 3.4])
def test_ones_in_a_tight_scan_are_no_rules(stroke):
    tight = cut(draw_line(ONES, seed=4, slope=0, stroke=stroke, body=90, ruling="none"), 8)
    assert_found(find_line(tight.grey), tight)


@pytest.mark.parametrize("slope", [0, 8, -8])
def test_a_tight_scan_is_read_up_to_its_edges(slope):
    tight = cut(drawn(3, 6, slope=slope, body=60, ruling="none"), 2)
    assert_found(find_line(tight.grey), tight)


@pytest.mark.parametrize("ink", ["white", "black"])
@pytest.mark.parametrize("writing", [None, AS_IN_MNIST], ids=["soiled", "clean"])
def test_a_field_of_the_right_size_passes_unchanged(ink, writing):
    fields = string_fields(DIGITS, 4, seed=3, length=4, width=160, writing=writing)
    for field in fields.pictures:
        line = find_line(field if ink == "white" else np.invert(field))
        assert np.array_equal(line.picture, field)
        assert np.array_equal(line.to_image, np.eye(2, 3))
        assert line.inverted == (ink == "white")


def test_a_clean_field_of_another_size_is_scaled():
    field = string_fields(DIGITS, 1, seed=3, length=4, width=160, writing=AS_IN_MNIST).pictures[0]
    large = np.repeat(np.repeat(field, 3, axis=0), 3, axis=1)
    line = find_line(large)
    rows = np.flatnonzero((line.picture > 128).any(axis=1))
    assert 18 <= np.ptp(rows) + 1 <= 23
    inked = np.flatnonzero((field > 128).any(axis=0))
    assert line.picture.shape[1] == pytest.approx(np.ptp(inked) + 1 + 12, abs=4)


def stacked(*photographs):
    """Return pictures beneath one another, the narrower ones widened."""
    width = max(one.grey.shape[1] for one in photographs)
    return np.vstack(
        [np.pad(one.grey, ((0, 0), (0, width - one.grey.shape[1])), mode="edge") for one in photographs]
    )


@pytest.mark.parametrize("counts", [(4, 4), (4, 2), (1, 1), (2, 5, 3)], ids=str)
@pytest.mark.parametrize("slope", [-4, 3])
def test_several_lines_are_counted_but_not_read(counts, slope):
    lines = [drawn(7, count, slope=slope, body=50, ruling="none", shadow=0.1, room=0.6) for count in counts]
    line = find_line(stacked(*lines))
    assert line.finding is LineFinding.LINES
    assert line.reason == f"{len(counts)} lines of digits, where one is read"
    assert line.picture.shape == (32, 0)


def noise(shape, level, deviation):
    grey = np.random.default_rng(0).normal(level, deviation, shape)
    return np.clip(grey, 0, 255).astype(np.uint8)


def spotted(*boxes):
    """Return white paper with black boxes (left, top, right, bottom)."""
    paper = np.full((60, 200), 255, np.uint8)
    for left, top, right, bottom in boxes:
        paper[top:bottom, left:right] = 0
    return paper


@pytest.mark.parametrize(
    "grey",
    [
        np.full((100, 300), 255, np.uint8),
        np.zeros((32, 100), np.uint8),
        noise((200, 400), 200, 8),
        noise((32, 100), 128, 60),
        drawn(1, dark=0.0, ruling="ruled", body=50).grey,
        drawn(2, dark=0.0, ruling="squared", body=50).grey,
        drawn(2, dark=0.0, ruling="none", shadow=0.7, body=50).grey,
        spotted((40, 30, 46, 36), (80, 30, 86, 36)),
        spotted((40, 28, 60, 32)),
        spotted((40, 28, 60, 32), (80, 28, 100, 32), (110, 30, 114, 34)),
    ],
    ids=["white", "black", "noise", "strong noise", "ruled", "squared", "shadow", "dots", "dash", "marks"],
)
def test_where_no_digit_is_nothing_is_found(grey):
    line = find_line(grey)
    assert (line.finding, line.reason) == (LineFinding.BLANK, "nothing is written on it")
    assert line.picture.shape == (32, 0)


def test_an_underline_is_left_out_and_a_dot_is_kept():
    photograph = drawn(3, slope=0, body=60, ruling="none", gap=0.5, shadow=0)
    low, high = photograph.boxes.min(axis=0).astype(int), photograph.boxes.max(axis=0).astype(int)
    bottom, gap = high[3], int(photograph.boxes[0, 2] + photograph.boxes[1, 0]) // 2
    grey = photograph.grey.copy()
    grey[bottom + 14 : bottom + 18, low[0] - 8 : high[2] + 8] = 40
    grey[bottom - 8 : bottom, gap - 4 : gap + 4] = 40
    line = find_line(grey)
    assert_found(line, photograph)
    assert not line.picture[29:].any()
    dot = np.linalg.solve(line.to_image[:, :2], (gap, bottom - 4) - line.to_image[:, 2]).astype(int)
    assert line.picture[dot[1], dot[0]] > 200


def test_specks_and_what_stands_apart_do_not_count():
    photograph = drawn(6, slope=0, body=60, ruling="none", shadow=0, room=2.5)
    grey = photograph.grey.copy()
    for place in (15, 40, 70):
        grey[20:23, place : place + 3] = 20
    grey[-12:-8, 30:36] = 20
    line = find_line(grey)
    assert_found(line, photograph)


def test_the_black_edge_of_a_scan_does_not_count():
    photograph = drawn(6, slope=0, body=60, ruling="none", shadow=0, room=2.5)
    grey = np.where(photograph.grey > 128, 255, 0).astype(np.uint8)
    grey[:, :6] = 0
    assert_found(find_line(grey), photograph)


def test_upright_rules_alone_are_no_ones():
    grey = noise((200, 400), 200, 3)
    grey[:, 20::40] -= 70
    assert find_line(grey).finding is LineFinding.BLANK


def test_blots_with_a_blunt_tail_are_no_digits():
    rows, columns = np.mgrid[:80, :200]
    grey = np.full(rows.shape, 250, np.uint8)
    for left in (40, 120):
        grey[(rows - 30) ** 2 + (columns - left) ** 2 < 64] = 10
        grey[(np.abs(columns - left + (rows - 30) // 3) < 4) & (rows > 30) & (rows < 48)] = 10
    assert find_line(grey).finding is LineFinding.BLANK


@pytest.mark.parametrize("kind", EMPTIES)
def test_a_field_without_a_digit_passes_unchanged_too(kind):
    for field in empty_fields(6, seed=3, width=160, kind=kind).pictures:
        line = find_line(field)
        if flat_paper(field) and np.ptp(field) > 16:
            assert np.array_equal(line.picture, field)


def test_a_picture_higher_than_wide_may_hold_a_line():
    photograph = drawn(9, 3, body=40)
    grey = np.pad(photograph.grey, ((600, 900), (0, 0)), mode="edge")
    assert_found(find_line(grey), replace(photograph, middles=photograph.middles + (0, 600)))


def test_ten_thousand_columns_are_read_in_bounded_memory():
    photograph = draw_line(DIGITS.images[:8], seed=2, body=40, slope=0, ruling="none", shadow=0)
    wide = np.tile(photograph.grey, (1, 40))[:, :10_000]
    tracemalloc.start()
    line = find_line(wide)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert line.finding is LineFinding.LINE
    size = np.hypot(*line.to_image[:, 0])
    assert line.picture.shape[1] * size == pytest.approx(10_000, rel=0.1)
    assert peak < 10 * wide.nbytes + 30_000_000


@pytest.mark.parametrize(
    ("grey", "line"),
    [
        (np.zeros((32, 5), np.uint8), "at least 8 pixels each way, got 5x32"),
        (np.zeros((7, 50), np.uint8), "at least 8 pixels each way, got 50x7"),
        (np.zeros((300, 10), np.uint8), "a picture at most 20 times as high as wide, got 10x300"),
        (np.zeros((32, 100), np.float32), r"a grey picture of uint8 \(h, w\), got float32 \(32, 100\)"),
        (np.zeros((32, 100, 3), np.uint8), r"a grey picture of uint8 \(h, w\), got uint8 \(32, 100, 3\)"),
        ("picture", r"a grey picture of uint8 \(h, w\), got str"),
    ],
)
def test_what_can_hold_no_line_is_one_line(grey, line):
    with pytest.raises(InputError, match=f"^expected {line}$"):
        find_line(grey)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(8, 60), st.integers(8, 100))
def test_any_picture_has_an_answer(seed, height, width):
    rng = np.random.default_rng(seed)
    grey = rng.integers(0, 256, (height, width)).astype(np.uint8)
    if seed % 3:
        grey[rng.random(grey.shape) < 0.9] = rng.integers(0, 256)
    line = find_line(grey)
    assert (line.picture.shape[1] > 0) == (line.finding is LineFinding.LINE)
    assert bool(line.reason) == (line.finding is not LineFinding.LINE)


def _zeros(*, waves: int) -> np.ndarray:
    """Return a page with three zeros over slanted waves of that grey level."""
    page = np.full((80, 220), 230, np.uint8)
    rows = np.arange(80)
    for column in range(-80, 220, 13):
        wave = np.stack([column + 0.6 * rows + 3 * np.sin(rows / 5), rows], axis=1)
        cv2.polylines(page, [wave.astype(np.int32)], False, (waves,))
    for middle in (45, 105, 165):
        cv2.ellipse(page, (middle, 40), (17, 26), 0, 0, 360, (60,), 5)
    return cv2.GaussianBlur(page, (0, 0), 0.7)


@pytest.mark.parametrize("waves", [150, 165])
def test_a_zero_over_print_is_no_frame(waves):
    """What stands in a frame is as dark as the frame; a cheque's waves in a zero are paler."""
    found = find_line(_zeros(waves=waves))
    assert found.finding is LineFinding.LINE
    assert found.picture.shape[1] > 60  # with one zero it has 26 columns
