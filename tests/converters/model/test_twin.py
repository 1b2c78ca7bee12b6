"""A Keras 3 model's twin in Keras 2: the same numbers and names, or a refusal that names the reason."""

from __future__ import annotations

import inspect
import re

import hypothesis
import keras
import numpy as np
import pytest
import tf_keras
from hypothesis import strategies as st

from converters.base.errors import InputError
from converters.layers.assembled import AssembledConv2D
from converters.layers.definition import LayerDefinition, keras_layer
from converters.model.graph import graph_of
from converters.model.quantize_aware import quantize_aware
from converters.model.twin import TOLERANCE, check_twin, twin

layers, ops = keras.layers, keras.ops

PICTURE, ROW, VALUES, BLOCK = (8, 8, 3), (6, 4), (5,), (4, 4, 4, 2)


def shaken(model, rng):
    """Return `model` with random positive weights, so that nothing is 0 or 1 by chance."""
    for variable in model.weights:
        if "float" in variable.dtype:
            variable.assign(np.abs(rng.normal(0.5, 0.3, variable.shape)) + 0.01)
    for layer in model.layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()
    return model


def inputs_for(model, rng, count=4):
    """Return random inputs for each of the model's, in a list if they are several."""
    made = [
        rng.normal(size=(count, *one.shape[1:])).astype("float32")
        if "float" in one.dtype
        else rng.integers(0, 4, (count, *one.shape[1:])).astype(one.dtype)
        for one in model.inputs
    ]
    return made if len(made) > 1 else made[0]


def assert_same(model, rng):
    """Make the twin, compare its outputs on random inputs, and return it."""
    two = twin(model)
    x = inputs_for(model, rng)
    check_twin(two, model, x if len(model.inputs) > 1 else [x])
    wanted, got = (keras.tree.flatten(one(x, training=False)) for one in (model, two))
    assert len(wanted) == len(got)
    for left, right in zip(wanted, got, strict=True):
        left = np.asarray(left)
        # One layer, or some: both sum the same numbers, perhaps in another order.
        np.testing.assert_allclose(right, left, atol=1e-5 * max(1.0, np.abs(left).max()))
    return two


def case(name, shape, *arguments, kinds=("float32",), **options):
    """A layer to be tried: the class `name`, on inputs of `shape`, one for each of the types `kinds`."""

    def model():
        inputs = [keras.Input(shape, dtype=kind, name=f"x{n}") for n, kind in enumerate(kinds)]
        layer = getattr(layers, name)(*[a() if inspect.isfunction(a) else a for a in arguments], **options)
        apart = name == "MultiHeadAttention"
        return keras.Model(inputs, layer(*inputs) if apart or len(inputs) == 1 else layer(inputs))

    words = [f"{key}={value}" for key, value in options.items()]
    return pytest.param(name, model, id=" ".join([name, *words])[:60])


