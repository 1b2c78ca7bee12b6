"""Say which of tensorflow-model-optimization's changes to a model are made before its layers are wrapped."""

from __future__ import annotations

from typing import TypeAlias

from converters.base.untyped import KerasModel
from converters.model.quantize_configs import tfmot

_transforms = tfmot.quantization.keras.default_8bit.default_8bit_transforms
_transformer = tfmot.quantization.keras.graph_transformations.model_transformer

LayerConfigs: TypeAlias = dict[str, dict[str, object]]
"""What the library knows of each layer by its name: its configuration as "quantize_config"."""


class _Layout(tfmot.quantization.keras.QuantizeLayoutTransform):
    """Rounds the inputs, and what a Concatenate reads only once.

    The library's own layout also replaces the configuration of every layer before a ReLU by one that rounds
    nothing, the kernel included. Here the configurations themselves say where a ReLU moves the rounding to.
    """

    def apply(self, model: KerasModel, layer_quantize_map: LayerConfigs) -> tuple[KerasModel, LayerConfigs]:
        """Return the changed model and the map of its layers' configurations."""
        transforms = [
            _transforms.InputLayerQuantize(),
            _transforms.ConcatTransform6Inputs(),
            _transforms.ConcatTransform5Inputs(),
            _transforms.ConcatTransform4Inputs(),
            _transforms.ConcatTransform3Inputs(),
            _transforms.ConcatTransform(),
        ]
        candidates = set(layer_quantize_map)
        return _transformer.ModelTransformer(model, transforms, candidates, layer_quantize_map).transform()


class OwnConfigsScheme(tfmot.quantization.keras.default_8bit.Default8BitQuantizeScheme):
    """The library's scheme for 8 bits, which leaves the configurations that layers were given as they are."""

    def get_layout_transformer(self) -> _Layout:
        """Return what changes the model."""
        return _Layout()
