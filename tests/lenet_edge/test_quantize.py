"""Real fine-tuning for int8 on a few hundred digits; interrupted and resumed, it gives the same weights."""

from __future__ import annotations

import json
import os
import re

import numpy as np
import pytest

from converters.base.errors import InputError, exit_status
from converters.file.graph import read_graph
from converters.model.activation_ranges import RangeSearch
from converters.model.folding import fold
from converters.model.quantize_aware import quantize_aware
from converters.model.unrounded import unrounded
from lenet_edge.converting.files import convert_one
from lenet_edge.digits.mnist import Digits, calibration_digits, pad
from lenet_edge.packaged.files import released_folder
from lenet_edge.packaged.layouts import layout_for, lowered
from lenet_edge.packaged.models import fine_tuned_model, released_model
from lenet_edge.packaged.weights import load_quantised, named_weights, save_quantised
from lenet_edge.paper.answers import as_input, outputs_of
from lenet_edge.quantize import main
from lenet_edge.training.distorted_passes import Passes, Teacher
from lenet_edge.training.fine_tuning import best_of, divergence, fine_tune, fine_tuning_recipe
from lenet_edge.training.fine_tuning_run import calibration_images


@pytest.fixture(scope="module")
def digits():
    images, labels = calibration_digits()
    order = np.random.default_rng(5).permutation(500)
    return Digits(images[order[:300]], labels[order[:300]]), Digits(images[order[300:]], labels[order[300:]])


@pytest.fixture(scope="module")
def exact():
    return fold(released_model("lenet5"))


def rounding(exact, bits=8):
    calibration = as_input(exact, pad(calibration_digits().images[:50]))
    return quantize_aware(exact, calibration=calibration, weight_bits=bits)


def passes_of(digits, exact, folder):
    teacher = Teacher("exact", lambda pictures: outputs_of(exact, pictures))
    return Passes(digits=digits, folder=folder, seed=3, count=2, gentle_count=1, teachers=[teacher])


def run(exact, digits, out, *, epochs=2, bits=8, rate=1e-5, passes=None, **options):
    training, held_out = digits
    model = rounding(exact, bits)
    recipe = fine_tuning_recipe(epochs=epochs, batch_size=50, learning_rate=rate, seed=1)
    history = fine_tune(
        model,
        recipe,
        passes or passes_of(training, exact, out.parent / "passes"),
        held_out,
        exact=outputs_of(exact, pad(held_out.images)),
        out=out,
        verbose=0,
        **options,
    )
    return model, history


def test_a_short_fine_tuning_brings_4_bits_nearer_to_the_exact_model(tmp_path, digits, exact):
    model, history = run(exact, digits, tmp_path / "out", epochs=8, bits=4)
    assert [row["epoch"] for row in history] == list(range(9))
    assert min(row["held_out_divergence"] for row in history[1:]) < 0.8 * history[0]["held_out_divergence"]
    # The model keeps its best weights, settled.
    scores = outputs_of(model, pad(digits[1].images))
    wanted = outputs_of(exact, pad(digits[1].images))
    np.testing.assert_allclose(divergence(scores, wanted), best_of(history)["held_out_divergence"], rtol=1e-4)


def test_a_resumed_run_gives_the_same_weights(tmp_path, digits, exact):
    whole, whole_history = run(exact, digits, tmp_path / "whole")

    class Cut(Passes):
        def pictures(self, index):
            if index == 1:  # the gentle pass, which the last epoch reads
                raise OSError("the power went")
            return super().pictures(index)

    cut = Cut(**vars(passes_of(digits[0], exact, tmp_path / "passes")))
    with pytest.raises(Exception, match="the power went"):
        run(exact, digits, tmp_path / "cut", passes=cut)
    rows = json.loads((tmp_path / "cut" / "checkpoints" / "history.json").read_text())
    assert [row["epoch"] for row in rows] == [0, 1]
    resumed, history = run(exact, digits, tmp_path / "cut", resume=True)
    assert history == whole_history
    for (name, left), right in zip(
        named_weights(whole).items(), named_weights(resumed).values(), strict=True
    ):
        np.testing.assert_array_equal(left.numpy(), right.numpy(), err_msg=name)


def test_a_started_run_is_not_overwritten(tmp_path, digits, exact):
    with pytest.raises(InputError, match="expected a training to resume in .*, got none"):
        run(exact, digits, tmp_path / "out", epochs=1, resume=True)
    run(exact, digits, tmp_path / "out", epochs=1)
    with pytest.raises(InputError, match="expected an empty output folder or --resume, got a training in"):
        run(exact, digits, tmp_path / "out", epochs=1)


def test_the_best_row_has_the_fewest_errors_then_the_least_divergence():
    rows = [(0.4, 3e-5), (0.4, 2e-5), (0.6, 1e-5)]
    history = [{"held_out_error": e, "held_out_divergence": d, "epoch": n} for n, (e, d) in enumerate(rows)]
    assert best_of(history)["epoch"] == 1


def test_divergence_is_that_of_kullback_and_leibler():
    exact, scores = np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])
    np.testing.assert_allclose(divergence(scores, exact), 0.5 * np.log(2) + 0.5 * np.log(2 / 3))
    assert divergence(exact, exact) == 0


