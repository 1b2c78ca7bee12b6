"""What several test files share."""

from __future__ import annotations

import hypothesis
import numpy as np
import pytest

# No test asserts a time: on a busy machine any example may be slow.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that draws the same numbers in each test."""
    return np.random.default_rng(1998)
