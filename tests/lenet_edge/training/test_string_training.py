"""Training on strings: the allowed answers of each window, the loss, the cached passes, the command."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from converters.base.environment import tf
from converters.base.errors import InputError
from converters.base.kerases import KERAS_3, import_keras
from converters.layers.definition import class_for
from lenet_edge.digits.geometry import EMPTY
from lenet_edge.digits.mnist import Digits, calibration_digits
from lenet_edge.digits.string_fields.fields import Fields
from lenet_edge.digits.string_fields.handwriting import Writing
from lenet_edge.packaged.files import released_folder
from lenet_edge.packaged.weights import load_weights
from lenet_edge.paper.model import lenet5, string_teacher
from lenet_edge.train import main
from lenet_edge.training import string_training
from lenet_edge.training.distorted_passes import Teacher
from lenet_edge.training.loop import Recipe
from lenet_edge.training.string_passes import VERSION, WIDTH, StringPasses, mixed_fields
from lenet_edge.training.string_training import (
    HeldOut,
    allowed_answers,
    string_outputs,
    string_steps,
    train_strings,
    window_centres,
)

DIGITS = calibration_digits()
StringCrossEntropy = class_for(string_training.StringCrossEntropy, import_keras(KERAS_3))


def _written(*digits: tuple[int, float], width: int = WIDTH) -> Fields:
    """Return one field with these digits, given with the columns of their centres."""
    labels, centres = np.full((1, 8), -1, np.int8), np.full((1, 8), np.nan, np.float32)
    labels[0, : len(digits)] = [digit for digit, _ in digits]
    centres[0, : len(digits)] = [centre for _, centre in digits]
    return Fields(np.zeros((1, 32, width), np.uint8), labels, centres)


def _answers(fields: Fields) -> list[str]:
    """Return the allowed answers of each window: "3", "3_" for a 3 or nothing, "_" for nothing."""
    return ["".join("0123456789_"[c] for c in np.flatnonzero(row)) for row in allowed_answers(fields)[0]]


def test_there_is_a_window_for_each_answer_of_the_net():
    model = lenet5(wide=True, empty=True)
    for width in (32, 35, 36, 112, 117):
        assert (
            len(window_centres(width)) == string_outputs(model, np.zeros((1, 32, width), np.uint8)).shape[1]
        )
    assert window_centres(40).tolist() == [15.5, 19.5, 23.5]


@pytest.mark.parametrize(
    ("digits", "answers"),
    [
        ((), ["_"] * 6),
        # Windows at 15.5, 19.5, 23.5, 27.5, 31.5, 35.5.
        (((7, 23.5),), ["_", "7_", "7", "7_", "_", "_"]),
        (((7, 25.5),), ["_", "_", "7", "7", "_", "_"]),  # 2 columns from both: each must read it
        (((7, 24.6),), ["_", "_", "7", "7_", "_", "_"]),
        (((3, 15.5), (8, 31.5)), ["3", "3_", "_", "8_", "8", "8_"]),
        (((3, 19.5), (8, 27.5)), ["3_", "3", "38_", "8", "8_", "_"]),
        (((3, 19.5), (3, 27.5)), ["_", "3", "_", "3", "_", "_"]),  # equal digits are separated
        (((3, 2.0),), ["_"] * 6),  # its centre is near no window's
    ],
)
def test_the_allowed_answers_follow_from_where_the_digits_are(digits, answers):
    assert _answers(_written(*digits, width=52)) == answers


def test_the_loss_is_the_cross_entropy_of_all_allowed_answers_together():
    loss = StringCrossEntropy(scale=0.5)
    distances = np.linspace(0, 9, 22, dtype=np.float32).reshape(1, 1, 2, 11)
    may = np.zeros((1, 2, 11), np.float32)
    may[0, 0, [4]] = may[0, 1, [4, EMPTY]] = 1
    powers = np.exp(-0.5 * distances[0, 0])
    p = powers / powers.sum(axis=1, keepdims=True)
    expected = -np.log([p[0, 4], p[1, 4] + p[1, EMPTY]])
    assert loss.call(may, distances).numpy()[0] == pytest.approx(expected, rel=1e-5)
    assert StringCrossEntropy(**loss.get_config()).scale == 0.5
    with pytest.raises(InputError, match="expected scale above 0, got 0"):
        StringCrossEntropy(scale=0)


def test_a_teachers_answers_have_their_share_of_the_loss():
    distances = np.linspace(0, 9, 11, dtype=np.float32).reshape(1, 1, 1, 11)
    may, answers = np.eye(11, dtype=np.float32)[4], np.linspace(0, 1, 11, dtype=np.float32) / 5.5
    targets = np.concatenate([may, answers]).reshape(1, 1, 22)
    logarithms = np.log(np.exp(-0.1 * distances.ravel()) / np.exp(-0.1 * distances).sum())
    expected = 0.25 * -logarithms[4] + 0.75 * -(answers * logarithms).sum()
    loss = StringCrossEntropy(answers_weight=0.75)
    assert loss.call(targets, distances).numpy() == pytest.approx(expected, rel=1e-5)
    assert StringCrossEntropy(**loss.get_config()).answers_weight == 0.75
    with pytest.raises(InputError, match="expected answers_weight of 0 to 1, got 2"):
        StringCrossEntropy(answers_weight=2)


def test_a_single_digit_pulls_each_window_towards_its_allowed_answers():
    may = allowed_answers(_written((7, 23.5), width=52)).astype(np.float32)
    distances = tf.Variable(np.zeros((1, 1, 6, 11), np.float32))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(StringCrossEntropy().call(may, distances))
    push = tape.gradient(total, distances).numpy()[0, 0]  # positive where training lowers the distance
    assert (push[:, 7] > 0).tolist() == [False, True, True, True, False, False]
    assert (push[:, EMPTY] > 0).tolist() == [True, True, False, True, True, True]


@pytest.fixture(autouse=True)
def _few_held_out_fields(monkeypatch):
    monkeypatch.setattr("lenet_edge.training.string_training.HELD_OUT_FIELDS", 40)


def _few() -> Digits:
    return Digits(DIGITS.images[:80], DIGITS.labels[:80])


def _passes(folder) -> StringPasses:
    return StringPasses(digits=_few(), folder=folder, seed=3, count=3, gentle_count=1)


def test_passes_are_cached(tmp_path):
    passes = _passes(tmp_path)
    assert passes.size == 20
    first, again = passes.fields(0), passes.fields(0)
    assert np.array_equal(first.pictures, again.pictures)
    assert sorted(path.name.split("-")[0] for path in tmp_path.iterdir()) == ["found2", "strings"]
    assert 15 <= len(first.labels) <= 20
    assert not np.array_equal(first.pictures, passes.fields(1).pictures)


def test_the_teachers_answers_lie_beside_the_fields_and_are_cached(tmp_path):
    calls = []

    def brightness(pictures):  # an answer that tells one field from another
        calls.append(len(pictures))
        return np.repeat(pictures.mean(axis=(1, 2))[:, None, None] / 255, 11, axis=2)

    teachers = [Teacher("bright", brightness), Teacher("dark", lambda pictures: 0 * brightness(pictures))]
    passes = replace(_passes(tmp_path), teachers=teachers)
    fields, answers = passes.fields(1), passes.answers(1)
    expected = fields.pictures.mean(axis=(1, 2)) / 255 / 2  # the mean of both teachers
    np.testing.assert_allclose(answers[:, 0, 3], expected, rtol=2e-3)  # float16 has 11 bits
    assert len(calls) == 4  # two teachers answer to two parts
    np.testing.assert_array_equal(passes.answers(1), answers)
    assert len(calls) == 4


def test_a_string_teacher_answers_where_the_wide_net_does():
    teacher, net = string_teacher(), lenet5(wide=True, empty=True)
    for width in (32, 36, 112):
        blank = np.zeros((1, 32, width), np.uint8)
        assert string_outputs(teacher, blank).shape == string_outputs(net, blank).shape


def test_the_gentle_passes_come_last():
    passes = _passes(None)
    assert [passes.index(epoch, epochs=10, gentle_share=0.3) for epoch in range(10)] == [0, 1] * 3 + [0] + [
        2
    ] * 3
    assert passes._writing(2) == Writing().gentler(0.6)
    assert passes._writing(1) == Writing()


def test_a_mixture_has_strings_of_every_spacing_and_empty_fields():
    fields = mixed_fields(DIGITS, 400, seed=(1, 2), writing=Writing())
    assert fields.pictures.shape == (288, 32, WIDTH)  # the other 28 % are found on scans
    digits = (fields.labels >= 0).sum(axis=1)
    assert 0.08 < np.mean(digits == 0) < 0.25
    assert digits.max() >= 6


def test_a_net_that_reads_nothing_misreads_every_held_out_string():
    digits = Digits(DIGITS.images[:50], DIGITS.labels[:50])
    model = lenet5(wide=True, empty=True)
    for variable in model.trainable_variables:
        variable.assign(tf.zeros_like(variable))
    errors = HeldOut(digits, count=20).measure(model)
    assert errors["touching_error"] == errors["normal_error"] == errors["cheque_error"] == 100.0
    assert errors["error"] > 50


def test_the_command_trains_from_the_released_weights(tmp_path, monkeypatch):
    """A few real steps."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("lenet_edge.training.preparing.training_digits", lambda data: DIGITS)
    held_out = Digits(DIGITS.images[:60], DIGITS.labels[:60])
    monkeypatch.setattr("lenet_edge.training.preparing.held_out_digits", lambda data: held_out)
    command = ["--strings", "--batch-size", "25", "--passes", "2", "--gentle-passes", "1", "--epochs", "2"]
    out = tmp_path / "run"
    assert main([*command, "--learning-rate", "3e-4", "--verbose", "0", "--out", str(out)]) == 0
    report = json.loads((out / "report.json").read_text())
    scale = load_weights(lenet5(wide=True, empty=True), out / "weights.npz")
    assert scale == pytest.approx(report["scale"])
    assert scale < 0
    assert [row["epoch"] for row in report["history"]] == [1, 2]
    assert report["history"][1]["loss"] < report["history"][0]["loss"]
    assert report["held_out"]["error"] < 20  # chance is 90: it starts from what lenet5 has learned
    assert set(report["held_out"]) == {"error", "touching_error", "normal_error", "cheque_error"}
    assert report["command"].startswith("python -m lenet_edge.train --strings")


