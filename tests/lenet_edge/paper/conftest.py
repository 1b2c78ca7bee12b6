"""Each test of a layer, loss or model runs in both Kerases."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

from converters.base.kerases import KERAS_2, KERAS_3, import_keras

HOMES = {KERAS_3: "lenet_edge.keras3", KERAS_2: "lenet_edge.keras2"}


@pytest.fixture(scope="session", params=[KERAS_3, KERAS_2])
def keras(request: pytest.FixtureRequest) -> ModuleType:
    """Return the package `keras`, then `tf_keras`."""
    return import_keras(request.param)


@pytest.fixture(scope="session")
def ours(keras: ModuleType) -> ModuleType:
    """Return the module that has the paper's layers and losses as classes of `keras`."""
    return importlib.import_module(HOMES[keras.__name__])
