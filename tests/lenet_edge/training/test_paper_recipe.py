"""The paper's recipe: its gradient, its second derivatives, its order, and a training that is interrupted."""

from __future__ import annotations

import functools

import numpy as np
import paper_numpy as paper
import pytest

from converters.base.errors import InputError
from converters.base.kerases import import_keras
from lenet_edge.digits.mnist import Digits, calibration_digits, pad
from lenet_edge.paper.codes import digit_codes
from lenet_edge.paper.in_keras import classes
from lenet_edge.paper.layers import TABLE_I
from lenet_edge.paper.model import lenet5
from lenet_edge.training import paper_recipe
from lenet_edge.training.one_by_one import STRETCH, OneByOne
from lenet_edge.training.paper_recipe import RUBBISH, SCHEDULE, draw_weights, train_as_printed
from lenet_edge.training.preparing import the_papers_digits
from lenet_edge.training.second_derivatives import SecondDerivatives

CODES = digit_codes().astype(np.float64)
SOURCES = [m for row in TABLE_I for m in row]
TARGETS = [o for o, row in enumerate(TABLE_I) for _ in row]
COMPETING = 150.0
"""A j above the distances of the digits below: what pushes the other classes away counts, too."""


@pytest.fixture(scope="module")
def digits():
    """Return 300 digits to train on and 200 others."""
    images, labels = calibration_digits()
    order = np.random.default_rng(5).permutation(500)
    return Digits(images[order[:300]], labels[order[:300]]), Digits(images[order[300:]], labels[order[300:]])


@functools.cache
def learner(j):
    """Return a net and what learns with it: compiled once for all tests."""
    net = lenet5(keras=import_keras("keras"))
    return net, OneByOne(net, rubbish=j)


@pytest.fixture
def started():
    """Return a function from j to a net as the recipe starts it, and what learns with it."""

    def start(j=RUBBISH):
        net, one_by_one = learner(j)
        draw_weights(net, seed=3)
        return net, one_by_one

    return start


@pytest.fixture
def model(started):
    return started()[0]


def values(model):
    return [variable.numpy() for variable in model.trainable_variables]


def by_layer(arrays):
    """Return a list as trainable_variables has it by layer, in float64, and C3's kernel in full."""
    found = {
        name: [np.float64(one) for one in arrays[2 * i : 2 * i + 2]] for i, name in enumerate(paper.TABLES)
    }
    kernel, found["C3"][0] = found["C3"][0], np.zeros((5, 5, 6, 16))
    found["C3"][0][..., SOURCES, TARGETS] = kernel
    return found


def in_order(found):
    """Return what `by_layer` takes."""
    kernel = found["C3"][0][..., SOURCES, TARGETS]
    return [kernel if one is found["C3"][0] else one for name in paper.TABLES for one in found[name]]


def ones(model):
    return [np.ones(variable.shape, np.float32) for variable in model.trainable_variables]


def gradient_of(model, one_by_one, picture, label):
    """Return what a step of size 1 takes away from each weight."""
    before = values(model)
    one_by_one.learn(picture[None], label[None], ones(model))
    return [old - new for old, new in zip(before, values(model), strict=True)]


@pytest.mark.parametrize("j", [RUBBISH, COMPETING])
def test_a_step_goes_down_the_gradient_of_eq_9(started, digits, j):
    model, one_by_one = started(j)
    picture, label = pad(digits[0].images)[0], digits[0].labels[0]
    weights = by_layer(values(model))
    wanted = in_order(paper.gradient(picture[None].astype(np.float64), label[None], weights, CODES, j))
    for got, exact in zip(gradient_of(model, one_by_one, picture, label), wanted, strict=True):
        # Differences of weights below 1 in float32: 6e-8 of them, and sums of some thousand terms.
        np.testing.assert_allclose(got, exact, atol=2e-5 * max(1, np.abs(exact).max()))


def test_the_gradient_is_that_of_finite_differences(started, digits, rng):
    model, one_by_one = started(COMPETING)
    picture, label = pad(digits[0].images)[1], digits[0].labels[1]
    weights = [value.astype(np.float64) for value in values(model)]

    def criterion():
        found = paper.distances(picture[None].astype(np.float64), by_layer(weights), CODES)
        return paper.eq_9(found, label[None], COMPETING)

    for got, array in zip(gradient_of(model, one_by_one, picture, label), weights, strict=True):
        place = tuple(rng.integers(0, side) for side in array.shape)
        slope = central(criterion, array, place)
        assert got[place] == pytest.approx(slope, rel=1e-3, abs=2e-5 * max(1, np.abs(got).max()))