def test_the_command_trains_a_teacher_and_a_net_that_learns_from_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("lenet_edge.training.preparing.training_digits", lambda data: DIGITS)
    held_out = Digits(DIGITS.images[:20], DIGITS.labels[:20])
    monkeypatch.setattr("lenet_edge.training.preparing.held_out_digits", lambda data: held_out)
    common = ["--strings", "--batch-size", "25", "--passes", "1", "--gentle-passes", "0", "--verbose", "0"]
    teacher, net = tmp_path / "teacher", tmp_path / "net"
    assert main([*common, "--model", "teacher", "--epochs", "3", "--out", str(teacher)]) == 0
    history = json.loads((teacher / "report.json").read_text())["history"]
    assert history[2]["loss"] < 0.8 * history[0]["loss"]
    assert main([*common, "--epochs", "1", "--learn-from", str(teacher), "--out", str(net)]) == 0
    (known,) = json.loads((net / "report.json").read_text())["teachers"]
    assert known["sha256"] == hashlib.sha256((teacher / "weights.npz").read_bytes()).hexdigest()
    assert known["command"].startswith("python -m lenet_edge.train --strings")
    assert known["held_out"]["error"] > 0
    answers = sorted((tmp_path / "cache").rglob("answers-*.npy"))
    assert [path.name.split("-")[1].rstrip("0123456789") for path in answers] == ["found", "strings"]
    assert np.load(answers[0]).sum(axis=2) == pytest.approx(1, abs=0.01)  # probabilities, in float16
    again = [*common, "--model", "teacher", "--epochs", "1", "--start", str(teacher / "weights.npz")]
    assert main([*again, "--out", str(tmp_path / "again")]) == 0
    first = json.loads((tmp_path / "again" / "report.json").read_text())["history"][0]["loss"]
    assert first < 0.8 * history[0]["loss"]  # it began with what the teacher knows


