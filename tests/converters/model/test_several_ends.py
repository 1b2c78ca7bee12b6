"""Models with several inputs and outputs: their order, names and nesting, in every precision."""

from __future__ import annotations

import keras as keras_3
import numpy as np
import pytest
import tf_keras as keras_2

from converters.base.environment import tf
from converters.base.errors import InputError
from converters.base.precisions import ALL_PRECISIONS
from converters.file.graph import read_graph
from converters.file.signature import names_in_order
from converters.file.soundness import check_sound
from converters.model.conversion import to_tflite
from converters.model.folding import fold
from converters.runtimes.tensorflow_interpreter import run, run_in_order

KERASES = pytest.mark.parametrize("keras", [keras_3, keras_2], ids=["Keras 3", "Keras 2"])
NAMES = ("words", "picture", "extra")  # not in the order of the alphabet
OUTPUTS = ("scores", "place")


def three_inputs(keras, *, nested=False):
    layers = keras.layers
    keras.utils.set_random_seed(1)
    words = keras.Input((4,), dtype="int32", name="words")
    picture = keras.Input((6, 6, 2), name="picture")
    extra = keras.Input((5,), name="extra")
    parts = [
        layers.Flatten()(layers.Embedding(20, 3)(words)),
        layers.Flatten()(layers.Conv2D(3, 3, activation="relu")(picture)),
        layers.Dense(4)(extra),
    ]
    x = layers.Concatenate()(parts)
    scores = layers.Dense(3, activation="softmax", name="scores")(x)
    place = layers.Dense(1, name="place")(x)
    if nested:
        inputs = {"words": words, "picture": picture, "extra": extra}
        return keras.Model(inputs, {"scores": scores, "place": place}, name="net")
    return keras.Model([words, picture, extra], [scores, place], name="net")


@pytest.fixture(scope="module")
def data():
    draw = np.random.default_rng(2)
    return {
        "words": draw.integers(0, 20, (30, 4)).astype(np.int32),
        "picture": draw.uniform(0, 1, (30, 6, 6, 2)).astype(np.float32),
        "extra": draw.normal(size=(30, 5)).astype(np.float32),
    }


@KERASES
def test_the_file_has_the_models_order_and_names(keras, data):
    model = three_inputs(keras)
    wanted = model.predict([data[name] for name in NAMES], verbose=0)
    content, entry = to_tflite(fold(model), precision="float32")
    ends = names_in_order(content)
    assert (ends.inputs, ends.outputs) == (NAMES, OUTPUTS)
    assert [one["shape"] for one in entry["inputs"]] == [[1, 4], [1, 6, 6, 2], [1, 5]]
    assert [one["shape"] for one in entry["outputs"]] == [[1, 3], [1, 1]]
    for found in (run_in_order(content, [data[name] for name in NAMES]), run(content, data).values()):
        for left, right in zip(found, wanted, strict=True):
            np.testing.assert_allclose(left, right, atol=1e-6)
    check_sound(content)


@KERASES
@pytest.mark.parametrize("precision", ALL_PRECISIONS)
def test_dicts_in_and_out_keep_their_keys_in_every_precision(keras, data, precision):
    model = three_inputs(keras, nested=True)
    wanted = model.predict(data, verbose=0)
    content, entry = to_tflite(model, precision=precision, calibration=data)
    ends = names_in_order(content)
    assert (ends.inputs, ends.outputs) == (tuple(sorted(NAMES)), tuple(sorted(OUTPUTS)))
    types = {"int8": "uint8", "int16": "int16"}
    kind = types.get(precision, "float32")
    assert [one["type"] for one in entry["inputs"]] == [kind, kind, "int32"]  # numbers of words stay whole
    found = run(content, data)
    limits = {"float32": 1e-6, "float16": 2e-3, "dynamic": 0.05, "int8": 0.05, "int16": 0.02}
    for name, array in found.items():
        assert np.abs(array - wanted[name]).max() < limits[precision], name
    check_sound(content)


def test_calibration_by_place_and_by_name_is_the_same(data):
    model = three_inputs(keras_3)
    by_place = [data[name] for name in NAMES]
    files = [to_tflite(model, precision="int8", calibration=one).content for one in (data, by_place)]
    assert files[0] == files[1]


