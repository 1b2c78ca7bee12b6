"""LeNet-5 as printed in 1998, with trainable subsampling, from Keras to int8 on the edge.

The names below load TensorFlow when they are first used, so the runtime side stays free of it.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "EuclideanRBF": "layers",
    "PartialConv2D": "layers",
    "ScaledTanh": "layers",
    "TrainableSubsampling": "layers",
    "scaled_tanh": "layers",
    "MAPLoss": "losses",
    "MinimumDistanceLoss": "losses",
    "lenet5": "model",
    "stock_lenet5": "model",
    "with_probabilities": "model",
}
__all__ = [
    "EuclideanRBF",
    "MAPLoss",
    "MinimumDistanceLoss",
    "PartialConv2D",
    "ScaledTanh",
    "TrainableSubsampling",
    "lenet5",
    "scaled_tanh",
    "stock_lenet5",
    "with_probabilities",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"lenet_edge.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'lenet_edge' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