TWO = ("float32", "float32")
BY_RANK = [
    made
    for n, shape in ((1, ROW), (2, PICTURE), (3, BLOCK))
    for made in (
        *(case(f"{kind}Pooling{n}D", shape, 2, padding="same") for kind in ("Average", "Max")),
        *(case(f"Global{kind}Pooling{n}D", shape, keepdims=True) for kind in ("Average", "Max")),
        *(case(f"{kind}{n}D", shape, 1) for kind in ("Cropping", "ZeroPadding")),
        case(f"UpSampling{n}D", shape, 2),
        case(f"SpatialDropout{n}D", shape, 0.2),
        case(f"Conv{n}D", shape, 4, 2, padding="same", activation="relu"),
        case(f"Conv{n}DTranspose", shape, 3, 2, strides=2),
        case(f"ConvLSTM{n}D", (2, *shape), 2, 2),
    )
]
EQUAL = [
    *BY_RANK,
    *(case(f"SeparableConv{n}D", shape, 4, 2) for n, shape in ((1, ROW), (2, PICTURE))),
    *(case(f"DepthwiseConv{n}D", shape, 2, depth_multiplier=2) for n, shape in ((1, ROW), (2, PICTURE))),
    *(case(n, PICTURE, kinds=TWO) for n in ("Add", "Average", "Concatenate", "Maximum", "Minimum")),
    *(case(n, PICTURE, kinds=TWO) for n in ("Multiply", "Subtract")),
    *(case(n, VALUES, 0.2) for n in ("AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise")),
    *(case(n, PICTURE, 0.1) for n in ("RandomBrightness", "RandomContrast", "RandomRotation", "RandomZoom")),
    case("Activation", VALUES, "softplus"),
    case("Activation", VALUES, "hard_sigmoid"),
    case("Activation", VALUES, "silu"),
    case("Activation", VALUES, "log_softmax"),
    case("ActivityRegularization", VALUES),
    case("AdditiveAttention", ROW, kinds=TWO),
    case("Attention", ROW, kinds=TWO),
    case("Attention", ROW, kinds=TWO, use_scale=True, score_mode="concat"),
    case("BatchNormalization", PICTURE),
    case("BatchNormalization", PICTURE, axis=1, synchronized=True, scale=False),
    case("BatchNormalization", PICTURE, renorm=True),
    case("Bidirectional", ROW, lambda: layers.LSTM(3)),
    case("CategoryEncoding", VALUES, num_tokens=5, kinds=("int32",)),
    case("CenterCrop", PICTURE, 4, 4),
    case("Conv1D", ROW, 3, 2, padding="causal"),
    case("Conv2D", PICTURE, 4, 3, dilation_rate=2, data_format="channels_last"),
    case("Dense", VALUES, 3, activation="gelu", kernel_regularizer="l2", bias_constraint="max_norm"),
    case("Dense", VALUES, 3, kernel_regularizer=keras.regularizers.OrthogonalRegularizer()),
    case("Dense", VALUES, 3, activation=layers.ReLU(0.5)),
    case("Dense", VALUES, 3, activation="hard_silu"),
    case("Discretization", VALUES, bin_boundaries=[-1.0, 0.0, 1.0]),
    case("Dot", ROW, axes=2, kinds=TWO),
    case("Dropout", VALUES, 0.2, seed=3),
    case("ELU", VALUES, alpha=0.3),
    case("EinsumDense", ROW, "abc,cd->abd", (None, 3), bias_axes="d"),
    case("Embedding", VALUES, 5, 3, mask_zero=True, kinds=("int32",)),
    case("Flatten", PICTURE),
    case("Flatten", PICTURE, data_format="channels_first"),
    case("GRU", ROW, 3, return_sequences=True),
    case("GRU", ROW, 3, reset_after=False, go_backwards=True),
    case("GroupNormalization", (8, 8, 4), groups=2),
    case("HashedCrossing", (1,), num_bins=3, kinds=("int32", "int32")),
    case("Hashing", VALUES, num_bins=3, kinds=("int32",)),
    case("Identity", VALUES),
    case("LSTM", ROW, 3, use_cudnn=False),
    case("LSTM", ROW, 3, recurrent_activation="hard_sigmoid"),
    case("Lambda", VALUES, lambda: ops.square),
    case("LayerNormalization", PICTURE, axis=(1, 2)),
    case("LeakyReLU", VALUES, negative_slope=0.1),
    case("Masking", ROW),
    case("MultiHeadAttention", ROW, 2, 3, kinds=TWO),
    case("Normalization", PICTURE),
    case("Normalization", PICTURE, mean=[1.0, 2.0, 3.0], variance=[1.0, 2.0, 3.0], invert=True),
    case("PReLU", VALUES),
    case("Permute", ROW, (2, 1)),
    case("RNN", ROW, lambda: layers.LSTMCell(3)),
    case("RNN", ROW, lambda: layers.StackedRNNCells([layers.GRUCell(3), layers.SimpleRNNCell(2)])),
    case("RandomFlip", PICTURE),
    case("RandomTranslation", PICTURE, 0.1, 0.1),
    case("ReLU", VALUES, 6.0, 0.1, 0.2),
    case("RepeatVector", VALUES, 3),
    case("Rescaling", PICTURE, 0.5, [1.0, 2.0, 3.0]),
    case("Reshape", PICTURE, (4, -1)),
    case("Resizing", PICTURE, 4, 5),
    case("SimpleRNN", ROW, 3),
    case("Softmax", VALUES),
    case("SpectralNormalization", PICTURE, lambda: layers.Conv2D(3, 2)),
    case("TimeDistributed", (3, *PICTURE), lambda: layers.Conv2D(2, 3)),
    case("UnitNormalization", PICTURE),
    case("UpSampling2D", PICTURE, 2, interpolation="bilinear"),
]
REFUSED = [
    (case("Conv2D", PICTURE, 4, 3, lora_rank=2), "an option of .* that Keras 2 has too, got lora_alpha=2"),
    (case("IntegerLookup", VALUES, vocabulary=[1, 2], kinds=("int64",)), "to be rebuilt in Keras 2, got "),
    (case("LSTM", ROW, 3, zero_output_for_mask=True), "Keras 2 has too, got zero_output_for_mask=True"),
    (case("Lambda", VALUES, lambda: lambda a: a + a), "a function with a name in .*, got <lambda>: define"),
    (case("RMSNormalization", VALUES), "a layer that Keras 2 has too, got .*, a RMSNormalization"),
    (case("RandomCrop", PICTURE, 4, 4), "got others from random_crop.*, off by inf of the largest"),
    (case("Resizing", PICTURE, 4, 5, antialias=True), "Keras 2 has too, got antialias=True"),
    (case("StringLookup", VALUES, vocabulary=["a"], kinds=("string",)), "to be rebuilt in Keras 2, got "),
    (case("TextVectorization", (1,), vocabulary=["a"], kinds=("string",)), ", got "),
]


