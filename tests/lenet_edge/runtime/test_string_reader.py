"""Reading strings without TensorFlow: any width, in any runtime, in pieces that join."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest

from converters.base.errors import InputError
from converters.base.installed import RUNTIMES, unusable_reason
from converters.runtimes import gpu
from converters.runtimes.interpreters import Refused
from converters.runtimes.sessions import Session
from lenet_edge.digits.mnist import Digits, calibration_digits
from lenet_edge.digits.side_by_side import side_by_side
from lenet_edge.packaged.files import released_folder
from lenet_edge.runtime import string_reader
from lenet_edge.runtime.string_reader import StringReader

INSTALLED = [name for name in RUNTIMES if not unusable_reason(name, alone=True)]
WIDTHS = [1, 20, 85, 240, 117, 1300]
SETUPS = [("float32", "auto"), ("float32", "none"), ("int8", "auto"), ("int8", "none")]
SCORES = """
import json, sys
import numpy as np
from lenet_edge.runtime.string_reader import StringReader
pictures = np.load(sys.argv[2])
scores, reports = {}, []
for model, delegate in json.loads(sys.argv[4]):
    with StringReader(model=model, runtime=sys.argv[1], delegate=delegate) as reader:
        for width in json.loads(sys.argv[5]):
            scores[f"{model} {delegate} {width}"] = reader.scores(pictures[:, :width])
        reports.append([str(reader.report), reader.report.delegate, reader.report.fixed])
assert sys.argv[1] == "tensorflow" or "tensorflow" not in sys.modules
np.savez(sys.argv[3], **scores)
print(json.dumps(reports))
"""


def line(count):
    """Return a picture (32, W) of the first `count` calibration digits, and what is written there."""
    digits = Digits(*(part[:count] for part in calibration_digits()))
    (picture,), _ = side_by_side(digits, width=8 + 24 * count + 16)
    return picture, "".join(map(str, digits.labels))


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """Return each runtime's scores and reports; a process each, as they are used."""
    folder = tmp_path_factory.mktemp("strings")
    np.save(folder / "picture.npy", line(54)[0])
    result = {}
    for name in INSTALLED:
        asked = [str(folder / "picture.npy"), str(folder / f"{name}.npz"), *map(json.dumps, (SETUPS, WIDTHS))]
        done = subprocess.run(
            [sys.executable, "-c", SCORES, name, *asked], capture_output=True, text=True, check=True
        )
        result[name] = dict(np.load(folder / f"{name}.npz")), json.loads(done.stdout)
    return result


@pytest.fixture(scope="module")
def original():
    """Return the Keras model's scores of the same pictures, each with 16 columns of paper on both sides."""
    pytest.importorskip("tensorflow")
    from lenet_edge.packaged.models import released_model
    from lenet_edge.paper.answers import answers_of

    model, (picture, _) = released_model("lenet5_wide"), line(54)
    padded = {width: np.pad(picture[:, :width], ((0, 0), (16, 16))) for width in WIDTHS}
    return {w: answers_of(model, one[None, ..., None].astype(np.float32)) for w, one in padded.items()}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", INSTALLED)
