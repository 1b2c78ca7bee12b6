"""The training criteria over the distances of the output layer: the paper's two, and cross-entropy."""

from __future__ import annotations

from typing import Any

from converters.base.errors import expect
from converters.layers.definition import LossDefinition, define
from converters.layers.operations import Operations
from lenet_edge.paper.layers import HOMES, PACKAGE

_define = define(package=PACKAGE, homes=HOMES)


def _desired(ops: Operations, labels: Any, distances: Any) -> Any:
    """Return y_D, the distance of each row's desired class: (batch,)."""
    column = ops.reshape(ops.cast(labels, "int32"), (-1, 1))
    return ops.squeeze(ops.take_along_axis(distances, column, axis=1), axis=1)


@_define
class MinimumDistanceLoss(LossDefinition):
    """Eq. 8: E = 1/P sum over p of y_D(p), the desired class's distance; the other classes do not count.

    Labels: (batch,) or (batch, 1), integers. Distances: (batch, classes), 0 or more, from
    EuclideanRBF. "It lacks three important properties": with trainable codes it collapses.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return y_D per row."""
        return _desired(self.ops, y_true, y_pred)


@_define
class MAPLoss(LossDefinition):
    """Eq. 9, maximum a posteriori: E = 1/P sum of y_D + log(exp(-j) + sum over i of exp(-y_i)).

    It pulls the desired class's distance down and pushes the others up, more weakly the farther they are.
    `rubbish` is j, the distance of the "rubbish" class of pictures without a digit; the paper prints no value
    ("a positive constant"). Shapes as for MinimumDistanceLoss.
    """

    def __init__(self, *, rubbish: float = 0.1, **options: Any) -> None:
        super().__init__(**options)
        expect(rubbish > 0, "rubbish above 0", rubbish)
        self.rubbish = rubbish

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the criterion per row; by log-sum-exp, distances in the hundreds do not underflow."""
        ops = self.ops
        rubbish = ops.full_like(y_pred[:, :1], -self.rubbish)
        competing = ops.logsumexp(ops.concatenate([rubbish, -y_pred], axis=1), axis=1)
        return _desired(ops, y_true, y_pred) + competing

    def get_config(self) -> dict[str, Any]:
        """Return j along with Keras's own options."""
        return {**super().get_config(), "rubbish": self.rubbish}


@_define
class DistanceCrossEntropy(LossDefinition):
    """Cross-entropy of softmax(-scale * distance) against labels or soft answers.

    Eq. 9 without the rubbish class and with a temperature; the released weights were trained with
    it. `y_true`: (batch, classes), rows of sum 1. Distances: (batch, classes).
    """

    def __init__(self, *, scale: float = 0.1, **options: Any) -> None:
        super().__init__(**options)
        expect(scale > 0, "scale above 0", scale)
        self.scale = scale

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the cross-entropy per row."""
        return self.ops.categorical_crossentropy(y_true, -self.scale * y_pred, from_logits=True)

    def get_config(self) -> dict[str, Any]:
        """Return the scale along with Keras's own options."""
        return {**super().get_config(), "scale": self.scale}
