"""The public surface: what is exported is there, loads late, and stays itself beside commands of its name."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import converters
import lenet_edge

PACKAGES = [converters, lenet_edge]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_every_public_name_is_there_and_documented(package):
    assert sorted(package.__all__) == sorted(package._HOMES)
    for name in package.__all__:
        thing = getattr(package, name)
        assert thing.__doc__, name
        assert thing.__name__ == name
    assert set(package.__all__) <= set(dir(package))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_a_name_that_is_not_there_is_an_attribute_error(package):
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        package.nonsense  # noqa: B018


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
