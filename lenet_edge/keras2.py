"""The paper's layers and losses as classes of Keras 2 (`tf_keras`).

For programs that are still on it; `lenet_edge` itself has those of the Keras that `tf.keras` is.
"""

from converters.base.kerases import KERAS_2, import_keras
from lenet_edge.paper.in_keras import classes
from lenet_edge.paper.layers import scaled_tanh

_classes = classes(import_keras(KERAS_2))

EuclideanRBF = _classes.EuclideanRBF
FanInUniform = _classes.FanInUniform
PartialConv2D = _classes.PartialConv2D
ScaledTanh = _classes.ScaledTanh
TrainableSubsampling = _classes.TrainableSubsampling

DistanceCrossEntropy = _classes.DistanceCrossEntropy
MAPLoss = _classes.MAPLoss
MinimumDistanceLoss = _classes.MinimumDistanceLoss

__all__ = [
    "DistanceCrossEntropy",
    "EuclideanRBF",
    "FanInUniform",
    "MAPLoss",
    "MinimumDistanceLoss",
    "PartialConv2D",
    "ScaledTanh",
    "TrainableSubsampling",
    "scaled_tanh",
]
