"""Quantisation-aware fine-tuning: custom layers' kernels, ranges before the first step, the file's bytes."""

from __future__ import annotations

import re
import runpy
import weakref
from pathlib import Path

import keras as keras_3
import numpy as np
import pytest
import tf_keras as keras

from converters.base.environment import tf
from converters.base.errors import InputError
from converters.base.kerases import keras_of
from converters.file.graph import WITH_KERNEL, read_graph
from converters.file.resizing import resized
from converters.file.signature import names_in_order
from converters.layers.definition import LayerDefinition, class_for, keras_layer
from converters.model import quantize_aware as quantize_aware_module
from converters.model.activation_ranges import RangeSearch
from converters.model.conversion import to_tflite
from converters.model.folding import fold
from converters.model.quantize_aware import quantize_aware, quantize_rule, settle
from converters.model.quantize_configs import NothingToQuantize, OutputConfig, RangeQuantizer
from converters.model.unrounded import is_quantized, unrounded
from converters.runtimes.tensorflow_interpreter import outputs_of, run
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.keras2 import PartialConv2D
from lenet_edge.packaged.files import released_folder
from lenet_edge.packaged.layouts import layout_for, lowered
from lenet_edge.packaged.weights import load_quantised
from lenet_edge.paper.in_keras import classes
from lenet_edge.paper.model import lenet5, with_probabilities

layers, ops = keras.layers, keras_3.ops
BOTH = (keras_3, keras)
ROOT = Path(__file__).resolve().parents[3]


def small(keras):
    """A small folded net of `keras` with our layers, raw pixels in, scores out."""
    layers, paper = keras.layers, classes(keras)
    keras.utils.set_random_seed(7)
    x = keras.Input((12, 12, 1), name="pixels")
    y = layers.Conv2D(2, 3, activation="tanh", name="C1")(layers.Rescaling(1 / 255)(x))
    y = paper.TrainableSubsampling(name="S2")(y)
    y = paper.PartialConv2D(table=[[0], [1], [0, 1]], kernel_size=2, name="C3")(y)
    y = layers.Dense(4, name="OUTPUT")(layers.Flatten()(y))
    return fold(keras.Model(x, layers.Softmax(name="scores")(y), name="small"))


