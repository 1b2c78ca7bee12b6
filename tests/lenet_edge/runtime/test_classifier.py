"""The classifier: the same answers in any runtime, and one line that says what is missing."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import numpy as np
import pytest

from converters.base.errors import InputError
from converters.base.installed import RUNTIMES, unusable_reason
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.packaged.files import packaged_models, released_folder
from lenet_edge.runtime.classifier import Classifier

INSTALLED = [name for name in RUNTIMES if not unusable_reason(name, alone=True)]
MODELS = ["float32", "float16", "dynamic", "int8", "int8_qat", "stock_lenet5_float32.tflite"]
SCORES = """
import sys
import numpy as np
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.runtime.classifier import Classifier
pictures = pad(calibration_digits().images[:200])
scores = {m: Classifier(model=m, runtime=sys.argv[1]).scores(pictures) for m in sys.argv[3:]}
np.savez(sys.argv[2], **scores)
"""


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """Return each runtime's scores of 200 digits by each model; a process each, as they are used."""
    folder = tmp_path_factory.mktemp("scores")
    result = {}
    for name in INSTALLED:
        path = folder / f"{name}.npz"
        subprocess.run([sys.executable, "-c", SCORES, name, str(path), *MODELS], check=True)
        result[name] = dict(np.load(path))
    return result


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", INSTALLED)
def test_every_runtime_reads_digits(scores, name, model):
    got = scores[name][model]
    assert (got.shape, got.dtype) == ((200, 10), np.float32)
    # ten scores of uint8 are each off by half a step of 1/256
    np.testing.assert_allclose(got.sum(axis=1), 1, atol=10 * 0.5 / 256 if "int8" in model else 1e-3)
    # these digits were trained on: one or two of 200 read wrongly is much
    assert (got.argmax(axis=1) != calibration_digits().labels[:200]).sum() <= 2


def test_runtimes_agree(scores):
    for other in INSTALLED[1:]:
        # float32 rounding of some 400,000 terms in another order
        np.testing.assert_allclose(scores[other]["float32"], scores[INSTALLED[0]]["float32"], atol=1e-5)


