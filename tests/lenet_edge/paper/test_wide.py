"""The wide net's files: lenet5's scores on 32x32, independent windows, pictures to check them on."""

from __future__ import annotations

import numpy as np
import pytest

from converters.base.errors import InputError, exit_status
from converters.base.kerases import KERAS_3, import_keras
from converters.file.graph import read_graph
from converters.file.layouts import describe, layout_of
from converters.file.manifest import parse
from converters.file.resizing import resized
from converters.model.conversion import to_tflite
from converters.model.folding import fold
from converters.proof.tolerance import Tolerance
from converters.runtimes.tensorflow_interpreter import run
from lenet_edge.convert import main
from lenet_edge.converting.check_set import check_set_of
from lenet_edge.converting.files import convert_one
from lenet_edge.digits import geometry
from lenet_edge.digits.mnist import Digits, calibration_digits, pad
from lenet_edge.digits.scoring import error_of
from lenet_edge.digits.side_by_side import calibration_fields, side_by_side
from lenet_edge.packaged.files import packaged_models, released_folder
from lenet_edge.packaged.layouts import OPEN_WIDTH, layout_for, lowered
from lenet_edge.packaged.models import released_model
from lenet_edge.packaged.names import FINE_TUNED_VARIANT, WIDE_VARIANTS
from lenet_edge.packaged.weights import load_weights
from lenet_edge.paper.answers import answers_of
from lenet_edge.paper.model import lenet5, with_probabilities

FILES = [f"lenet5_wide_{variant}.tflite" for variant in WIDE_VARIANTS]


def content_of(name):
    return (released_folder() / name).read_bytes()


def crops(pictures):
    """Return the windows (n * T, 32, 32, 1) of pictures (n, 32, W, 1)."""
    starts = range(0, pictures.shape[2] - 31, 4)
    return np.concatenate([[one[:, start : start + 32] for start in starts] for one in pictures])


@pytest.fixture(scope="module")
def original():
    return released_model("lenet5_wide")


def test_a_wide_file_with_lenet5s_weights_gives_lenet5s_scores():
    """Both are within float32 rounding of the exact scores of the same function."""
    model = lenet5(wide=True)
    scale = load_weights(model, released_folder() / "lenet5.npz")
    folded = fold(with_probabilities(model, scale=scale))
    content = to_tflite(folded, precision="float32", shape=(32, 32, 1), open_axis=2).content
    pictures = pad(calibration_digits().images[:100])[..., None].astype(np.float32)
    mine, theirs = run(content, pictures), run(content_of("lenet5_float32.tflite"), pictures)
    assert mine.shape == (100, 1, 1, 10)
    tolerance = Tolerance(read_graph(content_of("lenet5_float32.tflite")), pictures)
    for scores in (mine.reshape(100, 10), theirs):
        assert not tolerance.outside(scores.astype(np.float64)).any()
        assert np.abs(scores - tolerance.ideal).max() < 1e-5  # the tolerance itself is about that narrow


@pytest.mark.parametrize("name", FILES)
def test_the_files_take_any_width_and_nothing_is_reshaped(name):
    entry = packaged_models()[name]
    (source,), (sink,) = entry["inputs"], entry["outputs"]
    kind = "uint8" if "int8" in name else "float32"
    assert (source["shape"], source["type"]) == ([1, 32, 112, 1], kind)
    assert (sink["shape"], sink["type"]) == ([1, 1, 21, 11], kind)
    graph = parse(content_of(name)).subgraphs[0]
    assert list(graph.tensors[graph.inputs[0]].shapeSignature) == [1, 32, -1, 1]
    assert list(graph.tensors[graph.outputs[0]].shapeSignature) == [1, 1, -1, 11]
    operators = {operator["name"] for operator in entry["operators"]}
    assert operators - {"QUANTIZE"} == {"CONV_2D", "DEPTHWISE_CONV_2D", "TANH", "SOFTMAX"}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("width", [32, 117])
def test_a_files_windows_are_independent(name, width):
    """A wide picture's answers are those to its 32x32 windows one by one, byte for byte in int8."""
    pictures = side_by_side(calibration_digits(), width=width)[0][:3, ..., None]
    content = content_of(name)
    whole = run(resized(content, shape=(1, *pictures.shape[1:])), pictures)
    alone = run(resized(content, shape=(1, 32, 32, 1)), crops(pictures))
    # float32 kernels may sum some 400,000 terms in another order at another position
    atol = 0 if "int8" in name else 1e-5
    np.testing.assert_allclose(whole.reshape(-1, 11), alone.reshape(-1, 11), atol=atol)