@pytest.fixture(scope="module", params=[keras_3, keras], ids=["keras", "tf_keras"])
def exact(request):
    return small(request.param)


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(3).integers(0, 256, (60, 12, 12, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def rounding(exact, pixels):
    return quantize_aware(exact, calibration=pixels)


@pytest.fixture(scope="module")
def graph(rounding):
    return read_graph(to_tflite(rounding, precision="int8").content)


def variable(model, layer, name):
    found = [v for v in model.get_layer(layer).weights if v.name.split("/")[-1] == f"{name}:0"]
    assert len(found) == 1
    return found[0].numpy()


def test_it_answers_nearly_as_the_exact_model_before_any_training(exact, rounding, pixels):
    wanted, got = (m.predict(pixels, verbose=0) for m in (exact, rounding))
    assert (wanted != got).any()  # it does round
    # Three layers of this width, each rounding to 1/256 of its range, move a softmax of slope 1/4 by
    # some thousandths; 0.02 is 5 steps of 1/256.
    np.testing.assert_allclose(got, wanted, atol=0.02)


def test_the_file_answers_as_the_keras_model_rounds(rounding, pixels):
    got = run(to_tflite(rounding, precision="int8").content, pixels)
    # The score is rounded to 1/256 in the file only; a step of the logits' moves a score by a quarter of it.
    step = (variable(rounding, "quant_OUTPUT", "post_activation_max") + 8) / 255
    np.testing.assert_allclose(got, rounding.predict(pixels, verbose=0), atol=1 / 256 + step / 4)


def test_every_tensor_between_the_ends_is_int8(graph):
    ends = {graph.inputs[0].index, graph.outputs[0].index}
    kinds = {
        t.type for node in graph.nodes for t in (*node.inputs, *node.outputs) if t and t.index not in ends
    }
    assert kinds == {"int8", "int32"}
    assert [node.name for node in graph.nodes].count("QUANTIZE") == 2  # the uint8 ends, no island within


def test_kernels_are_constants_with_a_scale_for_each_channel(graph):
    with_kernel = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    found = [node.inputs[1] for node in graph.nodes if node.name in with_kernel]
    assert all(kernel.constant is not None for kernel in found)
    assert [kernel.scales.size for kernel in found] == [2, 2, 3, 1]  # C1, S2, C3; dense ones have one


def test_the_tied_kernel_is_exact(exact, graph):
    kernel = next(node for node in graph.nodes if node.name == "DEPTHWISE_CONV_2D").inputs[1]
    assert set(np.abs(kernel.constant).ravel()) == {127}
    coefficient = exact.get_layer("S2").coefficient.numpy()
    np.testing.assert_allclose(kernel.real(), np.broadcast_to(coefficient, (1, 2, 2, 2)), rtol=1e-6)


def test_what_is_not_connected_stays_zero(graph):
    kernel = [node for node in graph.nodes if node.name == "CONV_2D"][1].inputs[1].constant
    assert not kernel[0, :, :, 1].any()
    assert not kernel[1, :, :, 0].any()
    assert kernel[2].all(axis=(0, 1)).all() or kernel[2].any()


def test_ranges_are_those_of_the_calibration_inputs(exact, rounding, pixels):
    assert variable(rounding, "quant_pixels", "quant_pixels_min") == 0
    assert variable(rounding, "quant_pixels", "quant_pixels_max") == 255
    model_class = keras_of(exact).Model
    before = model_class(exact.inputs, exact.get_layer("OUTPUT").output).predict(pixels, verbose=0)
    low, high = (variable(rounding, "quant_OUTPUT", f"post_activation_{end}") for end in ("min", "max"))
    # Not the place to start from that tensorflow-model-optimization has, and no wider than what was seen.
    assert (low, high) != (-6, 6)
    assert before.min() * 1.05 - 0.05 <= low <= 0 <= high <= before.max() * 1.05 + 0.05


@pytest.mark.parametrize(("side", "samples"), [(12, 60), (12, 300), (48, 60)])
def test_what_passes_while_ranges_are_found_is_not_kept(monkeypatch, side, samples):
    """Memory is that of one batch, however many samples there are; 100 small ones or fewer large ones."""
    x = keras.Input((side, side, 3))
    y = x
    for _ in range(4):
        y = layers.Conv2D(8, 3, padding="same", activation="relu")(y)
    passed, alive, batches = [], [], set()

    def watched(original):
        def method(self, values, *rest, **options):
            if getattr(self, "watchers", True):  # not while the model is built
                passed.append(weakref.ref(values))  # a tensor or an array
                alive.append(sum(one() is not None for one in passed))
                batches.add(len(values))
            return original(self, values, *rest, **options)

        return method

    for kind, name in ((RangeQuantizer, "__call__"), (RangeSearch, "see"), (RangeSearch, "weigh")):
        monkeypatch.setattr(kind, name, watched(getattr(kind, name)))
    monkeypatch.setattr(quantize_aware_module, "_BATCH_VALUES", 100 * 12 * 12 * 3)
    data = np.random.default_rng(1).normal(size=(samples, side, side, 3))
    quantize_aware(keras.Model(x, y), calibration=data)
    assert len(passed) >= 16  # each of the four layers twice, a tensor and an array of it
    assert max(alive) <= 8  # those of one batch
    assert max(batches) * side**2 <= 100 * 12**2


def test_the_second_model_of_a_process_has_the_same_bytes(exact, pixels):
    contents = [
        to_tflite(quantize_aware(exact, calibration=pixels), precision="int8").content for _ in range(2)
    ]
    assert contents[0] == contents[1]


def test_the_given_model_is_not_changed(exact, pixels):
    before = exact.get_weights()
    model = quantize_aware(exact, calibration=pixels)
    for wrapper in model.layers:
        for weight in wrapper.trainable_weights:
            weight.assign_add(tf.ones_like(weight))
    for left, right in zip(before, exact.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    assert is_quantized(model)
    assert not is_quantized(exact)


def test_training_moves_the_weights_and_settling_the_ranges(exact, pixels):
    model = quantize_aware(exact, calibration=pixels, weight_bits=3)
    wanted = exact.predict(pixels, verbose=0)
    # Steps of 1e-4: a kernel of raw pixels has weights of a thousandth.
    model.compile(keras.optimizers.Adam(1e-4), "categorical_crossentropy")
    before = model.evaluate(pixels, wanted, verbose=0)
    model.fit(pixels, wanted, epochs=30, batch_size=20, verbose=0)
    settle(model)
    assert model.evaluate(pixels, wanted, verbose=0) < before
    wrapper = model.get_layer("quant_S2")
    coefficient = wrapper.layer.coefficient.numpy()
    assert (coefficient != exact.get_layer("S2").coefficient.numpy()).all()
    np.testing.assert_allclose(variable(model, "quant_S2", "coefficient_max"), np.abs(coefficient), rtol=1e-6)


@pytest.mark.parametrize(("bits", "levels"), [(2, 3), (4, 15), (8, 255)])
def test_a_kernel_has_as_many_levels_as_its_bits_allow(exact, pixels, bits, levels):
    model = quantize_aware(exact, calibration=pixels, weight_bits=bits, per_channel=False)
    wrapper = model.get_layer("quant_C1")
    weight, quantizer, variables = wrapper._weight_vars[0]
    rounded = np.unique(quantizer(weight, False, variables).numpy().round(9))
    assert len(rounded) <= levels
    step = 2 * np.abs(weight).max() / (levels - 1)
    np.testing.assert_allclose(rounded / step, np.rint(rounded / step), atol=1e-3)


def test_kernels_of_4_bits_are_written_and_of_3_refused(exact, pixels):
    model = quantize_aware(exact, calibration=pixels, weight_bits=4)
    content = to_tflite(model, precision="int8").content
    np.testing.assert_allclose(run(content, pixels), model.predict(pixels, verbose=0), atol=0.02)
    three = quantize_aware(exact, calibration=pixels, weight_bits=3)
    with pytest.raises(InputError, match="expected kernels of 8 or 4 bits, got 3"):
        to_tflite(three, precision="int8")


def test_int8_ends_save_the_two_quantize_operators(rounding, pixels):
    content = to_tflite(rounding, precision="int8", ends="int8").content
    graph = read_graph(content)
    assert (graph.inputs[0].type, graph.outputs[0].type) == ("int8", "int8")
    assert "QUANTIZE" not in [node.name for node in graph.nodes]
    whole = to_tflite(rounding, precision="int8").content
    np.testing.assert_array_equal(run(content, pixels), run(whole, pixels))


def test_stock_layers_that_compute_or_move_are_quantised_too(pixels):
    keras.utils.set_random_seed(5)
    x = keras.Input((12, 12, 1), name="pixels")
    y = layers.Conv2D(4, 3, activation="relu", padding="same")(x)
    z = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=1)(layers.ReLU()(y))
    y = layers.MaxPooling2D()(layers.Add()([y, z]))
    y = layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(layers.AveragePooling2D()(y)))
    model = keras.Model(x, y)
    rounding = quantize_aware(model, calibration=pixels)
    content = to_tflite(rounding, precision="int8").content
    kinds = {t.type for node in read_graph(content).nodes[1:-1] for t in node.outputs}
    assert kinds == {"int8"}
    # Six layers, each rounding to 1/256 of its range, before a softmax of slope 1/4.
    np.testing.assert_allclose(run(content, pixels), model.predict(pixels, verbose=0), atol=0.05)


BEFORE_RELU = {
    "Conv2D": lambda **options: layers.Conv2D(4, 3, name="before", **options),
    "DepthwiseConv2D": lambda **options: layers.DepthwiseConv2D(3, name="before", **options),
    "AssembledConv2D": lambda **options: PartialConv2D(
        table=[[0], [1], [0, 1]], kernel_size=2, name="before", **options
    ),
    "Dense": lambda **options: layers.Dense(4, name="before", **options),
}
RELUS = {
    "ReLU": layers.ReLU,
    "ReLU of 6": lambda: layers.ReLU(6.0),
    "Activation": lambda: layers.Activation("relu"),
}


def net_with_relu(kind, relu):
    """A net whose layer "before" is followed by `relu`, a layer, or has its own for None."""
    keras.utils.set_random_seed(2)
    x = keras.Input((12, 12, 2), name="values")
    y = BEFORE_RELU[kind](activation="relu" if relu is None else None)(layers.Conv2D(2, 1)(x))
    y = y if relu is None else relu()(y)
    return keras.Model(x, layers.Dense(3)(layers.Flatten()(y)))


@pytest.fixture(scope="module")
def values():
    return np.random.default_rng(4).normal(0, 3, (40, 12, 12, 2)).astype(np.float32)


@pytest.mark.parametrize("kind", BEFORE_RELU)
@pytest.mark.parametrize("relu", RELUS)
def test_a_relu_layer_is_rounded_as_a_relu_within_the_layer_before_it(values, kind, relu):
    options = {"calibration": values, "weight_bits": 4, "per_channel": False}
    model = quantize_aware(net_with_relu(kind, RELUS[relu]), **options)
    weight, quantizer, variables = model.get_layer("quant_before")._weight_vars[0]
    assert len(np.unique(quantizer(weight, False, variables).numpy().round(6))) <= 15
    if relu != "ReLU of 6":
        within = quantize_aware(net_with_relu(kind, None), **options)
        np.testing.assert_allclose(model(values), within(values), atol=1e-6)


@pytest.mark.parametrize("kind", BEFORE_RELU)
@pytest.mark.parametrize("relu", RELUS)
def test_the_file_computes_a_relu_within_the_layer_and_rounds_behind_it(values, kind, relu):
    model = quantize_aware(net_with_relu(kind, RELUS[relu]), calibration=values)
    content = to_tflite(model, precision="int8").content
    nodes = read_graph(content).nodes
    assert "RELU" not in "".join(node.name for node in nodes)
    # The same kernels, biases and ranges: only sums that end near the middle of two steps may differ.
    got, wanted = run(content, values), model.predict(values, verbose=0)
    assert np.sqrt(np.mean((got - wanted) ** 2)) < 0.002 * wanted.std()


def test_a_relu_that_has_an_operator_of_its_own_is_rounded_before_and_behind(values):
    for relu in (lambda: layers.ReLU(4.0), lambda: layers.ReLU(negative_slope=0.1)):
        model = quantize_aware(net_with_relu("Conv2D", relu), calibration=values)
        before = model.get_layer("quant_before")
        assert len(before._quantize_activations) == 1
        got, wanted = run(to_tflite(model, precision="int8").content, values), model(values).numpy()
        assert np.sqrt(np.mean((got - wanted) ** 2)) < 0.01 * wanted.std()


def test_what_a_relu_and_another_layer_read_is_rounded_before_both(values):
    x = keras.Input((12, 12, 2))
    y = layers.Conv2D(2, 1, name="before")(x)
    sum_and_relu = keras.Model(x, layers.Add()([y, layers.ReLU()(y)]))
    output_and_relu = keras.Model(x, [y, layers.ReLU()(y)])
    for model in (sum_and_relu, output_and_relu):
        before = quantize_aware(model, calibration=values).get_layer("quant_before")
        assert len(before._quantize_activations) == 1


def test_a_sum_is_rounded_behind_its_relu(values):
    x = keras.Input((12, 12, 2))
    y = layers.Add(name="sum")([layers.Conv2D(2, 1)(x), layers.Conv2D(2, 1)(x)])
    model = quantize_aware(keras.Model(x, layers.ReLU(name="relu")(y)), calibration=values)
    assert not model.get_layer("quant_sum")._output_quantizers
    nodes = [node.name for node in read_graph(to_tflite(model, precision="int8").content).nodes]
    assert nodes == ["QUANTIZE", "CONV_2D", "CONV_2D", "ADD", "QUANTIZE"]


def test_a_kernel_that_is_left_as_it_is_is_refused_by_name(values, monkeypatch):
    """With the library's own layout, a layer before a ReLU loses its configuration."""
    library = quantize_aware_module.tfmot.quantization.keras.default_8bit.Default8BitQuantizeScheme
    monkeypatch.setattr(quantize_aware_module, "OwnConfigsScheme", library)
    with pytest.raises(InputError, match="the kernel of before to be rounded, got it left unrounded"):
        quantize_aware(net_with_relu("Conv2D", layers.ReLU), calibration=values)


@pytest.mark.parametrize("kind", ["Conv2D", "DepthwiseConv2D", "AssembledConv2D"])
@pytest.mark.parametrize("value", [-0.5, 0.0])
def test_a_bias_of_equal_entries_has_each_channels_own_steps(values, kind, value):
    """TensorFlow's converter takes the first channel's scale for all: -0.5, -0.47, -0.35, ..."""
    net = net_with_relu(kind, layers.ReLU)
    net.get_layer("before").bias.assign(np.full(net.get_layer("before").bias.shape, value))
    model = quantize_aware(net, calibration=values)
    nodes = [n for n in read_graph(to_tflite(model, precision="int8").content).nodes if n.name in WITH_KERNEL]
    bias = nodes[1].inputs[2]
    np.testing.assert_array_equal(bias.constant, np.rint(value / bias.scales.astype(np.float64)))
    assert len(set(bias.scales)) > 1
    assert (model.get_layer("quant_before").layer.bias.numpy() == value).all()  # the model is as it was


def triple(values):
    return values * 3


@pytest.mark.parametrize("kind", BEFORE_RELU)
@pytest.mark.parametrize(
    "activation",
    [
        *("elu", "exponential", "hard_sigmoid", "mish", "selu"),
        *("softplus", "softsign", triple, layers.ReLU(6.0)),
    ],
)
def test_an_activation_that_is_not_rounded_as_in_the_file_is_refused_by_name(values, kind, activation):
    layer = BEFORE_RELU[kind](activation=activation)
    name = getattr(layer.activation, "__name__", "ReLU")
    message = f"expected an activation of linear, relu, tanh, .* in before, got {name}: use one"
    for last in (layer, layers.Activation(activation, name="before")):
        x = keras.Input((12, 12, 2))
        with pytest.raises(InputError, match=message):
            quantize_aware(keras.Model(x, last(x)), calibration=values)


class Doubling(layers.Layer):
    def call(self, inputs):
        return inputs + inputs


def with_layer(keras, layer):
    x = keras.Input((12, 12, 1), name="pixels")
    return keras.Model(x, keras.layers.Dense(2)(keras.layers.Flatten()(layer(x))))


def test_a_layer_without_a_rule_is_named_and_a_rule_can_be_given(pixels):
    model = with_layer(keras, Doubling(name="twice"))
    with pytest.raises(
        InputError, match=r"expected layers with a rule for quantising .*, got twice, a Doubling"
    ):
        quantize_aware(model, calibration=pixels)
    asked = []

    @quantize_rule(Doubling)
    def rule(layer, behind):
        asked.append((layer.name, behind))
        return NothingToQuantize()

    with keras.utils.custom_object_scope({"Doubling": Doubling}):
        assert is_quantized(quantize_aware(model, calibration=pixels))
    assert asked == [("twice", "linear")]


def test_a_rule_holds_for_a_layer_that_is_written_once_in_both_kerases(pixels):
    @keras_layer(package="mine")
    class Shrinking(LayerDefinition):
        def call(self, inputs):
            return self.ops.multiply(inputs, 0.5)

    in_both = [(one, with_layer(one, class_for(Shrinking.definition, one)(name="less"))) for one in BOTH]
    for _, model in in_both:
        with pytest.raises(InputError, match=r"quantising .*, got less, a Shrinking"):
            quantize_aware(model, calibration=pixels)
    quantize_rule(Shrinking)(lambda layer, behind: OutputConfig(behind=behind))
    for _, model in in_both:
        rounding = quantize_aware(model, calibration=pixels)
        content = to_tflite(rounding, precision="int8").content
        assert {t.type for node in read_graph(content).nodes[1:-1] for t in node.outputs} == {"int8"}
        np.testing.assert_allclose(
            run(content, pixels), rounding(pixels), atol=0.02 * np.abs(rounding(pixels)).max()
        )


@pytest.mark.parametrize("given", [keras_3, keras], ids=["keras", "tf_keras"])
def test_a_rule_for_a_stock_layer_of_either_keras_holds_for_both(pixels, monkeypatch, given):
    monkeypatch.setattr(quantize_aware_module, "_rules", dict(quantize_aware_module._rules))
    models = [with_layer(one, one.layers.UnitNormalization(name="unit")) for one in BOTH]
    for model in models:
        with pytest.raises(InputError, match=r"quantising .*, got unit, a UnitNormalization"):
            quantize_aware(model, calibration=pixels)
    quantize_rule(given.layers.UnitNormalization)(lambda layer, behind: NothingToQuantize())
    for model in models:
        assert is_quantized(quantize_aware(model, calibration=pixels))


K = keras_3.layers


def conv(x, **options):
    return K.Conv2D(4, 3, name="before", **options)(x)


def conv_1d(x, **options):
    return K.Conv1D(5, 3, **options)(sequence(x))


def sequence(x):
    return K.Reshape((24, 12))(x)


RULES = {
    "relu6": (lambda x: conv(x, activation="relu6"), ["CONV_2D"]),
    "Activation of relu6": (lambda x: K.Activation("relu6")(conv(x)), ["CONV_2D"]),
    "leaky_relu": (lambda x: conv(x, activation="leaky_relu"), ["CONV_2D", "LEAKY_RELU"]),
    "silu": (lambda x: conv(x, activation="silu"), ["CONV_2D", "LOGISTIC", "MUL"]),
    "hard_silu": (lambda x: conv(x, activation="hard_silu"), ["CONV_2D", "HARD_SWISH"]),
    "gelu": (lambda x: conv(x, activation="gelu"), ["CONV_2D", "GELU"]),
    "Activation of gelu": (lambda x: K.Activation("gelu")(conv(x)), ["CONV_2D", "GELU"]),
    "LeakyReLU": (lambda x: K.LeakyReLU(negative_slope=0.1)(conv(x)), ["CONV_2D", "LEAKY_RELU"]),
    "PReLU": (
        lambda x: K.PReLU(shared_axes=[1, 2], alpha_initializer="random_normal")(conv(x)),
        ["CONV_2D", "PRELU"],
    ),
    "Rescaling": (
        lambda x: K.Rescaling([0.5, 1.1, -1.0, 0.3], [1.0, 0.0, -3.0, 2.0])(conv(x, activation="relu")),
        ["CONV_2D", "MUL", "ADD"],
    ),
    "Identity": (lambda x: K.Identity()(conv(x)), ["CONV_2D"]),
    "Subtract": (
        lambda x: K.Subtract()([conv(x), x[:, 1:-1, 1:-1, :1]]),
        ["CONV_2D", "STRIDED_SLICE", "SUB"],
    ),
    "nearest": (lambda x: K.UpSampling2D(2)(conv(x)), ["CONV_2D", "RESIZE_NEAREST_NEIGHBOR"]),
    "bilinear": (
        lambda x: K.UpSampling2D(2, interpolation="bilinear")(conv(x)),
        ["CONV_2D", "RESIZE_BILINEAR"],
    ),
    "average pooling": (lambda x: K.AveragePooling2D(2)(conv(x)), ["CONV_2D", "AVERAGE_POOL_2D"]),
    "separable": (
        lambda x: K.SeparableConv2D(4, 3, activation="relu")(x),
        ["DEPTHWISE_CONV_2D", "CONV_2D"],
    ),
    "transposed": (lambda x: K.Conv2DTranspose(4, 3, strides=2)(x), ["TRANSPOSE_CONV"]),
    "transposed, relu": (
        lambda x: K.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")(x),
        ["TRANSPOSE_CONV", "RELU"],
    ),
    "transposed, ReLU": (
        lambda x: K.ReLU()(K.Conv2DTranspose(4, 3, strides=2)(x)),
        ["TRANSPOSE_CONV", "RELU"],
    ),
    "transposed, Activation": (
        lambda x: K.Activation("relu")(K.Conv2DTranspose(4, 3, strides=2)(x)),
        ["TRANSPOSE_CONV", "RELU"],
    ),
    "transposed, tanh": (
        lambda x: K.Conv2DTranspose(4, 3, activation="tanh")(x),
        ["TRANSPOSE_CONV", "TANH"],
    ),
    "transposed in a row": (
        lambda x: K.Conv1DTranspose(4, 3, strides=2)(sequence(x)),
        ["TRANSPOSE_CONV"],
    ),
    "transposed in a row, relu": (
        lambda x: K.Conv1DTranspose(4, 3, strides=2, activation="relu")(sequence(x)),
        ["TRANSPOSE_CONV", "RELU"],
    ),
    "separable in a row": (
        lambda x: K.SeparableConv1D(4, 3, activation="relu")(sequence(x)),
        ["DEPTHWISE_CONV_2D", "CONV_2D"],
    ),
    "Conv1D": (lambda x: conv_1d(x, padding="same", strides=2), ["CONV_2D"]),
    "Conv1D, relu6": (lambda x: conv_1d(x, activation="relu6"), ["CONV_2D"]),
    "Conv1D, causal": (lambda x: K.ReLU()(conv_1d(x, padding="causal", dilation_rate=2)), ["PAD", "CONV_2D"]),
    "DepthwiseConv1D": (lambda x: K.DepthwiseConv1D(3)(sequence(x)), ["DEPTHWISE_CONV_2D"]),
    "1-D moves": (
        lambda x: K.GlobalMaxPooling1D()(
            K.MaxPooling1D(2)(K.ZeroPadding1D(1)(K.Cropping1D(1)(K.UpSampling1D(2)(conv_1d(x)))))
        ),
        ["CONV_2D", "SPLIT", "CONCATENATION", "STRIDED_SLICE", "PAD", "MAX_POOL_2D", "REDUCE_MAX"],
    ),
    "1-D average": (lambda x: K.AveragePooling1D(2)(conv_1d(x)), ["CONV_2D", "AVERAGE_POOL_2D"]),
    "1-D mean": (lambda x: K.GlobalAveragePooling1D()(conv_1d(x)), ["CONV_2D", "MEAN"]),
}


@pytest.mark.parametrize("name", RULES)
def test_a_layer_is_rounded_as_the_file_rounds_it(values, name):
    computed, operators = RULES[name]
    keras_3.utils.set_random_seed(2)
    x = keras_3.Input((12, 12, 2))
    rounding = quantize_aware(fold(keras_3.Model(x, computed(x))), calibration=values)
    content = to_tflite(rounding, precision="int8").content
    graph = read_graph(content)
    nodes = graph.nodes[1:-1]
    assert {tensor.type for node in nodes for tensor in node.outputs} == {"int8"}  # no float island
    assert [node.name for node in nodes if node.name != "RESHAPE"] == operators
    differences = np.abs(run(content, values) - rounding(values))
    # A value near the middle of two steps may be rounded to the other, in each tensor that is rounded; no
    # slope here is above 1.13, that of gelu. Keras does not round an average: half a step.
    assert differences.max() <= 1.13 * sum(node.outputs[0].scales[0] for node in nodes)
    # Such values are few. The half steps of an average are spread evenly: 1 / sqrt(12) of a step.
    assert np.sqrt(np.mean(differences**2)) < 0.5 * graph.outputs[0].scales[0]


def normalised(x):
    """A BatchNormalization that has seen data: no factor is 1 and no shift 0."""
    layer, random = K.BatchNormalization(), np.random.default_rng(x.shape[-1])
    y, count = layer(x), x.shape[-1]
    layer.set_weights([random.uniform(0.5, 1.5, count) for _ in range(4)])
    return y


def same(x):
    return K.Conv2D(4, 3, padding="same")(x)


def pre_activation(x):
    y = K.Conv2D(4, 1)(x)
    return K.Add()([y, same(K.ReLU()(normalised(y)))])


def linear_bottleneck(x):
    """MobileNetV2's: what is normalised is read by the next convolution and by the sum."""
    first = normalised(K.Conv2D(4, 1, use_bias=False)(x))
    wide = K.ReLU(6.0)(normalised(K.Conv2D(8, 1, use_bias=False)(first)))
    return K.Add()([first, normalised(K.Conv2D(4, 1, use_bias=False)(wide))])


def backbone_within(x):
    inner = keras_3.Input(x.shape[1:])
    backbone = keras_3.Model(inner, K.ReLU()(normalised(K.Conv2D(4, 3)(inner))), name="backbone")
    backbone(keras_3.Input(x.shape[1:]))  # called in another model too
    return K.GlobalAveragePooling2D()(backbone(x))


def sequential_within(x):
    inner = [keras_3.Input(x.shape[1:]), K.Conv2D(4, 3), K.ReLU()]
    return K.GlobalAveragePooling2D()(keras_3.Sequential(inner)(x))


def shared_relu(x):
    relu = K.ReLU()
    return relu(K.Conv2D(4, 3)(relu(same(x))))


def shared_convolution(x):
    shared = K.Conv2D(2, 3, padding="same")
    return shared(K.ReLU()(shared(x)))


# Where folding leaves a scaling, the file computes it in integers.
BLOCKS = {
    "normalised before same": (
        lambda x: same(normalised(K.Conv2D(4, 3, activation="relu")(x))),
        ["CONV_2D", "MUL", "ADD", "CONV_2D"],
    ),
    "normalised input": (lambda x: same(normalised(x)), ["MUL", "ADD", "CONV_2D"]),
    "pixels": (lambda x: same(K.Rescaling(1 / 127.5, -1)(x)), ["MUL", "ADD", "CONV_2D"]),
    "pre-activation": (pre_activation, ["CONV_2D", "MUL", "ADD", "CONV_2D", "ADD"]),
    "linear bottleneck": (linear_bottleneck, ["CONV_2D", "CONV_2D", "CONV_2D", "ADD"]),
    "backbone within": (backbone_within, ["CONV_2D", "MEAN"]),
    "sequential within": (sequential_within, ["CONV_2D", "MEAN"]),
    "shared ReLU": (shared_relu, ["CONV_2D", "CONV_2D"]),
    "shared convolution": (shared_convolution, ["CONV_2D", "CONV_2D"]),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_is_int8_between_its_ends_and_rounded_as_the_file_rounds_it(values, name):
    make, operators = BLOCKS[name]
    keras_3.utils.set_random_seed(2)
    x = keras_3.Input((12, 12, 2))
    model = keras_3.Model(x, make(x))
    rounding = quantize_aware(fold(model), calibration=values)
    content = to_tflite(rounding, precision="int8").content
    graph = read_graph(content)
    assert {tensor.type for node in graph.nodes[1:-1] for tensor in node.outputs} == {"int8"}
    assert [node.name for node in graph.nodes[1:-1]] == operators
    got, wanted, step = run(content, values), rounding(values).numpy(), graph.outputs[0].scales[0]
    # As above, values near the middle of two steps go either way, here before they are multiplied and summed.
    assert np.sqrt(np.mean((got - wanted) ** 2)) < step
    assert np.sqrt(np.mean((got - model(values)) ** 2)) < 0.05 * model(values).numpy().std()


RESHAPED = {
    "Conv1D": lambda x: K.Conv1D(5, 3, name="it")(sequence(x)),
    "Conv1D, causal": lambda x: K.Conv1D(5, 3, padding="causal", dilation_rate=2, name="it")(sequence(x)),
    "DepthwiseConv1D": lambda x: K.DepthwiseConv1D(3, depth_multiplier=2, name="it")(sequence(x)),
    "Conv1DTranspose": lambda x: K.Conv1DTranspose(5, 3, strides=2, name="it")(sequence(x)),
    "Conv2DTranspose": lambda x: K.Conv2DTranspose(4, 3, strides=2, padding="same", name="it")(x),
}


def in_the_file_s_order(name, kernel):
    """Return a kernel as the file stores it: (outputs, ...), or (..., outputs) of a depthwise one."""
    if name.startswith("Depthwise"):
        return kernel.reshape(1, 1, len(kernel), -1)
    if name == "Conv2DTranspose":
        return kernel.transpose(2, 0, 1, 3)
    return (kernel.transpose(1, 0, 2) if "Transpose" in name else kernel.transpose(2, 0, 1))[:, None]


@pytest.mark.parametrize("name", RESHAPED)
def test_a_kernel_that_the_converter_reshapes_has_a_scale_a_channel_and_training_rounds_by_it(values, name):
    x = keras_3.Input((12, 12, 2))
    model = keras_3.Model(x, RESHAPED[name](x))
    kernel = model.get_layer("it").kernel
    kernel.assign(np.random.default_rng(5).normal(size=kernel.shape) * np.geomspace(1, 9, kernel.shape[-1]))
    rounding = quantize_aware(fold(model), calibration=values)
    weight, quantizer, variables = rounding.get_layer("quant_it")._weight_vars[0]
    rounded = quantizer(weight, False, variables).numpy()
    graph = read_graph(to_tflite(rounding, precision="int8").content)
    (stored,) = [
        t for node in graph.nodes for t in node.inputs[:2] if t.constant is not None and t.per_channel
    ]
    wanted = in_the_file_s_order(name, rounded)
    assert stored.scales.size == wanted.shape[stored.axis]
    np.testing.assert_allclose(stored.real(), wanted, rtol=1e-6, atol=0)
    whole = quantize_aware(fold(model), calibration=values, per_channel=False)
    graph = read_graph(to_tflite(whole, precision="int8").content)
    assert not any(t.per_channel for node in graph.nodes for t in node.inputs if t is not None)


def test_factors_and_offsets_are_those_that_the_file_stores(values):
    x = keras_3.Input((12, 12, 2))
    model = keras_3.Model(x, same(K.Rescaling([0.5, 1.9], [1.1, -3.0], name="it")(x)))
    rounding = quantize_aware(model, calibration=values)
    nodes = read_graph(to_tflite(rounding, precision="int8").content).nodes
    stored = {node.name: node.inputs[1].real() for node in nodes if node.name in ("MUL", "ADD")}
    factors, offsets = (rounding.get_layer(f"quant_{name}").layer for name in ("it", "it_offset"))
    np.testing.assert_allclose(factors.scale, stored["MUL"], rtol=1e-6)
    np.testing.assert_allclose(offsets.offset, stored["ADD"], rtol=1e-6)
    assert np.abs(stored["MUL"] - [0.5, 1.9]).max() > 1e-4  # they are rounded


def test_each_of_two_outputs_is_rounded_as_the_file_rounds_it(values):
    keras_3.utils.set_random_seed(2)
    x = keras_3.Input((12, 12, 2), name="x")
    box = K.Conv2D(2, 1, name="box")(K.Conv2D(4, 3, activation="relu")(x))
    model = keras_3.Model(x, [box, K.GlobalAveragePooling2D(name="score")(x)])
    rounding = quantize_aware(fold(model), calibration=values)
    content = to_tflite(rounding, precision="int8").content
    found = run(content, dict(zip(names_in_order(content).inputs, [values], strict=True)))
    steps = [tensor.scales[0] for tensor in read_graph(content).outputs]
    for (name, got), wanted, step in zip(found.items(), rounding(values), steps, strict=True):
        assert np.abs(got - wanted).max() <= 1.01 * step, name


def test_products_are_rounded_as_the_file_rounds_them(values):
    """Squeeze and excite: the channels of a picture by a number each."""
    x = keras_3.Input((12, 12, 2))
    y = conv(x)
    weight = K.Dense(4, activation="sigmoid")(K.GlobalAveragePooling2D(keepdims=True)(y))
    rounding = quantize_aware(fold(keras_3.Model(x, K.Multiply()([y, weight]))), calibration=values)
    content = to_tflite(rounding, precision="int8").content
    graph = read_graph(content)
    assert {tensor.type for node in graph.nodes[1:-1] for tensor in node.outputs} == {"int8"}
    differences, step = np.abs(run(content, values) - rounding(values)), graph.outputs[0].scales[0]
    # The sigmoid is a step of 1/256 off at most, times what it weighs; the product a step.
    assert differences.max() <= 1.01 * (np.abs(rounding(values)).max() / 0.1 / 256 + step)
    assert np.sqrt(np.mean(differences**2)) < 0.5 * step


def test_a_separated_activation_leaves_names_weights_and_model_as_they_were(values):
    x = keras_3.Input((12, 12, 2))
    model = fold(keras_3.Model(x, conv(x, activation="silu")))
    rounding = quantize_aware(model, calibration=values)
    assert [layer.name for layer in rounding.layers][-2:] == ["quant_before", "quant_before_silu"]
    assert model.get_layer("before").activation is keras_3.activations.silu
    kernel = model.get_layer("before").kernel.numpy() + 1
    rounding.get_layer("quant_before").trainable_weights[0].assign(kernel)
    np.testing.assert_array_equal(unrounded(rounding).get_layer("before").kernel, kernel)


def gelu(values):
    return tf.nn.relu(values) + 1


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (layers.SeparableConv2D(2, 3, name="it"), "got it, a SeparableConv2D: fold makes two layers of it"),
        (layers.SeparableConv1D(2, 3, name="it"), "got it, a SeparableConv1D: fold makes two layers of it"),
        (
            layers.Conv3D(2, (3, 3, 2), name="it"),
            "got it, a Conv3D: an int8 file computes it in float32; let to_tfl",
        ),
        (layers.BatchNormalization(name="it"), "got it, a BatchNormalization: fold takes it into"),
        *(
            (
                layer,
                f"got it, a {type(layer).__name__}: give it one, or let to_tflite quantise after training",
            )
            for layer in (
                layers.LayerNormalization(name="it"),  # float operators in an int8 file
                layers.ELU(name="it"),  # the same
                layers.Maximum(name="it"),
            )
        ),
        (layers.UpSampling2D(interpolation="bicubic", name="it"), "nearest or bilinear in it, got bicubic"),
        (
            layers.Conv2D(2, 1, activation=gelu, name="it"),
            "hard_swish, gelu in it, got gelu of tests",
        ),
    ],
)
def test_a_layer_that_cannot_be_held_is_refused_with_the_way_out(values, layer, message):
    x = keras.Input((12, 12, 2))
    inputs = [x, layers.Conv2D(2, 1)(x)] if isinstance(layer, layers.Maximum) else x
    shapes = {layers.SeparableConv1D: (24, 12), layers.Conv3D: (12, 12, 2, 1)}
    if type(layer) in shapes:
        inputs = layers.Reshape(shapes[type(layer)])(x)
    with pytest.raises(InputError, match=message):
        quantize_aware(keras.Model(x, layer(inputs)), calibration=values)


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("MultiHeadAttention", lambda x: K.MultiHeadAttention(2, 4, name="it")(x, x)),
        ("LSTM", lambda x: K.LSTM(4, name="it")(x)),
        ("GRU", lambda x: K.GRU(4, unroll=True, name="it")(x)),
    ],
)
def test_what_computes_by_several_products_is_refused_by_name(rng, kind, make):
    x = keras_3.Input((6, 8))
    with pytest.raises(InputError, match=f"got it, an? {kind}: give it one, or let to_tflite"):
        quantize_aware(keras_3.Model(x, make(x)), calibration=rng.normal(size=(5, 6, 8)))