@pytest.mark.parametrize(("name", "model"), EQUAL)
def test_a_layer_that_both_have_gives_equal_outputs(rng, name, model):
    assert_same(shaken(model(), rng), rng)


@pytest.mark.parametrize(
    ("name", "model", "message"),
    [pytest.param(*made.values, message, id=made.id) for made, message in REFUSED],
)
def test_a_layer_that_is_another_in_keras_2_is_refused_with_the_reason(rng, name, model, message):
    with pytest.raises(InputError, match=message):
        assert_same(shaken(model(), rng), rng)


def test_each_layer_that_both_have_is_tried():
    abstract = {"InputLayer", "Layer", "Wrapper"}
    cells = {"GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"}  # within RNN
    both = {
        name
        for name, one in vars(layers).items()
        if inspect.isclass(one)
        and issubclass(one, layers.Layer)
        and one.__name__ == name
        and hasattr(tf_keras.layers, name)
    }
    tried = {one.values[0] for one in [*EQUAL, *(made for made, _ in REFUSED)]}
    assert both - abstract - cells <= tried


def _branch(merge):
    def step(tensor, shared):
        left = layers.Conv2D(4, 1)(tensor)
        right = layers.DepthwiseConv2D(3, padding="same", activation="tanh")(layers.Conv2D(4, 1)(tensor))
        return merge(left, right)

    return step


def _nested(tensor, shared):
    inner = keras.Input(tensor.shape[1:])
    y = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(3, 3, padding="same")(inner)))
    model = keras.Model(inner, layers.Concatenate()([inner, y]))
    return model(tensor)


def _twice(tensor, shared):
    return shared(shared(layers.Conv2D(4, 1)(tensor)))


_STEPS = {
    "add": _branch(lambda left, right: layers.Add()([left, right])),
    "plus": _branch(lambda left, right: left + right),
    "scaled": lambda tensor, shared: 0.5 * tensor - 1.0,
    "concatenate": _branch(lambda left, right: ops.concatenate([left, right], axis=-1)),
    "normalise": lambda tensor, shared: layers.ReLU(6.0)(layers.BatchNormalization()(tensor)),
    "weigh": lambda tensor, shared: tensor * ops.sigmoid(ops.mean(tensor, axis=(1, 2), keepdims=True)),
    "turn": lambda tensor, shared: ops.transpose(tensor, (0, 2, 1, 3)),
    "pool": lambda tensor, shared: layers.MaxPooling2D(2, padding="same")(tensor),
    "nested": _nested,
    "twice": _twice,
}


