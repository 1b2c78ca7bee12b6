"""LeNet-5 as printed in 1998, with trainable subsampling, from Keras to int8 on the edge.

What is listed in `__all__` is public; docs/api.md shows it at work. A name loads what it needs when it is
first used: the model side loads TensorFlow, `Classifier`, `StringReader` and `DigitReader` never do. Layers
and losses are classes of the Keras that `tf.keras` is: Keras 3, unless TF_USE_LEGACY_KERAS=1 was set. Those
of a certain one are in `lenet_edge.keras3` and `lenet_edge.keras2`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lenet_edge.bulk_reading.digit_reader import DigitReader
    from lenet_edge.digits.mnist import calibration_digits, test_digits
    from lenet_edge.keras3 import (
        EuclideanRBF,
        MAPLoss,
        MinimumDistanceLoss,
        PartialConv2D,
        ScaledTanh,
        TrainableSubsampling,
        scaled_tanh,
    )
    from lenet_edge.packaged.models import fine_tuned_model, released_model
    from lenet_edge.paper.model import lenet5, stock_lenet5, with_probabilities
    from lenet_edge.runtime.classifier import Classifier
    from lenet_edge.runtime.string_reader import StringReader

__version__ = "0.1.0"

_HOMES = {
    "Classifier": "runtime.classifier",
    "DigitReader": "bulk_reading.digit_reader",
    "StringReader": "runtime.string_reader",
    "calibration_digits": "digits.mnist",
    "fine_tuned_model": "packaged.models",
    "lenet5": "paper.model",
    "released_model": "packaged.models",
    "stock_lenet5": "paper.model",
    "test_digits": "digits.mnist",
    "with_probabilities": "paper.model",
}
_IN_KERAS = (  # in lenet_edge.keras3 and lenet_edge.keras2
    "EuclideanRBF",
    "MAPLoss",
    "MinimumDistanceLoss",
    "PartialConv2D",
    "ScaledTanh",
    "TrainableSubsampling",
    "scaled_tanh",
)
__all__ = [
    "Classifier",
    "DigitReader",
    "EuclideanRBF",
    "MAPLoss",
    "MinimumDistanceLoss",
    "PartialConv2D",
    "ScaledTanh",
    "StringReader",
    "TrainableSubsampling",
    "calibration_digits",
    "fine_tuned_model",
    "lenet5",
    "released_model",
    "scaled_tanh",
    "stock_lenet5",
    "test_digits",
    "with_probabilities",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"lenet_edge.{_HOMES[name]}"), name)
    if name in _IN_KERAS:
        from converters.base.kerases import KERAS_2, current_keras

        legacy = current_keras().__name__ == KERAS_2
        return getattr(importlib.import_module(f"lenet_edge.{'keras2' if legacy else 'keras3'}"), name)
    raise AttributeError(f"module 'lenet_edge' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, *_IN_KERAS])