OPERATIONS = {
    "reshape": (lambda a, b: ops.reshape(a, (-1, 24, 12)), ["RESHAPE"]),
    "transpose": (lambda a, b: ops.transpose(a, (0, 2, 1, 3)), ["TRANSPOSE"]),
    "moveaxis": (lambda a, b: ops.moveaxis(a, 1, 2), ["TRANSPOSE"]),
    "swapaxes": (lambda a, b: ops.swapaxes(a, 1, 2), ["TRANSPOSE"]),
    "expand": (lambda a, b: ops.expand_dims(a, 1), ["RESHAPE"]),
    "squeeze": (lambda a, b: ops.squeeze(a[:, :1], axis=1), ["STRIDED_SLICE", "RESHAPE"]),
    "slice": (lambda a, b: a[:, 1:5, ::2], ["STRIDED_SLICE"]),
    "tile": (lambda a, b: ops.tile(a, (1, 2, 1, 1)), ["TILE"]),
    "largest": (lambda a, b: ops.max(a, axis=(1, 2)), ["REDUCE_MAX"]),
    "mean": (lambda a, b: ops.mean(a, axis=(1, 2), keepdims=True), ["MEAN"]),
    "sum": (lambda a, b: ops.sum(a, axis=(1, 2)), ["SUM"]),
    "add": (lambda a, b: a + b, ["ADD"]),
    "subtract": (lambda a, b: a - b, ["SUB"]),
    "multiply": (lambda a, b: a * b, ["MUL"]),
    "multiply, relu": (lambda a, b: ops.relu(a * b), ["MUL"]),
    "weigh": (
        lambda a, b: a * ops.sigmoid(ops.mean(b, axis=(1, 2), keepdims=True)),
        ["MEAN", "LOGISTIC", "MUL"],
    ),
    "tanh": (lambda a, b: ops.tanh(a), ["TANH"]),
}


