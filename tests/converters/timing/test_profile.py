"""The profile: cut files give the whole file's own tensors, and differences are taken within rounds."""

from __future__ import annotations

import numpy as np
import pytest

from converters.base.errors import InputError
from converters.base.installed import RUNTIMES, choose
from converters.file.flatbuffer import read
from converters.file.soundness.tables import TABLES
from converters.runtimes.interpreters import Loaded
from converters.runtimes.sessions import Session
from converters.timing.measuring import noise
from converters.timing.profile_costs import Cost, costs
from converters.timing.profile_cut import cut_after
from converters.timing.profile_operators import node_times, peak_macs, profile
from lenet_edge.packaged.files import content_of

STOCK = "stock_lenet5_float32.tflite"
MODELS = ["lenet5_float32.tflite", "lenet5_int8.tflite", "stock_lenet5_int8.tflite"]


@pytest.mark.parametrize("model", MODELS)
def test_a_cut_file_gives_the_tensor_that_the_whole_one_computes_there(model):
    content = content_of(model)
    operators = read(content, TABLES, root="Model", identifier=b"TFL3").subgraphs[0].operators
    whole = Loaded(content, RUNTIMES[choose()].package, resolver="BUILTIN_WITHOUT_DEFAULT_DELEGATES")
    interpreter = type(whole.interpreter)(model_content=content, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    stored = noise(whole.source)
    interpreter.set_tensor(whole.source["index"], stored)
    interpreter.invoke()
    for count, operator in enumerate(operators, 1):
        session = Session(cut_after(content, count))
        assert session.report.nodes == count
        if costs(content)[min(count, len(operators) - 1)].name == "SOFTMAX" and "int8" in model:
            continue  # tflite-runtime's softmax of int8 writes over its input, asked to preserve it or not
        expected = interpreter.get_tensor(operator.outputs[0])
        # XNNPACK may fuse less with one kernel more to keep; a step of int8
        atol = 1e-4 if expected.dtype == np.float32 else 1
        np.testing.assert_allclose(
            session.run(stored).astype(np.float64), expected[0].astype(np.float64), atol=atol
        )


@pytest.mark.parametrize("model", MODELS)
def test_a_cut_names_its_output_in_the_signature_too_and_the_whole_is_the_file_itself(model):
    content = content_of(model)
    cut = read(cut_after(content, 3), TABLES, root="Model", identifier=b"TFL3")
    made = cut.subgraphs[0].operators[-1].outputs[0]
    assert cut.subgraphs[0].outputs == (made,)
    assert [output.tensor_index for output in cut.signature_defs[0].outputs] == [made]
    assert cut_after(content, len(costs(content))) == content


@pytest.mark.parametrize("count", [0, 14])
def test_a_cut_beyond_the_file_is_answered(count):
    with pytest.raises(InputError, match=f"expected 1 to 13 nodes, got {count}"):
        cut_after(content_of(STOCK), count)


def test_costs_are_those_of_the_shapes():
    found = costs(content_of(STOCK))
    assert [cost.macs for cost in found if cost.macs] == [
        28 * 28 * 6 * 25,
        10 * 10 * 16 * 6 * 25,
        400 * 120,
        120 * 84,
        84 * 10,
    ]
    # picture, kernel, bias, map
    assert found[0].bytes == 4 * (28 * 28 + 150 + 6 + 28 * 28 * 6)
    assert costs(content_of("stock_lenet5_int8.tflite"))[1].bytes == 28 * 28 + 150 + 4 * 6 + 28 * 28 * 6
    # S2: four inputs a pixel of each map, none of them of another map
    assert [cost.macs for cost in costs(content_of("float32")) if cost.name == "DEPTHWISE_CONV_2D"] == [
        14 * 14 * 6 * 4,
        5 * 5 * 16 * 4,
    ]


def test_costs_of_a_damaged_file_are_answered():
    with pytest.raises(InputError, match="expected a sound .tflite file, got"):
        costs(content_of("float32")[:1000])


def test_a_node_s_time_is_its_cut_s_less_the_one_before_in_the_same_round():
    drift = [np.linspace(1, 2, 11) + load for load in range(6)]
    nodes = [Cost(0, "CONV_2D", 100, 8), Cost(1, "TANH", 0, 8)]
    first, second = node_times(nodes, [[10 + d for d in drift], [13 + d for d in drift]])
    assert second.microseconds == pytest.approx((3, 3, 3))
    assert first.microseconds.value == pytest.approx(14)
    assert second.share == pytest.approx(3 / 17)


def test_a_profile_has_a_finite_time_for_each_node():
    found = profile(content_of("float32"), seconds=0.01, warm_up=0.005, loads=6)
    assert [node.cost for node in found] == costs(content_of("float32"))
    assert all(np.isfinite(node.microseconds).all() for node in found)
    # what the nodes add is the whole, but for medians of differences
    assert sum(node.share for node in found) == pytest.approx(1, abs=0.5)


def test_the_processor_multiplies():
    assert peak_macs(seconds=0.01) > 0
