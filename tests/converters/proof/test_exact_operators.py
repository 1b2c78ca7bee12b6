"""Each operator's arithmetic against TensorFlow's kernels: int8 to a tie, float32 to its rounding."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest

from converters.base.environment import tf
from converters.base.errors import InputError
from converters.file.graph import read_graph
from converters.model.conversion import to_tflite
from converters.proof.exact_arithmetic import check_operators, compute, compute_all, evaluate, steps_of
from converters.proof.exact_operators import DIVISIONS, OPERATIONS
from converters.runtimes.tensorflow_interpreter import every_tensor

layers, ops = keras.layers, keras.ops
SHAPE = (9, 8, 4)


def conv(**options):
    return layers.Conv2D(6, 3, **options)


# Kernels that round once, to the step that is nearest, or only move values.
ONCE = {
    *("AVERAGE_POOL_2D", "MAX_POOL_2D", "SUM", "REDUCE_MAX", "TANH", "LOGISTIC", "RELU", "RELU6", "SOFTMAX"),
    *("ADD", "SUB", "MAXIMUM", "MINIMUM", "CONCATENATION", "PAD", "RESHAPE", "STRIDED_SLICE", "TRANSPOSE"),
    *("RESIZE_NEAREST_NEIGHBOR", "QUANTIZE", "SPLIT", "SPLIT_V", "UNPACK", "PACK", "TILE"),
    *("ABS", "GELU", "EXP"),
}
# Products, whose sums are scaled in two steps: off beside a tie only, in one of fifty.
NEARLY = {
    *("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "BATCH_MATMUL"),
    *("MUL", "PRELU", "HARD_SWISH"),
}

# Each: what the file must have, and the layers that make it.
NETS = {
    "conv same": ("CONV_2D", conv(padding="same", strides=2)),
    "conv valid, oblong": ("CONV_2D", layers.Conv2D(5, (2, 3), strides=(2, 1))),
    "conv same, dilated": ("CONV_2D", conv(padding="same", dilation_rate=2, activation="relu")),
    "conv grouped": ("CONV_2D", conv(groups=2, padding="same")),
    "depthwise multiplier": ("DEPTHWISE_CONV_2D", layers.DepthwiseConv2D(3, depth_multiplier=3)),
    "depthwise same": ("DEPTHWISE_CONV_2D", layers.DepthwiseConv2D(3, strides=2, padding="same")),
    "depthwise dilated": ("DEPTHWISE_CONV_2D", layers.DepthwiseConv2D(2, dilation_rate=(2, 1))),
    "depthwise relu6": ("DEPTHWISE_CONV_2D", lambda x: layers.ReLU(6.0)(layers.DepthwiseConv2D(3)(x))),
    "dense on a picture": ("FULLY_CONNECTED", layers.Dense(5, activation="relu")),
    "transposed": (
        "TRANSPOSE_CONV",
        layers.Conv2DTranspose(3, (3, 2), strides=2, bias_initializer="random_normal"),
    ),
    "transposed same": ("TRANSPOSE_CONV", layers.Conv2DTranspose(3, 3, strides=(2, 3), padding="same")),
    "matrices": ("BATCH_MATMUL", lambda x: ops.matmul(x, ops.transpose(layers.Dense(4)(x), (0, 1, 3, 2)))),
    "matrices, the first turned": (
        "BATCH_MATMUL",
        lambda x: ops.matmul(ops.transpose(layers.Dense(5)(x), (0, 1, 3, 2)), x),
    ),
    "split": ("SPLIT", lambda x: layers.Concatenate()(ops.split(x, 2, axis=-1)[::-1])),
    "split by sizes": ("SPLIT_V", lambda x: layers.Concatenate(2)(ops.split(x, [1, 4], axis=2)[::-1])),
    "unpack": ("UNPACK", lambda x: layers.Maximum()(ops.unstack(x, axis=3))),
    "pack": ("PACK", lambda x: ops.stack([x[:, :, 0], x[:, :, 3]], axis=1)),
    "tile": ("TILE", lambda x: ops.tile(x, (1, 2, 1, 3))),
    "average pool same": ("AVERAGE_POOL_2D", layers.AveragePooling2D(3, strides=2, padding="same")),
    "average pool 3x3": ("AVERAGE_POOL_2D", layers.AveragePooling2D(3, strides=1)),
    "max pool same": ("MAX_POOL_2D", layers.MaxPooling2D(3, strides=2, padding="same")),
    "mean": ("MEAN", layers.GlobalAveragePooling2D()),
    "mean of the last": ("MEAN", lambda x: ops.mean(x, axis=-1, keepdims=True)),
    "sum": ("SUM", lambda x: ops.sum(x, axis=(1, 2))),
    "largest": ("REDUCE_MAX", layers.GlobalMaxPooling2D()),
    "add": ("ADD", lambda x: layers.Add()([x, layers.Conv2D(4, 3, padding="same")(x)])),
    "sub": ("SUB", lambda x: layers.Subtract()([x, layers.Dense(4)(x)])),
    "mul": ("MUL", lambda x: layers.Multiply()([x, layers.Dense(4)(x)])),
    "mul broadcast": ("MUL", lambda x: x * layers.GlobalAveragePooling2D(keepdims=True)(x)),
    "maximum": ("MAXIMUM", lambda x: layers.Maximum()([x, layers.Dense(4)(x)])),
    "minimum": ("MINIMUM", lambda x: layers.Minimum()([x, layers.Dense(4)(x)])),
    "concatenation": ("CONCATENATION", lambda x: layers.Concatenate()([x, layers.Dense(3)(x)])),
    "concatenation of rows": ("CONCATENATION", lambda x: layers.Concatenate(1)([x, layers.Dense(4)(x)])),
    "pad": ("PAD", layers.ZeroPadding2D(((1, 2), (0, 3)))),
    "reshape": ("RESHAPE", layers.Reshape((18, 16))),
    "transpose": ("TRANSPOSE", layers.Permute((3, 1, 2))),
    "slice": ("STRIDED_SLICE", layers.Cropping2D(((1, 2), (3, 0)))),
    "slice of one": ("STRIDED_SLICE", lambda x: x[:, 3, 1:7:2]),
    "softmax": ("SOFTMAX", layers.Softmax()),
    "logistic": ("LOGISTIC", layers.Activation("sigmoid")),
    "tanh": ("TANH", layers.Activation("tanh")),
    "relu": ("RELU", layers.ReLU()),
    "relu6": ("RELU6", layers.ReLU(6.0)),
    "leaky relu": ("LEAKY_RELU", layers.LeakyReLU(negative_slope=0.2)),
    "prelu": ("PRELU", layers.PReLU(shared_axes=(1, 2))),
    "elu": ("ELU", layers.ELU()),
    "gelu": ("GELU", layers.Activation("gelu")),
    "gelu by tanh": ("GELU", lambda x: ops.gelu(x, approximate=True)),
    "exponential": ("EXP", lambda x: ops.exp(x)),
    "absolute": ("ABS", lambda x: ops.abs(x)),
    "negative": ("NEG", lambda x: -x),
    "square": ("SQUARE", lambda x: ops.square(x)),
    "squared difference": ("SQUARED_DIFFERENCE", lambda x: ops.square(x - layers.Dense(4)(x))),
    "one by root": ("RSQRT", lambda x: ops.rsqrt(ops.abs(x) + 1.0)),
    "hard swish": ("HARD_SWISH", layers.Activation("hard_swish")),
    "nearest": ("RESIZE_NEAREST_NEIGHBOR", layers.UpSampling2D((2, 3))),
    "nearest, by a third": ("RESIZE_NEAREST_NEIGHBOR", layers.Resizing(6, 11, interpolation="nearest")),
    "bilinear": ("RESIZE_BILINEAR", layers.UpSampling2D(2, interpolation="bilinear")),
    "bilinear, smaller": ("RESIZE_BILINEAR", layers.Resizing(5, 7, interpolation="bilinear")),
}


@pytest.fixture(scope="module")
def samples():
    return (2 * np.random.default_rng(3).normal(size=(40, *SHAPE))).astype(np.float32)


def on_its_grid(tensor, values):
    """Return float32 `values` of a quantised tensor as whole steps of it: sums of them may be ties."""
    step = steps_of(tensor)
    return np.rint(values / step) * step if step else values


def computed(name, precision, samples):
    """Yield each node of a net's file, TensorFlow's values of its output, and ours, rounded and not."""
    operator, make = NETS[name]
    random = np.random.default_rng(4)
    x = keras.Input(SHAPE, name="x")
    model = keras.Model(x, make(x))
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape) * 0.4)
    content = to_tflite(model, precision=precision, calibration=samples).content
    graph = read_graph(content)
    assert operator in {node.name for node in graph.nodes}
    check_operators(graph)
    seen = every_tensor(content, graph, samples)
    values = {index: tf.constant(on_its_grid(graph.tensors[index], v)) for index, v in seen.items()}
    for node in graph.nodes:
        both = (compute_all(node, values, rounding=rounding) for rounding in (True, False))
        for tensor, ideal, exact in zip(node.outputs, *both, strict=True):
            wanted = values[tensor.index].numpy()
            assert ideal.shape == wanted.shape, node
            yield node, wanted, ideal.numpy(), exact.numpy()


def assert_of_float32(node, wanted, ideal):
    # Sums of some hundred products at most: ten units in the last place.
    bound = 10 * 2**-24 * max(1, np.abs(wanted).max())
    np.testing.assert_allclose(ideal, wanted, rtol=0, atol=bound, err_msg=str(node))


@pytest.mark.parametrize("name", NETS)
def test_int8_is_tensorflow_s_to_a_tie(name, samples):
    for node, wanted, ideal, exact in computed(name, "int8", samples):
        step = steps_of(node.outputs[0])
        if not step:  # the converter leaves it in float32 within the int8 file
            assert_of_float32(node, wanted, ideal)
            continue
        off = np.rint(np.abs(ideal - wanted) / step)
        if node.name in ONCE:
            assert not off.any(), node
            continue
        assert off.max() <= 1, node
        # Who rounds twice is within a step of the exact value.
        assert np.abs(exact - wanted).max() <= step, node
        assert node.name not in NEARLY or (off > 0).mean() < 0.02, node


@pytest.mark.parametrize("name", NETS)
def test_float32_is_tensorflow_s_to_its_rounding(name, samples):
    for node, wanted, ideal, _ in computed(name, "float32", samples):
        assert_of_float32(node, wanted, ideal)


# --- what TensorFlow's converter does not write from these layers


def node_of(name, samples):
    operator, make = NETS[name]
    x = keras.Input(SHAPE, name="x")
    graph = read_graph(to_tflite(keras.Model(x, make(x)), precision="float32").content)
    return next(node for node in graph.nodes if node.name == operator)


@pytest.mark.parametrize("strides", [(1, 2), (3, 1), (2, 2)])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_a_depthwise_convolution_that_tensorflow_lacks_is_a_grouped_one(strides, padding, samples):
    node = node_of("depthwise multiplier", samples)
    more = {"strideH": strides[0], "strideW": strides[1], "padding": padding, "dilationHFactor": 2}
    node = replace(node, options={**node.options, **more})
    values = {node.inputs[0].index: tf.constant(samples[:3].astype(np.float64))}
    kernel = node.inputs[1].constant  # (1, 3, 3, 12): channel c has outputs 3 c to 3 c + 2
    bias = node.inputs[2].constant
    sums = [
        tf.nn.conv2d(
            samples[:3, ..., c : c + 1].astype(np.float64),
            kernel[0, :, :, None, 3 * c : 3 * c + 3].astype(np.float64),
            strides,
            padding,
            dilations=(2, 1),
        )
        for c in range(4)
    ]
    found = compute(node, values, rounding=True)
    np.testing.assert_allclose(found, np.concatenate(sums, axis=-1) + bias, atol=1e-12)


@pytest.mark.parametrize(("name", "shape"), [("EXPAND_DIMS", (1, 18, 1, 16)), ("SQUEEZE", (1, 288))])
def test_sides_come_and_go(name, shape, samples):
    node = node_of("reshape", samples)
    node = replace(node, name=name, outputs=(replace(node.outputs[0], shape=shape),))
    found = compute(node, {node.inputs[0].index: tf.constant(samples)}, rounding=True)
    np.testing.assert_array_equal(found, samples.reshape(-1, *shape[1:]))


def test_nearest_counts_from_corners_where_the_file_says_so(samples):
    node = node_of("nearest", samples)
    node = replace(node, options={**node.options, "alignCorners": True, "halfPixelCenters": False})
    found = compute(node, {node.inputs[0].index: tf.constant(samples)}, rounding=True).numpy()
    np.testing.assert_array_equal(found[:, [0, -1]][:, :, [0, -1]], samples[:, [0, -1]][:, :, [0, -1]])


# --- samples are kept apart, or it is said


def across_samples(samples):
    """Yield operators that bring samples together, and what is said of each."""
    mean = node_of("mean", samples)
    yield (
        replace(mean, inputs=(mean.inputs[0], replace(mean.inputs[1], constant=np.array([0, 1])))),
        "keeps samples apart",
    )
    pad = node_of("pad", samples)
    wide = pad.inputs[1].constant + np.array([[1, 0]] + 3 * [[0, 0]])
    yield replace(pad, inputs=(pad.inputs[0], replace(pad.inputs[1], constant=wide))), "between samples"
    turned = node_of("transpose", samples)
    order = replace(turned.inputs[1], constant=np.array([1, 0, 2, 3]))
    yield replace(turned, inputs=(turned.inputs[0], order)), "leaves the samples in order"
    for name, option in (("pack", "axis"), ("unpack", "axis")):
        one = node_of(name, samples)
        yield replace(one, options={**one.options, option: 0}), "keeps samples apart"
    for name, place in (("split", 0), ("split by sizes", 2)):
        one = node_of(name, samples)
        inputs = list(one.inputs)
        inputs[place] = replace(inputs[place], constant=np.array(0, np.int32))
        yield replace(one, inputs=tuple(inputs)), "keeps samples apart"
    tile = node_of("tile", samples)
    twice = replace(tile.inputs[1], constant=np.array([2, 1, 1, 1]))
    yield replace(tile, inputs=(tile.inputs[0], twice)), "samples that are not repeated"
    part = node_of("slice", samples)
    yield replace(part, options={**part.options, "shrinkAxisMask": 1}), "takes every sample"


def test_what_brings_samples_together_is_refused(samples):
    for node, message in across_samples(samples):
        with pytest.raises(InputError, match=message):
            compute(node, {t.index: tf.constant(samples) for t in node.inputs}, rounding=True)


def test_a_tensor_of_more_than_one_row_a_sample_is_refused(samples):
    x = keras.Input(SHAPE, name="x")
    model = keras.Model(x, layers.Lambda(lambda y: tf.reshape(y, (-1, 4)))(x))
    graph = read_graph(to_tflite(model, precision="float32").content)
    with pytest.raises(InputError, match="operators that keep samples apart, got 0 RESHAPE to 72x4"):
        check_operators(graph)


def test_a_graph_of_two_inputs_takes_a_list_of_them():
    x, y = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    model = keras.Model([x, y], layers.Subtract()([x, y]))
    content = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    graph = read_graph(content)
    first, second = np.eye(3)[:2], np.ones((2, 3))
    arrays = [first if tensor.name.endswith("_a:0") else second for tensor in graph.inputs]
    found = evaluate(graph, arrays)[graph.outputs[0].index].numpy()
    np.testing.assert_allclose(found, first - second)


def test_every_operator_with_a_rule_was_compared():
    known = {*OPERATIONS, *DIVISIONS}
    assert {operator for operator, _ in NETS.values()} | {"QUANTIZE", "DEQUANTIZE"} >= known - {
        *("SQUEEZE", "EXPAND_DIMS"),
    }
