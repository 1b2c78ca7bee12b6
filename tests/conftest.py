"""What several test files share."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that draws the same numbers in each test."""
    return np.random.default_rng(1998)
