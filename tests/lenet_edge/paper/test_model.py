"""The models have the paper's layers, weights and connections, counted layer by layer."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys

import numpy as np
import pytest

import lenet_edge
from converters.base.errors import InputError
from lenet_edge.digits.geometry import EMPTY
from lenet_edge.packaged.weights import named_weights
from lenet_edge.paper.codes import digit_codes
from lenet_edge.paper.model import connections, lenet5, stock_lenet5, with_probabilities

# Page 7 and 8: layer, output, trainable parameters, connections.
PRINTED = [
    ("C1", (28, 28, 6), 156, 122_304),
    ("S2", (14, 14, 6), 12, 5_880),
    ("C3", (10, 10, 16), 1_516, 151_600),
    ("S4", (5, 5, 16), 32, 2_000),
    ("C5", (1, 1, 120), 48_120, 48_120),
    ("F6", (84,), 10_164, 10_164),
    ("OUTPUT", (10,), 0, 840),
]


def trainable(layer):
    return sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights)


@pytest.mark.parametrize(("name", "output", "weights", "uses"), PRINTED, ids=[row[0] for row in PRINTED])
def test_lenet5_is_as_printed_layer_by_layer(either_keras, name, output, weights, uses):
    model = lenet5(keras=either_keras)
    layer = model.get_layer(name)
    assert tuple(layer.output.shape[1:]) == output
    assert trainable(layer) == weights
    assert connections(model)[name] == uses


def test_lenet5_has_60000_weights_and_340908_connections(either_keras):
    model = lenet5(keras=either_keras)
    assert trainable(model) == 60_000
    assert sum(connections(model).values()) == 340_908


def test_pixels_are_normalised_as_printed(either_keras):
    # "the background level (white) corresponds to a value of -0.1 and the foreground (black) to 1.175"
    layer = lenet5(keras=either_keras).get_layer("normalise")
    np.testing.assert_allclose(layer(np.array([0.0, 255.0])), [-0.1, 1.175], rtol=1e-6)


@pytest.mark.parametrize(("subsampling", "counts"), [("average", [0, 0]), ("trainable", [12, 32])])
def test_stock_lenet5_is_the_usual_net(either_keras, subsampling, counts):
    model = stock_lenet5(subsampling=subsampling, keras=either_keras)
    names = ("C1", "S2", "C3", "S4", "C5", "F6", "OUTPUT")
    expected = [156, counts[0], 2_416, counts[1], 48_120, 10_164, 850]
    assert [trainable(model.get_layer(name)) for name in names] == expected
    assert model.count_params() == {"average": 61_706, "trainable": 61_750}[subsampling]


def test_stock_lenet5_takes_two_kinds_of_subsampling():
    with pytest.raises(InputError, match="expected subsampling 'average' or 'trainable', got 'max'"):
        stock_lenet5(subsampling="max")


def test_the_summary_shows_the_papers_names_and_numbers(either_keras):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        lenet5(keras=either_keras).summary()
    text = printed.getvalue().replace(",", "")  # Keras 3 writes 1,516
    for row in ("S2 (TrainableSubsampling)", "C3 (PartialConv2D)", "1516", "48120", "10164", "60000"):
        assert row in text


def test_probabilities_prefer_the_smallest_distance(either_keras, rng):
    model = lenet5(keras=either_keras)
    x = rng.integers(0, 256, (3, 32, 32, 1)).astype(np.float32)
    scores = with_probabilities(model, scale=-0.1)(x).numpy()
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(scores.argmax(axis=1), model(x).numpy().argmin(axis=1))


def test_the_readmes_answer_works(either_keras, ours):
    model = either_keras.Sequential(
        [
            either_keras.Input((28, 28, 1)),
            either_keras.layers.Conv2D(6, 5, activation="tanh"),
            ours.TrainableSubsampling(),
            either_keras.layers.Flatten(),
            either_keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = model.layers[1].coefficient.numpy()
    model.fit(np.random.rand(8, 28, 28, 1), np.arange(8), verbose=0)
    assert (model.layers[1].coefficient.numpy() != before).all()


def test_the_package_loads_tensorflow_only_for_a_model():
    code = (
        "import sys, lenet_edge; assert 'tensorflow' not in sys.modules;"
        "from lenet_edge import lenet5, TrainableSubsampling; assert 'tensorflow' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert "lenet5" in dir(lenet_edge)
    with pytest.raises(AttributeError, match="lenet6"):
        lenet_edge.lenet6  # noqa: B018


def test_the_wide_net_gives_the_same_scores_on_a_32x32_picture(either_keras, rng):
    """The same weights by name and shape, and bit-equal scores: each sum has the same terms in order."""
    printed, wide = lenet5(keras=either_keras), lenet5(wide=True, keras=either_keras)
    for own, other in zip(named_weights(wide).items(), named_weights(printed).items(), strict=True):
        assert own[0] == other[0]
        own[1].assign(other[1])
    pixels = rng.integers(0, 256, (4, 32, 32, 1)).astype(np.float32)
    assert np.array_equal(wide(pixels).numpy()[:, 0, 0], printed(pixels).numpy())


def test_a_wide_or_high_picture_has_an_answer_for_each_window(either_keras, rng):
    """(W - 32) / 4 + 1 answers (section VII), each for its own 32x32 pixels."""
    model = lenet5(wide=True, keras=either_keras)
    pixels = rng.integers(0, 256, (1, 43, 61, 1)).astype(np.float32)
    answers = model(pixels).numpy()[0]
    assert answers.shape == ((43 - 32) // 4 + 1, (61 - 32) // 4 + 1, 10)
    for row, column in [(0, 0), (1, 3), (2, 7)]:
        window = pixels[:, 4 * row : 4 * row + 32, 4 * column : 4 * column + 32]
        np.testing.assert_allclose(answers[row, column], model(window).numpy()[0, 0, 0], rtol=1e-4)


def test_no_character_is_an_eleventh_code_without_a_weight(either_keras):
    model = lenet5(wide=True, empty=True, keras=either_keras)
    assert trainable(model) == 60_000
    assert model(np.zeros((1, 32, 36, 1), np.float32)).shape == (1, 1, 2, 11)
    codes = model.get_layer("OUTPUT").codes.numpy()
    assert np.array_equal(codes[:EMPTY], digit_codes())
    assert np.array_equal(codes[EMPTY], -np.ones(84))
