"""fine_tune: from a trained model and any usual form of data to an int8 model, in one call."""

from __future__ import annotations

import keras as keras_3
import numpy as np
import pytest
import tf_keras

from converters.base.environment import tf
from converters.base.errors import InputError
from converters.model import fine_tuning
from converters.model.conversion import to_tflite
from converters.model.fine_tuning import fine_tune
from converters.model.folding import fold
from converters.model.unrounded import is_quantized
from converters.runtimes.tensorflow_interpreter import run
from lenet_edge.paper.in_keras import classes

ops = keras_3.ops


@pytest.fixture(scope="module")
def data():
    """Inputs whose label is the half with more in it: (120, 8, 8, 1), pixels 0..255, and (120,)."""
    rng = np.random.default_rng(11)
    pixels = rng.integers(0, 128, (120, 8, 8, 1)).astype("float32")
    labels = np.arange(120) % 2
    pixels[labels == 0, :, :4] += 100
    pixels[labels == 1, :, 4:] += 100
    return pixels, labels


def net(keras, *, last="softmax", outputs=2):
    layers = keras.layers
    x = keras.Input((8, 8, 1), name="pixels")
    y = layers.Conv2D(3, 3, activation="tanh", name="C1")(layers.Rescaling(1 / 255)(x))
    y = layers.Flatten()(classes(keras).TrainableSubsampling(name="S2")(y))
    return keras.Model(x, layers.Dense(outputs, activation=last, name="F6")(y), name="net")


@pytest.fixture(scope="module", params=[keras_3, tf_keras], ids=["keras", "tf_keras"])
def trained(request, data):
    keras = request.param
    keras.utils.set_random_seed(3)
    model = net(keras)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(*data, epochs=6, verbose=0)
    return model


@pytest.fixture(scope="module")
def keras_3_model(data):
    keras_3.utils.set_random_seed(3)
    return net(keras_3)


def tuned(model, data, **options):
    return fine_tune(model, data, **{"epochs": 1, "verbose": False, **options})


def weights(model):
    return [np.asarray(weight) for weight in model.weights]


def assert_equal_weights(left, right):
    for one, other in zip(weights(left), weights(right), strict=True):
        np.testing.assert_array_equal(one, other)


def divergence(got, wanted):
    return np.mean(np.sum(wanted * (np.log(wanted + 1e-7) - np.log(got + 1e-7)), axis=1))


def test_it_answers_as_before_with_few_bits_better_than_untrained(trained, data):
    pixels, _ = data
    before = weights(trained)
    wanted = np.asarray(trained(pixels))
    two = {"weight_bits": 2, "per_channel": False}
    untrained = tuned(trained, pixels, learning_rate=1e-12, **two)
    model = tuned(trained, pixels, epochs=20, learning_rate=2e-5, validation_data=pixels, **two)
    assert is_quantized(model)
    assert divergence(model(pixels).numpy(), wanted) < 0.9 * divergence(untrained(pixels).numpy(), wanted)
    for old, new in zip(before, weights(trained), strict=True):
        np.testing.assert_array_equal(new, old)


def test_the_file_answers_as_the_model_it_returns(trained, data):
    pixels, labels = data
    model = tuned(trained, data, epochs=2)
    content = to_tflite(model, precision="int8").content
    # A softmax of two is at most a quarter as steep as its logits; those are rounded to 1/255 of some 10.
    np.testing.assert_allclose(run(content, pixels), model(pixels).numpy(), atol=1 / 256 + 10 / 255 / 4)
    assert np.mean(run(content, pixels).argmax(axis=1) == labels) > 0.95


