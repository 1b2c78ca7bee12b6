"""`python -m converters.lower`: what it writes and what it says."""

from __future__ import annotations

import importlib

import pytest

from converters.base.environment import keras
from converters.base.errors import exit_status
from converters.file.layouts import layout_of
from converters.file.lowering import lower
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
    assert capsys.readouterr().out == f"{written}: {LAYOUT}, {len(wanted):,} bytes (68,432 before)\n"


def test_a_layout_and_a_place_can_be_named(model, tmp_path, capsys):
    layout, out = "1x2>1x2 - 1x2>1x2 -", tmp_path / "deep" / "out.tflite"
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
    for out in (tmp_path, model / "out.tflite"):
        arguments = [str(model), *options, "--out", str(out)]
        assert exit_status(command.main, arguments, name="lower") == 2
        error = capsys.readouterr().err
        assert error.startswith("lower: ")
        assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("ratio", "layout", "said"),
    [
        (Estimate(0.7512, 0.74, 0.76), LAYOUT, "0.751 of the time (0.740 to 0.760), of 30 layouts"),
        (None, "- - - -", "the file as it is stays the quickest of 30 layouts"),
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
