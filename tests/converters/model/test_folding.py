"""Folding is exact: the same function to float32 rounding, whatever is folded."""

from __future__ import annotations

import numpy as np
import pytest

from converters.base.environment import tf
from converters.base.errors import InputError
from converters.layers.assembled import AssembledConv2D
from converters.layers.definition import LayerDefinition, class_for, define
from converters.model.fold_rules import fold_rule
from converters.model.folding import fold, fold_with_notes
from converters.model.graph import input_names
from lenet_edge.paper import model as nets
from lenet_edge.paper.in_keras import classes
from lenet_edge.paper.layers import scaled_tanh
from lenet_edge.paper.model import with_probabilities

keras = layers = paper = None


@pytest.fixture(autouse=True)
def in_each_keras(either_keras):
    """Let `keras`, `layers` and `paper`, our layers, be those of Keras 3 and, again, of Keras 2."""
    global keras, layers, paper
    keras, layers, paper = either_keras, either_keras.layers, classes(either_keras)


def lenet5():
    return nets.lenet5(keras=keras)


def shaken(model, rng):
    """Return `model` with random weights (and positive variances), so that nothing is 0 or 1 by chance."""
    for variable in model.weights:
        if "codes" in variable.name or "count" in variable.name:
            continue
        noise = rng.normal(size=variable.shape) * 0.3
        variable.assign(np.abs(noise) + 0.1 if "variance" in variable.name else variable.numpy() + noise)
    return model


def assert_same(model, rng, *, kinds=None, low=0.0, high=255.0):
    """Fold, compare on random inputs, and return the folded model; `kinds` are the layers it must have."""
    folded = fold(model)
    x = rng.uniform(low, high, (16, *model.inputs[0].shape[1:])).astype(np.float32)
    wanted, got = model(x, training=False).numpy(), folded(x, training=False).numpy()
    # Both round each of a few hundred terms to 24 bits; 1e-5 of the largest output is some hundred roundings.
    np.testing.assert_allclose(got, wanted, atol=1e-5 * max(1.0, np.abs(wanted).max()))
    if kinds is not None:
        assert [
            type(layer).__name__ for layer in folded.layers if layer.name != input_names(folded)[0]
        ] == kinds
    return folded


def test_lenet5_folds_to_tanh_and_softmax_only(rng):
    model = with_probabilities(shaken(lenet5(), rng), scale=-0.05)
    kinds = ["Conv2D", "TrainableSubsampling", "PartialConv2D", "TrainableSubsampling", "Conv2D", "Flatten"]
    folded = assert_same(model, rng, kinds=[*kinds, "Dense", "Dense", "Softmax"])
    for name in ("C1", "S2", "C3", "S4", "C5", "F6"):
        assert folded.get_layer(name).activation is keras.activations.tanh
    assert not folded.get_layer("OUTPUT").get_weights()[1].any()  # the codes are equally long
    # the paper's few weights are still a layer's only ones
    assert folded.get_layer("S2").count_params() == 12
    assert folded.get_layer("C3").count_params() == 1_516


def test_the_algebra_of_design_holds(rng):
    """W' = 0.005 S w and b' = S (b - 0.1 sum w) in C1; w' = A S w and b' = S b behind it."""
    model = with_probabilities(shaken(lenet5(), rng), scale=-0.1)
    folded = fold(model)
    amplitude, slope = 1.7159, 2 / 3
    kernel, bias = model.get_layer("C1").get_weights()
    np.testing.assert_allclose(folded.get_layer("C1").kernel, 0.005 * slope * kernel, rtol=1e-6)
    np.testing.assert_allclose(
        folded.get_layer("C1").bias, slope * (bias - 0.1 * kernel.sum((0, 1, 2))), rtol=1e-4
    )
    s2, folded_s2 = model.get_layer("S2"), folded.get_layer("S2")
    np.testing.assert_allclose(folded_s2.coefficient, amplitude * slope * s2.coefficient, rtol=1e-6)
    np.testing.assert_allclose(folded_s2.bias, slope * s2.bias, rtol=1e-6)
    codes = model.get_layer("OUTPUT").codes.numpy()
    np.testing.assert_allclose(folded.get_layer("OUTPUT").kernel, 2 * amplitude * 0.1 * codes.T, rtol=1e-6)


@pytest.mark.parametrize("subsampling", ["average", "trainable"])
def test_stock_lenet5_folds(rng, subsampling):
    model = with_probabilities(
        shaken(nets.stock_lenet5(subsampling=subsampling, keras=keras), rng), scale=1.3
    )
    folded = assert_same(model, rng)
    assert not any(isinstance(layer, layers.Rescaling) for layer in folded.layers)


