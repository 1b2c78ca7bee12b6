"""Real fine-tuning of the wide net for int8 on a few strings; interrupted and resumed, the same weights."""

from __future__ import annotations

import hashlib
import json
import os
import re

import numpy as np
import pytest

from converters.base.errors import InputError, exit_status
from converters.file.graph import read_graph
from lenet_edge.converting.files import convert_one
from lenet_edge.digits.geometry import CLASSES, OWN_WIDTH
from lenet_edge.digits.mnist import Digits, calibration_digits
from lenet_edge.digits.side_by_side import calibration_fields
from lenet_edge.packaged.files import packaged_models, released_folder
from lenet_edge.packaged.layouts import layout_for, lowered
from lenet_edge.packaged.models import fine_tuned_model
from lenet_edge.packaged.names import WIDE
from lenet_edge.packaged.thresholds import string_threshold
from lenet_edge.packaged.weights import named_weights
from lenet_edge.paper.answers import as_input
from lenet_edge.quantize import main
from lenet_edge.runtime.string_reader import StringReader
from lenet_edge.training.distorted_passes import Teacher
from lenet_edge.training.fine_tuning import divergence, fine_tuning_recipe
from lenet_edge.training.fine_tuning_run import Rounding, exact_of, rounded
from lenet_edge.training.string_fine_tuning import (
    HeldOutAnswers,
    all_windows,
    fine_tune_on_strings,
    nearest_of,
    window_cross_entropy,
)
from lenet_edge.training.string_fine_tuning_run import string_errors_of
from lenet_edge.training.string_passes import StringPasses
from lenet_edge.training.string_training import HeldOut, string_outputs

DIGITS = calibration_digits()


@pytest.fixture(scope="module")
def exact():
    return exact_of(WIDE, weights=None).model