@st.composite
def random_models(draw):
    """Return a built functional model of Keras 3: (batch, 8, 8, 2) to (batch, 3)."""
    pixels = keras.Input((8, 8, 2), name="pixels")
    tensor, shared = pixels, layers.Conv2D(4, 3, padding="same", activation="relu", name="shared")
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(sorted(_STEPS)))
        if kind == "pool" and tensor.shape[1] < 4:
            continue
        tensor = _STEPS[kind](tensor, shared)
    return keras.Model(pixels, layers.Dense(3)(layers.GlobalAveragePooling2D()(tensor)), name="drawn")


@hypothesis.settings(max_examples=30)
@hypothesis.given(model=random_models(), seed=st.integers(0, 2**16))
def test_random_models_have_twins_of_the_same_numbers(model, seed):
    rng = np.random.default_rng(seed)
    two = assert_same(shaken(model, rng), rng)
    assert two.count_params() == model.count_params()


OPERATIONS = {
    "add": (lambda a, b: a + b, "Add"),
    "subtract": (lambda a, b: a - b, "Subtract"),
    "multiply": (lambda a, b: a * b, "Multiply"),
    "maximum": (lambda a, b: ops.maximum(a, b), "Maximum"),
    "minimum": (lambda a, b: ops.minimum(a, b), "Minimum"),
    "concatenate": (lambda a, b: ops.concatenate([a, b], axis=1), "Concatenate"),
    "relu": (lambda a, b: ops.relu(a), "Activation"),
    "relu6": (lambda a, b: ops.relu6(a), "ReLU"),
    "tanh": (lambda a, b: ops.tanh(a), "Activation"),
    "sigmoid": (lambda a, b: ops.sigmoid(a), "Activation"),
    "softmax": (lambda a, b: ops.softmax(a, axis=1), "Softmax"),
    "a number before": (lambda a, b: 1.0 - a, "KerasOperation"),
    "a number behind": (lambda a, b: a * 2.0, "KerasOperation"),
    "a number for each": (lambda a, b: a * np.array([1, 2, 3], "float32"), "KerasOperation"),
    "another rank": (lambda a, b: a + ops.sum(b, axis=(0, 1)), "KerasOperation"),
    "itself": (lambda a, b: a + a, "Add"),
    "mean": (lambda a, b: ops.mean(a, axis=(1, 2)), "KerasOperation"),
    "reshape": (lambda a, b: ops.reshape(a, (-1, 64, 3)), "KerasOperation"),
    "slice": (lambda a, b: a[:, 1:5, ..., ::2], "KerasOperation"),
    "one row": (lambda a, b: a[:, 0], "KerasOperation"),
    "stack": (lambda a, b: ops.stack([a, b], axis=1), "KerasOperation"),
    "split": (lambda a, b: ops.split(a, 3, axis=-1)[1], "KerasOperation"),
    "where": (lambda a, b: ops.where(a > 0.5, a, b), "KerasOperation"),
    "cast": (lambda a, b: ops.cast(a > 0.5, "float32"), "KerasOperation"),
    "by name": (lambda a, b: ops.clip(a, x_min=-0.5, x_max=0.5), "KerasOperation"),
    "convolution": (lambda a, b: ops.average_pool(a, 2, padding="same"), "KerasOperation"),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_in_the_graph_becomes_a_layer(rng, name):
    operation, kind = OPERATIONS[name]
    a, b = (keras.Input(PICTURE, name=side) for side in "ab")
    model = keras.Model([a, b], operation(layers.Identity()(a), layers.Identity()(b)))
    two = assert_same(model, rng)
    assert type(two.layers[-1]).__name__ == kind
    # As tensorflow-model-optimization does: every layer anew from its configuration.
    copy, x = tf_keras.models.clone_model(two), inputs_for(model, rng)
    for left, right in zip(keras.tree.flatten(copy(x)), keras.tree.flatten(two(x)), strict=True):
        np.testing.assert_array_equal(left, right)


class Swirl(keras.Operation):
    """Somebody's own operation, not registered."""

    def call(self, x):
        return ops.sin(x)

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, x.dtype)


