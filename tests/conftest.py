"""What several test files share."""

from __future__ import annotations

import gc

import hypothesis
import numpy as np
import pytest

# No test asserts a time: on a busy machine any example may be slow. The examples are the same each time, so
# that a change fails by what it changed; `pytest --hypothesis-profile=search` draws new ones.
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.register_profile("same", deadline=None, derandomize=True)
hypothesis.settings.load_profile("same")


def pytest_collection_finish() -> None:
    """Keep what has been imported out of garbage collection, which is asked for before each measurement."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that draws the same numbers in each test."""
    return np.random.default_rng(1998)