def with_operation(operation):
    keras_3.utils.set_random_seed(4)
    x = keras_3.Input((12, 12, 2), name="x")
    a, b = (keras_3.layers.Conv2D(2, 1, name=name)(x) for name in ("a", "b"))
    return keras_3.Model(x, keras_3.layers.Dense(3, name="d")(operation(a, b)))


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_of_keras_ops_is_rounded_as_the_file_rounds_it(values, name):
    operation, wanted = OPERATIONS[name]
    model = with_operation(operation)
    rounding = quantize_aware(fold(model), calibration=values)
    content = to_tflite(rounding, precision="int8").content
    nodes = read_graph(content).nodes[1:-1]
    assert {t.type for node in nodes for t in node.outputs} == {"int8"}
    names = [node.name for node in nodes]
    assert [one for one in names if one in wanted] == wanted
    got, expected = run(content, values), rounding(values).numpy()
    assert np.sqrt(np.mean((got - expected) ** 2)) < 0.03 * expected.std()


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (lambda a, b: ops.exp(a), "keras.ops.Exp"),
        (lambda a, b: ops.flip(a, axis=1), "keras.ops.Flip"),
        # The file has one range for both tensors.
        (lambda a, b: ops.maximum(a, b), "a Maximum"),
        (lambda a, b: a * np.array([1, 2], "float32"), "keras.ops.Multiply"),
    ],
)
def test_an_operation_without_a_rule_is_named(values, operation, name):
    with pytest.raises(InputError, match=rf"a rule for quantising .*, got \w+, {re.escape(name)}"):
        quantize_aware(fold(with_operation(operation)), calibration=values)


