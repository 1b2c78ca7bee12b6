"""A fine-tuned model is proven as it is: its file is held against the exact model with its weights."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from fine_tuned_nets import MODELS, of_our_layers, rounding_model, samples_of
from small_nets import mobile_net, pixels, with_fault

from converters.model.conversion import to_tflite
from converters.model.fine_tuning import fine_tune
from converters.model.folding import fold
from converters.model.quantize_aware import quantize_aware, settle
from converters.model.unrounded import unrounded
from converters.proof.exact_files import exact_files
from converters.proof.layer_names import layer_names
from converters.proof.matrix import file_of
from converters.proof.model_answers import answers_of
from converters.proof.proving import prove


def learnt(rounding, *, seed=0):
    """Give every weight of `rounding` another value, as training does, and settle it; return it."""
    random = np.random.default_rng(seed)
    for weight in rounding.trainable_weights:
        weight.assign(weight + 0.1 * random.normal(size=weight.shape))
    settle(rounding)
    return rounding


def proof_of(model, content, samples, **options):
    return prove(model, {"int8": content}, samples, columns=["tf.lite"], **options)


def sentence_of(model, content, samples):
    (cell,) = proof_of(model, content, samples).cells
    return cell.sentence


def findings_of(model, content, samples):
    """Return where the file has not the model's weights, as `prove` finds it before it runs the file."""
    exact = unrounded(model)
    own = answers_of(exact, samples)
    return file_of("int8", content, own, exact_files(exact, own), layer_names(exact)).weights.findings


@pytest.fixture(scope="module", params=MODELS)
def tuned(request):
    """A fine-tuned model, its file and its samples."""
    keras.utils.set_random_seed(4)
    exact = fold(MODELS[request.param](keras))
    model = learnt(rounding_model(exact))
    return model, to_tflite(model, precision="int8").content, samples_of(exact)


def test_its_file_is_within_and_no_layer_departs(tuned):
    model, content, samples = tuned
    proof = proof_of(model, content, samples, layers=True)
    assert [cell.sentence for cell in proof.cells] == ["within"]
    names = {layer.layer.name for layer in model.layers if hasattr(layer, "layer")}
    for layer in proof.layers["int8"]:
        assert (layer.departs, layer.layer in names) == ("", True), layer


def test_a_weight_that_is_not_the_file_s_is_found_in_its_layer(tuned):
    """Of every weight the largest number gets another sign: by far more than half of a step."""
    model, content, samples = tuned
    for weight in model.trainable_weights:
        value = weight.numpy()
        changed = value.copy()
        changed.flat[np.abs(value).argmax()] *= -1
        weight.assign(changed)
        first, *_ = findings_of(model, content, samples)
        weight.assign(value)
        layer = weight.name.partition("/")[0]
        assert first.startswith(f"not this model's weights: layer {layer}, "), first


@pytest.fixture(scope="module")
def folded():
    return fold(mobile_net())


@pytest.fixture(scope="module")
def mobile(folded):
    return learnt(quantize_aware(folded, calibration=pixels()))


def test_a_file_with_a_fault_is_out_with_the_layer(mobile):
    content = to_tflite(mobile, precision="int8").content
    assert sentence_of(mobile, content, pixels()) == "within"
    said = sentence_of(mobile, with_fault(content, "quant_second_project"), pixels())
    assert said.startswith("OUT: the file: not this model's weights: layer second_project, ")
    assert "1 of 48 are off" in said


def test_other_files_of_the_same_net_are_out_with_a_layer(mobile, folded):
    other = learnt(quantize_aware(folded, calibration=pixels()), seed=1)
    for content in (
        to_tflite(other, precision="int8").content,
        to_tflite(folded, precision="int8", calibration=pixels()).content,  # before fine-tuning
    ):
        first, *_ = findings_of(mobile, content, pixels())
        assert first.startswith("not this model's weights: layer stem, ")


def test_the_file_is_not_that_of_the_model_before_fine_tuning(mobile, folded):
    first, *_ = findings_of(folded, to_tflite(mobile, precision="int8").content, pixels())
    assert first.startswith("not this model's weights: layer stem, ")


def test_weights_beyond_ranges_that_were_not_settled_are_out(folded):
    """The file clips them to the ranges of before."""
    rounding = quantize_aware(folded, calibration=pixels())
    weight = rounding.get_layer("quant_second_project").trainable_weights[0]
    weight.assign(1.5 * weight)
    first, *_ = findings_of(rounding, to_tflite(rounding, precision="int8").content, pixels())
    assert first.startswith("not this model's weights: layer second_project, ")
    settle(rounding)
    assert sentence_of(rounding, to_tflite(rounding, precision="int8").content, pixels()) == "within"


@pytest.mark.parametrize("bits", [4, 8])
def test_what_fine_tune_returns_is_proven(either_keras, bits):
    either_keras.utils.set_random_seed(4)
    model = of_our_layers(either_keras)
    (samples,) = samples_of(model, count=40).values()
    rounding = fine_tune(model, samples, epochs=2, learning_rate=0.01, weight_bits=bits, verbose=False)
    content = to_tflite(rounding, precision="int8").content
    assert sentence_of(rounding, content, samples) == "within"
    assert sentence_of(model, content, samples).startswith("OUT: the file: not this model's weights: ")
