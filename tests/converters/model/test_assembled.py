"""Assembled layers: a copy made from a layer's configuration computes the same."""

from __future__ import annotations

import numpy as np
import pytest

from converters.layers.assembled import AssembledConv2D
from converters.layers.definition import class_for, define
from converters.model.folding import fold
from lenet_edge.paper.layers import PartialConv2D, TrainableSubsampling


@define(package="test")
class Tied(AssembledConv2D):
    """A 2x2 kernel of one weight for each pair of maps; its strides are the base class's option."""

    operation = "conv2d"
    kernel_weight = "taps"

    def build(self, input_shape):
        self.taps = self.add_weight(name="taps", shape=(input_shape[-1], 3))
        self.bias = self.add_weight(name="bias", shape=(3,))
        super().build(input_shape)

    def assemble(self, weight):
        return self.ops.ones((2, 2, 1, 1)) * weight

    def scale(self, weight, *, by_input=1.0, by_output=1.0):
        return weight * np.asarray(by_input)[..., None] * by_output


@define(package="test")
class Halving(Tied):
    """Sets its strides itself."""

    def __init__(self, **options):
        super().__init__(strides=(2, 2), **options)


@define(package="test")
class Twice(Tied):
    """Takes strides of another meaning, by their place too."""

    def __init__(self, strides=(1, 1), **options):
        super().__init__(strides=[2 * step for step in strides], **options)


LAYERS = {
    "default": (Tied, {}, (1, 1)),
    "given": (Tied, {"strides": (2, 3)}, (2, 3)),
    "set by the class": (Halving, {}, (2, 2)),
    "of another meaning": (Twice, {"strides": (1, 2)}, (2, 4)),
    "partial": (PartialConv2D, {"table": [[0], [0, 1]], "kernel_size": 2, "strides": (2, 2)}, (2, 2)),
    "subsampling": (TrainableSubsampling, {"pool_size": (2, 3)}, (2, 3)),
}


def made(keras, name):
    definition, options, _ = LAYERS[name]
    return class_for(definition, keras)(**options)


@pytest.mark.parametrize("name", LAYERS)
def test_a_copy_has_the_strides_of_its_layer(either_keras, name):
    layer = made(either_keras, name)
    copy = type(layer).from_config(layer.get_config())
    again = type(copy).from_config(copy.get_config())
    assert layer.strides == copy.strides == again.strides == LAYERS[name][2]


def test_strides_given_by_their_place_are_kept(either_keras):
    layer = class_for(Twice, either_keras)((1, 2))
    assert type(layer).from_config(layer.get_config()).strides == layer.strides == (2, 4)


@pytest.mark.parametrize("name", LAYERS)
def test_folding_and_saving_keep_the_strides(either_keras, name, rng, tmp_path):
    keras, layers = either_keras, either_keras.layers
    x = keras.Input((9, 9, 2))
    layer = made(keras, name)
    model = keras.Model(x, layers.Dense(3)(layers.Flatten()(layer(layers.Rescaling(0.5)(x)))))
    values = rng.normal(size=(4, 9, 9, 2)).astype(np.float32)
    np.testing.assert_allclose(fold(model)(values), model(values), rtol=1e-5, atol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(values), model(values))
    assert layer.compute_output_shape((None, 9, 9, 2)) == tuple(layer.output.shape)
