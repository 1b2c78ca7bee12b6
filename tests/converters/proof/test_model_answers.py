"""Samples and a model's answers to them; which end of a file is which of its model's."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from small_nets import mobile_net, pixels

from converters.base.environment import tf
from converters.base.errors import InputError
from converters.file.graph import read_graph
from converters.file.signature import end_names
from converters.model.conversion import to_tflite
from converters.proof.ends import ends_of
from converters.proof.model_answers import answers_of
from converters.proof.proving import scorings_of
from converters.proof.samples import check_labels, checked_data

layers = keras.layers


def test_the_answers_are_the_model_s_in_float32():
    model = mobile_net()
    answers = answers_of(model, pixels())
    assert (answers.name, answers.count) == ("mobile", 40)
    assert answers.inputs["image"].dtype == np.float32
    assert answers.shapes == {"image": (16, 16, 3), "scores": (5,)}
    np.testing.assert_allclose(
        answers.outputs["scores"], model.predict(pixels().astype(np.float32), verbose=0), atol=1e-6
    )


def test_an_input_of_whole_numbers_stays_one():
    x = keras.Input((3,), dtype="int32", name="words")
    model = keras.Model(x, layers.Flatten()(layers.Embedding(10, 2)(x)))
    assert answers_of(model, np.full((10, 3), 7.0)).inputs["words"].dtype == np.int32
    with pytest.raises(InputError, match="^expected whole numbers for the input words, got others$"):
        answers_of(model, np.full((10, 3), 7.5))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "at least one array of samples, got none"),
        (np.zeros(()), r"samples \(n, ...\) that are numbers, got float64 of shape \(\)"),
        (np.zeros((10, 2), complex), "samples .* that are numbers, got complex128 of .*"),
        (
            {"a": np.zeros((10, 2)), "b": np.zeros((11, 2))},
            "the same number of samples for each input, got 10 and 11",
        ),
        (np.full((10, 2), np.inf), "finite samples, got NaN or infinity"),
        (np.zeros((9, 2)), "10 samples or more, got 9"),
    ],
)
def test_what_cannot_be_samples_is_refused(data, message):
    with pytest.raises(InputError, match=f"^expected {message}$"):
        checked_data(data)


def test_labels_are_one_a_sample():
    with pytest.raises(InputError, match="^expected 10 labels, one for each sample, got 11$"):
        check_labels({"": np.zeros(11)}, {"": np.zeros((10, 3))})


@pytest.fixture(scope="module")
def of_two():
    """A model of two inputs and two outputs of one shape, and its file."""
    a, b = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    outputs = [layers.Dense(3, name="up")(a), layers.Dense(3, name="down")(b)]
    model = keras.Model([a, b], outputs)
    return model, tf.lite.TFLiteConverter.from_keras_model(model).convert()


def test_ends_go_by_the_names_of_the_signature(of_two):
    model, content = of_two
    graph = read_graph(content)
    rng = np.random.default_rng(1)
    answers = answers_of(model, {name: rng.normal(size=(10, 4)) for name in ("left", "right")})
    ends = ends_of(content, graph, answers)
    assert sorted(ends.inputs) == ["left", "right"]
    turned = ends_of(content, replace(graph, inputs=graph.inputs[::-1]), answers)
    assert turned.inputs == ends.inputs[::-1]
    assert {end_names(content)[t.index] for t in graph.inputs} == {"left", "right"}
    # What the file gives says which output is which.
    interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    for name, detail in zip(ends.inputs, interpreter.get_input_details(), strict=True):
        interpreter.set_tensor(detail["index"], answers.inputs[name][:1])
    interpreter.invoke()
    for name, detail in zip(ends.outputs, interpreter.get_output_details(), strict=True):
        np.testing.assert_allclose(
            interpreter.get_tensor(detail["index"]), answers.outputs[name][:1], atol=1e-5
        )


def test_ends_without_names_go_by_their_shapes_or_are_refused(of_two):
    _, content = of_two
    graph = read_graph(content)
    rng = np.random.default_rng(1)

    def answers_to(sides):
        inputs = [keras.Input((side,), name=name) for name, side in zip(("one", "two"), sides, strict=True)]
        model = keras.Model(
            inputs, [layers.Dense(3, name=name)(one) for name, one in zip("pq", inputs, strict=True)]
        )
        data = {one.name: rng.normal(size=(10, one.shape[1])) for one in inputs}
        return answers_of(model, data)

    with pytest.raises(
        InputError, match="expected a file whose signature names one, two, got (left|right), "
    ):
        ends_of(content, graph, answers_to((4, 4)))
    with pytest.raises(InputError, match="expected a file from 1x4, 1x5 to 1x3, 1x3, got|whose signature"):
        ends_of(content, graph, answers_to((4, 5)))


def test_a_file_of_one_input_needs_no_name():
    x = keras.Input((4,), name="anything")
    model = keras.Model(x, layers.Dense(2, name="out")(x))
    content = to_tflite(model, precision="float32").content
    answers = answers_of(model, np.ones((10, 4)))
    ends = ends_of(content, read_graph(content), answers)
    assert (ends.inputs, ends.outputs) == (("anything",), ("out",))


def test_labels_of_several_outputs_go_by_name(of_two):
    model, _ = of_two
    answers = answers_of(model, {name: np.ones((10, 4)) for name in ("left", "right")})
    scorings = scorings_of(answers, {"down": np.zeros(10, int)})
    assert (scorings["up"].kind, scorings["down"].kind) == ("values", "classes")
    with pytest.raises(
        InputError, match="^expected labels by the names of the outputs, up, down, got one array$"
    ):
        scorings_of(answers, np.zeros(10, int))
    with pytest.raises(InputError, match="^expected labels of up, down, got other$"):
        scorings_of(answers, {"other": np.zeros(10, int)})
