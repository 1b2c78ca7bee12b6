"""`python -m converters.lower`: what it writes and what it says."""

from __future__ import annotations

import importlib
import re

import keras
import numpy as np
import pytest

from converters.base.errors import exit_status
from converters.file.layouts import layout_of
from converters.file.lowering import lower
from converters.file.phases import spread
from converters.file.rewriting import Rewriting
from converters.model.conversion import to_tflite
from converters.timing.statistics import Estimate
from converters.timing.tuning import Tuned
from lenet_edge.packaged.files import content_of

command = importlib.import_module("converters.lower")  # `converters.lower` itself is the function

NET = "stock_lenet5_int8.tflite"
LAYOUT = "1x4>1x4 - - -"


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(content_of(NET))
    return path


def test_it_writes_what_is_suggested_beside_the_file(model, capsys):
    assert command.main([str(model)]) == 0
    wanted = lower(content_of(NET), layout=layout_of(LAYOUT))
    written = model.with_name("net_lowered.tflite")
    assert written.read_bytes() == wanted
    assert capsys.readouterr().out == (
        f"{written}: {LAYOUT}, {len(wanted):,} bytes (68,432 before), "
        "compared in ai-edge-litert: no bit differs\n"
    )


def test_a_layout_and_a_place_can_be_named(model, tmp_path, capsys):
    layout, out = "1x2>1x2 - 1x2>1x2 -", tmp_path / "out.tflite"
    assert command.main([str(model), "--layout", layout, "--out", str(out)]) == 0
    assert out.read_bytes() == lower(content_of(NET), layout=layout_of(layout))
    assert command.main([str(model), "--layout", layout, "--only-layout"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == layout


@pytest.mark.parametrize("options", [[], ["--tune"], ["--layout", LAYOUT]])
def test_a_place_that_cannot_be_written_is_told_before_the_work(
    model, tmp_path, monkeypatch, capsys, options
):
    def work(*_, **__):
        raise AssertionError("the file is laid out before the output is checked")

    monkeypatch.setattr("converters.timing.tuning.tune", work)
    monkeypatch.setattr("converters.file.lowering.lower", work)
    for out in (tmp_path, model / "out.tflite", tmp_path / "mistyped" / "out.tflite"):
        arguments = [str(model), *options, "--out", str(out)]
        assert exit_status(command.main, arguments, name="lower") == 2
        error = capsys.readouterr().err
        assert error.startswith("lower: ")
        assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == [model]


@pytest.mark.parametrize(
    ("ratio", "layout", "said"),
    [
        (Estimate(0.7512, 0.74, 0.76), LAYOUT, "0.751 of the time (0.740 to 0.760), of 30 layouts"),
        (None, "- - - -", "none of 30 layouts is faster than the file as it is"),
    ],
)
def test_what_tuning_found_is_told_and_written(model, monkeypatch, capsys, ratio, layout, said):
    def tune(content, **options):
        assert (options["runtime"], options["threads"]) == ("litert", 2)
        return Tuned(layout_of(layout), b"", ratio, 30)

    monkeypatch.setattr("converters.timing.tuning.tune", tune)
    arguments = [str(model), "--tune", "--runtime", "litert", "--threads", "2"]
    assert command.main(arguments) == 0
    printed = capsys.readouterr()
    assert said in printed.err
    assert layout in printed.out
    assert model.with_name("net_lowered.tflite").read_bytes() == lower(
        content_of(NET), layout=layout_of(layout)
    )


def convolution():
    """A net whose float32 outputs show any weight that is out of place."""
    x = keras.Input((8, 8, 2))
    return to_tflite(
        keras.Model(x, keras.layers.Flatten()(keras.layers.Conv2D(3, 3)(x))), precision="float32"
    ).content


@pytest.mark.parametrize("content", [lambda: content_of(NET), convolution], ids=["int8", "float32"])
def test_a_file_that_computes_something_else_is_not_written(tmp_path, monkeypatch, capsys, content):
    def shifted(*arguments):
        return np.roll(spread(*arguments), 1, axis=2)

    monkeypatch.setattr("converters.file.lowering.spread", shifted)
    path = tmp_path / "net.tflite"
    path.write_bytes(content())
    assert exit_status(command.main, [str(path)], name="lower") == 2
    error = capsys.readouterr().err
    start = "lower: expected the laid-out file to give the outputs of the file before, got a difference of "
    assert error.startswith(start)
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == [path]


def test_float_sums_in_another_order_are_the_same(tmp_path, capsys):
    path = tmp_path / "net.tflite"
    path.write_bytes(convolution())
    assert command.main([str(path)]) == 0
    assert re.search(
        r", compared in \S+: (no bit differs|largest difference \S+e-0[6-9])$", last_line(capsys)
    )


def last_line(capsys):
    return capsys.readouterr().out.splitlines()[-1]


def test_what_cannot_be_run_is_written_and_said_not_to_be_compared(model, monkeypatch, capsys):
    where = "converters.runtimes.lowered_comparison"
    with monkeypatch.context() as without_runtime:
        without_runtime.setattr(f"{where}.unusable_reason", lambda name: "it is not installed")
        assert command.main([str(model)]) == 0
        assert last_line(capsys).endswith(", not compared: no runtime here")

    def refuse(package, content):
        raise RuntimeError("no kernel\nmore")

    with monkeypatch.context() as refusing:
        refusing.setattr(f"{where}._answers", refuse)
        assert command.main([str(model)]) == 0
        assert re.search(r", not compared: \S+ refuses it: no kernel$", last_line(capsys))
    file = Rewriting(content_of(NET))
    file.operators = list(file.graph.operators)
    file.graph.tensors[file.graph.operators[0].outputs[0]].isVariable = True
    model.write_bytes(file.packed())
    assert command.main([str(model)]) == 0
    assert ", not compared: expected it to be a sound .tflite file, got tensor" in last_line(capsys)


def without_convolutions():
    x = keras.Input((4,))
    return to_tflite(keras.Model(x, keras.layers.Dense(2)(x)), precision="float32").content


@pytest.mark.parametrize(
    ("content", "arguments", "line"),
    [
        (b"no model", [], "expected a .tflite file, got bytes without its mark TFL3"),
        (None, [], "expected a file or folder, got nothing there"),
        ("dense", [], "with convolutions, got none"),
        ("int8", ["--layout", "-", "--tune"], "expected --layout or --tune, got both"),
        ("int8", ["--most-bytes", "9"], "expected --most-bytes with --tune, got it alone"),
        ("int8", ["--layout", "-"], "expected a layout of 4 steps, got 1"),
        ("int8", ["--tune", "--threads", "0"], "expected 1 to 1024 threads, got 0"),
    ],
)
def test_bad_input_is_a_line_and_status_2(tmp_path, capsys, content, arguments, line):
    path = tmp_path / "model.tflite"
    if content is not None:
        known = {"int8": lambda: content_of(NET), "dense": without_convolutions}
        path.write_bytes(known[content]() if content in known else content)
    assert exit_status(command.main, [str(path), *arguments], name="lower") == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == ([path] if content is not None else [])
