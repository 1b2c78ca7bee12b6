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
from lenet_edge.training.distortions import AFFINE
from lenet_edge.training.one_by_one import STRETCH, Learnt, OneByOne
from lenet_edge.training.paper_passes import COPIES, PaperPasses
from lenet_edge.training.paper_recipe import CHOICES, MU, SCHEDULE, Choices, draw_weights, train_as_printed
from lenet_edge.training.preparing import the_papers_digits
from lenet_edge.training.second_derivatives import SecondDerivatives

CODES = digit_codes().astype(np.float64)
SOURCES = [m for row in TABLE_I for m in row]
TARGETS = [o for o, row in enumerate(TABLE_I) for _ in row]
SCALE, RUBBISH = CHOICES.penalty_scale, CHOICES.rubbish
COMPETING = 150.0
"""A j above the distances of the digits below: what pushes the other classes away counts, too."""
NOTHING = Learnt(criterion=0.0, misread=0)


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
    return net, OneByOne(net, rubbish=j, penalty_scale=SCALE)


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
    wanted = in_order(
        paper.gradient(picture[None].astype(np.float64), label[None], weights, CODES, j, scale=SCALE)
    )
    for got, exact in zip(gradient_of(model, one_by_one, picture, label), wanted, strict=True):
        # Differences of weights below 1 in float32: 6e-8 of them, and sums of some thousand terms.
        np.testing.assert_allclose(got, exact, atol=2e-5 * max(1, np.abs(exact).max()))


def test_the_gradient_is_that_of_finite_differences(started, digits, rng):
    model, one_by_one = started(COMPETING)
    picture, label = pad(digits[0].images)[1], digits[0].labels[1]
    weights = [value.astype(np.float64) for value in values(model)]

    def criterion():
        found = paper.distances(picture[None].astype(np.float64), by_layer(weights), CODES)
        return paper.eq_9(SCALE * found, label[None], COMPETING)

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


def test_the_criterion_and_the_misread_are_those_of_the_layers(started, digits):
    """Steps of 0 change nothing: what is summed over 50 digits is what the model gives at once."""
    model, one_by_one = started(COMPETING)
    pictures, labels = pad(digits[0].images[:50]), digits[0].labels[:50]
    learnt = one_by_one.learn(pictures, labels, [0 * one for one in ones(model)])
    outputs = model(pictures[..., None].astype(np.float32), training=False).numpy()
    loss = classes(import_keras("keras")).MAPLoss(rubbish=COMPETING)
    assert learnt.criterion == pytest.approx(50 * float(loss(labels, SCALE * outputs)), rel=1e-5)
    assert learnt.misread == (outputs.argmin(axis=1) != labels).sum() > 10


def test_each_digit_is_learnt_from_what_those_before_left(started, digits):
    model, one_by_one = started()
    pictures, labels = pad(digits[0].images[:3]), digits[0].labels[:3]
    start, steps = values(model), [1e-3 * one for one in ones(model)]
    single = [one_by_one.learn(pictures[i : i + 1], labels[i : i + 1], steps) for i in range(3)]
    wanted = values(model)
    for variable, value in zip(model.trainable_variables, start, strict=True):
        variable.assign(value)
    learnt = one_by_one.learn(pictures, labels, steps)
    assert learnt.criterion == pytest.approx(sum(one.criterion for one in single))
    assert learnt.misread == sum(one.misread for one in single)
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
    wanted = in_order(paper.second_derivatives(pictures.astype(np.float64), weights, scale=SCALE))
    for got, total in zip(SecondDerivatives(model, penalty_scale=SCALE).of(pictures), wanted, strict=True):
        np.testing.assert_allclose(got, total / 3, rtol=1e-3, atol=1e-5 * total.max())


@pytest.mark.parametrize("place", [8, 9, 10, 11])
def test_above_the_shared_weights_they_are_exact(model, digits, rng, place):
    """Of C5 and F6, h = 2 scale sum over i of (dx_i / dw)^2: the second derivative of y_D without x's own."""
    picture = pad(digits[0].images[2:3])
    got = SecondDerivatives(model, penalty_scale=SCALE).of(picture)[place]
    weights = [value.astype(np.float64) for value in values(model)]
    for _ in range(3):
        entry = tuple(rng.integers(0, side) for side in weights[place].shape)
        slopes = central(
            lambda: paper.signals(picture.astype(np.float64), by_layer(weights))[-1], weights[place], entry
        )
        assert got[entry] == pytest.approx(2 * SCALE * (slopes**2).sum(), rel=1e-3, abs=1e-6)


def test_the_start_is_uniform_within_a_multiple_of_one_over_the_root_of_the_fan_in(model):
    found = by_layer(values(model))
    for name, fan_in in (("C1", 25), ("C5", 400), ("F6", 120)):
        kernel = found[name][0]
        # The largest of 150 uniform numbers or more is above 0.9 but for a chance of 0.9^150, 1e-7.
        assert 0.9 < np.abs(kernel).max() * np.sqrt(fan_in) / CHOICES.width <= 1
    start = 0
    for row in TABLE_I:
        kernels = model.get_layer("C3").kernel.numpy()[..., start : start + len(row)]
        assert 0.8 < np.abs(kernels).max() * np.sqrt(25 * len(row)) / CHOICES.width <= 1
        start += len(row)
    assert all((found[name][0] == np.float32(CHOICES.coefficient)).all() for name in ("S2", "S4"))
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
        OneByOne, "learn", lambda _, pictures, labels, steps: read.append((labels, steps)) or NOTHING
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

    monkeypatch.setattr(
        OneByOne, "learn", lambda _, pictures, labels, steps: read.append(pictures) or NOTHING
    )
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
    monkeypatch.setattr(OneByOne, "learn", lambda *_: NOTHING)
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


