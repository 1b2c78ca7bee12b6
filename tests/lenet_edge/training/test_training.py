"""Real training on a few hundred digits; interrupted and resumed, it gives the same weights."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from python_apart import run_python

from converters.base.arrays import read_npz
from converters.base.environment import tf
from converters.base.errors import InputError, exit_status
from converters.base.kerases import KERAS_2, import_keras
from lenet_edge.digits.mnist import Digits, calibration_digits, pad
from lenet_edge.packaged.files import released_folder
from lenet_edge.packaged.weights import load_weights
from lenet_edge.paper.answers import as_input, outputs_of
from lenet_edge.paper.model import lenet5, stock_lenet5
from lenet_edge.train import main
from lenet_edge.training import loop
from lenet_edge.training.checkpoints import resume_hint, same_as_begun
from lenet_edge.training.distorted_passes import Passes, Teacher
from lenet_edge.training.distortions import VERSION
from lenet_edge.training.loop import Recipe, batches, error_of_outputs, soften, train
from lenet_edge.training.options import LARGEST_SEED, MOST_PASSES
from lenet_edge.training.score_calibration import measure, probabilities


@pytest.fixture(scope="module")
def digits():
    """Return 400 digits to train on and 100 other digits to measure on, all from the calibration digits."""
    images, labels = calibration_digits()
    order = np.random.default_rng(5).permutation(500)
    return Digits(images[order[:400]], labels[order[:400]]), Digits(images[order[400:]], labels[order[400:]])


def passes_of(digits, folder, **options):
    return Passes(digits=digits, folder=folder, seed=3, **{"count": 3, "gentle_count": 1, **options})


@pytest.mark.parametrize("model", ["lenet5", "stock"])
def test_a_short_training_learns(tmp_path, digits, model):
    training, held_out = digits
    recipe = Recipe(model=model, epochs=30, batch_size=20)
    trained, history = train(recipe, passes_of(training, tmp_path), held_out, out=tmp_path, verbose=0)
    assert [row["epoch"] for row in history] == list(range(1, 31))
    assert history[-1]["loss"] < history[0]["loss"] / 3
    # 90 % wrong is chance. 400 digits, 30 times: some 10 % wrong is usual.
    assert history[-1]["held_out_error"] < 30
    sign = -1 if model == "lenet5" else 1
    assert (
        error_of_outputs(outputs_of(trained, pad(held_out.images)), held_out.labels, sign=sign)
        == history[-1]["held_out_error"]
    )


def test_resumed_training_ends_in_the_same_weights(tmp_path, digits):
    training, held_out = digits
    passes = passes_of(training, tmp_path / "passes")
    recipe = Recipe(epochs=4, batch_size=50)
    whole, whole_history = train(recipe, passes, held_out, out=tmp_path / "whole", verbose=0)

    class Cut(Passes):
        def pictures(self, index):
            if index == 2:  # the gentle pass, which the last epoch reads
                raise OSError("the power went")
            return super().pictures(index)

    with pytest.raises(Exception, match="the power went"):
        train(recipe, Cut(**vars(passes)), held_out, out=tmp_path / "cut", verbose=0)
    rows = json.loads((tmp_path / "cut" / "checkpoints" / "history.json").read_text())
    assert 1 <= len(rows) < 4
    resumed, history = train(recipe, passes, held_out, out=tmp_path / "cut", resume=True, verbose=0)
    assert history == whole_history
    for left, right in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_finished_training_is_resumed_to_its_own_weights(tmp_path, digits):
    training, held_out = digits
    recipe, passes = Recipe(epochs=2, batch_size=100), passes_of(training, tmp_path / "passes")
    done, history = train(recipe, passes, held_out, out=tmp_path / "out", verbose=0)
    again, rows = train(recipe, passes, held_out, out=tmp_path / "out", resume=True, verbose=0)
    assert rows == history
    for left, right in zip(done.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def _begun_in_keras_2(folder):
    """Write the state of a training as this package did when it trained in Keras 2."""
    keras2 = import_keras(KERAS_2)
    model = lenet5(keras=keras2)
    optimizer = keras2.optimizers.AdamW(1e-3, use_ema=True)
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, "mse")
    state = tf.train.Checkpoint(model=model, optimizer=optimizer)
    tf.train.CheckpointManager(state, str(folder), max_to_keep=2).save(1)
    (folder / "history.json").write_text('[{"epoch": 1, "loss": 1.0, "held_out_error": 90.0}]')


def test_the_state_of_another_training_gives_one_line(tmp_path, digits):
    """Of one in Keras 2, as this package once had them, of another net, or damaged."""
    training, held_out = digits
    recipe, passes = Recipe(epochs=1, batch_size=200), passes_of(training, tmp_path / "passes")
    _begun_in_keras_2(tmp_path / "old" / "checkpoints")
    stock = dataclasses.replace(recipe, model="stock")
    train(stock, passes, held_out, out=tmp_path / "stock", verbose=0)
    for name, part in (("cut", "data-*"), ("gone", "index")):
        train(recipe, passes, held_out, out=tmp_path / name, verbose=0)
        (state,) = (tmp_path / name / "checkpoints").glob(f"ckpt-1.{part}")
        state.write_bytes(state.read_bytes()[:1000]) if name == "cut" else state.unlink()
    for name in ("old", "stock", "cut", "gone"):
        with pytest.raises(InputError, match=r"^expected a training of this model to resume in .*, got .*$"):
            train(recipe, passes, held_out, out=tmp_path / name, resume=True, verbose=0)


def test_training_is_the_same_whatever_tf_keras_is(tmp_path):
    """Nets are trained in Keras 3, also in a program where TF_USE_LEGACY_KERAS makes `tf.keras` Keras 2."""
    code = (
        "import sys; from pathlib import Path\n"
        "from lenet_edge.digits.mnist import Digits, calibration_digits\n"
        "from lenet_edge.training.distorted_passes import Passes\n"
        "from lenet_edge.training.loop import Recipe, train\n"
        "from lenet_edge.packaged.weights import save_weights\n"
        "out = Path(sys.argv[1])\n"
        "digits = Digits(*(part[:60] for part in calibration_digits()))\n"
        "passes = Passes(digits=digits, folder=out / 'passes', seed=3, count=1, gentle_count=0)\n"
        "model, _ = train(Recipe(epochs=1, batch_size=20), passes, digits, out=out, verbose=0)\n"
        "save_weights(model, out / 'weights.npz', scale=-1.0)"
    )
    for legacy in ("0", "1"):
        run_python(code, tmp_path / legacy, TF_USE_LEGACY_KERAS=legacy).check_returncode()
    first, second = (read_npz(tmp_path / legacy / "weights.npz") for legacy in ("0", "1"))
    assert sorted(first) == sorted(second)
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name], err_msg=name)


def test_another_backend_is_refused_before_the_digits_are_read(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("lenet_edge.train.training_and_held_out", None)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert exit_status(main, ["--out", str(tmp_path / "out")], name="lenet-edge train") == 2
    err = "lenet-edge train: expected KERAS_BACKEND=tensorflow to train with, got jax\n"
    assert capsys.readouterr().err == err
    assert not list(tmp_path.iterdir())


def test_the_model_is_left_with_the_averaged_weights_that_were_measured(tmp_path, digits, monkeypatch):
    training, held_out = digits
    measured = []
    monkeypatch.setattr(loop, "error_of_outputs", lambda outputs, *_, **__: measured.append(outputs) or 0.0)
    recipe, passes = Recipe(epochs=2, batch_size=50), passes_of(training, tmp_path)
    trained, _ = train(recipe, passes, held_out, out=tmp_path / "out", verbose=0)
    np.testing.assert_array_equal(outputs_of(trained, pad(held_out.images)), measured[-1])
    assert (measured[0] != measured[1]).any()


def test_measuring_after_each_epoch_leaves_the_training_as_it_is(tmp_path, digits):
    training, held_out = digits
    recipe, passes = Recipe(epochs=3, batch_size=50), passes_of(training, tmp_path)
    trained, _ = train(recipe, passes, held_out, out=tmp_path / "out", verbose=0)
    plain = loop.compiled(lambda keras: lenet5(keras=keras), loop.loss_of(recipe), recipe, steps=8)
    dataset = loop.as_pixels(plain, batches(passes, recipe))
    plain.fit(dataset, steps_per_epoch=8, epochs=3, shuffle=False, verbose=0)
    for left, right in zip(plain.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_started_training_is_not_overwritten(tmp_path, digits):
    training, held_out = digits
    recipe = Recipe(epochs=1, batch_size=200)
    passes = passes_of(training, tmp_path)
    with pytest.raises(InputError, match="expected a training to resume in .*, got none"):
        train(recipe, passes, held_out, out=tmp_path / "out", resume=True, verbose=0)
    train(recipe, passes, held_out, out=tmp_path / "out", verbose=0)
    with pytest.raises(InputError, match="expected an empty output folder or --resume, got a training in"):
        train(recipe, passes, held_out, out=tmp_path / "out", verbose=0)


def test_passes_are_cached_and_shared(tmp_path, digits):
    training, _ = digits
    first = passes_of(training, tmp_path).pictures(0)
    assert first.shape == (400, 32, 32)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    np.testing.assert_array_equal(passes_of(training, tmp_path).pictures(0), first)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == written
    assert (passes_of(training, tmp_path).pictures(1) != first).any()


def test_another_version_draws_other_passes(tmp_path, digits, monkeypatch):
    passes = passes_of(digits[0], tmp_path)
    passes.pictures(0)
    monkeypatch.setattr("lenet_edge.training.distorted_passes.VERSION", VERSION + 1)
    passes.pictures(0)
    assert len(list(tmp_path.iterdir())) == 2


def test_the_last_epochs_read_the_gentle_passes(tmp_path, digits):
    passes = passes_of(digits[0], tmp_path, count=5, gentle_count=2)
    indices = [passes.index(epoch, epochs=10, gentle_share=0.3) for epoch in range(10)]
    assert indices == [0, 1, 2, 0, 1, 2, 0, 3, 4, 3]


def test_gentle_passes_are_nearer_to_the_digits(tmp_path, digits):
    passes = passes_of(digits[0], tmp_path)
    own = pad(digits[0].images).astype(float)
    strong, gentle = (np.abs(passes.pictures(i) - own).mean() for i in (0, 2))
    assert gentle < 0.85 * strong


def test_targets_mix_labels_and_softened_answers(tmp_path, digits):
    answer = np.full((1, 10), 0.01, np.float32)
    answer[0, 7] = 0.91
    teacher = Teacher("t", lambda pictures: np.repeat(answer, len(pictures), axis=0))
    passes = passes_of(digits[0], tmp_path, teachers=[teacher])
    recipe = Recipe(epochs=1, batch_size=100, answers_weight=0.5, answers_temperature=2.0, gentle_share=0.0)
    pictures, targets = next(iter(batches(passes, recipe)))
    assert pictures.shape == (100, 32, 32)
    soft = np.sqrt(answer) / np.sqrt(answer).sum()
    np.testing.assert_allclose(targets.numpy().sum(axis=1), 1, atol=1e-3)  # answers are cached as float16
    np.testing.assert_allclose(targets[:, 7].numpy().min(), soft[0, 7] / 2, atol=1e-3)


def test_softening_is_a_temperature(rng):
    logits = rng.normal(size=(4, 10))
    np.testing.assert_allclose(soften(probabilities(logits), 2.0), probabilities(logits / 2), rtol=1e-5)


def test_the_stock_net_sees_the_middle():
    pictures = np.zeros((1, 32, 32), np.uint8)
    pictures[0, 2, 29] = 255
    pixels = as_input(stock_lenet5(), pictures)
    assert pixels.shape == (1, 28, 28, 1)
    assert pixels[0, 0, 27, 0] == 255


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "lenet6"}, "expected one of lenet5, stock, teacher, got lenet6"),
        ({"epochs": 0}, "expected 1 epoch or more and batches of 1 digit or more"),
    ],
)
def test_bad_recipes_give_one_line(options, message):
    with pytest.raises(InputError, match=message):
        Recipe(**options)


def test_a_batch_larger_than_the_digits_is_refused(tmp_path, digits):
    with pytest.raises(InputError, match=r"expected 1000 digits or more \(one batch\), got 400"):
        batches(passes_of(digits[0], tmp_path), Recipe(batch_size=1000))


def test_metrics_have_error_and_rejection():
    outputs = np.array([[0.0, 9.0], [9.0, 0.0], [5.0, 0.0], [0.1, 0.0]])
    facts = measure(outputs, np.array([0, 1, 1, 0]), scale=-1.0)
    assert facts.error == 25.0
    assert facts.rejected["0.5"] == 25.0


@pytest.fixture
def small_mnist(monkeypatch, digits):
    """Let the command train on the few digits of the package: CI has no MNIST."""
    monkeypatch.setattr("lenet_edge.training.preparing.training_digits", lambda data: digits[0])
    monkeypatch.setattr("lenet_edge.training.preparing.held_out_digits", lambda data: digits[1])


def test_the_command_writes_weights_report_and_picture(tmp_path, small_mnist, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    teacher, out = str(tmp_path / "teacher"), tmp_path / "out"
    common = [
        "--epochs",
        "1",
        "--batch-size",
        "100",
        "--passes",
        "2",
        "--gentle-passes",
        "1",
        "--verbose",
        "0",
    ]
    assert main(["--model", "teacher", "--out", teacher, *common]) == 0
    assert main(["--out", str(out), "--learn-from", teacher, *common]) == 0
    assert "held-out error: " in capsys.readouterr().out
    report = json.loads((out / "report.json").read_text())
    assert report["command"].startswith("python -m lenet_edge.train --out")
    assert report["scale"] < 0
    assert set(report["held_out"]) >= {"error", "expected_calibration_error", "rejected"}
    assert "test" not in report
    assert (out / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    assert any((out / "tensorboard").rglob("events.*"))
    load_weights(lenet5(), out / "weights.npz")


def test_a_training_starts_from_a_file_of_weights(tmp_path, small_mnist, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    released = released_folder() / "lenet5.npz"
    words = ["--start", str(released), "--learning-rate", "1e-9", "--epochs", "1", "--batch-size", "100"]
    words += ["--passes", "2", "--gentle-passes", "1", "--verbose", "0"]
    assert main(["--out", str(tmp_path / "out"), *words]) == 0
    with np.load(released) as begun, np.load(tmp_path / "out" / "weights.npz") as ended:
        for name in set(begun.files) - {"scale"}:  # some five steps of at most 1e-9, and rounding
            np.testing.assert_allclose(ended[name], begun[name], rtol=1e-6, atol=1e-7)
    start = json.loads((tmp_path / "out" / "report.json").read_text())["start"]
    assert start == hashlib.sha256(released.read_bytes()).hexdigest()


def test_the_papers_recipe_learns(tmp_path, small_mnist, capsys):
    arguments = ["--paper", "--out", str(tmp_path), "--limit", "400", "--seed", "4", "--verbose", "2"]
    assert main(arguments) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert [row["epoch"] for row in report["history"]] == list(range(1, 21))
    last = report["history"][-1]
    assert last["training_error"] < 10  # 400 digits, 20 times; 90 is chance
    assert last["held_out_error"] == report["held_out"]["error"] < 30
    assert (report["digits"], report["seed"]) == (400, 4)
    assert report["scale"] < 0
    said = capsys.readouterr().out
    assert said.count("training_error") == 20
    assert f"held-out error: {last['held_out_error']:.2f} %" in said
    load_weights(lenet5(), tmp_path / "weights.npz")


def test_the_papers_recipe_learns_the_held_out_digits_too(tmp_path, small_mnist, monkeypatch, capsys):
    monkeypatch.setattr("lenet_edge.training.paper_recipe.SCHEDULE", (5e-4,))
    assert main(["--paper", "--out", str(tmp_path), "--verbose", "0"]) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["digits"] == 500
    assert "held_out" not in report
    assert set(report["history"][0]) == {"epoch", "loss", "online_error", "training_error"}
    assert report["scale"] == load_weights(lenet5(), tmp_path / "weights.npz") == -0.5
    assert "error:" not in capsys.readouterr().out
    with pytest.raises(InputError, match="expected an empty output folder or --resume, got a training in"):
        main(["--paper", "--out", str(tmp_path)])
    assert main(["--paper", "--out", str(tmp_path), "--resume", "--verbose", "0"]) == 0
    with pytest.raises(InputError, match="expected --seed 1998, as this training began, got --seed 4"):
        main(["--paper", "--out", str(tmp_path), "--resume", "--seed", "4"])
    with pytest.raises(
        InputError, match="expected no --distortions, as this training began, got --distortions"
    ):
        main(["--paper", "--out", str(tmp_path), "--resume", "--distortions"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "expected --epochs of 1 or more, got 0"),
        (["--learning-rate", "-1"], "expected --learning-rate above 0, got -1.0"),
        (["--passes", "3", "--gentle-passes", "3"], "expected more --passes than --gentle-passes, got 3"),
        (["--learn-from", "nowhere"], "expected --learn-from folders with weights.npz, got nowhere"),
        (["--distortions"], "expected --distortions with --paper, got no --paper"),
        (["--strings", "--distortions"], "expected --distortions with --paper, got no --paper"),
        (["--paper", "--model", "stock"], "expected --paper with --model lenet5, got stock"),
        (["--data", "/nonexistent"], "expected data to be a folder, got /nonexistent"),
        (["--threads", "-5"], "expected --threads of 1 to 1024, got -5"),
        (["--threads", "0"], "expected --threads of 1 to 1024, got 0"),
        (["--threads", "1000000"], "expected --threads of 1 to 1024, got 1000000"),
        (["--seed", "-1"], "expected --seed of 0 to 2147483647, got -1"),
        (["--seed", "2147483648"], "expected --seed of 0 to 2147483647, got 2147483648"),
        (["--distortion-seed", "-1"], "expected --distortion-seed of 0 to 2147483647, got -1"),
        (["--passes", "2001"], "expected --passes of 2000 or fewer, got 2001"),
        (["--learning-rate", "inf"], "expected --learning-rate above 0, got inf"),
        (["--limit", "100"], "expected --batch-size of 100 or fewer, the digits to train on, got 128"),
        (["--paper", "--epochs", "300"], "expected --paper without --epochs, got both"),
        (["--paper", "--resume"], "expected a training to resume in runs/lenet5/checkpoints, got none"),
        (["--paper", "--batch-size", "1"], "expected --paper without --batch-size, got both"),
        (["--paper", "--learning-rate", "0.1"], "expected --paper without --learning-rate, got both"),
        (["--start", "nowhere"], "expected --start with a file of weights, got nowhere"),
        (["--paper", "--start", "a"], "expected --paper without --start, got both"),
        (["--paper", "--learn-from", "a"], "expected --paper without --learn-from, got both"),
        (
            ["--paper", "--passes", "24", "--gentle-passes", "6", "--distortion-seed", "1"],
            "expected --paper without --passes, --gentle-passes, --distortion-seed, got all of them",
        ),
        (["--resume"], "expected a training to resume in runs/lenet5/checkpoints, got none"),
    ],
)
def test_bad_options_give_one_line_before_the_digits_are_read(
    capsys, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lenet_edge.train.the_papers_digits", None)
    monkeypatch.setattr("lenet_edge.train.training_and_held_out", None)
    assert exit_status(main, arguments, name="lenet-edge train") == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_the_largest_seed_and_pass_can_be_drawn(tmp_path, digits):
    passes = passes_of(digits[0], tmp_path, count=MOST_PASSES, gentle_count=0)
    last = dataclasses.replace(passes, seed=LARGEST_SEED).pictures(MOST_PASSES - 1)
    assert (last != passes.pictures(0)).any()
    Recipe(seed=LARGEST_SEED)


@pytest.mark.parametrize("option", ["--model=teacher", "--seed=3", "--threads=2", "--test", "--limit=200"])
def test_the_papers_recipe_takes_the_options_that_its_help_names(option, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lenet_edge.train._train_as_printed", lambda *_, **__: None)
    monkeypatch.setattr("lenet_edge.train.the_papers_digits", lambda **_: (None, None))
    if "model" in option:
        with pytest.raises(InputError, match="expected --paper with --model lenet5, got teacher"):
            main(["--paper", option])
    else:
        assert main(["--paper", option]) == 0


def test_an_existing_training_is_reported_before_the_digits_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("lenet_edge.train.the_papers_digits", None)
    monkeypatch.setattr("lenet_edge.train.training_and_held_out", None)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "checkpoint").write_text("")
    for more in ([], ["--paper"]):
        with pytest.raises(InputError, match="expected an empty output folder or --resume, got a training"):
            main(["--out", str(tmp_path), *more])


def test_a_training_goes_on_with_the_options_that_it_began_with(tmp_path):
    begun = {
        "seed": 1,
        "start": Path("a.npz"),
        "learn_from": [Path("b"), Path("c")],
        "data": None,
        "keep": 0.0,
    }
    same_as_begun(tmp_path, begun)
    same_as_begun(tmp_path, {**begun, "seed": 2})  # no epoch was saved: it begins anew
    (tmp_path / "checkpoints" / "checkpoint").write_text("")
    same_as_begun(tmp_path, {**begun, "seed": 2, "data": Path("d"), "keep": 0.5})
    with pytest.raises(InputError, match="^expected --seed 2, as this training began, got --seed 3$"):
        same_as_begun(tmp_path, {**begun, "seed": 3})
    with pytest.raises(
        InputError, match="^expected --learn-from b c, as this training began, got --learn-from b$"
    ):
        same_as_begun(tmp_path, {**begun, "seed": 2, "learn_from": [Path("b")]})
    (tmp_path / "checkpoints" / "options.json").unlink()  # one of an older lenet-edge
    same_as_begun(tmp_path, {**begun, "seed": 3})


def test_ctrl_c_says_how_to_resume_if_an_epoch_was_saved(tmp_path):
    with pytest.raises(KeyboardInterrupt, match="nothing is saved"), resume_hint(tmp_path):
        raise KeyboardInterrupt
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "checkpoint").write_text("")
    with pytest.raises(KeyboardInterrupt, match="--resume to continue"), resume_hint(tmp_path):
        raise KeyboardInterrupt


def test_an_output_folder_that_cannot_be_created_gives_one_line(capsys, monkeypatch):
    monkeypatch.setattr("lenet_edge.train.training_and_held_out", None)
    assert exit_status(main, ["--out", "/proc/out"], name="lenet-edge train") == 2
    assert capsys.readouterr().err.startswith("lenet-edge train: /proc/out: expected ")


def test_ctrl_c_gives_one_line(tmp_path):
    code = (
        # A shell ignores Ctrl-C in what it starts in the background, and these tests may be.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import lenet_edge.train as t, lenet_edge.training.preparing as p, lenet_edge.digits.mnist as m\n"
        "p.training_digits = p.held_out_digits = lambda data: m.calibration_digits()\n"
        "from converters.base.errors import exit_status\n"
        f"arguments = ['--out', {str(tmp_path)!r}, '--epochs', '5000']\n"
        "raise SystemExit(exit_status(t.main, arguments, name='lenet-edge train'))"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    deadline = time.monotonic() + 300
    while not (tmp_path / "checkpoints" / "history.json").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(0.6)  # into the next epoch, where the digits' thread is at work
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert err.decode().strip().splitlines()[-1] == (
        "lenet-edge train: interrupted: repeat the command with --resume to continue from the last epoch"
    )
    assert b"Traceback" not in err
    assert not (tmp_path / "weights.npz").exists()