def test_an_operation_of_somebodys_own_is_named():
    x = keras.Input(VALUES)
    message = "expected layers, functions of keras.ops or registered operations, got swirl, a Swirl"
    with pytest.raises(InputError, match=message):
        twin(keras.Model(x, Swirl(name="swirl")(x)))


def test_models_within_are_inlined_and_shared_layers_stay_one(rng):
    shared = layers.Dense(5, name="shared")
    inner = keras.Sequential([keras.Input(VALUES), shared, layers.ReLU(name="relu")], name="inner")
    x = keras.Input(VALUES, name="x")
    model = shaken(keras.Model(x, [inner(shared(x)), inner(x)]), rng)
    two = assert_same(model, rng)
    assert sorted(layer.name for layer in two.layers) == ["relu", "shared", "x"]
    assert two.count_params() == model.count_params() == 30


def test_inputs_and_outputs_keep_their_names_and_nesting(rng):
    inputs = {"left": keras.Input((3,), name="left"), "right": keras.Input((3,), name="right")}
    total = layers.Add(name="total")([inputs["left"], inputs["right"]])
    model = keras.Model(inputs, {"total": total, "twice": layers.Rescaling(2.0)(total)}, name="named")
    two = twin(model)
    x = {"left": np.ones((2, 3)), "right": np.full((2, 3), 2.0)}
    for name, value in two(x).items():
        np.testing.assert_array_equal(value, model(x)[name])
    assert two.name == "named"


def test_the_names_of_layers_and_weights_are_kept(rng):
    x = keras.Input(PICTURE, name="pixels")
    y = layers.DepthwiseConv2D(2, name="each")(layers.Conv2D(2, 3, name="C1")(x))
    two = twin(keras.Model(x, layers.Dense(2, name="F6")(layers.Flatten(name="flat")(y))))
    assert [layer.name for layer in two.layers] == ["pixels", "C1", "each", "flat", "F6"]
    assert [weight.name for weight in two.get_layer("each").weights] == [
        "each/depthwise_kernel:0",
        "each/bias:0",
    ]


def test_what_acts_in_training_does_so_in_the_twin(rng):
    x = keras.Input((1000,))
    two = twin(keras.Model(x, layers.Dropout(0.5)(x)))
    ones = np.ones((1, 1000), "float32")
    assert 300 < (two(ones, training=True).numpy() == 0).sum() < 700
    np.testing.assert_array_equal(two(ones, training=False), ones)


def test_frozen_layers_stay_frozen():
    x = keras.Input(VALUES)
    two = twin(keras.Model(x, layers.Dense(2)(layers.Dense(3, trainable=False, name="frozen")(x))))
    assert len(two.trainable_weights) == 2
    assert not two.get_layer("frozen").trainable


@keras.saving.register_keras_serializable(package="mine")
def doubled_tanh(a):
    return 2 * ops.tanh(a)


def halved_tanh(a):
    return ops.tanh(a) / 2


@pytest.mark.parametrize("function", [doubled_tanh, halved_tanh])
def test_a_function_with_keras_ops_computes_in_the_twin(rng, function):
    x = keras.Input(PICTURE)
    model = keras.Model(x, layers.Activation(function)(layers.Conv2D(2, 3, activation=function)(x)))
    two = assert_same(shaken(model, rng), rng)
    copy = tf_keras.models.clone_model(two)
    copy.set_weights(two.get_weights())
    data = inputs_for(model, rng)
    np.testing.assert_array_equal(copy(data), two(data))


