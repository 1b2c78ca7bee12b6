"""The paper's layers and losses of both Kerases."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

from lenet_edge.paper.layers import HOMES


@pytest.fixture
def ours(either_keras: ModuleType) -> ModuleType:
    """The module that has the layers and losses as classes of `either_keras`."""
    return importlib.import_module(HOMES[either_keras.__name__])
