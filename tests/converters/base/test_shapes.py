"""Shapes as a person writes them."""

from __future__ import annotations

import pytest

from converters.base.errors import InputError
from converters.base.shapes import shapes_of_texts


@pytest.mark.parametrize(
    ("texts", "shapes"),
    [
        ([], None),
        (["96x64x3"], (96, 64, 3)),
        (["7"], (7,)),
        (["a=96x64x3", "b=5"], {"a": (96, 64, 3), "b": (5,)}),
        (["a=b=2x3"], {"a=b": (2, 3)}),  # Keras takes such a name
    ],
)
def test_shapes_are_read(texts, shapes):
    assert shapes_of_texts(texts) == shapes


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["96x"], "expected a shape like 32x32x3 or NAME=32x32x3, without the batch, got 96x"),
        (["0x3"], "got 0x3"),
        (["-1x3"], "got -1x3"),
        (["a="], "got a="),
        (["²x3"], "got ²x3"),
        (["3x3", "4x4"], "expected one shape for each input, got 4x4"),
        (["a=3", "a=4"], "expected one shape for each input, got a=4"),
        (["3x3", "a=4"], "expected shapes of several inputs as NAME=32x32x3, got 3x3, a=4"),
    ],
)
def test_other_text_is_refused_in_a_line(texts, message):
    with pytest.raises(InputError, match=message):
        shapes_of_texts(texts)