def test_every_form_of_the_same_batches_gives_the_same_weights(keras_3_model, data):
    pixels, labels = data
    parts = [(pixels[start : start + 40], labels[start : start + 40]) for start in (0, 40, 80)]
    dataset = tf.data.Dataset.from_tensor_slices(data).batch(40)

    class Numbered(keras_3.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, number):
            return parts[number]

    forms = {
        "list": parts,
        "without labels": [part for part, _ in parts],
        "dataset": dataset,
        "PyDataset": Numbered(),
    }
    options = {"epochs": 2, "calibration": pixels}
    wanted = tuned(keras_3_model, parts, **options)
    for form in forms.values():
        assert_equal_weights(tuned(keras_3_model, form, **options), wanted)
    for endless in (dataset.repeat(), iter(dataset.repeat()), iter([*parts, *parts])):
        assert_equal_weights(tuned(keras_3_model, endless, steps_per_epoch=3, **options), wanted)
    once = tuned(keras_3_model, iter(parts), calibration=pixels)
    assert_equal_weights(once, tuned(keras_3_model, parts, calibration=pixels))


def test_arrays_are_read_in_an_order_drawn_from_the_seed(keras_3_model, data):
    pixels, _ = data
    first, again, other = (tuned(keras_3_model, pixels, seed=seed) for seed in (1, 1, 2))
    assert_equal_weights(first, again)
    kernels = [model.get_layer("quant_F6").trainable_weights[0].numpy() for model in (first, other)]
    assert (kernels[0] != kernels[1]).any()


def test_it_calibrates_on_the_inputs_unless_told_otherwise(keras_3_model, data, monkeypatch):
    pixels, _ = data
    seen = []
    own = fine_tuning.quantize_aware
    monkeypatch.setattr(
        fine_tuning, "quantize_aware", lambda m, **o: seen.append(o["calibration"]) or own(m, **o)
    )
    monkeypatch.setattr(fine_tuning, "_CALIBRATION", 30)
    tuned(keras_3_model, pixels)
    tuned(keras_3_model, [pixels[:40], pixels[40:]])
    tuned(keras_3_model, iter([pixels[:20], pixels[20:]]))
    tuned(keras_3_model, pixels, calibration=pixels[:7])
    assert [len(samples) for samples in seen] == [30, 30, 30, 7]
    np.testing.assert_array_equal(seen[0][[0, -1]], pixels[[0, -1]])  # spread over a sorted array
    np.testing.assert_array_equal(seen[2], pixels[:30])


def test_the_best_epoch_is_kept_and_the_one_before_training_counts(trained, data):
    pixels, labels = data
    loss = {"loss": "sparse_categorical_crossentropy", "validation_data": data, "calibration": pixels}
    start = tuned(trained, data, **loss, learning_rate=1e-12)
    spoilt = tuned(trained, (pixels, 1 - labels), **loss, learning_rate=0.05, epochs=3)  # labels exchanged
    for one, other in zip(weights(start), weights(spoilt), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-8)
    last = tuned(trained, (pixels, 1 - labels), **{**loss, "validation_data": None}, learning_rate=0.05)
    moved = [np.abs(one - other).max() for one, other in zip(weights(start), weights(last), strict=True)]
    assert max(moved) > 0.01


def of_labels(labels, outputs):
    return ops.mean(ops.square(ops.one_hot(ops.cast(labels, "int32"), 2) - outputs), axis=-1)


LOSSES = {
    "name": "mean_squared_error",
    "function of Keras 3": keras_3.losses.mean_squared_error,
    "function of Keras 2": tf_keras.losses.mean_squared_error,
    "object of Keras 3": keras_3.losses.MeanSquaredError(),
    "object of Keras 2": tf_keras.losses.MeanSquaredError(),
}


def test_losses_of_each_kind_are_the_same_function(trained, data):
    pixels, labels = data
    one_hot = np.eye(2, dtype="float32")[labels]
    # Adam's steps have one size, whatever the gradient's; larger ones of SGD lead anywhere on raw pixels.
    steps = {"optimizer": "sgd", "learning_rate": 1e-6}
    models = [tuned(trained, (pixels, one_hot), loss=loss, **steps) for loss in LOSSES.values()]
    models.append(tuned(trained, (pixels, labels), loss=of_labels, **steps))
    for model in models[1:]:
        for one, other in zip(weights(models[0]), weights(model), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-8)
    other = tuned(trained, (pixels, one_hot), loss="mean_absolute_error", **steps)
    assert any((a != b).any() for a, b in zip(weights(models[0]), weights(other), strict=True))