def central(function, array, place, width=1e-5):
    """Return the derivative of function() by array[place]."""
    middle, ends = array[place], []
    for side in (-width, width):
        array[place] = middle + side
        ends.append(function())
    array[place] = middle
    return (ends[1] - ends[0]) / (2 * width)


def test_the_criterion_is_that_of_the_layers(started, digits):
    training = digits[0]
    model, one_by_one = started(COMPETING)
    loss = classes(import_keras("keras")).MAPLoss(rubbish=COMPETING)
    for picture, label in zip(pad(training.images[:3]), training.labels[:3], strict=True):
        got = one_by_one.criterion(picture, np.int32(label), model.trainable_variables)
        outputs = model(picture[None, ..., None].astype(np.float32), training=False)
        np.testing.assert_allclose(got, loss(label[None], outputs), rtol=1e-5)


def test_each_digit_is_learnt_from_what_those_before_left(started, digits):
    model, one_by_one = started()
    pictures, labels = pad(digits[0].images[:3]), digits[0].labels[:3]
    start, steps = values(model), [1e-3 * one for one in ones(model)]
    single = sum(one_by_one.learn(pictures[i : i + 1], labels[i : i + 1], steps) for i in range(3))
    wanted = values(model)
    for variable, value in zip(model.trainable_variables, start, strict=True):
        variable.assign(value)
    assert one_by_one.learn(pictures, labels, steps) == pytest.approx(single)
    for got, value, before in zip(values(model), wanted, start, strict=True):
        np.testing.assert_array_equal(got, value)
        assert (got != before).any()


def test_each_weight_has_its_own_step(started, digits):
    """Steps of 0 for all weights but one: only that one changes."""
    model, one_by_one = started()
    for chosen in range(12):
        steps = [
            np.full(v.shape, float(place == chosen), np.float32) for place, v in enumerate(values(model))
        ]
        before = values(model)
        one_by_one.learn(pad(digits[0].images[:1]), digits[0].labels[:1], steps)
        changed = [(old != new).any() for old, new in zip(before, values(model), strict=True)]
        assert changed == [place == chosen for place in range(12)]


def test_second_derivatives_are_those_of_appendix_c(model, digits):
    pictures = pad(digits[0].images[:3])
    weights = by_layer(values(model))
    wanted = in_order(paper.second_derivatives(pictures.astype(np.float64), weights))
    for got, total in zip(SecondDerivatives(model).of(pictures), wanted, strict=True):
        np.testing.assert_allclose(got, total / 3, rtol=1e-3, atol=1e-5 * total.max())


@pytest.mark.parametrize("place", [8, 9, 10, 11])
def test_above_the_shared_weights_they_are_exact(model, digits, rng, place):
    """Of C5 and F6, h = 2 sum over i of (dx_i / dw)^2: the second derivative of y_D without x's own."""
    picture = pad(digits[0].images[2:3])
    got = SecondDerivatives(model).of(picture)[place]
    weights = [value.astype(np.float64) for value in values(model)]
    for _ in range(3):
        entry = tuple(rng.integers(0, side) for side in weights[place].shape)
        slopes = central(
            lambda: paper.signals(picture.astype(np.float64), by_layer(weights))[-1], weights[place], entry
        )
        assert got[entry] == pytest.approx(2 * (slopes**2).sum(), rel=1e-3, abs=1e-6)


def test_the_start_is_uniform_within_one_over_the_root_of_the_fan_in(model):
    found = by_layer(values(model))
    for name, fan_in in (("C1", 25), ("C5", 400), ("F6", 120)):
        kernel = found[name][0]
        # The largest of 150 uniform numbers or more is above 0.9 but for a chance of 0.9^150, 1e-7.
        assert 0.9 < np.abs(kernel).max() * np.sqrt(fan_in) <= 1
    start = 0
    for row in TABLE_I:
        kernels = model.get_layer("C3").kernel.numpy()[..., start : start + len(row)]
        assert 0.8 < np.abs(kernels).max() * np.sqrt(25 * len(row)) <= 1
        start += len(row)
    assert all((found[name][0] == 0.5).all() for name in ("S2", "S4"))
    assert all((bias == 0).all() for _, bias in found.values())


