"""Weights as .npz: by name, all or none, and never another model's."""

from __future__ import annotations

import io

import numpy as np
import pytest

from converters.base.errors import InputError
from converters.base.kerases import KERAS_2, KERAS_3, import_keras
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.digits.side_by_side import side_by_side
from lenet_edge.packaged.models import released_model
from lenet_edge.packaged.names import ALL_NAMES, NAMES, WIDE
from lenet_edge.packaged.weights import load_weights, named_weights, save_weights
from lenet_edge.paper.answers import outputs_of
from lenet_edge.paper.model import lenet5, stock_lenet5

KERASES = (KERAS_3, KERAS_2)


@pytest.fixture(scope="module", params=KERASES)
def model(request):
    return lenet5(keras=import_keras(request.param))


def test_names_are_the_papers(model):
    names = [
        "C1/kernel",
        "C1/bias",
        "S2/coefficient",
        "S2/bias",
        "C3/kernel",
        "C3/bias",
        "S4/coefficient",
        "S4/bias",
    ]
    assert list(named_weights(model)) == [
        *names,
        "C5/kernel",
        "C5/bias",
        "F6/kernel",
        "F6/bias",
        "OUTPUT/codes",
    ]


def test_saved_weights_load_unchanged(model, tmp_path):
    path = save_weights(model, tmp_path / "w.npz", scale=-0.25)
    other = lenet5()
    assert load_weights(other, path) == -0.25
    for old, new in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_another_models_weights_are_refused_and_nothing_is_set(tmp_path):
    path = save_weights(stock_lenet5(), tmp_path / "stock.npz", scale=1.0)
    model = lenet5()
    before = model.get_weights()
    with pytest.raises(InputError, match="expected the weights of lenet5, with S2/coefficient 6, got none"):
        load_weights(model, path)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_weights_without_their_scale_are_refused(model, tmp_path):
    np.savez(
        tmp_path / "w.npz", **{name: variable.numpy() for name, variable in named_weights(model).items()}
    )
    with pytest.raises(InputError, match=r"with scale one number, got none"):
        load_weights(model, tmp_path / "w.npz")


def _npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04 cut", b"no archive at all", _npy(np.zeros(3))],
    ids=["empty", "cut", "text", "one array"],
)
def test_another_file_than_npz_is_refused(model, tmp_path, content):
    (tmp_path / "w.npz").write_bytes(content)
    with pytest.raises(InputError, match="expected a .npz file, got another or a damaged one"):
        load_weights(model, tmp_path / "w.npz")


def test_a_cut_file_is_refused(model, tmp_path):
    content = save_weights(model, tmp_path / "w.npz", scale=1.0).read_bytes()
    (tmp_path / "cut.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="a damaged one"):
        load_weights(model, tmp_path / "cut.npz")


def test_infinite_weights_are_refused(model, tmp_path):
    arrays = {name: variable.numpy() for name, variable in named_weights(model).items()}
    arrays["C1/bias"] = np.full(6, np.inf, np.float32)
    np.savez(tmp_path / "w.npz", **arrays, scale=1.0)
    with pytest.raises(InputError, match="to hold finite weights, got NaN, infinity"):
        load_weights(model, tmp_path / "w.npz")


@pytest.mark.parametrize("other", KERASES)
def test_a_file_loads_in_either_keras(model, tmp_path, other):
    path = save_weights(model, tmp_path / "w.npz", scale=-0.25)
    loaded = lenet5(keras=import_keras(other))
    load_weights(loaded, path)
    again = save_weights(loaded, tmp_path / "again.npz", scale=-0.25)
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("keras", KERASES)
@pytest.mark.parametrize("name", NAMES)
def test_released_models_load(name, keras):
    assert released_model(name, keras=import_keras(keras)).output_shape == (None, 10)


@pytest.mark.parametrize("name", ALL_NAMES)
def test_a_released_model_gives_the_same_scores_in_both_kerases(name):
    digits = calibration_digits()
    pictures = side_by_side(digits)[0] if name == WIDE else pad(digits.images)
    three, two = (outputs_of(released_model(name, keras=import_keras(keras)), pictures) for keras in KERASES)
    assert three.shape == two.shape
    # Scores of sum 1 from logits of up to 30, whose sums of some 400 float32 terms may be in another order.
    np.testing.assert_allclose(three, two, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(three.argmax(axis=-1), two.argmax(axis=-1))
