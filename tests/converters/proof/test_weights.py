"""A file's constants beside its model's, the layer that is named, and the noise that its bits explain."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from small_nets import mobile_net, pixels, with_fault

from converters.file.graph import read_graph
from converters.model.conversion import to_tflite
from converters.model.folding import fold
from converters.proof.exact_files import exact_file, exact_files, held_against
from converters.proof.exact_operators import OPERATIONS
from converters.proof.expected_noise import expected_noise
from converters.proof.layer_names import layer_names, layer_of
from converters.proof.layers import few, noise_of, proven_layers, too_noisy
from converters.proof.model_answers import answers_of
from converters.proof.weights import compare_weights, matched
from converters.runtimes.tensorflow_interpreter import every_tensor, run

layers = keras.layers


@pytest.fixture(scope="module")
def model():
    return mobile_net()


@pytest.fixture(scope="module")
def answers(model):
    return answers_of(model, pixels())


@pytest.fixture(scope="module")
def exact(model, answers):
    return exact_files(model, answers)


@pytest.fixture(scope="module")
def names(model):
    return layer_names(model)


@pytest.fixture(scope="module")
def plain(model):
    """int8 of the model as it is: nothing folded."""
    return to_tflite(model, precision="int8", calibration=pixels()).content


@pytest.fixture(scope="module")
def folded(model):
    return to_tflite(fold(model), precision="int8", calibration=pixels()).content


def test_a_file_of_the_model_as_it_is_is_the_model_s_and_a_folded_one_too(plain, folded, exact, names):
    assert len(exact.files) == 2
    assert exact.missing == ""
    for content in (plain, folded):
        weights = compare_weights(read_graph(content), exact, names)
        assert (weights.findings, weights.uncompared) == ((), "")


def test_each_operator_is_of_the_layer_that_has_its_kernel(plain, names):
    graph = read_graph(plain)
    found = [layer_of(node, names) for node in graph.nodes]
    wanted = [
        *("", "scaled", "scaled", "stem", "first_expand", "first_depthwise", "first_project", "first_add"),
        *("second_expand", "second_depthwise", "second_project", "pooled", "scores"),
    ]
    assert found[: len(wanted)] == wanted
    # Of a model without names, tensors still say something.
    assert layer_of(graph.nodes[3], {})


def test_a_fault_is_of_its_layer_alone(plain, exact, names):
    graph = read_graph(with_fault(plain, "first_depthwise"))
    weights = compare_weights(graph, exact, names)
    (finding,) = weights.findings
    assert finding.startswith(
        "not this model's weights: layer first_depthwise, 5 DEPTHWISE_CONV_2D, kernel: "
    )
    assert list(weights.departing) == ["5 DEPTHWISE_CONV_2D"]


def with_valid_padding(node):
    if node.name != "DEPTHWISE_CONV_2D":
        return node
    return replace(node, options={**node.options, "padding": "VALID"})


def test_another_padding_is_another_operator(folded, exact, names):
    graph = read_graph(folded)
    graph = replace(graph, nodes=tuple(map(with_valid_padding, graph.nodes)))
    weights = compare_weights(graph, exact, names)
    assert weights.findings[0].startswith("not this model's operators: layer first_depthwise, ")


def test_operators_that_differ_leave_constants_uncompared(folded, exact, names):
    graph = read_graph(with_fault(folded, "second_project"))
    without = replace(graph, nodes=tuple(node for node in graph.nodes if node.name != "MEAN"))
    weights = compare_weights(without, exact, names)
    assert weights.findings == ()
    assert weights.uncompared == (
        "the operators of the file and of the model's float32 file differ in MEAN; "
        "constants differ in second_project"
    )
    pairs, alone = matched(without, exact.files[0].graph)
    assert [node.name for node in alone] == ["MEAN"]
    assert len(pairs) == len([n for n in without.nodes if n.name not in ("QUANTIZE", "DEQUANTIZE")])


def test_a_float32_file_that_is_not_the_model_is_a_finding(model, answers, folded, names, monkeypatch):
    """A fault of folding: the int8 file equals the float32 one, and neither is the model."""
    wrong = mobile_net()
    wrong.get_layer("stem_bn").gamma.assign(wrong.get_layer("stem_bn").gamma * 1.2)
    monkeypatch.setattr("converters.proof.exact_files.fold", lambda _: fold(wrong))
    content = to_tflite(fold(wrong), precision="int8", calibration=pixels()).content
    weights = compare_weights(read_graph(content), exact_files(model, answers), names)
    assert any(one.startswith("a float32 file of this model is off by ") for one in weights.findings)
    right = exact_file(to_tflite(fold(model), precision="float32").content)
    assert held_against(right, answers).fault == ""


# --- noise


@pytest.mark.parametrize("precision", ["int8", "float16"])
def test_the_noise_of_each_layer_is_about_what_is_expected(model, precision):
    """A kernel that rounds once makes half of the power that is expected; averages vary by some decibels."""
    inputs = pixels().astype(np.float32)
    content, exact_content = (
        to_tflite(model, precision=p, calibration=pixels()).content for p in (precision, "float32")
    )
    graph, exact = read_graph(content), read_graph(exact_content)
    values, wanted = every_tensor(content, graph, inputs), every_tensor(exact_content, exact, inputs)
    expected = expected_noise(graph, inputs)
    ratios = []
    for node, other in matched(graph, exact)[0]:
        index = node.outputs[0].index
        noise = np.mean((values[index] - wanted[other.outputs[0].index]) ** 2)
        ratios.append(10 * np.log10(np.mean(expected[index] ** 2) / noise))
    assert len(ratios) > 10
    assert min(ratios) > -3
    assert np.median(ratios) < 10


def test_outputs_noisier_than_their_bits_are_told(answers, folded):
    graph, inputs = read_graph(folded), [answers.inputs["image"]]
    wanted = answers.outputs["scores"]
    outputs = run(folded, inputs[0])
    noise = noise_of(graph, inputs)[graph.outputs[0].index]
    assert too_noisy(outputs, wanted, noise) == ""
    assert "its bits allow" in too_noisy(outputs[::-1], wanted, noise)


def test_layers_without_arithmetic_are_still_measured(model, answers, folded, exact, names, monkeypatch):
    graph = read_graph(folded)
    weights = compare_weights(graph, exact, names)
    inputs = few(graph, list(answers.inputs.values()))
    monkeypatch.delitem(OPERATIONS, "MEAN")
    found = proven_layers(folded, graph, weights, names, inputs)
    assert [one.layer for one in found if one.allowed is not None] == []
    assert all(one.measured.snr is None or one.measured.snr > 10 for one in found)
    assert [one.measured.local is None for one in found if one.layer == "pooled"] == [True]


def test_a_noisy_layer_departs_even_if_no_constant_could_be_compared(folded, answers, exact, names):
    """The first one: those behind it are noisier with it."""
    faulty = with_fault(folded, "second_expand")
    graph = read_graph(faulty)
    weights = replace(compare_weights(graph, exact, names), departing={}, findings=())
    inputs = few(graph, list(answers.inputs.values()))
    found = proven_layers(faulty, graph, weights, names, inputs)
    departing = [one for one in found if one.departs]
    assert [one.layer for one in departing] == ["second_expand"]
    assert "its bits allow" in departing[0].departs