def test_the_given_model_is_not_changed(rng):
    model = with_probabilities(shaken(lenet5(), rng), scale=-0.1)
    before = [weight.copy() for weight in model.get_weights()]
    fold(model)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_batch_normalisation_folds_into_what_comes_before(rng):
    x = keras.Input((9, 9, 3))
    y = layers.Conv2D(4, 3, use_bias=False, padding="same")(x)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    y = layers.DepthwiseConv2D(3, depth_multiplier=2, strides=2)(y)
    y = layers.Activation("tanh")(layers.BatchNormalization(scale=False)(y))
    y = layers.Dense(5)(layers.Dropout(0.5)(layers.Flatten()(y)))
    y = layers.Activation("softmax")(layers.BatchNormalization(center=False)(y))
    kinds = ["Conv2D", "ReLU", "DepthwiseConv2D", "Activation", "Flatten", "Dense", "Activation"]
    assert_same(shaken(keras.Model(x, y), rng), rng, kinds=kinds, low=-1, high=1)


def test_normalisation_and_pooling_fold_into_what_comes_after(rng):
    x = keras.Input((8, 8, 3))
    y = layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 0.25, 9.0])(x)
    y = layers.MaxPooling2D(2)(
        layers.AveragePooling2D(2)(layers.Cropping2D(2)(layers.Rescaling(0.5, 3.0)(y)))
    )
    y = layers.Dense(3, activation="sigmoid")(layers.Flatten()(y))
    kinds = ["Cropping2D", "AveragePooling2D", "MaxPooling2D", "Flatten", "Dense"]
    assert_same(shaken(keras.Model(x, y), rng), rng, kinds=kinds, low=-5, high=5)


@pytest.mark.parametrize("scale", [-1.0, [0.5, -1.0]], ids=["all channels", "one channel"])
def test_a_negative_scale_does_not_pass_a_maximum(rng, scale):
    x = keras.Input((4, 4, 2))
    y = layers.Conv2D(2, 1)(layers.MaxPooling2D(2)(layers.Rescaling(scale)(x)))
    assert_same(
        shaken(keras.Model(x, y), rng), rng, kinds=["Rescaling", "MaxPooling2D", "Conv2D"], low=-1, high=1
    )


def test_a_shift_before_zero_padding_is_computed(rng):
    x = keras.Input((6, 6, 1))
    y = layers.Conv2D(2, 3, padding="same")(layers.Rescaling(0.1, 1.0)(x))
    model = shaken(keras.Model(x, y), rng)
    assert_same(model, rng, kinds=["Rescaling", "Conv2D"])
    assert any("could not be folded" in note for note in fold_with_notes(model)[1])


def test_branches_keep_what_the_other_branch_sees(rng):
    x = keras.Input((6, 6, 2))
    shared = layers.Conv2D(3, 3, name="shared")(x)
    left = layers.ReLU()(layers.BatchNormalization()(shared))
    right = paper.ScaledTanh()(shared)
    y = layers.Dense(2)(layers.Flatten()(layers.Concatenate()([left, right])))
    assert_same(shaken(keras.Model(x, y), rng), rng, low=-1, high=1)


def normalised_convolution(x, **options):
    return layers.BatchNormalization(**options)(layers.Conv2D(3, 3, activation="relu")(x))


NEED_TWO_RESCALINGS = {
    "two branches": lambda x: layers.Concatenate()([normalised_convolution(x), normalised_convolution(x)]),
    "three branches": lambda x: layers.Add(name="sum")([normalised_convolution(x) for _ in range(3)]),
    "one value twice": lambda x: (lambda y: layers.Multiply()([y, y]))(layers.Rescaling(2.0)(x)),
    "one value, of which one reader bends": lambda x: (
        lambda y: layers.Concatenate()([y, layers.Activation("tanh")(y)])
    )(layers.Rescaling(2.0)(x)),
    "two outputs": lambda x: [normalised_convolution(x), normalised_convolution(x)],
    "two heads on one value": lambda x: (
        lambda y: [layers.Conv2D(2, 3, padding="same")(y), layers.Conv2D(2, 3, padding="same")(y)]
    )(layers.Rescaling(2.0, 1.0)(x)),
    "a name of the model's": lambda x: layers.ReLU(name="a_rescaling")(
        layers.ReLU(name="a")(normalised_convolution(x))
    ),
}


@pytest.mark.parametrize("name", NEED_TWO_RESCALINGS)
def test_each_rescaling_has_a_name_of_its_own_the_same_each_time(rng, name):
    x = keras.Input((6, 6, 2))
    model = shaken(keras.Model(x, NEED_TWO_RESCALINGS[name](x)), rng)
    folded, again = fold(model), fold(model)
    names = [layer.name for layer in folded.layers]
    assert len(set(names)) == len(names)
    assert names == [layer.name for layer in again.layers]
    assert sum(isinstance(layer, layers.Rescaling) for layer in folded.layers) >= 1
    values = rng.normal(size=(4, 6, 6, 2)).astype(np.float32)
    got, wanted = tf.nest.flatten(folded(values)), tf.nest.flatten(model(values))
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