def without(data, name):
    return {other: array for other, array in data.items() if other != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data["extra"], "calibration inputs for .*, by these names, got one array without"),
        (lambda data: [data["extra"]], "calibration inputs for words, picture, extra, got 1 arrays"),
        (
            lambda data: without(data, "extra"),
            "for words, picture, extra, by these names, got words, picture",
        ),
        (lambda data: {**data, "extra": data["extra"][:7]}, "same number .* input, got 7 and 30"),
        (lambda data: {**data, "extra": data["words"]}, r"inputs for extra of shape \(n, 5\), got \(30, 4\)"),
        (lambda data: {**data, "words": data["words"] + 0.5}, "for words that are whole numbers of int32"),
        (lambda data: {**data, "extra": np.zeros((30, 5))}, "for extra that differ, got the constant 0"),
    ],
)
def test_bad_calibration_names_the_input(data, change, message):
    with pytest.raises(InputError, match=message):
        to_tflite(three_inputs(keras_3), precision="int8", calibration=change(data))


def test_numbers_of_words_may_be_the_same_in_each_sample_beside_other_inputs(data):
    same = {**data, "words": np.full((30, 4), 3)}
    to_tflite(three_inputs(keras_3), precision="int8", calibration=same)


def test_a_range_is_of_the_only_input(data):
    with pytest.raises(InputError, match="a range for a model with one input, got 3 inputs"):
        to_tflite(three_inputs(keras_3), precision="int8", calibration=data, input_range=(0, 1))


@KERASES
def test_open_sides_get_shapes_by_name(keras):
    layers = keras.layers
    wide, long = keras.Input((None, None, 3), name="wide"), keras.Input((None, 2), name="long")
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(wide))
    x = layers.Add()([pooled, layers.GlobalAveragePooling1D()(layers.Dense(4)(long))])
    model = keras.Model([wide, long], x)
    shapes = {"wide": (9, 7, 3), "long": (5, 2)}
    content, entry = to_tflite(model, precision="float32", shape=shapes)
    assert [one["shape"] for one in entry["inputs"]] == [[1, 9, 7, 3], [1, 5, 2]]
    draw = np.random.default_rng(0)
    values = {name: draw.normal(size=(4, *shape)).astype(np.float32) for name, shape in shapes.items()}
    (found,) = run(content, values).values()
    np.testing.assert_allclose(found, model.predict(list(values.values()), verbose=0), atol=1e-5)
    for wrong, message in (
        (None, r"or a shape for wide, got \(None, None, 3\)"),
        ({"wide": (9, 7, 3)}, r"or a shape for long, got \(None, 2\)"),
        ((9, 7, 3), "expected shapes by the names of the inputs, wide, long, got one"),
        ({**shapes, "deep": (1,)}, "expected shapes named wide or long, got deep"),
        ({**shapes, "long": (5, 3)}, r"a shape for long that fits the model's, \(None, 2\), got \(5, 3\)"),
    ):
        with pytest.raises(InputError, match=message):
            to_tflite(model, precision="float32", shape=wrong)


def test_one_layer_may_give_several_outputs():
    x = keras_3.Input((4,), name="x")
    y = keras_3.layers.Dense(2, name="d")(x)
    content = to_tflite(keras_3.Model(x, [y, y]), precision="float32").content
    values = np.ones((2, 4), np.float32)
    found = run(content, {"x": values})
    assert list(found) == ["d", "d_1"]
    np.testing.assert_array_equal(found["d"], found["d_1"])
    with pytest.raises(InputError, match="a file with one input and one output, got 1 and 2"):
        run(content, values)
    with pytest.raises(InputError, match="expected inputs named x, got y"):
        run(content, {"y": values})


