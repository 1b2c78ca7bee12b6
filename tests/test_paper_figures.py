"""The script that draws the paper's figures from our nets: what it collects, and that it draws everything."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from converters.base.errors import exit_status
from converters.base.kerases import import_keras
from lenet_edge.digits.mnist import Digits, calibration_digits
from lenet_edge.packaged.weights import save_weights
from lenet_edge.paper.model import lenet5

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "paper_figures.py"))
DRAWN = ("distorted", "feature_maps", "learning_curve", "misread", "start", "training_set_size")


def report(seed, **more):
    row = {"epoch": 1, "loss": 3.0, "online_error": 4.0, "training_error": 2.0 + seed}
    command = f"python -m lenet_edge.train --paper --seed {seed} --resume"
    return {"command": command, "digits": 60_000, "history": [row], **more}


@pytest.fixture
def runs(tmp_path):
    """Return a folder with finished trainings, two of them on all digits."""
    folder = tmp_path / "runs"
    reports = {
        "paper_1": report(1, test={"error": 1.0}),
        "paper_2": report(2, test={"error": 1.2}),
        "paper_held_out": report(1),
        "paper_first_15000": report(1, digits=15_000, test={"error": 2.0}),
        "paper_first_30000": report(1, digits=30_000, test={"error": 1.5}),
        "paper_distorted_1": report(1, test={"error": 0.8}),
        "departures/whole_eq_7_1": report(1, held_out={"error": 1.6}),
        "departures/whole_eq_7_2": report(2, held_out={"error": 1.7}),
    }
    reports["paper_held_out"]["history"][0]["held_out_error"] = 3.0
    for name, content in reports.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "report.json").write_text(json.dumps(content))
    save_weights(lenet5(keras=import_keras("keras")), folder / "paper_1" / "weights.npz", scale=-1.0)
    return folder


def test_reports_are_collected_and_every_figure_is_drawn(runs, tmp_path, monkeypatch):
    main = SCRIPT["main"]
    images, labels = calibration_digits()
    monkeypatch.setitem(main.__globals__, "ROOT", tmp_path)
    monkeypatch.setitem(main.__globals__, "test_digits", lambda: Digits(images[:30], labels[:30]))
    assert main([str(runs)]) == 0
    collected = json.loads((tmp_path / "results" / "paper_recipe.json").read_text())
    assert [seed["test"]["error"] for seed in collected["seeds"]] == [1.0, 1.2]
    assert collected["held_out"]["history"][0]["held_out_error"] == 3.0
    assert [first["digits"] for first in collected["first"]] == [15_000, 30_000]
    assert [distorted["test"]["error"] for distorted in collected["distorted"]] == [0.8]
    assert [one["held_out"]["error"] for one in collected["departures"]["whole_eq_7"]] == [1.6, 1.7]
    # An interrupted training gives the same result: its command is the one that was given first.
    assert collected["seeds"][0]["command"] == "python -m lenet_edge.train --paper --seed 1"
    pictures = {path.stem: path.read_bytes() for path in (tmp_path / "docs" / "paper").iterdir()}
    assert tuple(sorted(pictures)) == DRAWN
    assert all(content.startswith(b"\x89PNG") for content in pictures.values())


def test_every_drawn_figure_is_in_the_document():
    text = (ROOT / "docs" / "paper.md").read_text()
    assert [name for name in DRAWN if f"(paper/{name}.png)" not in text] == []


@pytest.mark.parametrize("missing", ["paper_[12]", "paper_held_out", "paper_first_*"])
def test_a_missing_training_gives_one_line(runs, capsys, missing):
    for path in runs.glob(f"{missing}/report.json"):
        path.unlink()
    assert exit_status(SCRIPT["main"], [str(runs)], name="paper_figures.py") == 2
    err = capsys.readouterr().err
    assert err.startswith("paper_figures.py: expected ")
    assert len(err.splitlines()) == 1


def test_the_curve_by_size_is_through_the_means():
    means = SCRIPT["_means"]([60.0, 15.0, 60.0], [1.0, 2.0, 3.0])
    assert means == ([15.0, 60.0], [2.0, 2.0])


def test_the_printed_start_saturates_f6_and_ours_does_not():
    """Docs/paper.md says so of 60 digits; 40 are enough to see it."""
    from lenet_edge.training.paper_recipe import draw_weights

    keras = import_keras("keras")
    keras.utils.set_random_seed(1)
    printed, ours = lenet5(keras=keras), lenet5(keras=keras)
    draw_weights(ours, seed=1)
    shares = [SCRIPT["_first_steps"](model, calibration_digits(), 40)[1] for model in (printed, ours)]
    assert np.mean(shares[0][-5:]) > 90
    assert max(shares[1]) < 10