def test_weights_and_ranges_are_saved_and_loaded(tmp_path, exact):
    first, second = rounding(exact), rounding(exact)
    for variable in named_weights(first).values():
        variable.assign_add(0.01 * np.ones(variable.shape, np.float32))
    load_quantised(second, save_quantised(first, tmp_path / "weights.npz"))
    for left, right in zip(named_weights(first).values(), named_weights(second).values(), strict=True):
        np.testing.assert_array_equal(left.numpy(), right.numpy())
    with pytest.raises(
        InputError, match="expected the weights of lenet5, with quant_pixels/quant_pixels_min"
    ):
        load_quantised(second, released_folder() / "lenet5.npz")


def test_the_released_ranges_are_loaded_without_being_fitted_first(monkeypatch):
    seen = []
    monkeypatch.setattr(RangeSearch, "see", lambda search, values: seen.append(len(values)))
    monkeypatch.setattr("converters.model.quantize_aware.twin", None)  # it is built in Keras 2 at once
    model = fine_tuned_model()
    assert set(seen) == {1}
    with np.load(released_folder() / "lenet5_qat.npz") as released:
        for name, variable in named_weights(model).items():
            np.testing.assert_array_equal(variable.numpy(), released[name])


def test_the_released_file_follows_from_the_released_fine_tuned_weights():
    plain = convert_one(fine_tuned_model(), precision="int8").content
    content, _ = lowered(plain, layout=layout_for("lenet5", "int8"))
    assert content == (released_folder() / "lenet5_int8_qat.tflite").read_bytes()


def test_the_released_file_is_int8_throughout_and_small():
    content = (released_folder() / "lenet5_int8_qat.tflite").read_bytes()
    assert len(content) <= 75_000
    graph = read_graph(content)
    ends = {graph.inputs[0].index, graph.outputs[0].index}
    between = [t for node in graph.nodes for t in node.outputs if t.index not in ends]
    assert {tensor.type for tensor in between} == {"int8"}
    tied = [node.inputs[1].constant for node in graph.nodes if node.name == "DEPTHWISE_CONV_2D"]
    assert [set(np.abs(kernel).ravel()) for kernel in tied] == [{127}, {127}]


def test_the_unrounded_model_has_the_fine_tuned_weights(exact):
    quantised = fine_tuned_model()
    plain = unrounded(quantised)
    assert named_weights(plain).keys() == named_weights(exact).keys()
    for name, variable in named_weights(plain).items():
        np.testing.assert_array_equal(variable.numpy(), named_weights(quantised)[f"quant_{name}"].numpy())
    assert (plain.get_layer("F6").kernel.numpy() != exact.get_layer("F6").kernel.numpy()).any()


def test_the_released_report_has_its_command_and_results():
    report = json.loads((released_folder() / "lenet5_qat.json").read_text())
    assert report["command"].startswith("python -m lenet_edge.quantize")
    assert report["test"]["file_agreement_with_fine_tuned"] >= 99.9
    assert report["test"]["file_error"] <= report["test"]["exact_error"] + 0.05
    assert report["best"] == best_of(report["history"])


def test_calibration_digits_are_drawn_by_the_seed():
    assert len(calibration_images(500, seed=1)) == 500
    first, again, other = (calibration_images(10, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (10, 28, 28)
    assert (first != other).any()


def test_the_command_runs_from_start_to_end(tmp_path, digits, monkeypatch, capsys):
    monkeypatch.setattr("lenet_edge.training.preparing.training_digits", lambda data: digits[0])
    monkeypatch.setattr("lenet_edge.training.preparing.held_out_digits", lambda data: digits[1])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "out"
    arguments = ["--limit", "200", "--epochs", "1", "--passes", "2", "--batch-size", "50", "--verbose", "0"]
    assert main([*arguments, "--out", str(out)]) == 0
    assert {"weights.npz", "report.json", "lenet5_int8_qat.tflite", "checkpoints"} <= set(os.listdir(out))
    printed = capsys.readouterr().out
    assert re.search(r"held-out error: exact .* %, fine-tuned .* %, \.tflite", printed)
    file = out / "lenet5_int8_qat.tflite"
    assert printed.endswith(f"{file}; to use it: lenet-edge classify --model {file} IMAGE\n")
    report = json.loads((out / "report.json").read_text())
    assert len(report["history"]) == 2
    assert report["held_out"]["digits"] == 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "expected --epochs of 1 or more, got 0"),
        (["--bits", "1"], "expected --bits from 2 to 8, got 1"),
        (["--calibration", "501"], "expected --calibration from 1 to 500, got 501"),
        (["--learning-rate", "0"], "expected --learning-rate above 0, got 0.0"),
        (["--passes", "1"], "expected --passes of 2 or more, got 1"),
        (["--batch-size", "0"], "expected --batch-size of 1 or more, got 0"),
        (["--limit", "0"], "expected --limit of 1 or more, got 0"),
        (["--weights", "none.npz"], "expected --weights to be a file, got none.npz"),
        (["--data", "/none"], "expected data to be a folder, got /none"),
        (["--threads", "-5"], "expected --threads of 1 to 1024, got -5"),
        (["--seed", "-1"], "expected --seed of 0 to 2147483647, got -1"),
        (["--resume"], "expected a training to resume in runs/qat/checkpoints, got none"),
        (["--out", "/proc/out"], "/proc/out: expected a file or folder, got nothing there"),
    ],
)
def test_bad_options_give_one_line_before_the_digits_are_read(
    tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lenet_edge.quantize.training_and_held_out", None)
    assert exit_status(main, arguments, name="lenet-edge quantize") == 2
    assert capsys.readouterr().err == f"lenet-edge quantize: {message}\n"
    assert not list(tmp_path.iterdir())
