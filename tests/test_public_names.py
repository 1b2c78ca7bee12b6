"""The public surface: what is exported is there, loads late, and stays itself beside commands of its name."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import pytest

import converters
import lenet_edge

PACKAGES = [converters, lenet_edge]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_every_public_name_is_there_and_documented(package):
    assert sorted(package.__all__) == sorted([*package._HOMES, *getattr(package, "_IN_KERAS", ())])
    for name in package.__all__:
        thing = getattr(package, name)
        assert thing.__doc__, name
        assert thing.__name__ == name
    assert set(package.__all__) <= set(dir(package))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_a_name_that_is_not_there_is_an_attribute_error(package):
    name = "nonsense"
    with pytest.raises(AttributeError, match=f"no attribute '{name}'"):
        getattr(package, name)


def test_the_reader_and_the_bytes_side_load_no_tensorflow():
    code = (
        "import sys; from lenet_edge import Classifier, StringReader\n"
        "from converters import InputError, check_sound\n"
        "assert not {'tensorflow', 'tf_keras', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_lower_stays_the_function_when_the_command_is_imported():
    command = importlib.import_module("converters.lower")
    assert callable(command.main)
    assert converters.lower is importlib.import_module("converters.file.lowering").lower


def test_importing_changes_nothing_in_the_process():
    """Its environment, the Keras that `tf.keras` is, and what TensorFlow logs are the user's own."""
    code = (
        "import os, tensorflow as tf; level, before = tf.get_logger().level, dict(os.environ)\n"
        "import converters.model.quantize_aware\n"  # imports tensorflow-model-optimization
        "from lenet_edge import TrainableSubsampling, lenet5; lenet5()\n"
        "assert tf.keras.__version__.startswith('3.'), tf.keras.__version__\n"
        "assert dict(os.environ) == before\n"
        "assert tf.get_logger().level == level"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
