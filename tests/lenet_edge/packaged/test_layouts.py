"""The packaged models' layouts: what they are, that they change no score, and that parity recovers them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from converters.base.errors import InputError
from converters.base.kerases import KERAS_3, import_keras
from converters.file.graph import read_graph
from converters.file.layouts import describe, layout_between, layout_of
from converters.file.lowering import lower
from converters.file.manifest import parse
from converters.file.rewriting import Rewriting
from converters.model.conversion import to_tflite
from converters.model.folding import fold
from converters.proof.graph_comparison import compare_graphs
from lenet_edge.packaged import layouts as module
from lenet_edge.packaged.files import content_of, packaged_models
from lenet_edge.packaged.layouts import layout_for, lowered, tuned
from lenet_edge.packaged.models import released_model


@pytest.fixture(scope="module")
def plain():
    return to_tflite(fold(released_model("lenet5")), precision="float32").content


FOUR, TWO, STOCK = "1x4>1x4 - - - -", "1x2>1x2 - - - -", "- - - -"


def test_the_default_is_the_measured_layout_and_the_baseline_has_none():
    assert describe(layout_for("lenet5", "int8")) == FOUR
    assert describe(layout_for("lenet5", "float32")) == TWO
    assert describe(layout_for("stock_lenet5", "int8")) == STOCK
    assert describe(layout_for("lenet5", "int8", asked="plain")) == "- - - - -"
    assert describe(layout_for("lenet5", "int8", asked=TWO)) == TWO
    with pytest.raises(InputError, match="expected a layout of 4 steps for stock_lenet5, got 5"):
        layout_for("stock_lenet5", "int8", asked=TWO)


def test_the_released_files_have_the_default_layout():
    of_one_digit = {n: e for n, e in packaged_models().items() if e["model"] != "lenet5_wide"}
    for name, entry in of_one_digit.items():
        layout = {"lenet5": TWO if entry["precision"] == "float32" else FOUR, "stock_lenet5": STOCK}
        assert entry.get("layout", STOCK) == layout[entry["model"]], name


def test_the_manifest_entry_of_a_lowered_file_has_its_layout(plain):
    content, entry = lowered(plain, layout=layout_for("lenet5", "float32"))
    assert entry["layout"] == TWO
    assert entry["bytes"] == len(content)
    same, entry = lowered(plain, layout=layout_for("lenet5", "float32", asked="plain"))
    assert same == plain
    assert "layout" not in entry


def test_a_layout_that_changes_a_score_is_refused(plain, monkeypatch):
    def wrong(content, *, layout):
        result = Rewriting(lower(content, layout=layout))
        result.operators = list(result.graph.operators)
        kernel = result.graph.tensors[result.graph.operators[1].inputs[1]]
        values = result.model.buffers[kernel.buffer].data.view(np.float32).copy()
        values[7] += 1e-4
        result.model.buffers[kernel.buffer].data = values.view(np.uint8)
        return result.packed()

    monkeypatch.setattr("converters.file.lowering.lower", wrong)
    with pytest.raises(InputError, match=r"expected a layout that changes no score, got a difference of"):
        lowered(plain, layout=layout_for("lenet5", "float32"))


@pytest.mark.parametrize(
    "layout", ["1x4>1x4 - - - -", "1x1>2x2 2x2>1x1 - 1x1>1x1 -", "- - 1x2>1x2 1x2>1x1 5x5>1x1"]
)
def test_a_files_layout_follows_from_its_shapes(plain, layout):
    content = lower(plain, layout=layout_of(layout))
    found = layout_between(read_graph(plain), read_graph(content))
    assert lower(plain, layout=found) == content
    assert compare_graphs(read_graph(content), read_graph(lower(plain, layout=found))) == []


def test_another_net_has_no_layout_of_this_one(plain):
    keras = import_keras(KERAS_3)
    x = keras.Input((32, 32, 1), name="pixels")
    other = to_tflite(keras.Model(x, keras.layers.Conv2D(2, 3)(x)), precision="float32").content
    assert not any(layout_between(read_graph(plain), read_graph(other)))
    stock = read_graph(content_of("stock_lenet5_float32.tflite"))
    assert not any(layout_between(read_graph(plain), stock))


def test_a_failed_search_is_reported(monkeypatch, plain):
    monkeypatch.setattr(sys, "executable", "false")
    with pytest.raises(InputError, match="expected converters.lower to find a layout, got status 1"):
        tuned(plain, runtime="litert")


def test_tuning_runs_in_another_process(monkeypatch, plain):
    commands = []

    def run(command, **options):
        commands.append(command[1:3] + command[4:])
        assert parse(Path(command[3]).read_bytes())
        return module.subprocess.CompletedProcess(command, 0, stdout="1x2>1x2 - - - -\n")

    monkeypatch.setattr(module.subprocess, "run", run)
    assert describe(tuned(plain, runtime="tflite")) == "1x2>1x2 - - - -"
    assert commands == [["-m", "converters.lower", "--tune", "--runtime", "tflite", "--only-layout"]]