def test_a_function_that_is_defined_anew_counts_as_it_is_now(rng):
    x = keras.Input(VALUES)
    for times in (2.0, 3.0):  # as a cell of a notebook that is run again

        def scaled(a, times=times):
            return times * a

        keras.saving.register_keras_serializable(package="again")(scaled)
        assert_same(keras.Model(x, layers.Activation(scaled)(x)), rng)


def test_a_function_without_a_name_is_refused():
    x = keras.Input(VALUES)
    with pytest.raises(InputError, match="expected a function with a name in act, got <lambda>: define it"):
        twin(keras.Model(x, layers.Activation(lambda a: a * 2, name="act")(x)))


def test_a_function_that_computes_in_keras_3_only_is_refused_by_its_layer():
    def through_numpy(a):
        if type(a).__name__ == "KerasTensor":
            return a
        raise TypeError("no such tensors, please")

    x = keras.Input(VALUES)
    with pytest.raises(InputError, match=r"expected act to compute in Keras 2, got TypeError: .*no such"):
        twin(keras.Model(x, layers.Activation(through_numpy, name="act")(x)))


@keras_layer(package="mine")
class Weighed(LayerDefinition):
    """y = scale * x, written once for both Kerases."""

    def __init__(self, *, power=1, **options):
        super().__init__(**options)
        self.power = power

    def build(self, shape):
        self.scale = self.add_weight(name="scale", shape=(shape[-1],), initializer="ones")
        super().build(shape)

    def call(self, inputs):
        return self.ops.multiply(inputs, self.ops.power(self.scale, self.power))

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        return {**super().get_config(), "power": self.power}


class Cubed(Weighed):
    """A subclass of a layer that is written once; it is not itself."""

    def call(self, inputs):
        return inputs * self.scale**3


@keras.saving.register_keras_serializable(package="mine")
class Shifted(layers.Layer):
    """Registered in both Kerases by hand."""

    def build(self, shape):
        self.shift = self.add_weight(name="shift", shape=(shape[-1],))

    def call(self, inputs):
        return inputs + self.shift


@tf_keras.saving.register_keras_serializable(package="mine", name="Shifted")
class ShiftedInKeras2(tf_keras.layers.Layer):
    def build(self, shape):
        self.shift = self.add_weight("shift", (shape[-1],))

    def call(self, inputs):
        return inputs + self.shift


@keras.saving.register_keras_serializable(package="mine")
class Alone(layers.Layer):
    def call(self, inputs):
        return inputs


@keras.saving.register_keras_serializable(package="mine")
class Swapped(layers.Layer):
    def build(self, shape):
        self.first = self.add_weight(name="first", shape=(shape[-1],))
        self.second = self.add_weight(name="second", shape=(shape[-1],))

    def call(self, inputs):
        return inputs * self.first + self.second


@tf_keras.saving.register_keras_serializable(package="mine", name="Swapped")
class SwappedInKeras2(tf_keras.layers.Layer):
    SECOND = VALUES

    def build(self, shape):
        self.second = self.add_weight("second", self.SECOND)
        self.first = self.add_weight("first", (shape[-1],))

    def call(self, inputs):
        return inputs * self.first + self.second


def on_values(layer):
    x = keras.Input(VALUES, name="x")
    return keras.Model(x, layer(layers.Dense(5, name="before")(x)), name="net")


def test_a_layer_that_is_written_once_has_a_twin(rng):
    model = shaken(on_values(Weighed(power=2, name="weighed")), rng)
    two = assert_same(model, rng)
    assert type(two.get_layer("weighed")).__name__ == "Weighed"
    assert isinstance(two.get_layer("weighed"), tf_keras.layers.Layer)
    within = layers.TimeDistributed(Weighed(power=2))
    x = keras.Input(ROW)
    assert_same(shaken(keras.Model(x, within(x)), rng), rng)


def test_a_layer_that_is_registered_in_both_has_a_twin(rng):
    assert_same(shaken(on_values(Shifted()), rng), rng)


