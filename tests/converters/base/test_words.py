"""Numbers and their nouns."""

from __future__ import annotations

import pytest

from converters.base.words import counted


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (10_000, "10,000 files")]
)
def test_one_is_one_and_the_rest_are_many(count, said):
    assert counted(count, "file") == said
