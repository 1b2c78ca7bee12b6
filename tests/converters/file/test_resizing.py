"""A file for inputs of another size: on disk, by the interpreter, and marked so that it may be."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from converters.base.errors import InputError
from converters.file.graph import read_graph
from converters.file.manifest import parse
from converters.file.resizing import resizable, resized, shapes_at
from converters.model.conversion import to_tflite
from converters.model.dense_as_convolution import with_convolutions
from converters.runtimes.tensorflow_interpreter import interpreter_of, run
from lenet_edge.packaged.files import released_folder

layers = keras.layers


def built(*body, channels=3):
    """Return a Keras model of pictures of any size."""
    x = pixels = keras.Input((None, None, channels))
    for layer in body:
        x = layer(x)
    return keras.Model(pixels, x)


NETS = {
    "valid": lambda: built(layers.Conv2D(4, 5), layers.DepthwiseConv2D(2, strides=2)),
    "same": lambda: built(layers.Conv2D(4, 3, padding="same", strides=2), layers.MaxPooling2D(3, 2)),
    "dilated": lambda: built(layers.Conv2D(4, (3, 2), dilation_rate=(2, 3)), layers.AveragePooling2D((2, 3))),
    "places": lambda: built(layers.Conv2D(8, 5, activation="tanh"), layers.Dense(5), layers.Softmax()),
}


@pytest.fixture(scope="module", params=NETS)
def net(request):
    keras.utils.set_random_seed(7)
    return NETS[request.param]()


@pytest.mark.parametrize("size", [(16, 16), (16, 29), (31, 18)])
def test_a_resized_file_is_the_model_at_that_size(net, rng, size):
    content = to_tflite(net, precision="float32", shape=(20, 24, 3)).content
    picture = rng.normal(size=(1, *size, 3)).astype(np.float32)
    result = run(resized(content, shape=(1, *size, 3)), picture)
    # float32 rounding of at most 100 products of numbers near 1
    np.testing.assert_allclose(result, net(picture).numpy(), atol=1e-5)


def test_its_own_size_changes_nothing(net):
    content = to_tflite(net, precision="float32", shape=(20, 24, 3)).content
    same, other = read_graph(resized(content, shape=(1, 20, 24, 3))), read_graph(content)
    assert [(t.name, t.shape) for t in same.tensors] == [(t.name, t.shape) for t in other.tensors]


def test_a_resizable_file_is_resized_by_the_interpreter_and_says_where(net, rng):
    plain = to_tflite(net, precision="float32", shape=(20, 24, 3)).content
    content = to_tflite(net, precision="float32", shape=(20, 24, 3), open_axis=2).content
    assert content == resizable(plain, axis=2)
    interpreter = interpreter_of(content)
    (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert list(source["shape"]) == [1, 20, 24, 3]
    assert list(source["shape_signature"]) == [1, 20, -1, 3]
    assert [side < 0 for side in sink["shape_signature"]] == [False, False, True, False]
    interpreter.resize_tensor_input(source["index"], [1, 20, 37, 3], strict=True)
    interpreter.allocate_tensors()
    picture = rng.normal(size=(1, 20, 37, 3)).astype(np.float32)
    interpreter.set_tensor(source["index"], picture)
    interpreter.invoke()
    wanted = net(picture).numpy()
    np.testing.assert_allclose(interpreter.get_tensor(sink["index"]), wanted, atol=1e-5)
    assert (
        shapes_at(read_graph(content), (1, 20, 37, 3))[read_graph(content).outputs[0].index] == wanted.shape
    )


def test_a_size_on_disk_is_a_size_for_good():
    content = to_tflite(NETS["valid"](), precision="float32", shape=(20, 24, 3), open_axis=2).content
    graph = parse(resized(content, shape=(1, 20, 24, 3))).subgraphs[0]
    assert all(tensor.shapeSignature is None for tensor in graph.tensors)


def test_dense_layers_on_pictures_become_convolutions_of_the_same_function(rng):
    net = NETS["places"]()
    picture = rng.normal(size=(2, 9, 11, 3)).astype(np.float32)
    convolved = with_convolutions(net)
    np.testing.assert_allclose(convolved(picture).numpy(), net(picture).numpy(), atol=1e-6)
    content = to_tflite(net, precision="float32", shape=(9, 11, 3)).content
    assert [node.name for node in read_graph(content).nodes] == ["CONV_2D", "TANH", "CONV_2D", "SOFTMAX"]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 20, 24, 1), "expected another size of 1x20x24x3, got 1x20x24x1"),
        ((2, 20, 24, 3), "expected another size of 1x20x24x3, got 2x20x24x3"),
        ((1, 20, 24), "expected another size of 1x20x24x3, got 1x20x24"),
        ((1, 20, 4, 3), "expected an input large enough for 0 CONV_2D, got 1x20x4x3"),
    ],
)
def test_a_size_that_does_not_fit_is_refused(shape, message):
    content = to_tflite(NETS["valid"](), precision="float32", shape=(20, 24, 3)).content
    with pytest.raises(InputError, match=message):
        resized(content, shape=shape)


def test_an_operator_that_fixes_its_shape_is_named():
    content = (released_folder() / "lenet5_float32.tflite").read_bytes()
    with pytest.raises(InputError, match=r"expected operators of CONV_2D, .*, got 0 RESHAPE"):
        resized(content, shape=(1, 32, 64, 1))
    with pytest.raises(InputError, match=r"expected operators of CONV_2D, .*, got 0 RESHAPE"):
        resizable(content, axis=2)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (None, "expected a model whose input shape is known apart from the batch, or a shape for it, got"),
        ((20, 24), r"expected a shape that fits the model's, \(None, None, 3\), got \(20, 24\)"),
        ((20, 24, 1), r"expected a shape that fits the model's, \(None, None, 3\), got \(20, 24, 1\)"),
        (
            (20, None, 3),
            "expected a model whose input shape is known apart from the batch, or a shape for it, got",
        ),
    ],
)
def test_an_open_model_needs_a_shape_that_is_its_own(shape, message):
    with pytest.raises(InputError, match=message):
        to_tflite(NETS["valid"](), precision="float32", shape=shape)