def test_the_released_file_comes_from_a_keras_3_model_byte_for_byte():
    model = lenet5(keras=keras_3)
    with np.load(released_folder() / "lenet5.npz") as arrays:
        for layer in model.layers:
            for weight in layer.weights:
                weight.assign(arrays[f"{layer.name}/{weight.name}"])
        scale = float(arrays["scale"])
    exact = fold(with_probabilities(model, scale=scale))
    calibration = pad(calibration_digits().images)[..., None].astype(np.float32)
    rounding = quantize_aware(exact, calibration=calibration, input_range=(0, 255))
    load_quantised(rounding, released_folder() / "lenet5_qat.npz")
    content = to_tflite(rounding, precision="int8").content
    released = (released_folder() / "lenet5_int8_qat.tflite").read_bytes()
    assert lowered(content, layout=layout_for("lenet5", "int8"))[0] == released


@pytest.mark.parametrize(
    ("calibration", "message"),
    [
        (None, "expected calibration inputs for int8, got none"),
        (np.zeros((0, 12, 12, 1)), "expected one calibration input or more, got none"),
        (np.full((5, 12, 12, 1), 3.0), "expected calibration inputs that differ, got the constant 3"),
        (np.zeros((5, 12, 12)), r"expected calibration inputs of shape \(n, 12, 12, 1\), got \(5, 12, 12\)"),
        (np.full((5, 12, 12, 1), np.nan), "expected finite calibration inputs, got NaN or infinity"),
        (np.full((5, 12, 12, 1), "a"), "expected calibration inputs that are numbers, got <U1"),
    ],
)
def test_bad_calibration_is_said_in_one_line(exact, calibration, message):
    with pytest.raises(InputError, match=message):
        quantize_aware(exact, calibration=calibration)


