"""Fold, every precision, quantize_aware and lower hold for models that nobody thought of.

More of them by hand: scripts/random_models.py; what it found: results/random_models.json.
"""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from drawn_models import built, drawn_models
from drawn_properties import PROPERTIES, models_for, noise_of_8_bits, outcome
from hypothesis import HealthCheck, given, settings

EXAMPLES = {"fold": 100, "float": 5, "int8": 8, "int16": 8, "quantize_aware": 7, "lower": 12}


@pytest.mark.parametrize("name", PROPERTIES)
def test_it_holds_for_drawn_models(name):
    outcomes = []

    # Building a model takes longer than Hypothesis has drawing take.
    @settings(max_examples=EXAMPLES[name], suppress_health_check=[HealthCheck.too_slow])
    @given(models_for(name))
    def hold(drawn):
        outcomes.append(outcome(name, drawn))

    hold()
    assert len(outcomes) >= EXAMPLES[name]
    assert outcomes.count("held") > len(outcomes) / 3


NOTHING = ("x0 = keras.Input((5, 9, 3), name='pixels')", "x1 = x0 * 1.0", "model = keras.Model(x0, x1)")


def test_a_model_that_gives_its_input_back_is_not_fine_tuned():
    words = "refused: expected a model with layers, got one that gives its input back"
    assert outcome("quantize_aware", built(NOTHING, 1)) == words


def test_a_model_that_gives_its_input_back_has_no_steps_in_int16():
    assert outcome("int16", built(NOTHING, 1)) == "held"


LINES = (
    "x0 = keras.Input((6, 6, 2), name='pixels')",
    "x1 = layers.Rescaling(1 / 255)(x0)",
    "x2 = layers.Conv2D(3, 3, padding='same')(x1)",
    "x3 = layers.BatchNormalization()(x2)",
    "x4 = layers.Dense(2)(layers.Flatten()(layers.ReLU()(x3)))",
    "model = keras.Model(x0, x4, name='drawn')",
)


def test_lines_build_the_same_model_again():
    one, two = built(LINES, 5), built(LINES, 5)
    assert np.array_equal(one.samples, two.samples)
    assert np.array_equal(one.model(one.samples), two.model(two.samples))
    assert not np.array_equal(one.model(one.samples), built(LINES, 6).model(one.samples))


def test_a_wrong_layout_is_found(monkeypatch):
    """Of a file whose last channels have the first ones' weights."""
    from converters.file import lowering

    def wrong(kernel, *arguments):
        return spread(np.roll(kernel, 1, axis=0), *arguments)

    spread, drawn = lowering.spread, built(LAID_OUT, 4)
    assert outcome("lower", drawn) == "held"
    monkeypatch.setattr(lowering, "spread", wrong)
    with pytest.raises(AssertionError, match="laid out as .* a difference of"):
        outcome("lower", drawn)


LAID_OUT = tuple(line.replace("Conv2D(3, 3", "Conv2D(3, 3, activation='relu'") for line in LINES)


@pytest.mark.parametrize("name", [name for name in PROPERTIES if name != "lower"])
def test_a_wrong_scaling_is_found(name, monkeypatch):
    """Of one channel in a hundredth, which is far more than rounding; in a tenth where steps are coarse."""
    from converters.model.fold_values import Value

    scaled = Value.scaled

    def wrong(self, factor, offset=0.0):
        off = 1.01 if name in ("fold", "float") else 1.5
        return scaled(self, np.asarray(factor) * off if np.ndim(factor) else factor, offset)

    drawn = built(LINES, 5)
    assert outcome(name, drawn) == "held"
    monkeypatch.setattr(Value, "scaled", wrong)
    with pytest.raises(AssertionError, match="off by"):
        outcome(name, drawn)


def test_the_kernels_are_as_they_were_after_the_noise_was_measured():
    drawn = built(LINES, 5)
    before = [np.array(one) for one in drawn.model.weights]
    assert noise_of_8_bits(drawn, np.asarray(drawn.model(drawn.samples))) > 0
    assert all(np.array_equal(one, two) for one, two in zip(before, drawn.model.weights, strict=True))


@settings(max_examples=5, suppress_health_check=[HealthCheck.too_slow])
@given(drawn_models())
def test_every_drawn_model_is_what_its_lines_build(drawn):
    again = built(drawn.lines, drawn.seed)
    assert np.array_equal(again.samples, drawn.samples)
    assert np.array_equal(again.model(again.samples), drawn.model(drawn.samples))


ROOT = Path(__file__).resolve().parents[2]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "random_models.py"))


def test_of_the_faults_of_a_kind_the_smallest_model_is_kept():
    found, other = SCRIPT["Found"](), SCRIPT["Found"]()
    found.add_fault("fold: off by 0.25", "a model")
    other.add_fault("fold: off by 3e-05", "one")
    other.add_fault("fold: off by 7", "a third one")
    other.add_fault("the process ended", "another")
    found.add(other)
    assert [(fault.count, fault.model) for fault in found.faults.values()] == [(3, "one"), (1, "another")]


def some_found():
    found = SCRIPT["Found"](examples=50, held=47, seconds=7.0)
    found.refused["expected that, got this"] = 2
    found.add_fault("fold: off by 0.25", "a model")
    return found


def test_a_process_that_dies_is_a_fault_of_the_model_at_hand_and_its_block_counts():
    notes = {"found": some_found().as_json(), "model": "the last one"}
    assert SCRIPT["what_came_of"](notes, status=0) == some_found()
    died = SCRIPT["what_came_of"](notes, status=-11)
    assert (died.examples, died.held, died.refused) == (50, 47, some_found().refused)
    kind, fault = list(died.faults.items())[-1]
    assert kind == "the process ended with status -N"
    assert (fault.count, fault.model) == (1, "the last one")


def test_a_run_goes_on_only_with_the_same_seed_and_versions(tmp_path):
    path = tmp_path / "random_models.json"
    earlier, found = SCRIPT["earlier"], some_found()

    def run(found=None, blocks=0, **others):
        return SCRIPT["Run"](found=found or SCRIPT["Found"](), blocks=blocks, others=others)

    assert earlier(path, "fold", 5, {"keras": "3"}) == run()
    entry = {"seed": 5, "blocks": 2, "command": "", **found.as_json()}
    path.write_text(json.dumps({"versions": {"keras": "3"}, "properties": {"fold": entry}}))
    assert earlier(path, "fold", 5, {"keras": "3"}) == run(found, 2, fold=entry)
    assert earlier(path, "fold", 6, {"keras": "3"}) == run(fold=entry)
    assert earlier(path, "int8", 5, {"keras": "3"}) == run(fold=entry)
    assert earlier(path, "fold", 5, {"keras": "4"}) == run()


def test_what_was_run_by_hand_found_no_fault():
    report = json.loads((ROOT / "results" / "random_models.json").read_text())
    assert set(report["properties"]) == set(PROPERTIES) == set(SCRIPT["BLOCKS"])
    for entry in report["properties"].values():
        assert entry["examples"] == entry["held"] + sum(entry["refused"].values())
        assert not entry["faults"]
