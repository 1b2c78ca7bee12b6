"""Convolutions of SAME padding that XNNPACK computes wrongly are written so that every runtime is right."""

from __future__ import annotations

import itertools
from functools import partial

import keras as keras_3
import numpy as np
import pytest
import tf_keras as keras_2

from converters.base.environment import tf
from converters.file.graph import read_graph
from converters.file.layouts import layout_of
from converters.file.lowering import lower
from converters.file.same_padding import with_padding_written_out
from converters.file.soundness import check_sound
from converters.model.conversion import to_tflite
from converters.model.graph import flat
from converters.model.quantize_aware import quantize_aware
from converters.model.saved_model import load_saved_model, saved_model_to_tflite
from converters.runtimes.tensorflow_interpreter import every_tensor, run, run_in_order

KERASES = pytest.mark.parametrize("keras", [keras_3, keras_2], ids=["Keras 3", "Keras 2"])
SHAPE = (8, 7, 3)
KERNELS = [(1, 1), (2, 1), (1, 2), (1, 3), (2, 2)]
MOVES = [(2, 2), (3, 3), (4, 4), (2, 3)]
# Keras takes equal strides of a depthwise convolution only.
KINDS = {
    "Conv2D": (partial(keras_3.layers.Conv2D, 2), [*itertools.product(KERNELS, MOVES)]),
    "DepthwiseConv2D": (keras_3.layers.DepthwiseConv2D, [*itertools.product(KERNELS, (2, 3, 4))]),
}


def values():
    return np.random.default_rng(0).normal(size=(20, *SHAPE)).astype(np.float32)


def net(keras, kernel, strides):
    keras.utils.set_random_seed(1)
    x, options = keras.Input(SHAPE, name="x"), {"padding": "same", "bias_initializer": "random_normal"}
    return keras.Model(x, keras.layers.Conv2D(2, kernel, strides=strides, **options)(x), name="net")


def net_of_many(layer, choices):
    """Return a net in which each of `choices`, (kernel, strides), is a convolution with an output."""
    keras_3.utils.set_random_seed(1)
    x, options = keras_3.Input(SHAPE, name="x"), {"padding": "same", "bias_initializer": "random_normal"}
    return keras_3.Model(x, [layer(kernel, strides=strides, **options)(x) for kernel, strides in choices])


def steps_before(graph, tensor):
    """Yield the steps of `tensor` and of what it is computed from, where they are rounded."""
    yield from tensor.scales
    for node in graph.nodes:
        if tensor.index in {one.index for one in node.outputs}:
            yield from steps_before(graph, node.inputs[0])


def held_to(model, content, inputs):
    """Hold XNNPACK, which `run_in_order` has, and the kernels without it to the model, at each output."""
    graph = read_graph(content)
    alone = every_tensor(content, graph, inputs)
    wanted = flat(model.predict(inputs, verbose=0))
    for output, one, found in zip(graph.outputs, wanted, run_in_order(content, [inputs]), strict=True):
        # The input, the kernel and the output are rounded to half a step each; float32 sums 30 products.
        allowed = max([3 * step for step in steps_before(graph, output)], default=1e-5)
        for values_found in (found, alone[output.index]):
            np.testing.assert_allclose(values_found, one, rtol=0, atol=allowed)
    check_sound(content)


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_runtime_computes_the_model_whatever_kernel_and_strides(kind, precision):
    layer, choices = KINDS[kind]
    model = net_of_many(layer, choices)
    content = to_tflite(model, precision=precision, calibration=values()).content
    assert len(read_graph(content).outputs) == len(choices)
    held_to(model, content, values())


@KERASES
@pytest.mark.parametrize("precision", ["float32", "float16", "dynamic", "int8", "int16"])
def test_in_every_precision_of_either_keras(keras, precision):
    model = net(keras, (1, 2), (2, 2))  # a row is left over, a column is missing
    content = to_tflite(model, precision=precision, calibration=values()).content
    assert "PAD" in {node.name for node in read_graph(content).nodes}
    found, wanted = run(content, values()), model.predict(values(), verbose=0)
    # Weights of 8 bits and activations of as many, or of 11 bits' mantissa, on outputs of a few units.
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 if precision == "float32" else 0.05)


def test_a_fine_tuned_model_and_a_saved_model_too(tmp_path):
    model = net(keras_3, (2, 1), (3, 3))
    rounding = quantize_aware(model, calibration=values())
    held_to(rounding, to_tflite(rounding, precision="int8").content, values())
    model.export(str(tmp_path / "net"), verbose=False)
    saved = load_saved_model(tmp_path / "net")
    held_to(model, saved_model_to_tflite(saved, precision="float32").content, values())


def as_the_converter_writes(model):
    return bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())


def test_a_file_that_is_laid_out_anew_too():
    x = keras_2.Input(SHAPE, batch_size=1)
    model = keras_2.Model(x, keras_2.layers.Conv2D(2, (2, 1), strides=3, padding="same")(x))
    held_to(model, lower(as_the_converter_writes(model), layout=layout_of("-")), values())


def test_what_leaves_nothing_over_is_left_to_the_byte():
    for kernel, strides in [((3, 3), (2, 2)), ((1, 1), (3, 3)), ((2, 1), (2, 1)), ((3, 3), (1, 1))]:
        x = keras_2.Input(SHAPE, batch_size=1)
        content = as_the_converter_writes(
            keras_2.Model(x, keras_2.layers.Conv2D(2, kernel, strides=strides, padding="same")(x))
        )
        assert with_padding_written_out(content) is content


def test_no_operator_is_added_where_nothing_is_padded():
    model = net(keras_3, (2, 1), (4, 4))
    (node,) = read_graph(to_tflite(model, precision="float32").content).nodes
    assert (node.name, node.options["padding"]) == ("CONV_2D", "VALID")