def test_calibration_of_another_range_is_said_in_one_line(exact, pixels):
    for scaled in (pixels / 255, pixels * 2, pixels - 100):
        with pytest.raises(InputError, match="expected calibration inputs that span 0 to 255, got "):
            quantize_aware(exact, calibration=scaled, input_range=(0, 255))
        with pytest.raises(InputError, match="expected calibration inputs that span 0 to 255, got "):
            to_tflite(exact, precision="int8", calibration=scaled, input_range=(0, 255))
    model = quantize_aware(exact, calibration=np.minimum(pixels, 200), input_range=(0, 255))
    assert variable(model, "quant_pixels", "quant_pixels_max") == 255  # the range that was told


@pytest.mark.parametrize("nested", [list, dict])
def test_each_of_several_inputs_has_its_own_range(either_keras, rng, nested):
    keras, layers = either_keras, either_keras.layers
    facts, joined, scores = (keras.Input((5,), name=name) for name in ("facts", "joined", "scores"))
    both = layers.Add()([layers.Dense(4, activation="relu")(scores), layers.Dense(4)(facts)])
    given = [scores, facts, joined]
    ends = {one.name: one for one in given} if nested is dict else given
    model = keras.Model(ends, layers.Dense(2)(layers.Concatenate()([both, joined])))
    samples = {
        "joined": rng.uniform(-2, 2, size=(50, 5)).astype(np.float32),
        "scores": rng.uniform(-7, 3, size=(50, 5)).astype(np.float32),
        "facts": rng.uniform(0, 1, size=(50, 5)).astype(np.float32),
    }
    rounding = quantize_aware(model, calibration=samples)
    for name in ("scores", "facts"):
        assert variable(rounding, f"quant_{name}", f"quant_{name}_min") == min(samples[name].min(), 0)
        assert variable(rounding, f"quant_{name}", f"quant_{name}_max") == samples[name].max()
    content = to_tflite(rounding, precision="int8").content
    inputs = [samples[name] for name in names_in_order(content).inputs]
    (output,) = outputs_of(content, inputs)
    arrays = samples if nested is dict else [samples[one.name] for one in given]
    # The file rounds as the model that rounds: one step off where float32 rounds the other way.
    assert np.abs(output.values - np.asarray(rounding(arrays))).max() <= 1.01 * output.scale