def test_the_float32_file_is_the_original(original):
    inputs, labels = check_set_of(original, Digits(*(part[:200] for part in calibration_digits())))
    answers = answers_of(original, inputs)
    assert answers.shape == (50 * 21, 11)
    assert labels.shape == (50 * 21,)
    scores = run(content_of(FILES[0]), inputs).reshape(-1, 11)
    np.testing.assert_allclose(scores, answers, atol=1e-5)
    marked = labels >= 0
    assert marked.sum() == 200
    # digits of training, with neighbours: a handful of 200 misread is much
    assert (scores[marked].argmax(axis=1) != labels[marked]).sum() <= 4


@pytest.mark.parametrize(
    ("width", "together"), [(32, 1), (36, 1), (40, 1), (64, 2), (112, 4), (117, 4), (272, 10)]
)
def test_digits_side_by_side_are_in_the_middle_of_a_window(width, together):
    digits = Digits(*(part[:21] for part in calibration_digits()))
    pictures, labels = side_by_side(digits, width=width)
    assert pictures.shape == (-(-21 // together), 32, width)
    assert labels.shape == (len(pictures), geometry.windows(width))
    assert list(labels[labels >= 0]) == list(digits.labels)
    places = np.argwhere(labels >= 0)
    alone = [pictures[row, 6:26, 4 * place + 6 : 4 * place + 26] for row, place in places]  # no neighbour's
    np.testing.assert_array_equal(alone, digits.images[:, 4:24, 4:24])


def test_calibration_has_every_calibration_digit_in_pictures_of_the_files_width():
    fields = calibration_fields()
    assert (fields.shape, fields.dtype) == ((125, 32, geometry.OWN_WIDTH), np.uint8)
    images = calibration_digits().images
    np.testing.assert_array_equal(fields[:, 2:30, 6:26], images[::4, :, :20])
    assert fields.max() == 255


def test_errors_count_windows_with_a_digit_in_their_middle():
    assert error_of(np.array([1, 10, 3, 7]), np.array([1, -1, 4, -1])) == 50
    assert error_of(np.array([1, 2]), np.array([1, 3], np.uint8)) == 50


def test_the_number_of_windows_at_a_width():
    assert [geometry.windows(width) for width in (32, 35, 36, 112, 117)] == [1, 1, 2, 21, 22]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--precision", "float16"], "expected a model with --precision float16, got lenet5_wide, which has"),
        (
            ["--target", "micro"],
            "expected lenet5_wide without --tune and any --target but web, which fix the width",
        ),
        (
            ["--tune"],
            "expected lenet5_wide without --tune and any --target but web, which fix the width, got one of "
            "them",
        ),
        (["--layout", "1x2>1x2"], "expected a layout of 7 steps for lenet5_wide, got 1"),
        (
            ["--weights", str(released_folder() / "lenet5.npz"), "--no-check"],
            "expected the weights of lenet5_wide, with OUTPUT/codes 11x84, got 10x84",
        ),
    ],
)
def test_options_that_a_wide_file_cannot_have_are_refused(tmp_path, capsys, arguments, message):
    arguments = ["--model", "lenet5_wide", "--out", str(tmp_path), *arguments]
    assert exit_status(main, arguments, name="lenet-edge convert") == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.rglob("*.tflite"))


def test_a_wide_file_has_the_layout_of_the_released_one():
    for variant in WIDE_VARIANTS:
        released = packaged_models()[f"lenet5_wide_{variant}.tflite"].get("layout", "- - - - - - -")
        assert describe(layout_for("lenet5_wide", variant)) == released
        assert describe(layout_for("lenet5_wide", variant, asked="plain")) == "- - - - - - -"


@pytest.fixture(scope="module", params=[one for one in WIDE_VARIANTS if one != FINE_TUNED_VARIANT])
def plain(request, original):
    """Return a wide file as the converter writes it."""
    return convert_one(fold(original), precision=request.param).content


@pytest.mark.parametrize("width", [32, 112, 117, 119, 272])
def test_the_wide_layout_changes_nothing_at_any_width(plain, width):
    laid_out, facts = lowered(plain, layout=layout_of(OPEN_WIDTH))
    assert facts["layout"] == OPEN_WIDTH
    names = [[node.name for node in read_graph(one).nodes] for one in (plain, laid_out)]
    assert len(names[0]) == len(names[1])
    assert "RESHAPE" not in names[1]
    pictures = side_by_side(calibration_digits(), width=width)[0][:3, ..., None].astype(np.float32)
    got, wanted = (run(resized(one, shape=(1, 32, width, 1)), pictures) for one in (laid_out, plain))
    # float32: sums of some 400 terms in another order; int8: the same whole numbers
    np.testing.assert_allclose(
        got, wanted, rtol=0, atol=0 if read_graph(plain).outputs[0].scales.size else 1e-5
    )


def test_the_wide_keras_model_takes_any_height(original):
    assert isinstance(original, import_keras(KERAS_3).Model)
    assert original(np.zeros((1, 36, 40, 1), np.float32)).shape == (1, 2, 3, 11)
    with pytest.raises(InputError, match="one of lenet5, stock_lenet5, lenet5_wide, got lenet6"):
        released_model("lenet6")