@KERASES
@pytest.mark.parametrize(("precision", "steps"), [("float32", 0), ("int8", 3)])
def test_a_layer_within_may_give_several_outputs(keras, precision, steps):
    class Split(keras.layers.Layer):
        def call(self, inputs):
            return tf.split(inputs, 2, axis=-1)

        def compute_output_shape(self, shape):
            return [(*shape[:-1], shape[-1] // 2)] * 2

    keras.utils.set_random_seed(1)
    x = keras.Input((8, 8, 4), name="x")
    left, right = Split()(x)
    with keras.saving.custom_object_scope({"Split": Split}):
        model = fold(keras.Model(x, keras.layers.Add()([keras.layers.Conv2D(2, 1)(left), right])))
    values = np.random.default_rng(0).normal(size=(40, 8, 8, 4)).astype(np.float32)
    content = to_tflite(model, precision=precision, calibration=values).content
    check_sound(content)
    nodes = read_graph(content).nodes
    assert [node.name for node in nodes if node.name != "QUANTIZE"] == ["SPLIT", "CONV_2D", "ADD"]
    # The input, the product and the sum are rounded to half a step each, and so is the kernel.
    step = max([*(scale for node in nodes for scale in node.outputs[0].scales), 0.0])
    wanted = model.predict(values, verbose=0)
    np.testing.assert_allclose(run(content, values), wanted, rtol=0, atol=steps * step or 1e-6)


@KERASES
def test_a_mask_still_counts(keras):
    words = keras.Input((6,), dtype="int32", name="words")
    keras.utils.set_random_seed(0)
    x = keras.layers.Embedding(9, 4, mask_zero=True, embeddings_initializer="normal")(words)
    model = keras.Model(words, keras.layers.GlobalAveragePooling1D()(x))
    values = np.array([[1, 2, 0, 0, 0, 0], [3, 4, 5, 0, 0, 0]])
    content = to_tflite(model, precision="float32").content
    np.testing.assert_allclose(run(content, values), model.predict(values, verbose=0), atol=1e-6)


def test_names_stay_where_branches_meet():
    """A Concatenate hands masks on, but there are none: Keras's own names would count up."""
    x = keras_3.Input((4,), name="x")
    parts = [keras_3.layers.Dense(2, activation="relu", name=name)(x) for name in ("a", "b")]
    model = keras_3.Model(x, keras_3.layers.Concatenate(name="c")(parts), name="m")
    files = [to_tflite(model, precision="float32").content for _ in range(2)]
    assert files[0] == files[1]
    assert b"m/m/a/Relu" in files[0]


@pytest.mark.parametrize(("precision", "ends"), [("int16", "int8"), ("int8", "int16"), ("int8", "float32")])
def test_ends_that_a_precision_cannot_have_are_refused(precision, ends):
    x = keras_3.Input((4,), name="x")
    model = keras_3.Model(x, keras_3.layers.Dense(2)(x))
    with pytest.raises(InputError, match=f"expected ends of .* for {precision}, got '{ends}'"):
        to_tflite(model, precision=precision, calibration=np.eye(4), ends=ends)


def test_a_kernel_that_int16_would_lose_behind_a_tensor_that_stays_0_is_a_line(rng):
    x = keras_3.Input((4,), name="numbers")
    y = keras_3.layers.Dense(3)(x)
    y = keras_3.layers.Dense(2, bias_initializer="ones")(keras_3.layers.Subtract(name="nothing")([y, y]))
    model, samples = keras_3.Model(x, y), rng.normal(size=(20, 4)).astype(np.float32)
    with pytest.raises(
        InputError, match=r"^expected calibration inputs for .* in int16, got .*nothing.*does$"
    ):
        to_tflite(model, precision="int16", calibration=samples)
    content = to_tflite(model, precision="int8", calibration=samples).content
    (output,) = read_graph(content).outputs
    np.testing.assert_allclose(run(content, samples), 1.0, atol=output.scales[0])  # the bias, in its steps


@pytest.mark.parametrize("ends", ["int16", "float32"])
def test_int16_has_activations_of_16_bits_and_weights_of_8(ends):
    keras_3.utils.set_random_seed(0)
    layers = keras_3.layers
    model = keras_3.Sequential(
        [keras_3.Input((6, 6, 2)), layers.Conv2D(3, 3, activation="relu"), layers.Flatten(), layers.Dense(2)]
    )
    inputs = np.random.default_rng(0).normal(size=(40, 6, 6, 2)).astype(np.float32)
    wanted = model.predict(inputs, verbose=0)
    errors = {}
    for precision, one in (("int8", None), ("int16", ends)):
        content, entry = to_tflite(model, precision=precision, calibration=inputs, ends=one)
        errors[precision] = np.abs(run(content, inputs) - wanted).max()
    assert (entry["inputs"][0]["type"], entry["outputs"][0]["type"]) == (ends, ends)
    # Of the range, activations add 2^-15 at most: what is left is the weights' rounding.
    assert errors["int16"] < 0.02
    assert errors["int16"] < errors["int8"]
    check_sound(content)