def test_any_width_in_any_runtime_gives_the_originals_answer(answered, original, name, width):
    for model, delegate in SETUPS:
        got = answered[name][0][f"{model} {delegate} {width}"]
        assert (got.shape, got.dtype) == ((width // 4 + 1, 11), np.float32)
        if model == "float32":  # rounding of some 400,000 terms in another order
            np.testing.assert_allclose(got, original[width], atol=1e-5)
        else:  # int8: windows beside a digit's middle are undecided, and some turn
            assert (got.argmax(axis=1) == original[width].argmax(axis=1)).mean() >= 0.9
            assert np.abs(got - original[width]).mean() < 0.02


@pytest.mark.parametrize("name", INSTALLED)
def test_xnnpack_runs_and_nothing_is_fixed(answered, name):
    reports = dict(zip([" ".join(setup) for setup in SETUPS], answered[name][1], strict=True))
    assert {fixed for _, _, fixed in reports.values()} == {""}
    assert reports["float32 auto"][1] == "XNNPACK"
    assert "XNNPACK takes 14 of 14 nodes" in reports["float32 auto"][0]
    assert reports["int8 auto"][1] == ("" if name == "tflite" else "XNNPACK")
    assert reports["float32 none"][1] == reports["int8 none"][1] == ""


@pytest.mark.parametrize("model", ["float32", "int8"])
def test_what_is_read_and_where(model):
    picture, text = line(6)
    with StringReader(model=model) as reader:
        found = reader.read(picture)
    assert found.text == text
    assert found.probability > 0.5
    for number, digit in enumerate(found.digits):  # its middle is in the middle of window 1 + 6 n
        assert 0 <= digit.left < digit.right <= picture.shape[1]
        assert abs((digit.left + digit.right) / 2 - (4 + 24 * number + 15.5)) < 4


def test_a_digit_at_the_very_edge_is_read():
    picture, text = line(1)
    ink = picture[:, picture.any(axis=0)]
    with StringReader() as reader:
        found = reader.read(ink)
        nothing = reader.read(np.zeros((32, 100), np.uint8))
    assert (found.text, len(found.digits)) == (text, 1)
    assert 0 <= found.digits[0].left < found.digits[0].right <= ink.shape[1]
    assert (nothing.text, nothing.digits) == ("", ())


@pytest.mark.parametrize("model", ["float32", "int8"])
@pytest.mark.parametrize("most", [128, 256])
def test_pieces_join_without_a_trace(monkeypatch, model, most):
    picture, _ = line(16)
    with StringReader(model=model) as reader:
        whole = reader.scores(picture)  # 424 columns and margins: one piece
    monkeypatch.setattr(string_reader, "MOST_COLUMNS", most)
    with StringReader(model=model) as reader:
        # float32 kernels may sum in another order at another place
        np.testing.assert_allclose(reader.scores(picture), whole, atol=0 if model == "int8" else 1e-5)


def refusing(at):
    """Return a Session.resize that refuses widths of `at` and more."""
    resize = Session.resize

    def refused(self, shape):
        if shape[2] >= at:
            raise Refused("this delegate takes one size")
        resize(self, shape)

    return refused


@pytest.mark.parametrize("model", ["float32", "int8"])
@pytest.mark.parametrize("count", [2, 16])
def test_what_cannot_resize_runs_pieces_of_the_files_own_width(monkeypatch, model, count):
    picture, text = line(count)
    with StringReader(model=model) as reader:
        wanted = reader.scores(picture)
    monkeypatch.setattr(Session, "resize", refusing(at=1))
    with StringReader(model=model) as reader:
        got = reader.scores(picture)
        assert (reader.report.fixed, reader.report.columns) == ("this delegate takes one size", 112)
        assert str(reader.report).endswith(", in pieces of 112 columns (this delegate takes one size)")
        assert reader.read(picture).text == text
    np.testing.assert_allclose(got, wanted, atol=0 if model == "int8" else 1e-5)


def test_pictures_of_similar_widths_need_no_resizing(monkeypatch):
    asked, resize = [], Session.resize

    def counted(self, shape):
        asked.append(shape[2])
        resize(self, shape)

    monkeypatch.setattr(Session, "resize", counted)
    with StringReader() as reader:
        for width in (60, 90, 200, 190, 60, 2000, 210, 900):
            reader.scores(np.zeros((32, width), np.uint8))
    assert asked == [128, 256, 512]


def test_memory_does_not_grow_with_the_picture():
    """What NumPy holds for 10,000 columns: the picture, its margins, the scores, one piece."""
    picture = np.zeros((32, 10_000), np.uint8)
    with StringReader() as reader:
        reader.scores(picture)
        tracemalloc.start()
        reader.scores(picture)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 2 * picture.nbytes + 2 * 2501 * 11 * 4 + 4 * 512 * 32 * 4


ON_GPU = """
import sys, numpy as np
from lenet_edge.runtime.string_reader import StringReader
picture = np.load(sys.argv[1])
with StringReader(delegate="gpu") as on_gpu, StringReader(runtime="litert") as on_cpu:
    print(np.abs(on_gpu.scores(picture) - on_cpu.scores(picture)).max(), on_gpu.report.fixed, sep="|")
"""


@pytest.mark.skipif(gpu.absence() != "", reason=gpu.absence())
def test_the_gpu_reads_in_pieces_and_reports_it(tmp_path):
    np.save(tmp_path / "picture.npy", line(9)[0])
    command = [sys.executable, "-c", ON_GPU, str(tmp_path / "picture.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    difference, fixed = done.stdout.strip().split("|")
    assert float(difference) < 1e-5
    assert fixed == "the GPU accelerator accepts only the input size stored in the file"


@pytest.mark.parametrize(
    ("picture", "got"),
    [
        (np.zeros((28, 100), np.uint8), r"uint8 \(28, 100\)"),
        (np.zeros((1, 32, 100), np.uint8), r"uint8 \(1, 32, 100\)"),
        (np.zeros((32, 0), np.uint8), r"uint8 \(32, 0\)"),
        (np.zeros((32, 100), np.float32), r"float32 \(32, 100\)"),
    ],
)
def test_a_wrong_shape_or_type_is_an_error(picture, got):
    with StringReader() as reader, pytest.raises(InputError, match=rf"uint8 \(32, width\), got {got}"):
        reader.scores(picture)


def test_a_model_that_reads_no_strings_is_an_error(tmp_path):
    with pytest.raises(
        InputError, match=r"from 1x32xWx1 to 1x1x\(\(W - 32\) / 4 \+ 1\)x11, got 1x32x32x1 to 1x10"
    ):
        StringReader(model="lenet5_float32.tflite")
    with pytest.raises(InputError, match="a .tflite file or one of .*lenet5_wide_int8_qat, got lenet6"):
        StringReader(model="lenet6")
    (tmp_path / "m.tflite").write_bytes(b"no model")
    with pytest.raises(InputError, match=r"expected m.tflite to be a .tflite file, got another kind of file"):
        StringReader(model=tmp_path / "m.tflite")


def test_a_file_of_ones_own_is_checked_and_read(tmp_path):
    content = (released_folder() / "lenet5_wide_int8.tflite").read_bytes()
    (tmp_path / "own.tflite").write_bytes(content)
    picture, text = line(3)
    with StringReader(model=tmp_path / "own.tflite") as reader:
        assert reader.read(picture).text == text
    (tmp_path / "own.tflite").write_bytes(content[:40_000])
    with pytest.raises(InputError, match=r"expected own.tflite to be a sound .tflite file"):
        StringReader(model=tmp_path / "own.tflite")


def test_threads_take_turns():
    pictures = [line(count)[0] for count in (1, 4, 20)]
    with StringReader() as reader:
        wanted, got = [reader.scores(one) for one in pictures], {}

        def read(number):
            got[number] = [reader.scores(one) for one in pictures]

        workers = [threading.Thread(target=read, args=(number,)) for number in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert len(got) == 3
    for scores in got.values():
        for mine, theirs in zip(scores, wanted, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_a_closed_reader_is_an_error():
    with StringReader() as reader:
        pass
    reader.close()  # a second time does nothing
    with pytest.raises(InputError, match="expected an open reader, got a closed one"):
        reader.scores(np.zeros((32, 100), np.uint8))


def test_a_delegate_that_does_not_run_is_named_or_refused():
    with StringReader(delegate="nnapi") as reader:
        assert reader.report.reason.startswith("NNAPI is Android's; this is ")
    with pytest.raises(InputError, match="expected the delegate nnapi to run, got NNAPI is Android's"):
        StringReader(delegate="nnapi", require_delegate=True)
