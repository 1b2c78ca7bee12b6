"""Conversion: stock operators only, the promised types, the same bytes twice, bad input in one line."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from converters.base.environment import tf
from converters.base.errors import InputError
from converters.base.kerases import import_keras
from converters.base.precisions import PRECISIONS
from converters.delegates import audit
from converters.delegates.xnnpack import verdict, xnnpack_takes
from converters.file.graph import WITH_KERNEL, read_graph
from converters.file.manifest import describe
from converters.file.soundness import check_sound
from converters.model.conversion import to_tflite
from converters.model.folding import fold
from converters.runtimes.execution_plan import nodes_left
from converters.runtimes.stored_values import dequantize, quantize
from converters.runtimes.tensorflow_interpreter import interpreter_of, run
from lenet_edge.keras3 import PartialConv2D, TrainableSubsampling
from lenet_edge.paper.in_keras import classes

layers = keras.layers


@pytest.fixture(scope="module")
def model():
    """A small net with our layers, raw pixels in, scores out."""
    keras.utils.set_random_seed(7)
    x = keras.Input((12, 12, 1), name="pixels")
    y = layers.Conv2D(2, 3, activation="tanh")(layers.Rescaling(1 / 255)(x))
    y = PartialConv2D(table=[[0], [1], [0, 1]], kernel_size=2)(TrainableSubsampling()(y))
    return fold(keras.Model(x, layers.Dense(4, activation="softmax")(layers.Flatten()(y)), name="small"))


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(3).integers(0, 256, (60, 12, 12, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def converted(model, pixels):
    return {p: to_tflite(model, precision=p, calibration=pixels) for p in PRECISIONS}


def operators(entry):
    return {operator["name"]: operator for operator in entry["operators"]}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_only_stock_operators(converted, precision):
    stock = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TANH", "SOFTMAX", "RESHAPE"}
    extra = {"float16": {"DEQUANTIZE"}, "int8": {"QUANTIZE"}}.get(precision, set())
    assert set(operators(converted[precision].entry)) <= stock | extra
    assert {"CONV_2D", "DEPTHWISE_CONV_2D"} <= set(operators(converted[precision].entry))


def test_versions_are_ones_that_old_runtimes_know(converted):
    # tflite-runtime 2.14 knows FULLY_CONNECTED to version 10; per-channel dense weights would make it 12
    assert operators(converted["dynamic"].entry)["FULLY_CONNECTED"]["version"] <= 10
    int8 = operators(converted["int8"].entry)
    assert {n: int8[n]["version"] for n in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TANH")} == {
        "CONV_2D": 3,
        "DEPTHWISE_CONV_2D": 3,
        "FULLY_CONNECTED": 4,
        "TANH": 2,
    }


def test_a_dense_kernel_has_one_scale_and_others_one_a_channel(converted):
    nodes = read_graph(converted["int8"].content).nodes
    scales = {node.name: node.inputs[1].scales.size for node in nodes if node.name in WITH_KERNEL}
    assert scales == {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 2, "FULLY_CONNECTED": 1}


def test_a_scale_for_each_output_of_a_dense_kernel_lowers_the_error_behind_a_normalisation(rng):
    model, samples = normalised_dense(), rng.normal(size=(200, 20)).astype(np.float32)
    exact = fold(model)
    wanted = exact.predict(samples, verbose=0)
    files = {
        several: to_tflite(exact, precision="int8", calibration=samples, per_channel_dense=several).content
        for several in (False, True)
    }
    errors = {}
    for several, content in files.items():
        check_sound(content)
        dense = [node for node in read_graph(content).nodes if node.name == "FULLY_CONNECTED"]
        assert [node.inputs[1].scales.size for node in dense] == ([32, 5] if several else [1, 1])
        errors[several] = np.sqrt(np.mean((run(content, samples) - wanted) ** 2))
    # What is left is the rounding of the activations, by far the greater part of an output that is large.
    assert errors[True] < 0.8 * errors[False]
    for several, refused in ((False, 0), (True, 2)):
        verdicts = audit(files[several], delegate="nnapi", api_level=35)
        assert [one.name for one in verdicts if not one.taken] == ["FULLY_CONNECTED"] * refused


def normalised_dense():
    """Return a net with a batch normalisation whose outputs differ in size by orders of magnitude."""
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(1)
    normalise = layers.BatchNormalization()
    inputs = keras.Input((20,))
    model = keras.Model(inputs, layers.Dense(5)(layers.ReLU()(normalise(layers.Dense(32)(inputs)))))
    normalise.moving_variance.assign(np.exp(random.normal(0, 3, 32)))
    normalise.moving_mean.assign(random.normal(size=32))
    return model


@pytest.mark.parametrize("precision", ["float32", "float16", "dynamic"])
def test_scales_of_a_dense_kernel_are_refused_of_another_file_than_int8(precision):
    with pytest.raises(InputError, match=f"expected int8 for per_channel_dense, got '{precision}'"):
        to_tflite(normalised_dense(), precision=precision, per_channel_dense=True)


def test_float32_holds_no_quantised_weight(converted):
    details = interpreter_of(converted["float32"].content).get_tensor_details()
    assert {detail["dtype"] for detail in details} <= {np.float32, np.int32}


def test_int8_is_int8_between_its_uint8_ends(converted):
    entry = converted["int8"].entry
    assert (entry["inputs"][0]["type"], entry["outputs"][0]["type"]) == ("uint8", "uint8")
    # the raw pixel is the quantised input
    assert (entry["inputs"][0]["scale"], entry["inputs"][0]["zero_point"]) == (1.0, 0)
    interpreter = interpreter_of(converted["int8"].content)
    ends = {entry["inputs"][0]["name"], entry["outputs"][0]["name"]}
    kinds = {d["dtype"] for d in interpreter.get_tensor_details() if d["name"] and d["name"] not in ends}
    assert kinds <= {np.int8, np.int32}


def test_the_tied_subsampling_kernel_is_exact_in_int8(converted, model):
    details = interpreter_of(converted["int8"].content)
    kernels = [
        (d["quantization_parameters"]["scales"], details.get_tensor(d["index"]))
        for d in details.get_tensor_details()
        if d["dtype"] == np.int8
        and tuple(d["shape"]) == (1, 2, 2, 2)
        and len(d["quantization_parameters"]["scales"]) == 2
    ]
    (scales, kernel) = next((s, k) for s, k in kernels if (np.abs(k) == 127).all())
    coefficient = next(layer for layer in model.layers if isinstance(layer, TrainableSubsampling)).coefficient
    # all four taps are equal, so each is the largest of its channel: +-127 times |coefficient| / 127
    np.testing.assert_allclose(kernel[0, 0, 0] * scales, coefficient, rtol=1e-6)


def test_outputs_follow_the_model(converted, model, pixels):
    wanted = model.predict(pixels, verbose=0)
    # float32 differs by rounding. float16 weights are off by 2^-11 of themselves and dynamic and int8 ones by
    # up to half of 1/127 of the channel's largest; through three layers of this width and a softmax (slope
    # 1/4 at most) that stays below these.
    bounds = {"float32": 1e-6, "float16": 2e-3, "dynamic": 3e-2, "int8": 3e-2}
    for precision, bound in bounds.items():
        assert np.abs(run(converted[precision].content, pixels) - wanted).max() < bound, precision


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_same_weights_give_the_same_bytes(converted, model, pixels, precision):
    again = to_tflite(model, precision=precision, calibration=pixels)
    assert again.content == converted[precision].content


def test_the_entry_says_what_the_file_holds(converted):
    content, entry = converted["float32"]
    assert entry == {"precision": "float32", **describe(content)}
    assert entry["bytes"] == len(content)
    assert entry["inputs"] == [
        {"name": "serving_default_pixels:0", "shape": [1, 12, 12, 1], "type": "float32"}
    ]


@pytest.mark.parametrize(
    ("calibration", "message"),
    [
        (None, "expected calibration inputs for int8, got none"),
        (np.zeros((0, 12, 12, 1)), "expected one calibration input or more, got none"),
        (np.zeros((5, 12, 12)), r"expected calibration inputs of shape \(n, 12, 12, 1\), got \(5, 12, 12\)"),
        (np.full((5, 12, 12, 1), 3.0), "expected calibration inputs that differ, got the constant 3"),
        (np.full((5, 12, 12, 1), np.nan), "expected finite calibration inputs, got NaN or infinity"),
        (np.full((5, 12, 12, 1), "a"), "expected calibration inputs that are numbers, got .*"),
    ],
)
def test_bad_calibration_is_answered_in_one_line(model, calibration, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        to_tflite(model, precision="int8", calibration=calibration)


def test_bad_models_are_answered_in_one_line(model):
    with pytest.raises(InputError, match="expected a precision of float32, .*, got 'int4'"):
        to_tflite(model, precision="int4")
    x = keras.Input((None, 3))
    unknown = keras.Model(x, layers.Dense(2)(x))
    with pytest.raises(InputError, match="expected a model whose input shape is known"):
        to_tflite(unknown, precision="float32")
    x = keras.Input((3,))
    betainc = layers.Lambda(lambda x: tf.raw_ops.Betainc(a=x, b=x, x=x))
    unsupported = keras.Model(x, betainc(x))
    with pytest.raises(InputError, match="layers that TensorFlow Lite has operators for, got Betainc"):
        to_tflite(unsupported, precision="float32")


def test_a_lookup_table_goes_into_the_file():
    words = keras.Input((4,), dtype="string")
    numbers = layers.StringLookup(vocabulary=["one", "two"])(words)
    counted = keras.Model(words, layers.Dense(2)(layers.Flatten()(layers.Embedding(3, 2)(numbers))))
    assert "HASHTABLE_FIND" in operators(to_tflite(counted, precision="float32").entry)


def words_net(dtype):
    keras.utils.set_random_seed(3)
    words = keras.Input((5,), dtype=dtype, name="words")
    vectors = layers.Embedding(100, 4, embeddings_initializer="normal", name="vectors")(words)
    return keras.Model(words, layers.Dense(3, activation="softmax")(layers.Flatten()(vectors)))


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_whole_numbers_go_into_an_int8_file_as_they_are(dtype):
    words = np.random.default_rng(5).integers(0, 100, (60, 5))
    words_model = words_net(dtype)
    content, entry = to_tflite(words_model, precision="int8", calibration=words)
    assert (entry["inputs"][0]["type"], entry["outputs"][0]["type"]) == (dtype, "uint8")
    # A row's numbers are off by half a step of 1/127 of the largest, and so are the dense layer's weights.
    np.testing.assert_allclose(run(content, words), words_model.predict(words, verbose=0), atol=0.01)


def test_float_numbers_of_words_and_parts_of_whole_ones_are_refused_for_int8():
    words = np.random.default_rng(5).integers(0, 100, (60, 5))
    with pytest.raises(InputError, match="an input of int32 to the Embedding vectors for int8, got float"):
        to_tflite(words_net("float32"), precision="int8", calibration=words)
    for wrong in (words + 0.5, words + 200.0):
        with pytest.raises(
            InputError, match="calibration inputs that are whole numbers of uint8, got others"
        ):
            to_tflite(words_net("uint8"), precision="int8", calibration=wrong)


def test_what_is_no_tflite_file_is_refused(converted):
    for content in (b"", b"TFL3", b"\0" * 100, converted["float32"].content[:40], b"....TFL3" + b"\xff" * 64):
        with pytest.raises(InputError, match="expected a .tflite file.*, got "):
            describe(content)


def test_what_xnnpack_takes_is_counted_node_by_node(converted):
    count = sum(operator["count"] for operator in converted["float32"].entry["operators"])
    assert xnnpack_takes(converted["float32"].content) == (count, count)
    left = nodes_left(interpreter_of(converted["int8"].content))
    count = sum(operator["count"] for operator in converted["int8"].entry["operators"])
    assert xnnpack_takes(converted["int8"].content) == (count - len(left), count)
    assert "SOFTMAX" in left.values()  # XNNPACK has no int8 softmax


def test_a_model_that_xnnpack_does_not_take_is_said_so():
    x = keras.Input((4, 4))
    largest = layers.Lambda(lambda x: tf.math.top_k(x, 2)[0], output_shape=(2,))
    content = to_tflite(keras.Model(x, largest(x)), precision="float32").content
    assert xnnpack_takes(content) == (0, 1)
    assert [verdict(0, 3), verdict(2, 3), verdict(3, 3)] == ["none", "2 of 3", "all"]


def test_quantising_rounds_to_the_nearest_step_and_clips():
    detail = {"quantization": (0.5, -3), "dtype": np.int8}
    stored = quantize(np.array([0.0, 0.26, -1000.0, 1000.0], np.float32), detail)
    np.testing.assert_array_equal(stored, [-3, -2, -128, 127])
    np.testing.assert_array_equal(dequantize(stored, detail), [0.0, 0.5, -62.5, 65.0])


def test_running_says_what_shape_it_wants(converted):
    with pytest.raises(InputError, match=r"expected inputs of shape \(n, 12, 12, 1\), got \(2, 3\)"):
        run(converted["float32"].content, np.zeros((2, 3), np.float32))


def test_names_that_tensorflow_does_not_take_are_made_plain(rng):
    x = keras.Input((4,), name="my input")
    model = keras.Model(x, layers.Dense(3, name="_größe: 1.5")(x), name="2.0 net")
    values = rng.normal(size=(5, 4)).astype(np.float32)
    content = to_tflite(model, precision="float32").content
    np.testing.assert_allclose(run(content, values), model(values), atol=1e-6)


@pytest.mark.parametrize("package", ["keras", "tf_keras"])
def test_a_model_and_its_input_may_have_one_name(package, rng):
    one = import_keras(package)
    x, y = one.Input((4,), name="net"), one.Input((4,), name="net_2")
    single = one.Model(x, one.layers.Dense(3, name="d")(x), name="net")
    added = one.layers.Add(name="sum")([one.layers.Dense(4, name="d")(x), y])
    both = one.Model(
        {"net": x, "net_2": y}, {"sum": added, "less": one.layers.ReLU(name="r")(added)}, name="net"
    )
    values = {name: rng.normal(size=(1, 4)).astype(np.float32) for name in ("net", "net_2")}
    content = to_tflite(single, precision="float32").content
    np.testing.assert_allclose(run(content, values["net"]), single(values["net"]), atol=1e-6)
    signature = tf.lite.Interpreter(model_content=to_tflite(both, precision="float32").content)
    given = signature.get_signature_runner()(**values)
    for name, expected in both(values).items():
        np.testing.assert_allclose(given[name], expected, atol=1e-6)


def test_both_kerases_and_any_process_give_the_same_bytes(pixels):
    """Layers, weights and names are the same; nothing that a Keras counts up is in the file."""
    contents = []
    for one in 2 * [import_keras("keras"), import_keras("tf_keras")]:
        one.Input((1,))  # unnamed: counts up
        paper = classes(one)
        x = one.Input((12, 12, 1), name="pixels")
        y = one.layers.Conv2D(2, 3, padding="same", activation="tanh", name="C1")(x)
        y = paper.TrainableSubsampling(name="S2")(y)
        y = paper.PartialConv2D(table=[[0], [1], [0, 1]], kernel_size=2, name="C3")(y)
        y = one.layers.DepthwiseConv2D(3, activation="relu", name="D")(y)
        y = one.layers.BatchNormalization(name="B")(y)
        y = one.layers.Flatten(name="flat")(one.layers.MaxPooling2D(2, name="P")(y))
        net = one.Model(x, one.layers.Dense(4, activation="softmax", name="out")(y), name="net")
        draw = np.random.default_rng(4)
        net.set_weights([np.abs(draw.normal(size=w.shape)) * 0.2 for w in net.get_weights()])
        contents.append([to_tflite(fold(net), precision=p, calibration=pixels).content for p in PRECISIONS])
    assert all(one == contents[0] for one in contents)


def test_an_input_without_a_name_leaves_no_count_in_the_file():
    def content():
        x = keras.Input((4,))
        return to_tflite(keras.Model(x, layers.Dense(3, name="d")(x), name="m"), precision="float32").content

    first = content()
    assert b"input_layer:" in first
    assert [tensor.name for tensor in read_graph(content()).tensors] == [
        tensor.name for tensor in read_graph(first).tensors
    ]


def test_nothing_is_printed(model, capfd):
    to_tflite(model, precision="float32")
    words = layers.StringLookup(vocabulary=["one", "two"])  # exported by Keras itself
    x = keras.Input((4,), dtype="string")
    to_tflite(keras.Model(x, layers.Dense(2)(layers.Embedding(3, 2)(words(x)))), precision="float32")
    assert capfd.readouterr().out == ""


def test_an_enlargement_is_one_operator(rng):
    x = keras.Input((4, 4, 3), name="x")
    model = keras.Model(x, layers.UpSampling2D((2, 3))(x))
    entry, content = (lambda c: (c.entry, c.content))(to_tflite(model, precision="float32"))
    assert list(operators(entry)) == ["RESIZE_NEAREST_NEIGHBOR"]
    values = rng.normal(size=(2, 4, 4, 3)).astype(np.float32)
    np.testing.assert_array_equal(run(content, values), model(values))


def test_a_model_that_tensorflow_does_not_compute_is_told(model, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(
        InputError, match=r"expected Keras on TensorFlow \(KERAS_BACKEND=tensorflow\).*got jax"
    ):
        to_tflite(model, precision="float32")


def test_what_acts_in_training_only_is_not_in_the_file_of_a_model_that_is_not_folded(either_keras, rng):
    """Keras 3 notes that RandomFlip was called for training, whenever a model is built."""
    layers = either_keras.layers
    x = either_keras.Input((6, 6, 1), name="x")
    model = either_keras.Model(x, layers.RandomFlip(name="flip")(layers.Dropout(0.5)(x)))
    values = rng.normal(size=(20, 6, 6, 1)).astype(np.float32)
    np.testing.assert_array_equal(run(to_tflite(model, precision="float32").content, values), values)


@pytest.mark.parametrize(
    "options", [{}, {"center": False}, {"scale": False}, {"axis": (1, 2)}, {"epsilon": 0.1}]
)
def test_a_layer_normalisation_is_the_same_function(options, rng):
    x = keras.Input((6, 4), name="numbers")
    model = keras.Model(x, layers.LayerNormalization(**options)(x))
    for variable in model.weights:
        variable.assign(rng.normal(size=tuple(variable.shape)))
    samples = rng.normal(size=(20, 6, 4)).astype(np.float32)
    wanted = np.asarray(model(samples))
    got = run(to_tflite(model, precision="float32").content, samples)
    # Numbers of about 1, rounded some ten times to 2^-24 of themselves, divided by a deviation of about 1
    np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_a_layer_normalisation_is_computed_in_int8(rng):
    x = keras.Input((6, 8), name="numbers")
    model = keras.Model(x, layers.LayerNormalization()(x))
    samples = rng.normal(size=(40, 6, 8)).astype(np.float32)
    content = to_tflite(model, precision="int8", calibration=samples).content
    graph = read_graph(content)
    kinds = {one.type for node in graph.nodes for one in (*node.inputs, *node.outputs) if one is not None}
    assert kinds <= {"int8", "uint8", "int32"}
    error = run(content, samples) - np.asarray(model(samples))
    # Seven roundings, of which none is of more than some steps of the output's: of uniform noise each is
    # step / sqrt(12).
    assert np.sqrt(np.mean(error**2)) < 7 * graph.outputs[0].scales[0] / np.sqrt(12)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_an_output_that_is_an_input_is_passed_on(precision, rng):
    x = keras.Input((6, 4), name="numbers")
    samples = rng.integers(0, 256, (20, 6, 4)).astype(np.float32)
    for end in (x, layers.GaussianNoise(0.1)(x)):  # fold leaves out what acts in training only
        model = fold(keras.Model(x, end))
        content = to_tflite(model, precision=precision, calibration=samples).content
        np.testing.assert_array_equal(run(content, samples), samples)  # numbers from 0 to 255 have steps of 1
