"""What several test files share."""

from __future__ import annotations

import gc
from types import ModuleType

import hypothesis
import numpy as np
import pytest

from converters.base.kerases import import_keras

# No test asserts a time: on a busy machine any example may be slow. The examples are the same each time, so
# that a change fails by what it changed; `pytest --hypothesis-profile=search` draws new ones.
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.register_profile("same", deadline=None, derandomize=True)
hypothesis.settings.load_profile("same")


def pytest_collection_finish() -> None:
    """Keep what has been imported out of garbage collection, which is asked for before each measurement."""
    gc.collect()
    gc.freeze()


@pytest.fixture(params=["keras", "tf_keras"])
def either_keras(request: pytest.FixtureRequest) -> ModuleType:
    """Keras 3, then Keras 2."""
    return import_keras(request.param)


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that draws the same numbers in each test."""
    return np.random.default_rng(1998)
