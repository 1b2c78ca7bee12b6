"""Counts with their nouns."""

from __future__ import annotations

import pytest

from converters.base.words import counted


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (2000, "2,000 files")]
)
def test_one_is_told_in_the_singular(count, text):
    assert counted(count, "file") == text
