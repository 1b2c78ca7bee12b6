"""A layer that is written once: a class in each Keras, registered, one and the same at each call."""

from __future__ import annotations

import numpy as np
import pytest

from converters import AssembledConv2D, LayerDefinition, keras_layer
from converters.base.errors import InputError
from converters.base.kerases import import_keras
from converters.layers.definition import class_for, define, define_function, defined_class, definition_of


@define(package="test_definition")
class Affine(LayerDefinition):
    """y = weight x + 1, with one weight a channel."""

    def __init__(self, *, start=2.0, **options):
        super().__init__(**options)
        self.start = start

    def build(self, input_shape):
        initializer = self.keras.initializers.Constant(self.start)
        self.factor = self.add_weight(name="factor", shape=(input_shape[-1],), initializer=initializer)
        super().build(input_shape)

    def call(self, inputs):
        return self.ops.multiply(inputs, self.factor) + 1.0

    def get_config(self):
        return {**super().get_config(), "start": self.start}


def test_a_definition_is_a_layer_of_each_keras(either_keras, tmp_path):
    made = class_for(Affine, either_keras)
    assert issubclass(made, either_keras.layers.Layer)
    assert class_for(Affine, either_keras) is made is defined_class("test_definition>Affine", either_keras)
    assert definition_of(made) is definition_of(made()) is Affine
    model = either_keras.Sequential([either_keras.Input((3,)), made(start=3.0)])
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_allclose(model(values), 3 * values + 1)
    model.save(tmp_path / "model.keras")
    loaded = either_keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[-1]) is made
    np.testing.assert_allclose(loaded(values), 3 * values + 1)


def test_both_classes_are_of_the_definition_and_of_one_keras_each():
    three, two = (class_for(Affine, import_keras(name)) for name in ("keras", "tf_keras"))
    assert issubclass(three, Affine)
    assert issubclass(two, Affine)
    assert not issubclass(two, import_keras("keras").layers.Layer)
    assert not issubclass(three, import_keras("tf_keras").layers.Layer)


def test_the_decorator_gives_a_layer_of_todays_keras():
    @keras_layer(package="test_definition")
    class Tripled(LayerDefinition):
        def call(self, inputs):
            return self.ops.multiply(inputs, 3.0)

    keras = import_keras("keras")
    assert issubclass(Tripled, keras.layers.Layer)
    assert keras.saving.get_registered_name(Tripled) == "test_definition>Tripled"
    np.testing.assert_allclose(Tripled()(np.ones((2, 2), np.float32)), 3 * np.ones((2, 2)))
    twin = class_for(definition_of(Tripled), import_keras("tf_keras"))
    np.testing.assert_allclose(twin()(np.ones((2, 2), np.float32)), 3 * np.ones((2, 2)))


def test_a_function_is_registered_in_each_keras_once_a_class_is_made(either_keras):
    @define_function(package="test_definition")
    def doubled(values):
        return 2 * values

    @define(package="test_definition")
    class Late(LayerDefinition):
        def call(self, inputs):
            return doubled(inputs)

    class_for(Late, either_keras)
    assert either_keras.saving.get_registered_object("test_definition>doubled") is doubled


def test_tensors_of_the_other_keras_are_refused(either_keras):
    other = import_keras("tf_keras" if either_keras.__name__ == "keras" else "keras")
    with pytest.raises(InputError, match=r"^expected tensors of Keras .* for Affine, got those of Keras "):
        class_for(Affine, either_keras)()(other.Input((3,)))


def test_what_is_no_layer_yet_is_told():
    with pytest.raises(InputError, match="^expected Affine decorated by @keras_layer.*, got a definition$"):
        Affine()
    with pytest.raises(InputError, match="^expected a subclass of LayerDefinition, got int$"):
        keras_layer(package="test_definition")(int)
    with pytest.raises(InputError, match="^expected a definition, got Affine, already a layer$"):
        keras_layer(package="test_definition")(class_for(Affine, import_keras("keras")))

    class Nameless(AssembledConv2D):
        pass

    with pytest.raises(InputError, match="^expected Nameless to have a package, got none$"):
        class_for(Nameless, import_keras("keras"))