def short(monkeypatch, passes):
    monkeypatch.setattr(paper_recipe, "SCHEDULE", SCHEDULE[:passes])


def test_an_interrupted_training_goes_on_to_the_same_weights(tmp_path, digits, monkeypatch):
    training, held_out = digits
    short(monkeypatch, 4)
    whole = train_as_printed(training, held_out, seed=2, out=tmp_path / "whole", verbose=0)
    short(monkeypatch, 2)
    train_as_printed(training, held_out, seed=2, out=tmp_path / "parts", verbose=0)
    short(monkeypatch, 4)
    parts = train_as_printed(training, held_out, seed=2, out=tmp_path / "parts", resume=True, verbose=0)
    assert parts.history == whole.history
    for one, other in zip(values(parts.model), values(whole.model), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(InputError, match="expected an empty output folder or --resume, got a training in"):
        train_as_printed(training, held_out, seed=2, out=tmp_path / "parts", verbose=0)


def test_the_seed_decides_weights_order_and_samples(digits, monkeypatch, tmp_path):
    training, _ = digits
    read = []
    monkeypatch.setattr(
        OneByOne, "learn", lambda _, pictures, labels, steps: read.append((labels, steps)) or 0
    )
    short(monkeypatch, 1)
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        train_as_printed(training, None, seed=seed, out=tmp_path / folder, verbose=0)
    for part in range(2):
        first, same, other = (np.concatenate([np.ravel(one) for one in call[part]]) for call in read)
        np.testing.assert_array_equal(first, same)
        assert (first != other).any()


def test_every_pass_reads_each_digit_once_in_one_order(digits, monkeypatch, tmp_path, capsys):
    read = []

    monkeypatch.setattr(OneByOne, "learn", lambda _, pictures, labels, steps: read.append(pictures) or 0.0)
    short(monkeypatch, 2)
    training = Digits(*(np.resize(part, (STRETCH + 7, *part.shape[1:])) for part in digits[0]))
    train_as_printed(training, None, seed=1, out=tmp_path, verbose=1)
    assert f"{2 * STRETCH + 14}/{2 * STRETCH + 14}" in capsys.readouterr().err  # the progress bar
    assert [len(part) for part in read] == [STRETCH, 7, STRETCH, 7]
    first, second = np.concatenate(read[:2]), np.concatenate(read[2:])
    np.testing.assert_array_equal(first, second)
    assert (first != pad(training.images)).any()
    as_bytes = [sorted(one.tobytes() for one in part) for part in (first, pad(training.images))]
    assert as_bytes[0] == as_bytes[1]


def test_second_derivatives_are_estimated_on_500_digits_before_each_pass(digits, monkeypatch, tmp_path):
    drawn, real = [], SecondDerivatives.of

    def of(self, pictures):
        drawn.append(pictures)
        return real(self, pictures)

    monkeypatch.setattr(SecondDerivatives, "of", of)
    monkeypatch.setattr(OneByOne, "learn", lambda *_: 0.0)
    short(monkeypatch, 2)
    training = Digits(*(np.concatenate(both) for both in zip(*digits, digits[0], strict=True)))
    train_as_printed(training, None, seed=1, out=tmp_path, verbose=0)
    assert [len(pictures) for pictures in drawn] == [500, 500]
    assert (drawn[0] != drawn[1]).any()


def test_all_digits_are_learnt_unless_some_are_held_out(digits, monkeypatch):
    training, held_out = digits
    monkeypatch.setattr("lenet_edge.training.preparing.training_digits", lambda data: training)
    monkeypatch.setattr("lenet_edge.training.preparing.held_out_digits", lambda data: held_out)
    monkeypatch.setattr("lenet_edge.training.preparing.TRAINING", 300)
    everything, none = the_papers_digits(data=None, limit=None)
    assert len(everything.labels) == len(everything.images) == 500
    assert none is None
    np.testing.assert_array_equal(everything.images[300:], held_out.images)
    assert the_papers_digits(data=None, limit=301)[1] is None
    few, measured = the_papers_digits(data=None, limit=300)
    np.testing.assert_array_equal(few.labels, training.labels)
    assert measured is held_out