TRAINING_ONLY = {
    (8, 3): [
        lambda: layers.Dropout(0.5),
        lambda: layers.AlphaDropout(0.5),
        lambda: layers.GaussianDropout(0.5),
        lambda: layers.GaussianNoise(0.5),
        lambda: layers.SpatialDropout1D(0.5),
        lambda: layers.ActivityRegularization(0.5),
    ],
    (8, 8, 3): [
        lambda: layers.SpatialDropout2D(0.5),
        lambda: layers.RandomFlip(),
        lambda: layers.RandomRotation(0.5),
        lambda: layers.RandomTranslation(0.5, 0.5),
        lambda: layers.RandomZoom(0.5),
        lambda: layers.RandomHeight(0.5),
        lambda: layers.RandomWidth(0.5),
        lambda: layers.RandomBrightness(0.5),
        lambda: layers.RandomContrast(0.5),
    ],
    (4, 4, 4, 3): [lambda: layers.SpatialDropout3D(0.5)],
}
ONLY_IN_KERAS_2 = TRAINING_ONLY[8, 8, 3][5:7]
TRAINING_ONLY_CASES = [(shape, make) for shape, makes in TRAINING_ONLY.items() for make in makes]


@pytest.mark.parametrize(("shape", "make"), TRAINING_ONLY_CASES)
def test_what_acts_in_training_only_is_left_out_and_a_scaling_passes_it(rng, shape, make):
    if keras.__name__ == "keras" and make in ONLY_IN_KERAS_2:
        pytest.skip("Keras 3 has no such layer")
    x = keras.Input(shape)
    layer = make()
    y = layers.Dense(2)(layer(layers.Rescaling(0.5, 1.0)(x)))
    model = shaken(keras.Model(x, y), rng)
    assert_same(model, rng, kinds=["Dense"], low=-1, high=1)
    assert f"{layer.name}: left out, it acts in training only" in fold_with_notes(model)[1]


def test_a_random_crop_is_kept_as_it_crops_the_middle(rng):
    x = keras.Input((8, 8, 3))
    model = keras.Model(x, layers.Conv2D(2, 3)(layers.RandomCrop(4, 4)(x)))
    assert_same(model, rng, kinds=["RandomCrop", "Conv2D"])


def test_a_layer_that_makes_whole_numbers_float_is_kept(rng):
    x = keras.Input((8, 8, 3), dtype="uint8")
    model = keras.Model(x, layers.Conv2D(2, 3)(layers.RandomFlip()(x)))
    pixels = rng.integers(0, 256, (4, 8, 8, 3)).astype(np.uint8)
    got, wanted = (one(pixels, training=False) for one in (fold(model), model))
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-3)


def test_a_value_read_twice_behind_a_scaling_is_right(rng):
    x = keras.Input((5,))
    scaled = layers.Rescaling(3.0, 1.0)(layers.Dense(4)(x))
    y = layers.Add()([layers.Activation("relu")(scaled), layers.Activation("tanh")(scaled)])
    assert_same(shaken(keras.Model(x, y), rng), rng, low=-1, high=1)


def test_scaled_tanh_as_layer_and_as_activation(rng):
    x = keras.Input((5,))
    y = paper.ScaledTanh(amplitude=2.0, slope=0.3)(layers.Dense(4)(x))
    y = layers.Activation(scaled_tanh)(layers.Dense(3, activation=scaled_tanh)(y))
    y = layers.Dense(2)(y)
    model = shaken(keras.Model(x, y), rng)
    folded = assert_same(model, rng, low=-1, high=1)
    assert all(getattr(layer, "activation", None) is not scaled_tanh for layer in folded.layers)


def test_a_scaling_behind_a_bend_is_not_moved_before_it(rng):
    x = keras.Input((5,))
    y = layers.Rescaling(-2.0, 0.3)(layers.Dense(4, activation="relu")(x))
    model = shaken(keras.Model(x, layers.Activation("sigmoid")(y)), rng)
    assert_same(model, rng, kinds=["Dense", "Rescaling", "Activation"], low=-1, high=1)


def test_the_output_keeps_its_own_scale(rng):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation=scaled_tanh)])
    assert_same(shaken(model, rng), rng, kinds=["Dense", "Rescaling"], low=-1, high=1)