def test_the_steps_of_the_first_pass_are_those_that_the_paper_states():
    """Page 11: they "varied between approximately 7e-5 and 0.016"; within a factor of 1.5 for three seeds."""
    pictures = pad(calibration_digits().images)
    for seed in (1, 2, 3):
        net = lenet5(keras=import_keras("keras"))
        draw_weights(net, seed=seed)
        found = SecondDerivatives(net, penalty_scale=SCALE).of(pictures)
        steps = np.concatenate([np.ravel(SCHEDULE[0] / (MU + h)) for h in found])
        assert 7e-5 / 1.5 < steps.min() < 7e-5 * 1.5
        assert 0.016 / 1.5 < steps.max() < 0.016 * 1.5


def test_distorted_copies_are_learnt_among_the_digits_each_twice_in_20_passes(digits):
    training = digits[0]
    passes = PaperPasses(training, order_seed=(3, 1), distortion_seed=3)
    tenths = [passes.one(number) for number in range(1 + COPIES)]
    count = len(training.labels)
    assert [len(one.labels) for one in tenths] == [count] * 10
    originals = {
        one.tobytes(): label for one, label in zip(pad(training.images), training.labels, strict=True)
    }
    labels = np.concatenate([one.labels for one in tenths])
    assert (np.bincount(labels) == 10 * np.bincount(training.labels)).all()
    learnt = [picture.tobytes() for one in tenths for picture in one.pictures]
    undistorted = [place for place, picture in enumerate(learnt) if picture in originals]
    assert len(undistorted) == count == len({learnt[place] for place in undistorted})
    assert all(originals[learnt[place]] == labels[place] for place in undistorted)
    assert len(set(learnt)) == 10 * count
    again = passes.one(10)
    np.testing.assert_array_equal(again.pictures, tenths[0].pictures)
    np.testing.assert_array_equal(again.labels, tenths[0].labels)


def test_a_distorted_copy_has_the_label_of_its_digit_and_is_affine(digits, monkeypatch):
    calls = []
    monkeypatch.setattr(
        "lenet_edge.training.paper_passes.distort",
        lambda pictures, **more: calls.append((pictures.copy(), more)) or 255 - pictures,
    )
    training = digits[0]
    one = PaperPasses(training, order_seed=(3, 1), distortion_seed=7).one(12)
    found = {
        picture.tobytes(): label for picture, label in zip(pad(training.images), training.labels, strict=True)
    }
    for picture, label in zip(one.pictures, one.labels, strict=True):
        kept, turned = picture.tobytes(), (255 - picture).tobytes()
        assert found[kept if kept in found else turned] == label
    ((pictures, more),) = calls
    assert more == {"seed": (7, 2), "sizes": AFFINE}
    assert 0.8 * len(training.labels) < len(pictures) < len(training.labels)  # nine tenths, by chance
    assert (AFFINE.rotation, AFFINE.elastic) == (0, 0)
    assert min(AFFINE.translation, AFFINE.scale, AFFINE.squeeze, AFFINE.shear) > 0


def test_without_distortions_each_pass_is_the_digits_themselves(digits):
    training = digits[0]
    passes = PaperPasses(training, order_seed=(3, 1), distortion_seed=None)
    one, other = passes.one(0), passes.one(1)
    order = np.random.default_rng((3, 1)).permutation(len(training.labels))
    np.testing.assert_array_equal(one.pictures, pad(training.images)[order])
    np.testing.assert_array_equal(one.labels, training.labels[order])
    np.testing.assert_array_equal(one.pictures, other.pictures)


def test_a_training_reports_what_it_chose_and_learnt(digits, monkeypatch, tmp_path):
    training, held_out = digits
    short(monkeypatch, 1)
    chosen = Choices(penalty_scale=1.0, rubbish=20.0, width=1.0, coefficient=0.5)
    built = []
    monkeypatch.setattr(
        "lenet_edge.training.paper_recipe.OneByOne", lambda model, **more: built.append(more) or Silent()
    )
    trained = train_as_printed(
        training, held_out, seed=2, distortions=True, choices=chosen, out=tmp_path, verbose=0
    )
    assert built == [{"rubbish": 20.0, "penalty_scale": 1.0}]
    assert {
        "penalty_scale": 1.0,
        "rubbish": 20.0,
        "width": 1.0,
        "coefficient": 0.5,
    }.items() <= trained.facts.items()
    assert trained.facts["distorted_copies"] == COPIES * 300
    assert (trained.penalty_scale, trained.facts["distortions"]["elastic"]) == (1.0, 0)
    (row,) = trained.history
    assert (row["loss"], row["online_error"]) == (0.02, 1.0)
    found = by_layer(values(trained.model))
    assert np.abs(found["C5"][0]).max() * 20 <= 1  # the untouched start, within 1 / sqrt(400)


class Silent:
    """Learns nothing; says that of a stretch 3 digits are misread."""

    def learn(self, pictures, labels, steps):
        return Learnt(criterion=6.0, misread=3)
