"""Both readers reject what cannot be pixels of 0..255, and bytes are not checked at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.base.errors import InputError
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.runtime.classifier import Classifier
from lenet_edge.runtime.pixels import check_pixels

PICTURE = pad(calibration_digits().images[:1])[0]
PICTURE[16, 16] = 255  # whatever its blackest pixel is
RANGE = "expected pixels of 0 for paper to 255 for ink, got "


def checked(pictures):
    return check_pixels(pictures, wanted="a picture (32, 32)", fits=lambda shape: shape == (32, 32))


def with_one(value, dtype=np.float32):
    """Return the picture with one pixel of another value."""
    picture = PICTURE.astype(dtype)
    picture[0, 0] = value
    return picture


REFUSED = {
    "scaled to 0..1": (PICTURE / 255, "values from 0 to 1: multiply them by 255"),
    "scaled, in half precision": ((PICTURE / 255).astype(np.float16), "values from 0 to 1: multiply them by"),
    "faint and scaled": (PICTURE / 510, "values from 0 to 0.5: multiply them by 255"),
    "centred": (PICTURE / 127.5 - 1, "values from -1 to 1"),
    "booleans": (PICTURE > 128, "values of type bool"),
    "text": (PICTURE.astype(str), "values of type <U"),
    "objects": (PICTURE.astype(object), "values of type object"),
    "complex": (PICTURE.astype(complex), "values of type complex128"),
    "not a number": (with_one(np.nan), "values that are not finite"),
    "infinite": (with_one(np.inf), "values that are not finite"),
    "negative": (with_one(-1, np.int16), "values from -1 to 255"),
    "too much": (with_one(256, np.int16), "values from 0 to 256"),
    "16 bits": (PICTURE.astype(np.uint16) * 257, "values from 0 to 65535"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_pixels_is_refused_with_its_reason(kind):
    pictures, got = REFUSED[kind]
    with Classifier() as classifier:
        for asked in (pictures, pictures[None]):
            with pytest.raises(InputError) as refused:
                classifier.scores(asked)
            assert str(refused.value).startswith(RANGE + got)


def test_rows_of_different_lengths_are_refused():
    with pytest.raises(InputError, match=r"expected a picture \(32, 32\), got rows of different lengths"):
        checked([[0, 1], [0]])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.float16, np.float32, np.float64])
def test_any_type_of_numbers_gives_the_same_scores(dtype):
    with Classifier() as classifier:
        wanted = classifier.scores(PICTURE)
        np.testing.assert_array_equal(classifier.scores(PICTURE.astype(dtype)), wanted)
        np.testing.assert_array_equal(classifier.scores(PICTURE.astype(dtype).tolist()), wanted)


def test_bytes_are_neither_copied_nor_looked_at(monkeypatch):
    monkeypatch.setattr("lenet_edge.runtime.pixels._check_values", None)
    assert checked(PICTURE) is PICTURE


@pytest.mark.parametrize("value", [0.0, 1.5, 255.0])
def test_blank_and_faint_pictures_are_pixels(value):
    assert checked(np.full((32, 32), value)).max() == value


@given(st.floats(width=32))
def test_one_wrong_pixel_is_enough(value):
    picture = with_one(value)
    if 0 <= value <= 255:
        assert checked(picture) is picture
    else:
        with pytest.raises(InputError, match=RANGE):
            checked(picture)


def test_a_line_of_digits_is_asked_for_in_the_same_way():
    def of_bytes(pictures):
        return check_pixels(pictures, wanted="bytes (32, 32)", fits=lambda s: s == (32, 32), only_uint8=True)

    assert of_bytes(PICTURE) is PICTURE
    with pytest.raises(InputError, match=r"expected bytes \(32, 32\), got float64 \(32, 32\)"):
        of_bytes(PICTURE / 255)