@pytest.mark.parametrize(
    ("last", "outputs", "name"),
    [("softmax", 2, "KLDivergence"), ("sigmoid", 1, "BinaryCrossentropy"), ("linear", 2, "MeanSquaredError")],
)
def test_the_loss_without_labels_is_that_of_the_last_function(data, last, outputs, name):
    model = net(keras_3, last=last, outputs=outputs)
    assert type(fine_tuning._own_loss(fold(model))).__name__ == name
    assert is_quantized(tuned(model, data[0]))


def test_optimizers_of_each_kind_make_the_same_steps(keras_3_model, data):
    pixels, _ = data
    rate = keras_3.optimizers.schedules.PolynomialDecay(1e-3, 100)
    same = [
        [{"optimizer": "sgd", "learning_rate": 1e-3}]
        + [{"optimizer": keras.optimizers.SGD(1e-3)} for keras in (keras_3, tf_keras)],
        [{"learning_rate": 1e-4}, {"optimizer": keras_3.optimizers.Adam(1e-4)}],
        [
            {"optimizer": keras_3.optimizers.SGD(rate)},
            {"optimizer": tf_keras.optimizers.SGD(tf_keras.optimizers.schedules.PolynomialDecay(1e-3, 100))},
        ],
    ]
    for group in same:
        models = [tuned(keras_3_model, pixels, **options) for options in group]
        for model in models[1:]:
            for one, other in zip(weights(models[0]), weights(model), strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-8)


def test_an_optimizer_that_was_given_is_not_used_up(keras_3_model, data):
    optimizer = tf_keras.optimizers.SGD(1e-3)
    models = [tuned(keras_3_model, data[0], optimizer=optimizer) for _ in range(2)]
    assert_equal_weights(*models)
    assert int(optimizer.iterations) == 0


def test_a_progress_bar_is_shown_unless_told_otherwise(keras_3_model, data, capfd):
    tuned(keras_3_model, data[0], validation_data=data[0], verbose=True)
    shown = capfd.readouterr().err
    assert "epoch 1 of 1" in shown
    assert "validation_loss=" in shown
    tuned(keras_3_model, data[0])
    assert "epoch" not in capfd.readouterr().err