def test_pictures_of_unknown_size_take_calibration_of_any(rng):
    x = keras.Input((None, None, 2))
    model = keras.Model(x, layers.GlobalAveragePooling2D()(layers.Conv2D(3, 3)(x)))
    assert is_quantized(quantize_aware(model, calibration=rng.normal(size=(5, 8, 9, 2))))
    with pytest.raises(InputError, match=r"of shape \(n, None, None, 2\), got \(5, 8, 9, 3\)"):
        quantize_aware(model, calibration=rng.normal(size=(5, 8, 9, 3)))


def over_places(keras):
    """A small net on pictures of any size that answers at each place, by Dense layers."""
    layers = keras.layers
    keras.utils.set_random_seed(5)
    x = keras.Input((None, None, 1), name="pixels")
    y = layers.Conv2D(3, 3, activation="tanh", name="C1")(x)
    y = layers.Dense(5, activation="tanh", name="F6")(y)
    return keras.Model(x, layers.Softmax(name="scores")(layers.Dense(4, name="OUTPUT")(y)))


@pytest.mark.parametrize("keras", BOTH, ids=["keras", "tf_keras"])
def test_dense_layers_on_pictures_of_unknown_size_round_as_the_convolutions_of_the_file(rng, keras):
    pictures = rng.normal(size=(20, 9, 14, 1)).astype(np.float32)
    rounding = quantize_aware(over_places(keras), calibration=pictures)
    content = to_tflite(rounding, precision="int8", shape=(9, 11, 1), open_axis=2).content
    graph = read_graph(content)
    kernels = [node.inputs[1] for node in graph.nodes if node.name in WITH_KERNEL]
    assert [node.name for node in graph.nodes if node.name in WITH_KERNEL] == ["CONV_2D"] * 3
    assert [kernel.scales.size for kernel in kernels] == [3, 5, 4]  # each channel has a scale
    step = float(graph.outputs[0].scales[0])
    for width in (11, 14):
        at_width = resized(content, shape=(1, 9, width, 1))
        got, wanted = run(at_width, pictures[:, :, :width]), rounding(pictures[:, :, :width]).numpy()
        # The file alone rounds the scores, to steps of 1/256; and a logit that falls to the next of its 256
        # steps moves a score by at most a quarter of that.
        logit = float(np.diff(ends_of(rounding, "quant_OUTPUT"))[0]) / 255
        np.testing.assert_allclose(got, wanted, atol=step + logit / 4)