def test_trained_codes_of_unequal_length_fold_into_kernel_and_bias(rng):
    x = keras.Input((6,))
    distances = paper.EuclideanRBF(codes=rng.normal(size=(4, 6)) * [[1], [2], [0.5], [1]])(
        paper.ScaledTanh()(layers.Dense(6)(x))
    )
    y = layers.Softmax()(layers.Rescaling(-0.7, 2.0)(distances))
    assert_same(
        shaken(keras.Model(x, y), rng), rng, kinds=["Dense", "Activation", "Dense", "Softmax"], low=-1, high=1
    )


PER_CHANNEL = {"mean": [1.0, -2.0, 0.5], "variance": [4.0, 0.25, 9.0]}


@pytest.mark.parametrize("sides", [(None, None), (None, 5), (None,), (6, 5), (6,), ()])
@pytest.mark.parametrize(
    ("scaling", "kept"),
    [
        (lambda: layers.Rescaling(2.0, 0.5), []),
        (lambda: layers.Normalization(**PER_CHANNEL), ["Rescaling"]),
    ],
    ids=["one factor", "a factor a channel"],
)
def test_flatten_of_any_size_folds_or_is_kept(rng, sides, scaling, kept):
    """A factor a channel passes Flatten only where it is known how many values there are."""
    x = keras.Input((*sides, 3))
    y = layers.Activation("tanh")(layers.Flatten()(scaling()(x)))
    model = keras.Model(x, y)
    values = rng.normal(size=(4, *(side or 7 for side in sides), 3)).astype(np.float32)
    folded = fold(model)
    np.testing.assert_allclose(folded(values), model(values), atol=1e-6)
    order = [type(layer).__name__ for layer in folded.layers[1:3]]
    unknown = kept and None in sides
    assert order == (["Rescaling", "Flatten"] if unknown else ["Flatten", "Rescaling"])


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.BatchNormalization(),
        lambda: layers.GlobalAveragePooling2D(),
        lambda: layers.GlobalMaxPooling2D(),
        lambda: layers.MaxPooling2D(2),
        lambda: layers.AveragePooling2D(2),
        lambda: layers.Softmax(),
        lambda: layers.Dense(4),
        lambda: layers.Conv2D(4, 3),
        lambda: layers.Conv2D(4, 3, padding="same"),
        lambda: layers.DepthwiseConv2D(3),
        lambda: layers.Cropping2D(1),
        lambda: layers.Normalization(**PER_CHANNEL),
    ],
)
def test_every_rule_folds_pictures_of_unknown_size(rng, layer):
    x = keras.Input((None, None, 3))
    model = shaken(keras.Model(x, layer()(layers.Normalization(**PER_CHANNEL)(x))), rng)
    values = rng.normal(size=(4, 6, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(fold(model)(values), model(values), rtol=1e-5, atol=1e-5)


def test_a_layer_that_was_called_outside_the_model_folds_by_its_call_within(rng):
    flatten, x = layers.Flatten(), keras.Input((4, 2, 3))
    flatten(keras.Input((2, 2, 3)))
    y = layers.Dense(2)(flatten(layers.Normalization(**PER_CHANNEL)(x)))
    assert_same(shaken(keras.Model(x, y), rng), rng, kinds=["Flatten", "Dense"], low=-3, high=3)


@pytest.mark.parametrize(
    "between",
    [
        lambda: [layers.Flatten()],
        lambda: [layers.Rescaling([1.0, 2.0, 3.0]), layers.Softmax()],
        lambda: [layers.BatchNormalization(), layers.Softmax()],
    ],
    ids=["flatten alone", "a factor each", "batch normalisation"],
)
def test_distances_are_not_scaled_apart_before_their_softmax(rng, between):
    """Folded, they are known up to a number that they have in common: with a factor each, it would differ."""
    x = keras.Input((6,))
    y = paper.EuclideanRBF(codes=rng.normal(size=(3, 6)))(layers.Dense(6)(x))
    for layer in between():
        y = layer(y)
    with pytest.raises(InputError, match="expected a softmax after the squared distances"):
        fold(shaken(keras.Model(x, y), rng))


def test_distances_may_be_flattened_before_their_softmax(rng):
    x = keras.Input((6,))
    distances = paper.EuclideanRBF(codes=rng.normal(size=(3, 6)))(layers.Dense(6)(x))
    y = layers.Softmax()(layers.Flatten()(layers.Rescaling(-0.3)(distances)))
    kinds = ["Dense", "Dense", "Flatten", "Softmax"]
    assert_same(shaken(keras.Model(x, y), rng), rng, low=-1, high=1, kinds=kinds)


def test_distances_without_a_softmax_are_refused_in_one_line():
    with pytest.raises(
        InputError, match="expected a softmax after the squared distances that .* takes, got none"
    ):
        fold(lenet5())


def test_operations_called_on_tensors_are_kept_with_their_arguments(rng):
    x = keras.Input((5,))
    clip = keras.ops.clip if hasattr(keras, "ops") else tf.clip_by_value
    y = clip(layers.Rescaling(2.0)(x) * 3.0, -4.0, 4.0)
    assert_same(keras.Model(x, y), rng, low=-1, high=1)


def test_a_model_with_two_inputs_and_outputs_keeps_their_order(rng):
    a, b = keras.Input((3,), name="a"), keras.Input((4,), name="b")
    left = layers.Dense(2, name="left")(layers.Rescaling(2.0)(a))
    right = layers.Dense(2, name="right")(layers.Concatenate()([left, b]))
    model = shaken(keras.Model([a, b], [right, left]), rng)
    x = [rng.normal(size=(5, 3)), rng.normal(size=(5, 4))]
    for got, wanted in zip(fold(model)(x), model(x), strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-6)


@define(package="test")
class MirroredConv2D(AssembledConv2D):
    """A layer we did not write for LeNet-5: a 1x3 kernel whose left and right taps are one weight."""

    operation = "conv2d"
    kernel_weight = "taps"

    def build(self, input_shape):
        self.taps = self.add_weight(name="taps", shape=(2, input_shape[-1], 4))
        self.bias = self.add_weight(name="bias", shape=(4,))
        super().build(input_shape)

    def assemble(self, weight):
        return self.ops.stack([weight[1], weight[0], weight[1]])[None]

    def scale(self, weight, *, by_input=1.0, by_output=1.0):
        return weight * np.asarray(by_input)[..., None] * by_output


def test_a_foreign_assembled_layer_folds_with_a_shift_per_channel(rng):
    x = keras.Input((3, 7, 2))
    y = layers.Normalization(mean=[1.0, -2.0], variance=[4.0, 0.25])(x)
    y = layers.Softmax()(
        layers.BatchNormalization()(class_for(MirroredConv2D, keras)(activation=scaled_tanh)(y))
    )
    folded = assert_same(shaken(keras.Model(x, y), rng), rng, low=-3, high=3)
    assert not any(isinstance(layer, layers.Normalization) for layer in folded.layers)


@define(package="test")
class WithoutBias(MirroredConv2D):
    """The same without a bias, which could take an offset in."""

    def build(self, input_shape):
        super().build(input_shape)
        self.bias = None


def test_an_assembled_layer_without_a_bias_receives_the_exact_values(rng):
    x = keras.Input((3, 7, 2))
    y = class_for(WithoutBias, keras)()(layers.Rescaling(2.0, 1.0)(x))
    model = shaken(keras.Model(x, layers.BatchNormalization()(y)), rng)
    assert_same(model, rng, kinds=["Rescaling", "WithoutBias", "Rescaling"], low=-3, high=3)


def test_a_subclass_of_a_stock_layer_is_not_taken_for_it(rng):
    class Standardised(layers.Conv2D):
        """What it multiplies by is not its kernel."""

        def convolution_op(self, inputs, kernel):
            mean, variance = tf.nn.moments(tf.convert_to_tensor(kernel), [0, 1, 2], keepdims=True)
            return super().convolution_op(inputs, (kernel - mean) / tf.sqrt(variance + 1e-5))

    with keras.saving.custom_object_scope({"Standardised": Standardised}):
        x = keras.Input((6, 6, 2))
        y = layers.ReLU()(layers.BatchNormalization()(Standardised(4, 3)(layers.Rescaling(2.0, 1.0)(x))))
        model = shaken(keras.Model(x, layers.Dense(2)(layers.Flatten()(y))), rng)
        kinds = ["Rescaling", "Standardised", "Rescaling", "ReLU", "Flatten", "Dense"]
        assert_same(model, rng, kinds=kinds, low=-3, high=3)


@pytest.mark.parametrize(
    "layer",
    [lambda: paper.TrainableSubsampling(), lambda: paper.PartialConv2D(table=[[0, 1], [1]], kernel_size=2)],
)
def test_our_layers_take_in_scale_and_shift_per_channel(rng, layer):
    x = keras.Input((4, 6, 2))
    ours = layer()
    y = layers.Softmax()(ours(layers.Normalization(mean=[1.0, -2.0], variance=[4.0, 0.25])(x)))
    folded = assert_same(shaken(keras.Model(x, y), rng), rng, low=-3, high=3)
    assert type(folded.layers[1]) is type(ours)


def test_what_is_no_model_is_refused():
    for thing in (layers.Dense(3), "a model", None):
        with pytest.raises(InputError, match=f"expected a built Keras model, got {type(thing).__name__}"):
            fold(thing)


def test_the_folded_model_is_of_the_same_keras(rng):
    folded = fold(keras.Sequential([keras.Input((3,)), layers.Rescaling(2.0), layers.Dense(2)]))
    assert isinstance(folded, keras.Model)
    assert all(isinstance(layer, layers.Layer) for layer in folded.layers)


def test_a_layer_that_is_called_twice_stays_one_layer(rng):
    shared, x = layers.Dense(3, name="shared"), keras.Input((3,))
    y = layers.BatchNormalization()(shared(shared(layers.Rescaling(0.5)(x))))
    folded = assert_same(shaken(keras.Model(x, layers.Dense(2)(y)), rng), rng, low=-1, high=1)
    assert [layer.name for layer in folded.layers].count("shared") == 1


def test_models_within_the_model_are_looked_through(rng):
    block = keras.Sequential(
        [keras.Input((6, 6, 2)), layers.Conv2D(3, 3, name="conv"), layers.BatchNormalization()], name="block"
    )
    inner = keras.Input((6, 6, 2))
    head = keras.Model(inner, layers.ReLU(name="conv")(block(inner)), name="head")
    x = keras.Input((6, 6, 2))
    y = layers.Dense(2)(layers.Flatten()(head(layers.Rescaling(2.0, 1.0)(x))))
    kinds = ["Conv2D", "ReLU", "Flatten", "Dense"]
    folded = assert_same(shaken(keras.Model(x, y), rng), rng, low=-1, high=1, kinds=kinds)
    assert [layer.name for layer in folded.layers[1:3]] == ["conv", "conv_2"]  # no name twice


def test_a_model_within_that_is_called_twice_is_right(rng):
    block = keras.Sequential([keras.Input((4,)), layers.Dense(4), layers.BatchNormalization()])
    x = keras.Input((4,))
    model = shaken(keras.Model(x, layers.Add()([block(block(x)), layers.Rescaling(3.0)(x)])), rng)
    assert_same(model, rng, low=-1, high=1)


def test_a_layer_with_two_outputs_is_kept(rng):
    x = keras.Input((5, 3))
    states = layers.GRU(4, return_sequences=True, return_state=True)(layers.Rescaling(0.5)(x))
    y = layers.Add()([layers.BatchNormalization()(states[1]), layers.GlobalAveragePooling1D()(states[0])])
    assert_same(shaken(keras.Model(x, y), rng), rng, low=-1, high=1)


def test_dictionaries_of_inputs_and_outputs_stay_dictionaries(rng):
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    y = layers.Dense(2)(layers.Rescaling(2.0)(a))
    model = shaken(keras.Model({"b": b, "a": a}, {"sum": layers.Add()([a, b]), "left": y}), rng)
    x = {name: rng.normal(size=(5, 3)).astype(np.float32) for name in "ab"}
    wanted, got = model(x), fold(model)(x)
    assert set(got) == {"sum", "left"}
    for name in wanted:
        np.testing.assert_allclose(got[name], wanted[name], atol=1e-6)


@pytest.mark.parametrize(
    ("compute", "kinds"),
    [
        (lambda x: x / 255.0 - 0.5, []),
        (lambda x: (1.0 - x) * 2.0, []),
        (lambda x: -x + 3, []),
        (lambda x: 1.0 / (x * x + 1.0), ["Multiply", "Rescaling", "TrueDivide"]),
        (lambda x: keras.ops.mean(x * 2.0, axis=1, keepdims=True), ["Rescaling", "Mean"]),
        (lambda x: x * np.array([1.0, 2.0, 3.0], np.float32), ["Multiply"]),
    ],
    ids=["pixels", "from a number", "negative", "not a scaling", "kept", "an array"],
)
def test_arithmetic_of_keras_3_is_folded_or_kept(rng, compute, kinds):
    if not hasattr(keras, "ops"):
        pytest.skip("Keras 2 has no keras.ops")
    x = keras.Input((4, 3))
    model = shaken(keras.Model(x, layers.Dense(2)(layers.Flatten()(compute(x)))), rng)
    folded = assert_same(model, rng, low=0, high=3)
    left = [type(o).__name__ for o in folded.operations if type(o).__name__ not in ("InputLayer",)]
    assert [name for name in left if name not in ("Flatten", "Dense")] == kinds


def test_a_rule_for_a_definition_serves_both_kerases(rng):
    @define(package="test")
    class Halving(LayerDefinition):
        def call(self, inputs):
            return self.ops.multiply(inputs, 0.5)

    @fold_rule(Halving)
    def halved(layer, inputs, folding):
        return inputs[0].scaled(0.5)

    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(2)(class_for(Halving, keras)()(x)))
    assert_same(shaken(model, rng), rng, kinds=["Dense"], low=-1, high=1)


def linear_bottleneck(x):
    y = layers.BatchNormalization()(layers.Conv2D(4, 1, padding="same", use_bias=False)(x))
    z = layers.BatchNormalization()(layers.Conv2D(8, 1, padding="same", use_bias=False)(y))
    z = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(layers.ReLU(6.0)(z))
    z = layers.BatchNormalization()(layers.Conv2D(4, 1, padding="same")(layers.BatchNormalization()(z)))
    return layers.Add()([y, z])


def test_a_normalisation_that_two_read_goes_into_what_only_it_reads(rng):
    """MobileNetV2's block: its sum and its next convolution read a normalised output."""
    x = keras.Input((6, 6, 3))
    model = shaken(keras.Model(x, linear_bottleneck(layers.Rescaling(1 / 128, -1.0)(x))), rng)
    kinds = ["Conv2D", "Conv2D", "ReLU", "DepthwiseConv2D", "Conv2D", "Add"]
    folded = assert_same(model, rng, kinds=kinds)
    assert not any(isinstance(layer, layers.Rescaling) for layer in folded.layers)


def test_a_normalisation_does_not_go_into_what_others_read_too(rng):
    x = keras.Input((6, 6, 3))
    conv = layers.Conv2D(4, 3, name="conv")(x)
    y = layers.BatchNormalization()(conv)
    model = keras.Model(x, layers.Concatenate()([layers.ReLU()(conv), layers.ReLU()(y), layers.ReLU()(y)]))
    assert_same(shaken(model, rng), rng, low=-1, high=1)


def test_an_output_that_is_scaled_further_on_is_left_as_it_is(rng):
    x = keras.Input((3,))
    dense = layers.Dense(4, name="dense")(x)
    model = keras.Model(x, [dense, layers.ReLU()(layers.BatchNormalization()(dense))])
    values = rng.normal(size=(4, 3)).astype(np.float32)
    for got, wanted in zip(fold(shaken(model, rng))(values), model(values), strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_a_squeeze_and_excite_block_has_no_scaling_left(rng):
    """MobileNetV3's block: its hard sigmoid ends in a factor, which passes the product."""
    x = keras.Input((6, 6, 4))
    y = layers.Dense(4)(layers.GlobalAveragePooling2D(keepdims=True)(x))
    gate = layers.Rescaling(1 / 6)(layers.ReLU(6.0)(layers.Rescaling(1.0, 3.0)(y)))
    model = keras.Model(x, layers.Conv2D(3, 1, padding="same")(layers.Multiply()([x, gate])))
    kinds = ["GlobalAveragePooling2D", "Dense", "ReLU", "Multiply", "Conv2D"]
    assert_same(shaken(model, rng), rng, kinds=kinds, low=-1, high=1)


@pytest.mark.parametrize(
    "scaling", [lambda: layers.Rescaling(2.0, 1.0), lambda: layers.Rescaling([1.0, 2.0])]
)
def test_a_product_with_an_offset_or_of_other_channels_is_right(rng, scaling):
    x, other = keras.Input((5, 2)), keras.Input((5, 2))
    y = layers.Multiply()([scaling()(x), layers.Rescaling(3.0)(other)])
    z = layers.Multiply()([layers.Rescaling([1.0, 2.0])(x), keras.layers.Dense(1, activation="relu")(other)])
    model = shaken(keras.Model([x, other], layers.Dense(2)(layers.Add()([y, z]))), rng)
    values = [rng.normal(size=(4, 5, 2)).astype(np.float32) for _ in range(2)]
    np.testing.assert_allclose(fold(model)(values), model(values), rtol=1e-4, atol=1e-5)


PASSED_BY_A_SCALING = {
    "Conv1D": ((8, 3), lambda: [layers.Conv1D(4, 3, padding="causal"), layers.ReLU()], ["Conv1D", "ReLU"]),
    "Conv1D of a shift": ((8, 3), lambda: [layers.Conv1D(4, 3)], ["Conv1D"]),
    "Conv3D": ((4, 4, 4, 3), lambda: [layers.Conv3D(4, 3)], ["Conv3D"]),
    "DepthwiseConv1D": (
        (8, 3),
        lambda: [layers.DepthwiseConv1D(3, depth_multiplier=2, strides=2)],
        ["DepthwiseConv1D"],
    ),
    "SeparableConv1D": (
        (8, 3),
        lambda: [layers.SeparableConv1D(4, 3, depth_multiplier=2), layers.ReLU()],
        ["DepthwiseConv1D", "Conv1D", "ReLU"],
    ),
    "AveragePooling1D": ((8, 3), lambda: [layers.AveragePooling1D(2)], ["AveragePooling1D"]),
    "GlobalAveragePooling1D": ((8, 3), lambda: [layers.GlobalAveragePooling1D()], ["GlobalAveragePooling1D"]),
    "MaxPooling1D": ((8, 3), lambda: [layers.MaxPooling1D(2)], ["MaxPooling1D"]),
    "UpSampling2D": ((4, 5, 3), lambda: [layers.UpSampling2D(2)], ["UpSampling2D"]),
    "bilinear": ((4, 5, 3), lambda: [layers.UpSampling2D(2, interpolation="bilinear")], ["UpSampling2D"]),
}


@pytest.mark.parametrize("name", PASSED_BY_A_SCALING)
def test_one_dimension_three_and_enlargement_are_passed(rng, name):
    shape, make, kinds = PASSED_BY_A_SCALING[name]
    x = keras.Input(shape)
    shift = 0.0 if "ReLU" in kinds else 1.0  # the border of "causal" is zeros
    y = layers.Normalization(mean=[0.0, shift, 0.0], variance=[4.0, 1.0, 0.25])(x)
    for layer in make():
        y = layer(y)
    model = shaken(keras.Model(x, layers.Dense(2)(layers.BatchNormalization()(y))), rng)
    assert_same(model, rng, kinds=[*kinds, "Dense"], low=-1, high=1)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_a_transposed_convolution_takes_factors_in_and_no_shift(rng, shift):
    x = keras.Input((4, 5, 3))
    y = layers.Conv2DTranspose(4, 3, strides=2)(layers.Rescaling([0.5, 2.0, 1.0], shift)(x))
    model = keras.Model(x, layers.ReLU()(layers.BatchNormalization()(y)))
    kinds = [*(["Rescaling"] if shift else []), "Conv2DTranspose", "ReLU"]
    assert_same(shaken(model, rng), rng, low=-1, high=1, kinds=kinds)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_separable_convolution_is_its_two(rng, padding):
    x = keras.Input((6, 6, 3))
    scaled = layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 1.0, 0.25])(x)
    y = layers.SeparableConv2D(5, 3, depth_multiplier=2, padding=padding, name="separable")(scaled)
    model = keras.Model(x, layers.ReLU()(layers.BatchNormalization()(y)))
    kinds = [*(["Rescaling"] if padding == "same" else []), "DepthwiseConv2D", "Conv2D", "ReLU"]
    folded = assert_same(shaken(model, rng), rng, low=-1, high=1, kinds=kinds)
    assert folded.get_layer("separable").kernel.shape == (1, 1, 6, 5)


