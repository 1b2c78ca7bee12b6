"""The generator of strings and of empty fields."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from converters.base.errors import InputError
from lenet_edge.digits.mnist import Digits, calibration_digits, pad
from lenet_edge.digits.string_fields.empty import EMPTIES, empty_fields
from lenet_edge.digits.string_fields.fields import INK, joined
from lenet_edge.digits.string_fields.handwriting import AMOUNTS, AS_IN_MNIST, Writing
from lenet_edge.digits.string_fields.layout import SPACINGS
from lenet_edge.digits.string_fields.printed_words import OTHER_FONTS, TRAINING_FONTS
from lenet_edge.digits.string_fields.strings import behind, string_fields, width_for

DIGITS = calibration_digits()
ROOT = Path(__file__).resolve().parents[3]


def _columns(picture: np.ndarray) -> np.ndarray:
    """Return which columns have ink."""
    return (picture >= INK).any(axis=0)


def _gaps(picture: np.ndarray) -> list[int]:
    """Return the widths of the empty gaps between the inked columns."""
    used = np.flatnonzero(_columns(picture))
    return [int(step) - 1 for step in np.diff(used) if step > 1]


@pytest.mark.parametrize("spacing", SPACINGS)
def test_the_same_seed_gives_the_same_fields_and_another_others(spacing):
    one, same, other = (string_fields(DIGITS, 5, seed=seed, spacing=spacing, length=3) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one.pictures, other.pictures)


def test_a_digit_of_mnist_is_left_as_it_is_when_nothing_is_asked_for():
    fields = string_fields(DIGITS, 40, seed=3, length=1, width=32, writing=AS_IN_MNIST)
    known = pad(DIGITS.images)
    for picture, label, centre in zip(
        fields.pictures, fields.labels[:, 0], fields.centres[:, 0], strict=True
    ):
        placed = np.roll(known, round(centre - 15.5), axis=2)
        places = np.flatnonzero((placed == picture).all(axis=(1, 2)))
        assert label in DIGITS.labels[places]


@pytest.mark.parametrize("spacing", SPACINGS)
def test_the_gaps_between_the_digits_are_those_of_the_spacing(spacing):
    """One inkless column is where a stroke's soft edge ends, so touching fields have no gap at all."""
    fields = string_fields(DIGITS, 60, seed=4, spacing=spacing, length=4, writing=AS_IN_MNIST)
    low, high = SPACINGS[spacing]
    gaps = [gap for picture in fields.pictures for gap in _gaps(picture)]
    if spacing == "touching":
        # A digit such as a 5 may have a gap in itself where its ink is faint.
        assert len(gaps) <= 0.02 * 60 * 3
    else:
        assert len(gaps) == pytest.approx(60 * 3, rel=0.03)
        assert np.mean([low <= gap <= high for gap in gaps]) > 0.97
        assert {low, high} <= set(gaps)


def test_labels_and_centres_tell_what_is_written_and_where():
    fields = string_fields(DIGITS, 50, seed=5, spacing="wide", length=3, writing=AS_IN_MNIST)
    assert ((fields.labels >= 0).sum(axis=1) == 3).all()
    assert [len(text) for text in fields.texts()] == [3] * 50
    ordered = np.diff(fields.centres[:, :3], axis=1)
    assert (ordered > 8).all()
    for picture, centres in zip(fields.pictures, fields.centres[:, :3], strict=True):
        used = np.flatnonzero(_columns(picture))
        assert used[0] < centres[0]
        assert used[-1] > centres[2]
        for centre in centres:  # MNIST centres a digit's mass in its field, so its ink lies about its middle
            assert _columns(picture)[round(centre) - 8 : round(centre) + 9].any()


def test_a_string_that_is_cut_is_not_among_the_labels():
    """Every ink beyond the labels' outermost digits belongs to a cut one; whole digits are all told."""
    fields = string_fields(DIGITS, 200, seed=6, spacing="wide", width=64, writing=AS_IN_MNIST)
    told = (fields.labels >= 0).sum(axis=1)
    assert told.min() == 0
    assert told.max() >= 2
    inside = fields.centres[fields.labels >= 0]
    assert inside.min() >= 0
    assert inside.max() <= 63
    assert np.isnan(fields.centres[fields.labels < 0]).all()


