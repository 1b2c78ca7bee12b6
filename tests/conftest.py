"""What several test files share."""

from __future__ import annotations

import gc
import importlib.util
import os
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


# What needs Ray has an environment of its own: make bulk-test.
collect_ignore = [] if importlib.util.find_spec("ray") else ["bulk"]

# A worker of `make test` that begins one of these last runs it alone, while the other has nothing left to do.
_LONG = frozenset(
    {
        "test_a_users_program.py",
        "test_convert.py",
        "test_fine_tuned.py",
        "test_fine_tuning.py",
        "test_main.py",
        "test_notebook.py",
        "test_paper_figures.py",
        "test_parity.py",
        "test_quantize_aware.py",
        "test_targets.py",
        "test_training.py",
        "test_workers.py",
    }
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long; within a file the tests keep their order."""
    items.sort(key=lambda item: item.path.name not in _LONG)


_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_log_level = os.environ.get(_LOG_LEVEL)


def pytest_collection_finish() -> None:
    """Keep what has been imported out of garbage collection, which is asked for before each measurement.

    And put back TensorFlow's log level for child processes: a test file that imports Keras before us lets
    TensorFlow import jax, which sets it.
    """
    if _log_level is None:
        os.environ.pop(_LOG_LEVEL, None)
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
