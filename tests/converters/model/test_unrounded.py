"""The exact model of a fine-tuned one: its layers and weights, nothing rounded, whatever it is made of."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras
from fine_tuned_nets import MODELS, a_picture, of_our_layers, rounding_model, samples_of

from converters.base.errors import InputError
from converters.base.kerases import keras_of
from converters.model.fine_tuning import fine_tune
from converters.model.folding import fold
from converters.model.graph import flat, graph_of, input_names, nested_inputs
from converters.model.quantize_aware import quantize_aware, quantize_rule
from converters.model.quantize_configs import NothingToQuantize, RangeQuantizer, tfmot
from converters.model.unrounded import is_quantized, unrounded

# Both compute the same sums in float32: the difference is a few units in the last place of 24 bits.
SAME = {"rtol": 1e-5, "atol": 1e-5}


def answers(model, samples):
    found = model(nested_inputs(model, list(samples.values())), training=False)
    return [np.asarray(one) for one in flat(found)]


def assert_same_answers(model, other):
    for got, wanted in zip(*(answers(one, samples_of(other)) for one in (model, other)), strict=True):
        np.testing.assert_allclose(got, wanted, **SAME)


@pytest.fixture(scope="module", params=MODELS)
def make(request):
    return MODELS[request.param]


@pytest.fixture
def exact(make, either_keras):
    either_keras.utils.set_random_seed(4)
    return fold(make(either_keras))


def test_before_any_training_it_is_the_exact_model(exact):
    rounding = rounding_model(exact)
    found = unrounded(rounding)
    assert keras_of(found) is tf_keras
    assert not is_quantized(found)
    assert input_names(found) == input_names(exact)
    assert_same_answers(found, exact)
    with pytest.raises(AssertionError):  # the other one rounds
        assert_same_answers(rounding, exact)


def test_each_weight_that_was_learnt_is_in_its_place(exact):
    """Every weight gets a number of its own, so that none can stand in for another."""
    rounding = rounding_model(exact)
    learnt = {}
    for number, weight in enumerate(rounding.trainable_weights, start=1):
        weight.assign(np.full(weight.shape, number, np.float32))
        learnt[weight.name] = {number}
    before = rounding.get_weights()
    assert {weight.name: {*weight.numpy().flat} for weight in unrounded(rounding).weights} == learnt
    for old, new in zip(before, rounding.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)  # the model that rounds is as it was


class Weighed(tf_keras.layers.Layer):
    """Has a layer within, whose weight has the name and shape of its own, and comes before that."""

    def build(self, shape):
        self.within = tf_keras.layers.Dense(shape[-1], use_bias=False)
        self.within.build(shape)
        self.kernel = self.add_weight(name="kernel", shape=(shape[-1], shape[-1]))
        super().build(shape)

    def call(self, inputs):
        return self.within(inputs) @ self.kernel


class WeighedConfig(NothingToQuantize):
    """Rounds the kernel that is the layer's own."""

    def get_weights_and_quantizers(self, layer):
        return [(layer.kernel, tfmot.quantization.keras.quantizers.LastValueQuantizer(8, False, True, True))]

    def set_quantize_weights(self, layer, quantize_weights):
        layer.kernel = quantize_weights[0]

    def get_output_quantizers(self, layer):
        return [RangeQuantizer()]


def test_weights_of_one_name_and_shape_are_not_mixed_up(rng):
    quantize_rule(Weighed)(lambda layer, behind: WeighedConfig())
    x = tf_keras.Input((4,), name="numbers")
    exact = tf_keras.Model(x, Weighed(name="weighed")(x))
    samples = rng.normal(size=(20, 4)).astype(np.float32)
    with tf_keras.utils.custom_object_scope({"Weighed": Weighed, "WeighedConfig": WeighedConfig}):
        found = unrounded(quantize_aware(exact, calibration=samples)).get_layer("weighed")
    layer = exact.get_layer("weighed")
    np.testing.assert_array_equal(found.kernel, layer.kernel)
    np.testing.assert_array_equal(found.within.kernel, layer.within.kernel)


def test_a_model_that_the_library_itself_made_round_is_taken_too(rng):
    """It puts an activation of its own before a normalisation, and leaves that to the converter."""
    layers, x = tf_keras.layers, a_picture(tf_keras)
    y = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(3, 3, name="C1")(x)))
    exact = tf_keras.Model(x, layers.Dense(2, name="last")(layers.Flatten()(y)))
    for weight in exact.weights:
        weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    found = unrounded(tfmot.quantization.keras.quantize_model(exact))
    assert_same_answers(found, exact)
    assert_same_answers(fold(found), exact)  # every layer can be copied


def test_a_model_within_another_is_taken_too():
    rounding = rounding_model(fold(of_our_layers(tf_keras)))
    x = a_picture(tf_keras)
    last = tf_keras.layers.Dense(2, name="last")
    model = tf_keras.Model(x, last(rounding(x)), name="both")
    assert is_quantized(model)
    found = unrounded(model)
    assert "quant_" not in "".join(call.name for call in graph_of(found).calls)
    whole = tf_keras.Model(x, last(unrounded(rounding)(x)))
    assert_same_answers(found, whole)


def test_any_other_model_is_returned_as_it_is(exact):
    assert unrounded(exact) is exact


ROUNDS_ALREADY = "expected a model that does not round yet, got one made by quantize_aware"


def test_what_rounds_already_is_neither_folded_nor_quantised_again():
    rounding = rounding_model(fold(of_our_layers(tf_keras)))
    x = a_picture(tf_keras)
    samples = samples_of(rounding)["picture"]
    for model in (rounding, tf_keras.Model(x, rounding(x), name="outer")):
        with pytest.raises(InputError, match=ROUNDS_ALREADY):
            fold(model)
        with pytest.raises(InputError, match=ROUNDS_ALREADY):
            quantize_aware(model, calibration=samples)
        with pytest.raises(InputError, match=ROUNDS_ALREADY):
            fine_tune(model, samples, epochs=1)
