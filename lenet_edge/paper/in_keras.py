"""The paper's layers, initialiser and losses as classes of one Keras."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

from converters.layers.definition import class_for, register_functions
from lenet_edge.paper import layers, losses


@dataclass(frozen=True, kw_only=True)
class Classes:
    """The classes of one Keras, as the definitions of the same names describe them."""

    FanInUniform: type[layers.FanInUniform]
    ScaledTanh: type[layers.ScaledTanh]
    TrainableSubsampling: type[layers.TrainableSubsampling]
    PartialConv2D: type[layers.PartialConv2D]
    EuclideanRBF: type[layers.EuclideanRBF]
    MinimumDistanceLoss: type[losses.MinimumDistanceLoss]
    MAPLoss: type[losses.MAPLoss]
    DistanceCrossEntropy: type[losses.DistanceCrossEntropy]


def classes(keras: ModuleType) -> Classes:
    """Return the classes of `keras`, registered in it along with `scaled_tanh`."""
    register_functions(keras)
    return Classes(
        FanInUniform=class_for(layers.FanInUniform, keras),
        ScaledTanh=class_for(layers.ScaledTanh, keras),
        TrainableSubsampling=class_for(layers.TrainableSubsampling, keras),
        PartialConv2D=class_for(layers.PartialConv2D, keras),
        EuclideanRBF=class_for(layers.EuclideanRBF, keras),
        MinimumDistanceLoss=class_for(losses.MinimumDistanceLoss, keras),
        MAPLoss=class_for(losses.MAPLoss, keras),
        DistanceCrossEntropy=class_for(losses.DistanceCrossEntropy, keras),
    )