@pytest.mark.parametrize(
    ("layer", "scaling", "passed"),
    [
        (lambda: layers.ReLU(), 2.0, True),
        (lambda: layers.ReLU(negative_slope=0.2), [2.0, 0.5], True),
        (lambda: layers.LeakyReLU(), 2.0, True),
        (lambda: layers.ReLU(6.0), 2.0, False),
        (lambda: layers.ReLU(threshold=0.5), 2.0, False),
        (lambda: layers.ReLU(), -2.0, False),
        (lambda: layers.ReLU(), [1.0, -1.0], False),
        (lambda: layers.ZeroPadding2D(1), [1.0, -1.0], True),
        (lambda: layers.Reshape((4, 2, 2)), 2.0, True),
        (lambda: layers.Reshape((4, 2, 2)), [1.0, 2.0], False),
        (lambda: layers.Permute((2, 1, 3)), 2.0, True),
    ],
)
def test_a_factor_passes_what_it_commutes_with(rng, layer, scaling, passed):
    x = keras.Input((2, 4, 2))
    one = layer()
    model = keras.Model(x, layers.Conv2D(2, 1)(one(layers.Rescaling(scaling)(x))))
    kinds = [*([] if passed else ["Rescaling"]), type(one).__name__, "Conv2D"]
    assert_same(shaken(model, rng), rng, low=-3, high=3, kinds=kinds)


def test_a_shift_does_not_pass_what_it_does_not_commute_with(rng):
    x = keras.Input((4, 4, 2))
    for one in (layers.ReLU(), layers.ZeroPadding2D(1)):
        model = keras.Model(x, layers.Conv2D(2, 1)(one(layers.Rescaling(1.0, 1.0)(x))))
        kinds = ["Rescaling", type(one).__name__, "Conv2D"]
        assert_same(shaken(model, rng), rng, low=-3, high=3, kinds=kinds)


@pytest.mark.parametrize("axis", [-1, 1])
def test_what_is_put_side_by_side_keeps_its_scalings(rng, axis):
    x = keras.Input((4, 4, 2))
    left = layers.Normalization(mean=[1.0, 2.0], variance=[4.0, 1.0])(x)
    y = layers.Concatenate(axis=axis)([left, layers.Rescaling(3.0, 1.0)(x), x])
    model = shaken(keras.Model(x, layers.Conv2D(2, 1)(y)), rng)
    kinds = ["Concatenate", "Conv2D"] if axis == -1 else ["Rescaling", "Rescaling", "Concatenate", "Conv2D"]
    assert_same(model, rng, low=-3, high=3, kinds=kinds)