@pytest.mark.skipif(not {"tflite", "tensorflow"} <= set(INSTALLED), reason="both are not installed")
def test_tflite_runtime_after_tensorflow_is_an_error_not_a_crash():
    code = (
        "import tensorflow, lenet_edge.runtime.classifier as r\n"
        "print(r.Classifier().report.runtime)\n"
        "r.Classifier(runtime='tflite')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() in ("litert", "tensorflow")
    assert "tflite-runtime dies in a process that has loaded TensorFlow" in done.stderr


def test_no_tensorflow_where_another_runtime_is():
    if not set(INSTALLED) - {"tensorflow"}:
        pytest.skip("TensorFlow's is the only runtime here")
    code = (
        "import sys, numpy as np; from lenet_edge.runtime.classifier import Classifier\n"
        "Classifier().scores(np.zeros((1, 32, 32), np.uint8)); assert 'tensorflow' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_packaged_file_that_was_changed_is_refused(monkeypatch, tmp_path):
    for name in ("manifest.json", "lenet5_int8.tflite"):
        (tmp_path / name).write_bytes((released_folder() / name).read_bytes())
    content = bytearray((tmp_path / "lenet5_int8.tflite").read_bytes())
    content[5000] ^= 1
    (tmp_path / "lenet5_int8.tflite").write_bytes(content)
    monkeypatch.setattr("lenet_edge.packaged.files.released_folder", lambda: tmp_path)
    with pytest.raises(
        InputError, match=r"expected lenet5_int8.tflite to have the manifest's sha256, got another"
    ):
        Classifier(model="int8")


@pytest.mark.parametrize("content", [b"", b"text, no model", b"\0" * 100])
def test_what_is_no_tflite_is_refused_before_native_code_sees_it(tmp_path, content):
    (tmp_path / "m.tflite").write_bytes(content)
    with pytest.raises(
        InputError, match=r"expected .*m.tflite to be a .tflite file, got another kind of file"
    ):
        Classifier(model=tmp_path / "m.tflite")


def test_a_model_of_another_shape_is_refused(tmp_path):
    pytest.importorskip("tensorflow")  # makes the model
    import tf_keras as keras

    from converters.model.conversion import to_tflite

    x = keras.Input((8, 8, 1))
    content = to_tflite(keras.Model(x, keras.layers.Flatten()(x)), precision="float32").content
    (tmp_path / "m.tflite").write_bytes(content)
    with pytest.raises(
        InputError, match=r"expected a model from 1x32x32x1 or 1x28x28x1 to 1x10, got 1x8x8x1 to 1x64"
    ):
        Classifier(model=tmp_path / "m.tflite")


def test_unknown_models_and_runtimes_are_errors():
    with pytest.raises(InputError, match=r"expected a .tflite file or one of lenet5_float32, .*, got lenet6"):
        Classifier(model="lenet6")
    with pytest.raises(InputError, match="expected a runtime of auto, litert, tflite, tensorflow, got onnx"):
        Classifier(runtime="onnx")
    with pytest.raises(
        InputError, match=r"expected pictures \(n, 32, 32\) or one \(32, 32\), got uint8 \(2, 28, 28\)"
    ):
        Classifier().scores(np.zeros((2, 28, 28), np.uint8))


def test_one_picture_and_many_give_the_same_scores():
    pictures = pad(calibration_digits().images[:5])
    with Classifier() as classifier:
        many = classifier.scores(pictures)
        assert many.shape == (5, 10)
        np.testing.assert_array_equal(classifier.scores(pictures[3]), many[3])
        assert classifier.scores(pictures[:0]).shape == (0, 10)


def test_threads_take_turns():
    pictures = pad(calibration_digits().images[:40])
    with Classifier() as classifier:
        wanted, got = classifier.scores(pictures), {}

        def read(number):
            got[number] = np.concatenate([classifier.scores(pictures[i::4][j : j + 1]) for i in range(4)
                                          for j in range(10)])  # fmt: skip

        workers = [threading.Thread(target=read, args=(number,)) for number in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    order = np.concatenate([wanted[i::4] for i in range(4)])
    assert len(got) == 4
    for scores in got.values():
        np.testing.assert_array_equal(scores, order)


def test_a_closed_classifier_is_an_error():
    with Classifier() as classifier:
        pass
    classifier.close()  # a second time does nothing
    with pytest.raises(InputError, match="expected an open classifier, got a closed one"):
        classifier.scores(np.zeros((32, 32), np.uint8))


def test_the_delegate_is_reported():
    report = Classifier(delegate="none").report
    assert (report.delegate, report.taken, report.nodes, report.asked) == ("", 0, 18, "none")
    with pytest.raises(InputError, match="expected the delegate nnapi to run, got NNAPI is Android's"):
        Classifier(delegate="nnapi", require_delegate=True)


def test_the_manifest_knows_every_packaged_model():
    assert set(packaged_models()) == {path.name for path in released_folder().glob("*.tflite")}
    assert json.loads((released_folder() / "manifest.json").read_text())["versions"]


FORKED = """
import os
import sys
import threading

import numpy as np

from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.runtime.classifier import Classifier
from lenet_edge.runtime.string_reader import StringReader

pictures = pad(calibration_digits().images[:4])
line = np.concatenate(list(pictures), axis=1)
classifier, reader = Classifier(), StringReader()
wanted = classifier.scores(pictures), reader.scores(line)
stop = threading.Event()


def work():
    while not stop.is_set():
        classifier.scores(pictures)
        reader.scores(line)


thread = threading.Thread(target=work)
thread.start()
for _ in range(5):
    child = os.fork()
    if not child:
        same = np.array_equal(classifier.scores(pictures), wanted[0])
        same &= np.array_equal(reader.scores(line), wanted[1])
        classifier.close()
        os._exit(0 if same else 3)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
thread.join()
assert np.array_equal(classifier.scores(pictures), wanted[0])
"""


def test_a_child_of_fork_answers_though_a_thread_of_its_parent_was_classifying():
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