@pytest.fixture(scope="module")
def held():
    return HeldOut(Digits(DIGITS.images[300:360], DIGITS.labels[300:360]), count=30)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of the cached fields: finding lines on scans takes the longest."""
    return tmp_path_factory.mktemp("passes")


def passes_of(exact, folder):
    teacher = Teacher("exact", lambda pictures: string_outputs(exact, pictures))
    digits = Digits(DIGITS.images[:300], DIGITS.labels[:300])
    return StringPasses(digits=digits, folder=folder, seed=3, count=2, gentle_count=1, teachers=[teacher])


def answers_of(exact, held):
    return HeldOutAnswers(held=held, exact=held.scores(lambda pictures: string_outputs(exact, pictures)))


def run(exact, held, out, passes, *, epochs=2, bits=8, **options):
    calibration = as_input(exact, calibration_fields()[:20])
    model = rounded(exact, Rounding(bits=bits), calibration=calibration)
    recipe = fine_tuning_recipe(epochs=epochs, batch_size=10, learning_rate=1e-5, seed=1)
    answers = answers_of(exact, held)
    return model, fine_tune_on_strings(model, recipe, passes, answers, out=out, verbose=0, **options)


def test_a_short_fine_tuning_brings_4_bits_nearer_to_the_exact_model(tmp_path, exact, held, folder):
    model, history = run(exact, held, tmp_path, passes_of(exact, folder), epochs=4, bits=4)
    assert [row["epoch"] for row in history] == list(range(5))
    assert min(row["held_out_divergence"] for row in history[1:]) < 0.8 * history[0]["held_out_divergence"]
    # The model keeps its best weights, settled.
    scores = [
        all_windows(held.scores(lambda pictures, one=one: string_outputs(one, pictures)))
        for one in (model, exact)
    ]
    wanted = nearest_of(history)["held_out_divergence"]
    np.testing.assert_allclose(divergence(*scores), wanted, rtol=1e-4)


def test_a_resumed_run_gives_the_same_weights(tmp_path, exact, held, folder):
    passes = passes_of(exact, folder)
    whole, whole_history = run(exact, held, tmp_path / "whole", passes)

    class Cut(StringPasses):
        def fields(self, index):
            if index == 1:  # the gentle set, which the last epoch reads
                raise OSError("the power went")
            return super().fields(index)

    with pytest.raises(Exception, match="the power went"):
        run(exact, held, tmp_path / "cut", Cut(**vars(passes)))
    rows = json.loads((tmp_path / "cut" / "checkpoints" / "history.json").read_text())
    assert [row["epoch"] for row in rows] == [0, 1]
    resumed, history = run(exact, held, tmp_path / "cut", passes, resume=True)
    assert history == whole_history
    for (name, left), right in zip(
        named_weights(whole).items(), named_weights(resumed).values(), strict=True
    ):
        np.testing.assert_array_equal(left.numpy(), right.numpy(), err_msg=name)


def test_the_loss_is_the_cross_entropy_with_the_exact_models_answers_whatever_is_allowed(rng):
    """A batch of one field with two windows."""
    scores, teacher = (rng.dirichlet(np.ones(CLASSES), size=2).astype(np.float32) for _ in range(2))
    allowed = np.eye(CLASSES, dtype=np.float32)[[4, 10]]
    targets = np.concatenate([allowed, teacher], axis=1)[None]
    got = window_cross_entropy(2.0)(targets, scores[None, None]).numpy()[0]
    roots = np.sqrt(scores)  # at a temperature of 2
    wanted = -(teacher * np.log(roots / roots.sum(axis=1, keepdims=True))).sum(axis=1)
    np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_the_best_row_is_nearest_to_the_exact_model_whatever_its_errors():
    rows = [(0.1, 3e-5), (0.3, 1e-5), (0.2, 2e-5)]
    history = [{"held_out_error": e, "held_out_divergence": d, "epoch": n} for n, (e, d) in enumerate(rows)]
    assert nearest_of(history)["epoch"] == 1


def test_errors_are_told_of_the_exact_model_the_fine_tuned_one_and_the_file(exact, held):
    content = (released_folder() / "lenet5_wide_int8_qat.tflite").read_bytes()
    errors = string_errors_of(fine_tuned_model(WIDE), exact, content, held)
    assert (errors.digits, errors.strings) == (60, sum(len(one.labels) for one in held.fields.values()))
    assert errors.exact == held.errors(held.scores(lambda pictures: string_outputs(exact, pictures)))
    # Off a digit's middle the net is undecided, and rounding changes some answers.
    assert 97 < errors.agreement_with_exact < 100
    assert errors.file_agreement_with_fine_tuned > 99
    alone = string_errors_of(exact, exact, None, held)
    assert alone.as_json().keys() == {"digits", "strings", "exact", "fine_tuned", "agreement_with_exact"}
    assert alone.agreement_with_exact == 100


def test_the_released_file_follows_from_the_released_fine_tuned_weights():
    model = fine_tuned_model(WIDE)
    with np.load(released_folder() / "lenet5_wide_qat.npz") as released:
        for name, variable in named_weights(model).items():
            np.testing.assert_array_equal(variable.numpy(), released[name])
    content, facts = lowered(convert_one(model, precision="int8").content, layout=layout_for(WIDE, "int8"))
    assert content == (released_folder() / "lenet5_wide_int8_qat.tflite").read_bytes()
    assert facts["layout"] == packaged_models()["lenet5_wide_int8.tflite"]["layout"]


def test_the_released_file_is_int8_throughout_with_a_scale_a_channel():
    graph = read_graph((released_folder() / "lenet5_wide_int8_qat.tflite").read_bytes())
    ends = {graph.inputs[0].index, graph.outputs[0].index}
    between = [t for node in graph.nodes for t in node.outputs if t.index not in ends]
    assert {tensor.type for tensor in between} == {"int8"}
    kernels = [node.inputs[1] for node in graph.nodes if node.name == "CONV_2D"]
    assert [kernel.scales.size for kernel in kernels[-3:]] == [120, 84, CLASSES]  # C5, F6, OUTPUT


def test_the_released_nets_were_fine_tuned_from_the_released_weights():
    for net in ("lenet5", WIDE):
        report = json.loads((released_folder() / f"{net}_qat.json").read_text())
        weights = (released_folder() / f"{net}.npz").read_bytes()
        assert report["weights_sha256"] == hashlib.sha256(weights).hexdigest()


def test_the_released_report_has_its_command_and_results():
    report = json.loads((released_folder() / "lenet5_wide_qat.json").read_text())
    assert report["command"].startswith("python -m lenet_edge.quantize --strings")
    assert report["best"] == nearest_of(report["history"])
    held_out = report["held_out"]
    # A window's answer off a digit's middle may change; a string's seldom does.
    assert held_out["file_agreement_with_fine_tuned"] >= 99.5
    count = report["held_out"]["strings"] / 3
    for kind in ("touching_error", "normal_error", "cheque_error"):
        share = held_out["exact"][kind] / 100
        # No more than three standard deviations of as many strings at this share above the exact model's.
        allowed = held_out["exact"][kind] + 300 * np.sqrt(share * (1 - share) / count)
        assert held_out["file"][kind] <= allowed, kind


def test_the_fine_tuned_file_has_a_threshold_of_its_own():
    files = {path.name: path.read_bytes() for path in released_folder().glob("lenet5_wide_*.tflite")}
    reports = {
        name: json.loads((released_folder() / f"{WIDE}{'_qat' if 'qat' in name else ''}.json").read_text())
        for name in files
    }
    assert len(files) == 3
    for name, content in files.items():
        sha256 = hashlib.sha256(content).hexdigest()
        assert string_threshold(sha256) == reports[name]["threshold"], name
        with StringReader(model=name) as reader:
            assert reader.sha256 == sha256
    own = reports["lenet5_wide_int8_qat.tflite"]
    assert own["threshold_chosen_on"].keys() == {"int8_qat"}
    assert max(own["threshold_chosen_on"]["int8_qat"]["made_up"].values()) <= 0.5
    assert string_threshold() == string_threshold("0") == reports["lenet5_wide_int8.tflite"]["threshold"]


def test_only_nets_with_fine_tuned_weights_are_given():
    with pytest.raises(InputError, match="expected one of lenet5, lenet5_wide, got stock_lenet5"):
        fine_tuned_model("stock_lenet5")


def test_the_command_runs_from_start_to_end(tmp_path, monkeypatch, capsys):
    training, held_out = (Digits(DIGITS.images[a:b], DIGITS.labels[a:b]) for a, b in ((0, 200), (200, 260)))
    monkeypatch.setattr("lenet_edge.training.preparing.training_digits", lambda data: training)
    monkeypatch.setattr("lenet_edge.training.preparing.held_out_digits", lambda data: held_out)
    monkeypatch.setattr("lenet_edge.training.string_training.HELD_OUT_FIELDS", 30)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "out"
    arguments = ["--strings", "--epochs", "1", "--passes", "2", "--batch-size", "10", "--verbose", "0"]
    assert main([*arguments, "--out", str(out)]) == 0
    assert {"weights.npz", "report.json", "lenet5_wide_int8_qat.tflite", "checkpoints"} == set(
        os.listdir(out)
    )
    printed = capsys.readouterr().out
    for kind in ("exact", "fine-tuned", r"\.tflite"):
        wanted = r".* % of digits, .* % of strings of four, .* % of touching ones, .* % of scanned amounts"
        assert re.search(rf"held-out errors, {kind}: {wanted}\n", printed)
    file = out / "lenet5_wide_int8_qat.tflite"
    assert printed.endswith(f"{file}; to use it: lenet-edge read --model {file} IMAGE\n")
    report = json.loads((out / "report.json").read_text())
    assert len(report["history"]) == 2
    assert (report["held_out"]["digits"], report["passes"]) == (60, 2)
    assert (
        report["weights_sha256"]
        == hashlib.sha256((released_folder() / "lenet5_wide.npz").read_bytes()).hexdigest()
    )
    with StringReader(model=file) as reader:  # it takes other widths than its own
        field = calibration_fields()[0]
        assert reader.read(np.concatenate([field, field], axis=1)).text[:1] == str(DIGITS.labels[0])
        assert field.shape[1] == OWN_WIDTH


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--batch-size", "13751"], "expected --batch-size of 13750 or fewer, the fields to train on, got"),
        (["--limit", "300"], "expected --batch-size of 75 or fewer, the fields to train on, got 128"),
        (["--passes", "1"], "expected --passes of 2 or more, got 1"),
        (["--weights", "none.npz"], "expected --weights to be a file, got none.npz"),
    ],
)
def test_bad_options_give_one_line_before_the_digits_are_read(
    tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lenet_edge.quantize.training_and_held_out", None)
    assert exit_status(main, ["--strings", *arguments], name="lenet-edge quantize") == 2
    error = capsys.readouterr().err
    assert error.startswith(f"lenet-edge quantize: {message}")
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
