"""TensorFlow's interpreter alone: the same interpreter, and nothing left behind where it cannot be had so."""

from __future__ import annotations

import json
import subprocess
import sys
from types import ModuleType

import numpy as np
import pytest

from converters.base.environment import tf
from converters.runtimes import interpreter_alone
from converters.runtimes.columns import COLUMNS, WORKER, run_column
from converters.runtimes.interpreter_alone import INTERPRETER
from converters.runtimes.interpreters import load_package
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.packaged.files import content_of

ALONE = """
import sys
from converters.runtimes.interpreter_alone import import_interpreter_alone
from converters.runtimes.interpreters import load_package
import_interpreter_alone()
package = load_package("tensorflow")
print(package.version, "AUTO" in package.resolvers.__members__, "keras" in sys.modules)
"""


def test_the_rest_of_tensorflow_is_not_imported():
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True)
    assert done.stdout.split() == [tf.__version__, "True", "False"], done.stderr


def test_a_columns_process_imports_no_more(tmp_path):
    (tmp_path / "0.tflite").write_bytes(content_of("lenet5_float32.tflite"))
    np.savez(tmp_path / "0.inputs.npz", np.zeros((1, 32, 32, 1), np.float32))
    (tmp_path / "log").touch()
    python, *worker = WORKER
    command = [python, "-X", "importtime", *worker, "tf.lite", str(tmp_path), ""]
    done = subprocess.run(command, input="0\n", capture_output=True, text=True)
    assert json.loads(done.stdout)["runtime"] == f"tensorflow {tf.__version__}", done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert f"{INTERPRETER}_wrapper" in imported
    assert "keras" not in imported


@pytest.mark.parametrize("name", ["lenet5_float32.tflite", "lenet5_int8.tflite"])
def test_it_answers_as_it_does_with_all_of_tensorflow(name):
    pictures = pad(calibration_digits().images[:20])[..., None].astype(np.float32)
    content = content_of(name)
    alone = run_column(COLUMNS["tf.lite"], {name: content}, {name: pictures})[name]
    interpreter = load_package("tensorflow").interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    for picture, answer in zip(pictures, alone.outputs, strict=True):
        interpreter.set_tensor(source["index"], picture[None].astype(source["dtype"]))
        interpreter.invoke()
        np.testing.assert_array_equal(interpreter.get_tensor(sink["index"])[0], answer)


def test_where_it_cannot_be_imported_alone_nothing_is_left_behind(monkeypatch):
    monkeypatch.delitem(sys.modules, "tensorflow")
    for name in [one for one in sys.modules if one.startswith("tensorflow.")]:
        monkeypatch.delitem(sys.modules, name)

    def wants_the_rest(name: str) -> ModuleType:
        sys.modules["tensorflow.lite"] = ModuleType("tensorflow.lite")
        raise ImportError(f"{name} wants the rest")

    monkeypatch.setattr(interpreter_alone.importlib, "import_module", wants_the_rest)
    interpreter_alone.import_interpreter_alone()
    left = [name for name in sys.modules if name.partition(".")[0] == "tensorflow"]
    monkeypatch.undo()
    assert left == []
    assert INTERPRETER in sys.modules