def ends_of(model, name):
    return [variable(model, name, f"post_activation_{end}") for end in ("min", "max")]


def test_other_bad_input_is_said_in_one_line(exact, rounding, pixels):
    with pytest.raises(InputError, match="expected weight_bits from 2 to 8, got 9"):
        quantize_aware(exact, calibration=pixels, weight_bits=9)
    with pytest.raises(InputError, match="expected a built Keras model, got int"):
        quantize_aware(3, calibration=pixels)
    two = [keras.Input((12, 12, 1), name="left"), keras.Input((12, 12, 1), name="right")]
    of_two = keras.Model(two, layers.Add()(two))
    with pytest.raises(InputError, match="expected calibration inputs for left, right, by these names, got "):
        quantize_aware(of_two, calibration=pixels)
    with pytest.raises(InputError, match="expected a range for a model with one input, got 2 inputs"):
        quantize_aware(of_two, calibration={"left": pixels, "right": pixels}, input_range=(0, 255))
    with pytest.raises(InputError, match="expected int8 for a model made by quantize_aware, got 'float16'"):
        to_tflite(rounding, precision="float16")
    with pytest.raises(InputError, match="expected ends of uint8 or int8 for int8, got 'int4'"):
        to_tflite(rounding, precision="int8", ends="int4")


def test_the_worked_example_of_the_documentation_runs(tmp_path, capsys):
    """A layer that is not LeNet-5's: its kernel is mirrored, in the file too, with a scale a channel."""
    page = (ROOT / "docs/quantising.md").read_text()
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    script = tmp_path / "example.py"
    script.write_text(code)
    names = runpy.run_path(str(script))
    assert names["agreement"] >= 0.99
    assert names["proof"].verdict == "within"
    (labels, answers) = names["labels"], names["answers"]
    assert (answers == labels).mean() > 0.9  # of the 500 digits that it was trained on
    assert "bytes," in capsys.readouterr().out
    kernel = next(n for n in read_graph(names["content"]).nodes if n.name == "CONV_2D").inputs[1]
    np.testing.assert_array_equal(kernel.constant[:, :, 0], kernel.constant[:, :, 2])
    assert kernel.scales.size == 8


def test_a_model_without_a_kernel_has_its_ranges_already(rng):
    x = keras_3.Input((8, 8, 2))
    model = keras_3.Model(x, keras_3.layers.ReLU()(keras_3.layers.MaxPooling2D(2)(x)))
    samples = rng.normal(size=(20, 8, 8, 2)).astype(np.float32)
    rounding = quantize_aware(model, calibration=samples)
    content = to_tflite(rounding, precision="int8").content
    step = read_graph(content).outputs[0].scales[0]
    np.testing.assert_allclose(run(content, samples), rounding.predict(samples, verbose=0), atol=1.01 * step)


@pytest.mark.parametrize("per_channel", [True, False])
def test_a_kernel_that_is_nearly_0_leaves_room_for_its_bias(per_channel, rng):
    """In steps of an input's step times that kernel's, the bias would be more than 32 bits hold."""
    x = keras_3.Input((6, 6, 1), name="numbers")
    model = keras_3.Model(x, keras_3.layers.Conv2D(2, 3)(x))
    kernel = np.full((3, 3, 1, 2), 1e-9, np.float32)
    kernel[..., 0] *= 1e7 if per_channel else 1  # the other channel is like any
    model.layers[1].set_weights([kernel, np.float32([0.5, -0.5])])
    samples = rng.normal(size=(40, 6, 6, 1)).astype(np.float32)
    rounding = quantize_aware(model, calibration=samples, per_channel=per_channel)
    for _ in range(2):  # before and after training
        content = to_tflite(rounding, precision="int8").content
        (output,) = read_graph(content).outputs
        wanted = rounding.predict(samples, verbose=0)
        # The bias and the answer are rounded once each, the rest is as in the model.
        np.testing.assert_allclose(run(content, samples), wanted, atol=1.5 * output.scales[0])
        np.testing.assert_allclose(wanted[..., 1], -0.5, atol=output.scales[0])
        settle(rounding)