@pytest.mark.parametrize(
    ("layer", "name"), [(Alone(name="mine"), "mine>Alone"), (Cubed(name="mine"), "Cubed")]
)
def test_a_layer_of_keras_3_alone_is_named_with_what_helps(layer, name):
    message = (
        f"expected a layer that Keras 2 has too, as {name}, got mine, a {type(layer).__name__}: "
        "write it once for both, decorated by @keras_layer (converters), or register a layer of tf_keras"
    )
    with pytest.raises(InputError, match=re.escape(message)):
        twin(on_values(layer))


def test_weights_of_another_order_are_copied_by_name_and_of_another_shape_refused(rng, monkeypatch):
    model = shaken(on_values(Swapped(name="mine")), rng)
    assert_same(model, rng)
    monkeypatch.setattr(SwappedInKeras2, "SECOND", (1,))
    message = "in mine of Keras 3, first 5, second 5, got first 5, second 1"
    with pytest.raises(InputError, match=f"expected the same weights in Keras 2 as {message}"):
        twin(model)


def test_the_first_layer_that_departs_is_named_and_by_how_much(rng, monkeypatch):
    model = shaken(on_values(Shifted(name="moved")), rng)
    x = inputs_for(model, rng, count=150)
    monkeypatch.setattr(ShiftedInKeras2, "call", lambda self, inputs: inputs + 1.5 * self.shift)
    message = r"got others from moved, off by 0\.\d+ of the largest \(allowed: 0\.0001\)"
    with pytest.raises(InputError, match=message):
        check_twin(twin(model), model, [x])
    with pytest.raises(InputError, match=message):
        quantize_aware(model, calibration=x)


def test_a_departure_in_the_last_sample_is_found_and_one_of_a_rounding_is_allowed(rng):
    model = shaken(on_values(layers.ReLU(name="relu")), rng)
    two, x = twin(model), inputs_for(model, rng, count=150)
    kernel = two.get_layer("before").kernel
    kernel.assign(kernel * (1 + TOLERANCE / 10))
    check_twin(two, model, [x])
    kernel.assign(kernel * (1 + 10 * TOLERANCE))
    quiet = np.zeros_like(x)
    check_twin(two, model, [quiet])
    quiet[-1] = np.abs(x[-1]) + 1
    with pytest.raises(InputError, match=r"got others from before, off by 0\.0009"):
        check_twin(two, model, [quiet])


class Own(keras.Model):
    def call(self, inputs):
        return inputs


def test_what_is_no_keras_3_graph_is_refused():
    built = Own()
    built.build((None, 3))
    with pytest.raises(InputError, match="expected a functional or sequential model, got Own"):
        twin(built)
    with pytest.raises(InputError, match="expected a model of Keras 3, got one of Keras 2"):
        twin(tf_keras.Sequential([tf_keras.layers.Dense(2, input_shape=(3,))]))
    with pytest.raises(InputError, match="expected a built Keras model, got int"):
        twin(3)


def test_the_given_model_is_not_changed(rng):
    model = shaken(on_values(Weighed(name="weighed")), rng)
    before = [np.asarray(weight) for weight in model.weights]
    two = twin(model)
    for weight in two.weights:
        weight.assign(weight + 1)
    for old, new in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(new, old)
    assert [call.name for call in graph_of(model).calls] == ["x", "before", "weighed"]


def test_assembled_layers_have_twins_with_their_kernels(rng):
    @keras_layer(package="mine")
    class Even(AssembledConv2D):
        operation, kernel_weight = "conv2d", "half"

        def build(self, shape):
            self.half = self.add_weight(name="half", shape=(2, 1, shape[-1], 2))
            self.bias = self.add_weight(name="bias", shape=(2,))
            super().build(shape)

        def assemble(self, weight):
            return self.ops.concatenate([weight, weight], axis=1)

    x = keras.Input(PICTURE)
    model = shaken(keras.Model(x, Even(strides=(1, 2), activation="tanh")(x)), rng)
    assert_same(model, rng)