def test_resumed_training_ends_in_the_same_weights(tmp_path):
    passes, recipe = _passes(tmp_path / "passes"), Recipe(epochs=2, batch_size=10, gentle_share=0.5)
    held_out = Digits(DIGITS.images[:20], DIGITS.labels[:20])
    whole, scale, history = train_strings(recipe, passes, held_out, out=tmp_path / "whole", verbose=0)

    class Cut(StringPasses):
        def fields(self, index):
            if index == 2:  # the gentle set, which the last epoch reads
                raise OSError("the power went")
            return super().fields(index)

    with pytest.raises(Exception, match="the power went"):
        train_strings(recipe, Cut(**vars(passes)), held_out, out=tmp_path / "cut", verbose=0)
    options = {"out": tmp_path / "cut", "resume": True, "verbose": 0}
    resumed, resumed_scale, resumed_history = train_strings(recipe, passes, held_out, **options)
    assert (resumed_scale, resumed_history) == (scale, history)
    for left, right in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_share_of_the_start_is_kept(tmp_path):
    start = released_folder() / "lenet5_wide.npz"
    passes, held_out = _passes(tmp_path / "passes"), Digits(DIGITS.images[:20], DIGITS.labels[:20])
    recipe = Recipe(epochs=1, batch_size=10, gentle_share=0.0)
    nets = {
        keep: train_strings(
            recipe, passes, held_out, start=start, keep=keep, out=tmp_path / str(keep), verbose=0
        )[0].get_weights()
        for keep in (0.0, 0.25)
    }
    begun = lenet5(wide=True, empty=True)
    load_weights(begun, start)
    learned = [np.abs(new - old).max() for new, old in zip(nets[0.0], begun.get_weights(), strict=True)]
    assert max(learned) > 1e-3
    for old, new, mean in zip(begun.get_weights(), nets[0.0], nets[0.25], strict=True):
        np.testing.assert_allclose(mean, 0.25 * old + 0.75 * new, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--paper"], "expected --strings or --paper, got both"),
        (["--model", "stock"], "expected --strings with --model lenet5 or teacher, got stock"),
        (["--learn-from", "x"], "expected --learn-from folders with weights.npz, got x"),
        (["--threads", "-5"], "expected --threads of 1 to 1024, got -5"),
        (["--keep", "0.5"], "expected --keep with --strings and --start, got 0.5"),
        (["--start", "none.npz"], "expected --start with a file of weights, got none.npz"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, expected):
    with pytest.raises(InputError, match=expected):
        main(["--strings", *options])


DRAWN = Path(__file__).parents[2] / "reference" / f"string-fields-{VERSION}.npz"


def test_fields_are_those_of_their_version():
    """Cached sets depend on them: if fields change, increase VERSION in string_passes, save these again."""
    fields = mixed_fields(_few(), 12, seed=(7, 1), writing=Writing())
    with np.load(DRAWN) as drawn:
        assert np.array_equal(fields.labels, drawn["labels"])
        # Another processor may round a grey level differently.
        assert np.abs(fields.pictures.astype(int) - drawn["pictures"]).max() <= 1


def test_another_version_draws_other_fields(tmp_path, monkeypatch):
    passes = _passes(tmp_path)
    passes.fields(0)
    monkeypatch.setattr("lenet_edge.training.string_passes.VERSION", VERSION + 1)
    passes.fields(0)
    assert len(list(tmp_path.iterdir())) == 4


def test_too_few_digits_for_a_batch_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"expected 512 digits or more \(one batch\), got 80"):
        string_steps(_passes(tmp_path), Recipe())