def test_digits_are_warped_as_their_writing_specifies():
    plain = string_fields(DIGITS, 30, seed=7, length=1, width=40, writing=AS_IN_MNIST)
    for change in ({"slant": 0.4}, {"size": 0.2}, {"rotation": 0.3}, {"elastic": 3.0}, {"squeeze": 0.3}):
        writing = Writing(**{**dict.fromkeys(vars(AS_IN_MNIST), 0.0), **change})
        warped = string_fields(DIGITS, 30, seed=7, length=1, width=40, writing=writing)
        assert np.array_equal(warped.labels, plain.labels)
        assert not np.array_equal(warped.pictures, plain.pictures)
    assert Writing().gentler(0.0).dirt == 0
    assert Writing().gentler(0.5).slant == Writing().slant / 2


def test_the_ink_stays_within_the_field():
    """No string's digit is cut above or below: its ink is as high as it was warped."""
    writing = Writing(dirt=0.0, separators=0.0, baseline=8.0, own_row=8.0, drift=0.0)
    far = string_fields(DIGITS, 100, seed=8, length=1, width=48, writing=writing)
    near = string_fields(
        DIGITS,
        100,
        seed=8,
        length=1,
        width=48,
        writing=Writing(**{**vars(writing), "baseline": 0.0, "own_row": 0.0}),
    )
    heights = [(fields.pictures >= INK).any(axis=2).sum(axis=1) for fields in (far, near)]
    assert np.array_equal(*heights)


def test_amounts_have_separators_and_print_behind_them():
    without = string_fields(
        DIGITS, 40, seed=9, length=4, writing=Writing(**{**vars(AMOUNTS), "separators": 0.0})
    )
    amounts = string_fields(DIGITS, 40, seed=9, length=4, writing=AMOUNTS)
    assert (amounts.pictures >= INK).sum() > 1.005 * (without.pictures >= INK).sum()
    printed = behind(amounts, seed=9)
    assert (printed.pictures >= amounts.pictures).all()
    fainter = printed.pictures[amounts.pictures == 0]
    assert 0 < fainter.max() <= 0.35 * 255
    assert np.mean((printed.pictures > 0).mean(axis=(1, 2)) > (amounts.pictures > 0).mean(axis=(1, 2))) == 1


def test_pixel_noise_reaches_ten_percent_and_no_more():
    dirty = string_fields(
        DIGITS, 600, seed=10, length=1, width=64, writing=Writing(**{**vars(AS_IN_MNIST), "dirt": 1.0})
    )
    turned = (dirty.pictures == 255).mean(axis=(1, 2))
    assert 0.06 < turned.max() < 0.16  # a digit's own black pixels besides


@pytest.mark.parametrize("kind", EMPTIES)
def test_an_empty_field_has_no_digit_and_is_of_its_kind(kind):
    fields = empty_fields(20, seed=11, kind=kind, dirt=0.0)
    assert fields.texts() == [""] * 20
    assert np.isnan(fields.centres).all()
    assert fields.pictures.shape == (20, 32, 112)
    assert (fields.pictures.max() > 0) == (kind != "blank")


def test_fonts_that_training_never_sees_draw_other_letters():
    assert not set(TRAINING_FONTS) & set(OTHER_FONTS)
    one, other = (
        empty_fields(3, seed=12, kind="letters", fonts=fonts, dirt=0.0)
        for fonts in (TRAINING_FONTS, OTHER_FONTS)
    )
    assert not np.array_equal(one.pictures, other.pictures)


def test_joined_fields_are_all_there_in_another_order():
    strings = string_fields(DIGITS, 6, seed=13, width=112, writing=AS_IN_MNIST)
    both = joined([strings, empty_fields(4, seed=13)], seed=1)
    assert sorted(both.texts()) == sorted([*strings.texts(), *[""] * 4])
    place = both.texts().index(strings.texts()[0])
    assert np.array_equal(both.pictures[place], strings.pictures[0])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"spacing": "close"}, "expected a spacing of touching, normal, wide, got close"),
        ({"length": 9}, "expected a length of 1 to 8, got 9"),
        ({"width": 31}, "expected a width of 32 or more, got 31"),
        ({"length": 8, "width": 64}, "expected a width that holds the string, got one"),
    ],
)
def test_bad_options_are_refused(options, expected):
    with pytest.raises(InputError, match=expected):
        string_fields(DIGITS, 1, seed=1, **options)