PIXELS = np.zeros((6, 8, 8, 1), "float32")
PIXELS[::2] = 1


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (PIXELS, {"epochs": 0}, "expected epochs of 1 or more, a whole number, got 0"),
        (PIXELS, {"epochs": 1.5}, "expected epochs of 1 or more, a whole number, got 1.5"),
        (PIXELS, {"batch_size": 0}, "expected batch_size of 1 or more, a whole number, got 0"),
        (PIXELS, {"learning_rate": 0}, "expected a learning_rate above 0 and below 1, got 0"),
        (PIXELS, {"learning_rate": "fast"}, "expected a learning_rate above 0 and below 1, got fast"),
        (
            PIXELS,
            {"steps_per_epoch": 3},
            "expected steps_per_epoch for data that comes in batches, got ",
        ),
        ([PIXELS], {"steps_per_epoch": 0}, "expected steps_per_epoch of 1 or more, got 0"),
        (PIXELS, {"weight_bits": 9}, "expected weight_bits from 2 to 8, got 9"),
        (PIXELS[:, :7], {}, r"expected inputs of shape \(n, 8, 8, 1\), got \(6, 7, 8, 1\)"),
        (PIXELS[:0], {}, "expected at least one input to train on, got none"),
        (PIXELS * np.nan, {}, "expected finite inputs, got NaN or infinity"),
        (PIXELS.astype(str), {}, "expected inputs that are numbers, got <U"),
        (PIXELS * 0, {}, "expected calibration inputs that differ, got the constant 0"),
        ((PIXELS, np.zeros(5)), {}, "expected 6 labels for 6 inputs, got 5"),
        ((PIXELS, PIXELS, PIXELS), {}, "expected arrays of inputs or .*, got 3 arrays"),
        (3, {}, "expected arrays of inputs or .*, got int"),
        ("digits.npz", {}, "expected arrays of inputs or .*, got str"),
        ({"x": PIXELS}, {}, "expected arrays of inputs or .*, got dict"),
        ([], {}, "expected at least one batch to train on, got none"),
        ([PIXELS[:, 0]], {}, r"expected inputs of shape \(n, 8, 8, 1\), got \(6, 8, 1\)"),
        (
            iter([PIXELS]),
            {"epochs": 2},
            "expected data that can be read 2 times, or steps_per_epoch",
        ),
        (
            iter([PIXELS]),
            {"validation_data": iter([PIXELS])},
            "expected data that can be read 2 times",
        ),
        (
            tf.data.Dataset.from_tensors(PIXELS).repeat(),
            {},
            "expected steps_per_epoch for data that never",
        ),
        (iter([PIXELS]), {"steps_per_epoch": 2}, "expected 2 batches for each epoch, got 1 for the last"),
        (PIXELS, {"loss": "mse"}, r"expected \(inputs, labels\) for a loss, got inputs alone"),
        ((PIXELS, PIXELS), {"loss": "no_such"}, "expected a loss that Keras 3 knows, got 'no_such'"),
        ((PIXELS, PIXELS), {"loss": 3}, "expected a loss: a name, a function or an object .*, got int"),
        (
            (PIXELS, np.zeros((6, 5))),
            {"loss": "mse"},
            r"expected a loss that takes labels of shape \(6, 5\) and outputs of shape \(6, 2\), got ",
        ),
        (
            (PIXELS, PIXELS),
            {"validation_data": (PIXELS, np.zeros(6)), "loss": "binary_crossentropy"},
            r"expected a loss that takes labels of shape \(6, 8, 8, 1\)",
        ),
        (
            PIXELS,
            {"optimizer": "fastest"},
            r"expected an optimizer that Keras 2 .* knows, got 'fastest'",
        ),
        (PIXELS, {"optimizer": 3}, "expected an optimizer that Keras 2 has too, got int"),
        (
            PIXELS,
            {"optimizer": keras_3.optimizers.Adam(gradient_accumulation_steps=2)},
            "expected an option of adam that Keras 2 has too, got gradient_accumulation_steps=2",
        ),
        (PIXELS, {"calibration": PIXELS[:, 0]}, r"expected calibration inputs of shape \(n, 8, 8, 1\)"),
        (PIXELS, {"input_range": (0, 255)}, "expected calibration inputs that span 0 to 255, got 0 to 1"),
    ],
)
def test_bad_input_is_said_in_one_line_before_any_step(keras_3_model, monkeypatch, content, options, message):
    monkeypatch.setattr(tf_keras.Model, "train_on_batch", None)
    if options.get("steps_per_epoch") == 2:
        monkeypatch.undo()  # that the data ends too early shows only then
    with pytest.raises(InputError, match=message) as caught:
        tuned(keras_3_model, content, **options)
    assert "\n" not in str(caught.value)


def test_models_that_cannot_be_fine_tuned_are_refused(keras_3_model, data):
    with pytest.raises(InputError, match="expected a built Keras model, got int"):
        tuned(3, data[0])
    with pytest.raises(InputError, match="expected a model that does not round yet, got one"):
        tuned(tuned(keras_3_model, data[0]), data[0])
    x = keras_3.Input((3,))
    two = keras_3.Model(x, [keras_3.layers.Dense(2)(x), keras_3.layers.Dense(2)(x)])
    with pytest.raises(InputError, match="expected a model with one input and one output, got 1 and 2"):
        tuned(two, np.eye(3))