def test_no_digits_and_another_kind_are_refused():
    with pytest.raises(InputError, match="expected digits to write with, got none"):
        string_fields(Digits(DIGITS.images[:0], DIGITS.labels[:0]), 1, seed=1)
    with pytest.raises(InputError, match="expected a kind of blank, letters"):
        empty_fields(1, seed=1, kind="words")


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("length", [1, 8])
def test_the_width_holds_every_string(spacing, length):
    fields = string_fields(DIGITS, 50, seed=14, spacing=spacing, length=length, writing=Writing(dirt=0.0))
    assert fields.pictures.shape[2] == width_for(length, spacing=spacing)
    assert ((fields.labels >= 0).sum(axis=1) == length).all()


def test_the_specimen_is_drawn_to_a_file(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    main = runpy.run_path(str(ROOT / "scripts" / "draw_string_fields.py"))["main"]
    assert main([str(tmp_path / "fields.png")]) == 0
    with Image.open(tmp_path / "fields.png") as image:
        assert image.size[0] > 4 * 160
    with pytest.raises(InputError, match=r"expected a FILE that ends in .png, got .*fields.txt"):
        main([str(tmp_path / "fields.txt")])
    with pytest.raises(InputError, match="expected --seed of 0 or more, got -1"):
        main([str(tmp_path / "fields.png"), "--seed", "-1"])


def _as(**change: float) -> Writing:
    """Return MNIST's digits unchanged, but for that."""
    return Writing(**{**vars(AS_IN_MNIST), **change})


def test_amounts_end_in_zeros_some_of_them_small_and_raised():
    fields = string_fields(DIGITS, 100, seed=21, length=5, writing=_as(zeros=1.0))
    assert all(text.endswith("0") for text in fields.texts())
    assert not all(text.endswith("0000") for text in fields.texts())
    plain = string_fields(DIGITS, 100, seed=21, length=5, writing=AS_IN_MNIST)
    assert np.mean([text.endswith("0") for text in plain.texts()]) < 0.3
    lowest = [np.flatnonzero((picture >= INK).any(axis=1))[-1] for picture in fields.pictures]
    last = [round(row[~np.isnan(row)][-1]) for row in fields.centres]
    rises = [
        low - np.flatnonzero((picture[:, middle - 3 : middle + 4] >= INK).any(axis=1))[-1]
        for picture, middle, low in zip(fields.pictures, last, lowest, strict=True)
    ]
    assert 0.15 < np.mean([rise >= 4 for rise in rises]) < 0.6


def test_what_follows_an_amount_is_no_digit():
    fields = string_fields(DIGITS, 100, seed=22, length=3, writing=_as(trailing=1.0))
    assert {len(text) for text in fields.texts()} == {3}
    behind_last = [
        (picture[:, int(row[2]) + 14 :] >= INK).any()
        for picture, row in zip(fields.pictures, fields.centres, strict=True)
    ]
    assert np.mean(behind_last) > 0.8
    middles = fields.centres[:, :3]
    plain = string_fields(DIGITS, 100, seed=22, length=3, writing=AS_IN_MNIST)
    assert not any(
        (picture[:, int(row[2]) + 16 :] >= INK).any()
        for picture, row in zip(plain.pictures, plain.centres, strict=True)
    )
    assert (np.diff(middles, axis=1) > 0).all()


def test_a_pen_stays_on_the_paper_across_narrow_gaps():
    """Of gaps of 2 to 7 columns, those of 2 to 4 have a stroke across."""
    apart, joined_up = (
        string_fields(DIGITS, 60, seed=23, length=4, writing=_as(joined=share)) for share in (0.0, 1.0)
    )
    gaps = [len(_gaps(picture)) for picture in apart.pictures]
    fewer = [len(_gaps(picture)) for picture in joined_up.pictures]
    assert 0.3 * np.mean(gaps) < np.mean(fewer) < 0.75 * np.mean(gaps)


def test_a_hand_of_the_pens_writes_its_ones_with_an_upstroke():
    """MNIST's 1s are single strokes: their ink is about as wide as the stroke at each row."""

    def widths(pen: float) -> list[int]:
        ones = Digits(DIGITS.images[DIGITS.labels == 1], DIGITS.labels[DIGITS.labels == 1])
        fields = string_fields(ones, 60, seed=24, length=1, writing=_as(pen=pen))
        return [int(_columns(picture).sum()) for picture in fields.pictures]

    assert np.median(widths(1.0)) > np.median(widths(0.0)) + 2
